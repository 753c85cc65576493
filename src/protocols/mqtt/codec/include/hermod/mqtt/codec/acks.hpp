// SPDX-License-Identifier: Apache-2.0
// The four acknowledgements of PUBLISH, which share one shape (MQTT 3.1.1 and 5.0, §3.4 to §3.7).
//
//   fixed header flags | 0000, PUBREL 0010 |
//   packet identifier  | 2 octets |
//   MQTT 5, may be missing from the end:
//     reason code      | 1 octet | Success when missing
//     properties       | property length | properties | none when missing
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/reason_code.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
struct AckView {
  PacketType type = PacketType::kPuback;
  std::uint16_t packet_id = 0;
  ReasonCode reason = ReasonCode::kSuccess;  ///< MQTT 5
  PropertyBlock properties;                  ///< MQTT 5; borrowed

  friend bool operator==(const AckView&, const AckView&) = default;
};

/// Any acknowledgement; the general form of read_ack().
[[nodiscard]] WireResult<AckView> read_any_ack(const FixedHeader& header, Bytes body,
                                               Version version);

/// Reads the body of an acknowledgement; `header.type` is one of the four. Malformed: a length that
/// the version does not know (MQTT 3.1.1 §3.4.1); identifier 0, which no PUBLISH has
/// [MQTT-2.3.1-6], [MQTT-2.2.1-5]; a reason code that is not the packet's [MQTT-3.4.2-1]; its
/// properties, see read_properties().
[[nodiscard]] inline WireResult<AckView> read_ack(const FixedHeader& header, Bytes body,
                                                  Version version) {
  if (header.remaining_length == 2 && body.size() >= 2) [[likely]] {
    const auto packet_id = static_cast<std::uint16_t>(body[0] << 8 | body[1]);
    if (packet_id != 0) return AckView{header.type, packet_id};
  }
  return read_any_ack(header, body, version);
}

/// True when only MQTT 5 can say it all: it takes more than the packet identifier.
[[nodiscard]] inline bool has_more_than_id(const AckView& ack, Version version) {
  return version == Version::kV5 && (ack.reason != ReasonCode::kSuccess || !ack.properties.empty());
}

/// Octets that write_any_ack() writes; 0 when MQTT cannot say it.
[[nodiscard]] std::size_t any_ack_size(const AckView& ack, Version version);
/// The general form of write_ack().
std::uint8_t* write_any_ack(std::uint8_t* out, const AckView& ack, Version version);

/// Octets that write_ack() writes; 0 when MQTT cannot say it.
[[nodiscard]] inline std::size_t ack_size(const AckView& ack, Version version) {
  return has_more_than_id(ack, version) ? any_ack_size(ack, version) : 4;
}

/// Writes the whole packet, as short as it can be said, and returns the place behind it. Before
/// MQTT 5 reason and properties are left out.
inline std::uint8_t* write_ack(std::uint8_t* out, const AckView& ack, Version version) {
  if (has_more_than_id(ack, version)) [[unlikely]]
    return write_any_ack(out, ack, version);
  out[0] =
      static_cast<std::uint8_t>(static_cast<std::uint8_t>(ack.type) << 4 | fixed_flags(ack.type));
  out[1] = 2;
  out[2] = static_cast<std::uint8_t>(ack.packet_id >> 8);
  out[3] = static_cast<std::uint8_t>(ack.packet_id);
  return out + 4;
}

}  // namespace hermod::mqtt
