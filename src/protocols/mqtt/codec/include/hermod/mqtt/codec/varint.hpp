// SPDX-License-Identifier: Apache-2.0
// The Variable Byte Integer (MQTT 5.0 §1.5.5): 1 to 4 octets, 7 bits each, low first, bit 7 = one
// more. The remaining length of every version is one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/reader.hpp"

namespace hermod::mqtt {

/// The largest value four octets can say.
inline constexpr std::size_t kVarintMax = 268'435'455;
/// What read_varint() answers for octets that are no Variable Byte Integer.
inline constexpr std::uint32_t kNoVarint = 0xFFFF'FFFF;

/// Octets that write_varint() writes, 1 to 4.
[[nodiscard]] constexpr std::size_t varint_size(std::size_t value) {
  return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

/// Writes a value of at most kVarintMax and returns the place behind it.
inline std::uint8_t* write_varint(std::uint8_t* out, std::size_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<std::uint8_t>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<std::uint8_t>(value);
  return out;
}

/// Reads a value; kNoVarint when it is cut short (then reader.ok() is false), has more than four
/// octets, or more than it needs [MQTT-1.5.5-1].
[[nodiscard]] inline std::uint32_t read_varint(Reader& reader) {
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const std::uint8_t octet = reader.u8();
    if (!reader.ok()) return kNoVarint;
    value |= (octet & 0x7Fu) << shift;
    if (octet < 0x80) return octet == 0 && shift > 0 ? kNoVarint : value;
  }
  return kNoVarint;
}

}  // namespace hermod::mqtt
