// SPDX-License-Identifier: Apache-2.0
// Why something was refused or ended, in words of no protocol. Each protocol's convert turns them
// into its own codes.
#pragma once

#include <cstdint>
#include <string_view>

namespace hermod::model {

enum class Reason : std::uint8_t {
  kOk,
  kNoMatch,  ///< published, and nobody was interested
  kNotAuthorized,
  kBadCredentials,
  kBadName,  ///< topic, filter, queue or client id not acceptable
  kNotFound,
  kQuotaExceeded,  ///< a limit of the configuration was reached
  kTooLarge,
  kNotSupported,
  kUnavailable,  ///< cannot be done now; try again later
  kTakenOver,    ///< another connection claimed the same session
  kProtocolError,
  kMalformed,
  kTimeout,        ///< the peer was silent for too long
  kPeerClosed,     ///< the peer closed or reset the connection
  kShutdown,       ///< this program is going down
  kContinue,       ///< authentication goes on: neither yes nor no
  kBadMethod,      ///< the method of authentication is not known
  kUnproven,       ///< the peer did not prove who it is
  kAlreadyExists,  ///< what was to be made is there
  kOutdated,       ///< what was to be replaced is not there any more
  kNoRoom,         ///< it would have to be kept, and the disk is full
};

/// The reason as words for a log line, for example "not authorized".
[[nodiscard]] std::string_view to_text(Reason reason);

}  // namespace hermod::model
