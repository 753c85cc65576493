// SPDX-License-Identifier: Apache-2.0
// CONNECT (MQTT 3.1.1 §3.1). Checks everything §3.1 asks of the packet itself; what needs a session
// (a second CONNECT, takeover, credentials) is not known here.
//
//   protocol name   | 00 04 M Q T T |
//   protocol level  | 04 |
//   connect flags   | user name | password | will retain | will QoS (2) | will | clean session | 0
//   | keep alive      | 2 octets, seconds | payload         | client id | will topic | will message
//   | user name | password |
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// What the server publishes when the connection ends without DISCONNECT (MQTT 3.1.1 §3.1.2.5).
struct WillView {
  std::string_view topic;
  Bytes payload;
  std::uint8_t qos = 0;  ///< 0, 1 or 2
  bool retain = false;
};

/// A CONNECT whose fields lie in somebody else's memory: the read buffer when it was read.
struct ConnectView {
  Version version = Version::kV311;  ///< stands for protocol name and level
  bool clean_session = true;
  std::uint16_t keep_alive_s = 0;  ///< 0: no keep-alive
  std::string_view client_id;      ///< empty only with clean_session
  std::optional<WillView> will;
  std::optional<std::string_view> user_name;
  std::optional<Bytes> password;  ///< only with user_name [MQTT-3.1.2-22]
};

/// Reads the body of a CONNECT. A malformed result whose `code` is not 0 carries the return code to
/// send in CONNACK before closing: kUnacceptableProtocolVersion for "MQTT" at another level than 4
/// [MQTT-3.1.2-2], and kIdentifierRejected for an empty client id without clean session
/// [MQTT-3.1.3-8]. With `code` 0 the connection is closed without CONNACK [MQTT-3.1.4-1].
[[nodiscard]] WireResult<ConnectView> read_connect(const FixedHeader& header, Bytes body);

/// Octets that write_connect() will write; 0 when a field is above 65,535 octets.
[[nodiscard]] std::size_t connect_size(const ConnectView& connect);

/// Writes connect_size() octets to `out` and returns the place behind them.
std::uint8_t* write_connect(std::uint8_t* out, const ConnectView& connect);

}  // namespace hermod::mqtt
