// SPDX-License-Identifier: Apache-2.0
// A client's method of enhanced authentication (MQTT 5.0 §4.12). Implemented above: this module
// knows no mechanism, only when it is asked.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "hermod/base/bytes.hpp"

namespace hermod::mqtt {

/// One client's. An error is why this side cannot go on, or does not believe the server; then the
/// connection ends.
class Authenticator {
 public:
  virtual ~Authenticator() = default;

  /// What CONNECT names, the same for the life of the connection.
  [[nodiscard]] virtual std::string_view method() const = 0;
  /// Begins an exchange, whatever became of an earlier one: what CONNECT, or the AUTH that
  /// authenticates again, carries.
  [[nodiscard]] virtual std::expected<std::string, std::string> first() = 0;
  /// What the server asks, and what answers it.
  [[nodiscard]] virtual std::expected<std::string, std::string> step(Bytes challenge) = 0;
  /// The server has said yes: whether it is who it should be.
  [[nodiscard]] virtual std::expected<void, std::string> finish(Bytes octets) = 0;
};

}  // namespace hermod::mqtt
