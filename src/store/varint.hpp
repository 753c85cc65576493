// SPDX-License-Identifier: Apache-2.0
// How numbers are written in the bodies of records: LEB128, seven bits an octet, the low ones
// first; signed ones zigzag. Fixed ones are little-endian. docs/formats/log.md.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "hermod/base/bytes.hpp"

namespace hermod::store {

/// Octets of the longest varint.
inline constexpr std::size_t kVarintMax = 10;

inline std::uint8_t* put_varint(std::uint8_t* out, std::uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<std::uint8_t>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<std::uint8_t>(value);
  return out;
}

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
}

/// `to` as its distance from `from`, whichever is larger.
inline std::uint8_t* put_delta(std::uint8_t* out, std::uint64_t from, std::uint64_t to) {
  return put_varint(out, zigzag(static_cast<std::int64_t>(to - from)));
}

/// A word of any size, little-endian.
template <typename Word>
inline std::uint8_t* put_fixed(std::uint8_t* out, Word value) {
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    out[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
  return out + sizeof(Word);
}
template <typename Word>
[[nodiscard]] inline Word get_fixed(const std::uint8_t* at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) value |= std::uint64_t{at[i]} << (8 * i);
  return static_cast<Word>(value);
}

inline std::uint8_t* put_octets(std::uint8_t* out, Bytes octets) {
  if (!octets.empty()) std::memcpy(out, octets.data(), octets.size());
  return out + octets.size();
}
inline std::uint8_t* put_prefixed(std::uint8_t* out, Bytes octets) {
  return put_octets(put_varint(out, octets.size()), octets);
}

/// Memory that bodies are written to, one after the other; it keeps what it has.
class Scratch {
 public:
  /// At least `count` octets behind what was written; what is written there is told by keep_to().
  [[nodiscard]] std::uint8_t* room(std::size_t count) {
    if (capacity_ - size_ < count) grow(count);
    return octets_.get() + size_;
  }
  void keep_to(const std::uint8_t* end) { size_ = static_cast<std::size_t>(end - octets_.get()); }
  void clear() { size_ = 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Bytes bytes() const { return {octets_.get(), size_}; }
  /// What was written first.
  [[nodiscard]] std::uint8_t& front() { return octets_[0]; }

 private:
  void grow(std::size_t count) {
    capacity_ = std::max({size_ + count, 2 * capacity_, std::size_t{256}});
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(capacity_);
    if (size_ != 0) std::memcpy(larger.get(), octets_.get(), size_);
    octets_ = std::move(larger);
  }

  std::unique_ptr<std::uint8_t[]> octets_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Reads the same from borrowed octets. Reading past the end, or a number that has no 64 bits,
/// yields zeros or empty spans and sets a flag that stays set: ask ok() once for a group of fields.
class Cursor {
 public:
  Cursor() = default;
  explicit Cursor(Bytes octets)
      : begin_(octets.data()), at_(octets.data()), end_(octets.data() + octets.size()) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  [[nodiscard]] std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] Bytes rest() const { return {at_, remaining()}; }
  void fail() {
    ok_ = false;
    at_ = end_;
  }

  std::uint8_t u8() {
    if (at_ == end_) return static_cast<std::uint8_t>(failed());
    return *at_++;
  }
  template <typename Word>
  Word fixed() {
    if (remaining() < sizeof(Word)) return static_cast<Word>(failed());
    const auto value = get_fixed<Word>(at_);
    at_ += sizeof(Word);
    return value;
  }
  std::uint64_t varint() {
    if (at_ != end_ && *at_ < 0x80) return *at_++;
    return long_varint();
  }
  /// A varint that is at most `max`.
  std::uint64_t varint_to(std::uint64_t max) {
    const std::uint64_t value = varint();
    return value <= max ? value : failed();
  }
  std::uint64_t delta(std::uint64_t from) {
    return from + static_cast<std::uint64_t>(unzigzag(varint()));
  }
  Bytes bytes(std::uint64_t count) {
    if (remaining() < count) {
      fail();
      return {};
    }
    const Bytes out{at_, static_cast<std::size_t>(count)};
    at_ += count;
    return out;
  }
  Bytes prefixed() { return bytes(varint()); }

 private:
  std::uint64_t failed() {
    fail();
    return 0;
  }
  std::uint64_t long_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && at_ != end_; shift += 7) {
      const std::uint8_t octet = *at_++;
      if (shift == 63 && octet > 1) break;
      value |= std::uint64_t{octet & 0x7Fu} << shift;
      if (octet < 0x80) return value;
    }
    return failed();
  }

  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  bool ok_ = true;
};

}  // namespace hermod::store
