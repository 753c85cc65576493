// SPDX-License-Identifier: Apache-2.0
// The fixed header that starts every control packet (MQTT 3.1.1 §2.2, MQTT 5.0 §2.1.1). Knows
// nothing of bodies.
//
//   octet 1      | type (7-4) | flags (3-0) |
//   octets 2..5  | remaining length, a Variable Byte Integer |
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/packet_type.hpp"
#include "hermod/mqtt/codec/varint.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// The largest remaining length four octets can say (MQTT 3.1.1 §2.2.3).
inline constexpr std::size_t kRemainingLengthMax = kVarintMax;
/// The longest text or binary field a two-octet length can say (MQTT 3.1.1 §1.5.3).
inline constexpr std::size_t kFieldBytesMax = 65'535;

struct FixedHeader {
  PacketType type = PacketType::kPingreq;
  std::uint8_t flags = 0;              ///< bits 3-0, already checked against the type
  std::uint32_t remaining_length = 0;  ///< octets after the fixed header
  std::uint8_t header_size = 0;        ///< 2 to 5 octets

  /// Octets of the whole packet.
  [[nodiscard]] std::size_t packet_size() const {
    return std::size_t{header_size} + remaining_length;
  }
};

/// Any fixed header; the general form of read_fixed_header().
[[nodiscard]] WireResult<FixedHeader> read_any_fixed_header(Bytes bytes, Version version);

/// Reads the fixed header at the start of `bytes` and nothing behind it, so that a caller can
/// refuse `packet_size()` before the body has arrived. Errors: incomplete; malformed for a
/// forbidden type, flags that do not belong to the type (for PUBLISH that includes QoS 3 and DUP
/// with QoS 0; 3.1 lets PUBREL, SUBSCRIBE and UNSUBSCRIBE say DUP), a remaining length of more than
/// four octets, or, in MQTT 5, of more than it needs [MQTT-1.5.5-1]. Malformed is reported as soon
/// as the octet is there; in MQTT 5 with reason code 0x81, as every fault of a fixed header.
[[nodiscard]] inline WireResult<FixedHeader> read_fixed_header(Bytes bytes,
                                                               Version version = Version::kV311) {
  if (bytes.size() >= 2 && bytes[1] < 0x80) {
    const auto type = static_cast<std::uint8_t>(bytes[0] >> 4);
    const auto flags = static_cast<std::uint8_t>(bytes[0] & 0x0F);
    if ((kValidFlags[type] >> flags & 1) != 0)
      return FixedHeader{PacketType{type}, flags, bytes[1], 2};
  }
  return read_any_fixed_header(bytes, version);
}

/// Octets that a fixed header with this remaining length takes, 2 to 5.
[[nodiscard]] constexpr std::size_t fixed_header_size(std::size_t remaining_length) {
  return 1 + varint_size(remaining_length);
}

/// Octets of a packet with this remaining length; 0 when MQTT cannot say so long a packet.
[[nodiscard]] constexpr std::size_t size_with_fixed_header(std::size_t remaining_length) {
  if (remaining_length > kRemainingLengthMax) return 0;
  return fixed_header_size(remaining_length) + remaining_length;
}

/// Writes fixed_header_size(remaining_length) octets and returns the place behind them.
inline std::uint8_t* write_fixed_header(std::uint8_t* out, PacketType type, std::uint8_t flags,
                                        std::size_t remaining_length) {
  *out++ = static_cast<std::uint8_t>(static_cast<std::uint8_t>(type) << 4 | flags);
  return write_varint(out, remaining_length);
}

}  // namespace hermod::mqtt
