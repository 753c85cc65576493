// SPDX-License-Identifier: Apache-2.0
// A token that is kept: the client's name for a request or an observation (RFC 7252 §5.3.1), up to
// eight octets without meaning, as a value.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "hermod/base/assert.hpp"
#include "hermod/base/bytes.hpp"
#include "hermod/coap/codec/message.hpp"

namespace hermod::coap {

class Token {
 public:
  Token() = default;
  /// Copies at most kTokenSizeMax octets.
  explicit Token(Bytes octets) : size_(static_cast<std::uint8_t>(octets.size())) {
    HERMOD_ASSERT(octets.size() <= kTokenSizeMax);
    std::ranges::copy(octets, octets_.begin());
  }
  [[nodiscard]] Bytes bytes() const { return {octets_.data(), size_}; }
  bool operator==(const Token&) const = default;

 private:
  std::array<std::uint8_t, kTokenSizeMax> octets_{};
  std::uint8_t size_ = 0;
};

}  // namespace hermod::coap
