// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/fixed_header.hpp"

namespace hermod::mqtt {
namespace {

// The rule that a first octet with invalid flags breaks.
const char* flags_statement(PacketType type, std::uint8_t flags) {
  switch (type) {
    case PacketType::kPublish:
      return (flags & 0x06) == 0x06 ? "MQTT-3.3.1-4" : "MQTT-3.3.1-2";
    case PacketType::kPubrel:
      return "MQTT-3.6.1-1";
    case PacketType::kSubscribe:
      return "MQTT-3.8.1-1";
    case PacketType::kUnsubscribe:
      return "MQTT-3.10.1-1";
    case PacketType::kDisconnect:
      return "MQTT-3.14.1-1";
    default:
      return "MQTT-2.2.2-2";
  }
}

}  // namespace

WireResult<FixedHeader> read_any_fixed_header(Bytes bytes, Version) {
  if (bytes.empty()) return incomplete(2);
  const auto type = static_cast<std::uint8_t>(bytes[0] >> 4);
  const auto flags = static_cast<std::uint8_t>(bytes[0] & 0x0F);
  if (kValidFlags[type] == 0) return malformed(0, 0, "MQTT 3.1.1 §2.2.1");
  if ((kValidFlags[type] >> flags & 1) == 0) {
    return malformed(0, 0, flags_statement(PacketType{type}, flags));  // [MQTT-2.2.2-2]
  }
  std::uint32_t length = 0;
  for (std::uint8_t at = 1; at <= 4; ++at) {
    if (bytes.size() <= at) return incomplete(at + std::size_t{1});
    length |= (bytes[at] & 0x7Fu) << (7 * (at - 1));
    if (bytes[at] < 0x80) {
      return FixedHeader{PacketType{type}, flags, length, static_cast<std::uint8_t>(at + 1)};
    }
  }
  return malformed(0, 4, "MQTT 3.1.1 §2.2.3");
}

}  // namespace hermod::mqtt
