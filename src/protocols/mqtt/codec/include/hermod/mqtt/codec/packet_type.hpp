// SPDX-License-Identifier: Apache-2.0
// The control packet types and the fixed-header flags each of them may carry
// (MQTT 3.1.1 §2.2.1 and §2.2.2, MQTT 5.0 §2.1.2 and §2.1.3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hermod::mqtt {

/// Bits 7-4 of a packet's first octet (MQTT 5.0 table 2-1). 0 is forbidden.
enum class PacketType : std::uint8_t {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kPubrec = 5,
  kPubrel = 6,
  kPubcomp = 7,
  kSubscribe = 8,
  kSuback = 9,
  kUnsubscribe = 10,
  kUnsuback = 11,
  kPingreq = 12,
  kPingresp = 13,
  kDisconnect = 14,
  kAuth = 15,  ///< forbidden before MQTT 5
};

/// Flag bits of PUBLISH (MQTT 3.1.1 §3.3.1); the QoS is shifted by one.
inline constexpr std::uint8_t kPublishDup = 0x08;
inline constexpr std::uint8_t kPublishRetain = 0x01;

/// Flags that the specification fixes for a type other than PUBLISH: 0010 for PUBREL, SUBSCRIBE and
/// UNSUBSCRIBE, 0000 for the rest [MQTT-2.2.2-1], [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1].
[[nodiscard]] constexpr std::uint8_t fixed_flags(PacketType type) {
  return type == PacketType::kPubrel || type == PacketType::kSubscribe ||
                 type == PacketType::kUnsubscribe
             ? 0x02
             : 0x00;
}

/// True when PUBLISH may carry these flags: QoS 0, 1 or 2 [MQTT-3.3.1-4], DUP only with a QoS above
/// 0 [MQTT-3.3.1-2].
[[nodiscard]] constexpr bool publish_flags_valid(std::uint8_t flags) {
  const int qos = flags >> 1 & 3;
  return qos != 3 && (qos != 0 || (flags & kPublishDup) == 0);
}

/// For each type, bit f is set when the flags f are valid with it in every version; 0 for types
/// that are forbidden in one.
inline constexpr std::array<std::uint16_t, 16> kValidFlags = [] {
  std::array<std::uint16_t, 16> masks{};
  for (std::uint8_t type = 1; type < 15; ++type) {
    masks[type] = static_cast<std::uint16_t>(1 << fixed_flags(PacketType{type}));
  }
  std::uint16_t publish = 0;
  for (std::uint8_t flags = 0; flags < 16; ++flags) {
    if (publish_flags_valid(flags)) publish = static_cast<std::uint16_t>(publish | 1 << flags);
  }
  masks[static_cast<std::size_t>(PacketType::kPublish)] = publish;
  return masks;
}();

}  // namespace hermod::mqtt
