// SPDX-License-Identifier: Apache-2.0
// A rule that a packet can break, as each version cites it. Before MQTT 5 a broken rule has no code
// but the return codes of CONNACK. The statements of 3.1 have no numbers: 3.1.1's stand for them.
#pragma once

#include <cstddef>

#include "hermod/base/reader.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/reason_code.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

struct Rule {
  const char* v311;
  const char* v5;
  ReasonCode reason = ReasonCode::kMalformedPacket;
};

/// The octets break a rule of MQTT 5.0.
[[nodiscard]] inline std::unexpected<WireError> breaks(ReasonCode reason, std::size_t offset,
                                                       const char* statement) {
  return malformed(static_cast<std::uint16_t>(reason), offset, statement);
}

/// The octets break a rule that every version has.
[[nodiscard]] inline std::unexpected<WireError> breaks(const Rule& rule, std::size_t offset,
                                                       Version version) {
  if (version == Version::kV5) return breaks(rule.reason, offset, rule.v5);
  return malformed(0, offset, rule.v311);
}

/// The packet identifier that `reader` just took is 0, or was not there.
[[nodiscard]] inline std::unexpected<WireError> breaks_packet_id(const Reader& reader, Rule rule,
                                                                 std::size_t offset,
                                                                 Version version) {
  if (reader.ok()) rule.reason = ReasonCode::kProtocolError;
  return breaks(rule, offset, version);
}

/// A topic name or filter is none.
[[nodiscard]] inline std::unexpected<WireError> breaks(TopicFault fault, std::size_t offset,
                                                       Version version) {
  const char* const broken = statement(fault, version);
  // Ill-formed text cannot be parsed; a wildcard in the wrong place can (MQTT 5.0 §1.2).
  const bool parsed = fault != TopicFault::kUtf8 && fault != TopicFault::kNul;
  return breaks(
      {broken, broken, parsed ? ReasonCode::kProtocolError : ReasonCode::kMalformedPacket}, offset,
      version);
}

}  // namespace hermod::mqtt
