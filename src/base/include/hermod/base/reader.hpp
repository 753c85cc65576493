// SPDX-License-Identifier: Apache-2.0
// Cursor over borrowed octets, big-endian. Reading past the end yields zeros or empty spans and
// sets a flag that stays set: a decoder reads a group of fields and asks ok() once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"

namespace hermod {

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - offset_; }
  [[nodiscard]] bool at_end() const { return offset_ == bytes_.size(); }
  /// Everything that is left, without moving.
  [[nodiscard]] Bytes rest() const { return bytes_.subspan(offset_); }

  std::uint8_t u8() {
    if (!need(1)) return 0;
    return bytes_[offset_++];
  }
  std::uint16_t u16() {
    if (!need(2)) return 0;
    const auto value = static_cast<std::uint16_t>(bytes_[offset_] << 8 | bytes_[offset_ + 1]);
    offset_ += 2;
    return value;
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  std::uint64_t u64() {
    const std::uint64_t high = u32();
    return high << 32 | u32();
  }
  Bytes bytes(std::size_t count) {
    if (!need(count)) return {};
    const Bytes out = bytes_.subspan(offset_, count);
    offset_ += count;
    return out;
  }
  /// Octets with a two-byte length before them (MQTT binary data and strings).
  Bytes prefixed16() { return bytes(u16()); }

 private:
  bool need(std::size_t count) {
    if (bytes_.size() - offset_ >= count) return true;
    ok_ = false;
    offset_ = bytes_.size();
    return false;
  }

  Bytes bytes_;
  std::size_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace hermod
