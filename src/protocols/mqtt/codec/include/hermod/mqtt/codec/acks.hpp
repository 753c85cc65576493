// SPDX-License-Identifier: Apache-2.0
// The four acknowledgements of PUBLISH, which share one shape (MQTT 3.1.1 §3.4 to §3.7).
//
//   fixed header flags | 0000, PUBREL 0010 |
//   packet identifier  | 2 octets |
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
struct AckPacket {
  PacketType type = PacketType::kPuback;
  std::uint16_t packet_id = 0;

  friend bool operator==(const AckPacket&, const AckPacket&) = default;
};

/// Reads the body of an acknowledgement; `header.type` is one of the four. Malformed: another
/// length than 2 (MQTT 3.1.1 §3.4.1), or identifier 0, which no PUBLISH has [MQTT-2.3.1-6].
[[nodiscard]] inline WireResult<AckPacket> read_ack(const FixedHeader& header, Bytes body,
                                                    Version) {
  if (header.remaining_length != 2) return malformed(0, 1, "MQTT 3.1.1 §3.4.1");
  if (body.size() < 2) return incomplete(header.packet_size());
  const auto packet_id = static_cast<std::uint16_t>(body[0] << 8 | body[1]);
  if (packet_id == 0) return malformed(0, header.header_size, "MQTT-2.3.1-6");
  return AckPacket{header.type, packet_id};
}

/// Octets that write_ack() writes.
[[nodiscard]] constexpr std::size_t ack_size(const AckPacket&, Version) {
  return 4;
}

/// Writes the whole packet and returns the place behind it.
inline std::uint8_t* write_ack(std::uint8_t* out, const AckPacket& ack, Version) {
  out[0] =
      static_cast<std::uint8_t>(static_cast<std::uint8_t>(ack.type) << 4 | fixed_flags(ack.type));
  out[1] = 2;
  out[2] = static_cast<std::uint8_t>(ack.packet_id >> 8);
  out[3] = static_cast<std::uint8_t>(ack.packet_id);
  return out + 4;
}

}  // namespace hermod::mqtt
