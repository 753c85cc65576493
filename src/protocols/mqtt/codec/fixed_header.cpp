// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/fixed_header.hpp"

#include "rule.hpp"

namespace hermod::mqtt {
namespace {

// The flags that a type may carry in this version, as in kValidFlags.
std::uint16_t valid_flags(std::uint8_t type, Version version) {
  constexpr std::uint16_t kDupAndFixed = 1 << 0x02 | 1 << 0x0A;
  const bool resent = fixed_flags(PacketType{type}) != 0;
  if (version == Version::kV31 && resent) return kDupAndFixed;  // MQTT 3.1 §2.1
  if (version == Version::kV5 && PacketType{type} == PacketType::kAuth) return 1 << 0;
  return kValidFlags[type];
}

// The rule that a first octet with invalid flags breaks.
Rule flags_rule(PacketType type, std::uint8_t flags) {
  switch (type) {
    case PacketType::kPublish:
      if ((flags & 0x06) == 0x06) return {"MQTT-3.3.1-4", "MQTT-3.3.1-4"};
      return {"MQTT-3.3.1-2", "MQTT-3.3.1-2"};
    case PacketType::kPubrel:
      return {"MQTT-3.6.1-1", "MQTT-3.6.1-1"};
    case PacketType::kSubscribe:
      return {"MQTT-3.8.1-1", "MQTT-3.8.1-1"};
    case PacketType::kUnsubscribe:
      return {"MQTT-3.10.1-1", "MQTT-3.10.1-1"};
    case PacketType::kDisconnect:
      return {"MQTT-3.14.1-1", "MQTT-3.14.1-1"};
    case PacketType::kAuth:
      return {"", "MQTT-3.15.1-1"};
    default:
      return {"MQTT-2.2.2-2", "MQTT-2.1.3-1"};
  }
}

}  // namespace

WireResult<FixedHeader> read_any_fixed_header(Bytes bytes, Version version) {
  if (bytes.empty()) return incomplete(2);
  const auto type = static_cast<std::uint8_t>(bytes[0] >> 4);
  const auto flags = static_cast<std::uint8_t>(bytes[0] & 0x0F);
  const std::uint16_t valid = valid_flags(type, version);
  if (valid == 0) return breaks({"MQTT 3.1.1 §2.2.1", "MQTT 5.0 §2.1.2"}, 0, version);
  if ((valid >> flags & 1) == 0) {
    return breaks(flags_rule(PacketType{type}, flags), 0, version);  // [MQTT-2.2.2-2]
  }
  std::uint32_t length = 0;
  for (std::uint8_t at = 1; at <= 4; ++at) {
    if (bytes.size() <= at) return incomplete(at + std::size_t{1});
    length |= (bytes[at] & 0x7Fu) << (7 * (at - 1));
    if (bytes[at] >= 0x80) continue;
    const bool padded = bytes[at] == 0 && at > 1;
    if (padded && version == Version::kV5) return breaks({"", "MQTT-1.5.5-1"}, at, version);
    return FixedHeader{PacketType{type}, flags, length, static_cast<std::uint8_t>(at + 1)};
  }
  return breaks({"MQTT 3.1.1 §2.2.3", "MQTT 5.0 §1.5.5"}, 4, version);
}

}  // namespace hermod::mqtt
