// SPDX-License-Identifier: Apache-2.0
// CONNACK (MQTT 3.1.1 §3.2).
//
//   acknowledge flags | 0000000 | session present |
//   return code       | 1 octet |
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// Table 3.1 of MQTT 3.1.1; 6 to 255 are reserved.
enum class ConnectReturnCode : std::uint8_t {
  kAccepted = 0,
  kUnacceptableProtocolVersion = 1,
  kIdentifierRejected = 2,
  kServerUnavailable = 3,
  kBadUserNameOrPassword = 4,
  kNotAuthorized = 5,
};

struct Connack {
  bool session_present = false;  ///< only with kAccepted [MQTT-3.2.2-4]
  ConnectReturnCode return_code = ConnectReturnCode::kAccepted;

  friend bool operator==(const Connack&, const Connack&) = default;
};

/// Reads the body of a CONNACK. Malformed: another length than 2, reserved flags, a reserved return
/// code, session present with a refusal.
[[nodiscard]] WireResult<Connack> read_connack(const FixedHeader& header, Bytes body,
                                               Version version);

/// Octets that write_connack() writes.
[[nodiscard]] constexpr std::size_t connack_size(const Connack&, Version) {
  return 4;
}

/// Writes the whole packet and returns the place behind it.
std::uint8_t* write_connack(std::uint8_t* out, const Connack& connack, Version version);

}  // namespace hermod::mqtt
