// SPDX-License-Identifier: Apache-2.0
// Cursor that writes into memory whose size the caller has computed before (predicted size equals
// written size), big-endian. It does not check: the encoder's size function is the check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hermod/base/bytes.hpp"

namespace hermod {

class Writer {
 public:
  explicit Writer(std::uint8_t* out) : at_(out) {}

  [[nodiscard]] std::uint8_t* position() const { return at_; }

  void u8(std::uint8_t value) { *at_++ = value; }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
  }
  void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value));
  }
  void u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32));
    u32(static_cast<std::uint32_t>(value));
  }
  void bytes(Bytes value) {
    if (!value.empty()) std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }
  void text(std::string_view value) { bytes(as_bytes(value)); }
  /// Two-byte length, then the octets; at most 65,535 of them.
  void prefixed16(Bytes value) {
    u16(static_cast<std::uint16_t>(value.size()));
    bytes(value);
  }

 private:
  std::uint8_t* at_;
};

}  // namespace hermod
