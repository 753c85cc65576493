// SPDX-License-Identifier: Apache-2.0
// A token that is kept: the client's name for a request or an observation (RFC 7252 §5.3.1), octets
// without meaning, as a value. Up to eight of them, which is all that RFC 7252 knows, lie in the
// object itself; longer ones (RFC 8974) on the heap.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "hermod/base/assert.hpp"
#include "hermod/base/bytes.hpp"
#include "hermod/coap/codec/message.hpp"

namespace hermod::coap {

class Token {
 public:
  Token() = default;
  /// Copies at most kTokenSizeMax octets.
  explicit Token(Bytes octets) : size_(static_cast<std::uint32_t>(octets.size())) {
    if (octets.size() > kInlineMax) [[unlikely]] {
      keep_long(octets);
    } else {
      std::ranges::copy(octets, inline_.begin());
    }
  }
  Token(const Token& other) : inline_(other.inline_), size_(other.size_) {
    if (other.long_) [[unlikely]]
      keep_long(other.bytes());
  }
  /// Leaves an empty token behind.
  Token(Token&& other) noexcept
      : inline_(other.inline_),
        size_(std::exchange(other.size_, 0)),
        long_(std::move(other.long_)) {
    other.inline_ = {};
  }
  Token& operator=(const Token& other) {
    if (long_ || other.long_) [[unlikely]]
      return *this = Token(other);
    inline_ = other.inline_;
    size_ = other.size_;
    return *this;
  }
  Token& operator=(Token&& other) noexcept {
    inline_ = std::exchange(other.inline_, {});
    size_ = std::exchange(other.size_, 0);
    long_ = std::move(other.long_);
    return *this;
  }
  ~Token() = default;

  [[nodiscard]] Bytes bytes() const { return {long_ ? long_.get() : inline_.data(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }

  friend bool operator==(const Token& a, const Token& b) {
    if (a.size_ != b.size_ || a.inline_ != b.inline_) return false;
    return !a.long_ || std::memcmp(a.long_.get(), b.long_.get(), a.size_) == 0;
  }

 private:
  static constexpr std::size_t kInlineMax = kTokenSizeUsual;

  void keep_long(Bytes octets) {
    HERMOD_ASSERT(octets.size() <= kTokenSizeMax);
    long_ = std::make_unique_for_overwrite<std::uint8_t[]>(octets.size());
    std::ranges::copy(octets, long_.get());
  }

  std::array<std::uint8_t, kInlineMax> inline_{};  // zeros behind a short token, and in a long one
  std::uint32_t size_ = 0;
  std::unique_ptr<std::uint8_t[]> long_;
};
static_assert(sizeof(Token) <= 24, "kept with every observation");

}  // namespace hermod::coap
