// SPDX-License-Identifier: Apache-2.0
// CONNECT (MQTT 3.1.1 §3.1, MQTT 5.0 §3.1). Checks everything §3.1 asks of the packet itself; what
// needs a session (a second CONNECT, takeover, credentials) is not known here.
//
//   protocol name   | 00 04 M Q T T | 3.1: 00 06 M Q I s d p |
//   protocol level  | 03, 04 or 05 |
//   connect flags   | user name | password | will retain | will QoS (2) | will | clean session | 0
//   | keep alive      | 2 octets, seconds | properties      | property length | properties | only
//   MQTT 5 payload         | client id | will properties (only MQTT 5) | will topic | will message
//   |
//                   | user name | password |
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// What the server publishes when the connection ends without DISCONNECT (MQTT 3.1.1 §3.1.2.5).
struct WillView {
  std::string_view topic;
  Bytes payload;
  std::uint8_t qos = 0;  ///< 0, 1 or 2
  bool retain = false;
  PropertyBlock properties;  ///< left out before MQTT 5
};

/// A CONNECT whose fields lie in somebody else's memory: the read buffer when it was read.
struct ConnectView {
  Version version = Version::kV311;  ///< stands for protocol name and level
  bool clean_session = true;         ///< MQTT 5 calls it Clean Start
  std::uint16_t keep_alive_s = 0;    ///< 0: no keep-alive
  std::string_view client_id;        ///< empty: in 3.1.1 only with clean_session, in 3.1 never
  std::optional<WillView> will;
  std::optional<std::string_view> user_name;
  std::optional<Bytes> password;  ///< before MQTT 5 only with user_name [MQTT-3.1.2-22]
  PropertyBlock properties;       ///< left out before MQTT 5
};

/// The longest client id of MQTT 3.1, in characters (MQTT 3.1 §3.1).
inline constexpr std::size_t kClientIdCharactersMaxV31 = 23;

/// Reads the body of a CONNECT of any version, whose fixed header was read as 3.1.1's. A malformed
/// result whose `code` is not 0 carries what to send in CONNACK before closing:
///   below 0x80  a return code, to be sent in the form of 3.1.1: kUnacceptableProtocolVersion for a
///               level that is none and below 5, or not the one of its protocol name
///               [MQTT-3.1.2-2]; kIdentifierRejected for an empty client id without clean session
///               [MQTT-3.1.3-8], and in 3.1 for one that has not 1 to 23 characters
///   0x80 on     a reason code, to be sent in the form of MQTT 5: kUnsupportedProtocolVersion for a
///               level above 5, and why a CONNECT of level 5 is refused
/// With `code` 0 the connection is closed without CONNACK [MQTT-3.1.4-1].
///
/// 3.1 is read as servers have always read it: reserved flags and those of a will that is not there
/// count for nothing, and a user name or password that its flag announces may be missing at the end
/// (MQTT 3.1 §3.1: the remaining length takes precedence over the flag).
[[nodiscard]] WireResult<ConnectView> read_connect(const FixedHeader& header, Bytes body);

/// Octets that write_connect() will write; 0 when a field is above 65,535 octets, or the whole more
/// than MQTT can say.
[[nodiscard]] std::size_t connect_size(const ConnectView& connect);

/// Writes connect_size() octets to `out` and returns the place behind them.
std::uint8_t* write_connect(std::uint8_t* out, const ConnectView& connect);

}  // namespace hermod::mqtt
