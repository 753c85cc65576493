// SPDX-License-Identifier: Apache-2.0
// The two words everything that reads or writes octets is made of.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hermod {

/// Borrowed, immutable octets. Never outlives the call it came in unless a type says otherwise.
using Bytes = std::span<const std::uint8_t>;

/// The octets of a text, without copying.
inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The text in some octets, without copying and without checking that it is UTF-8.
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace hermod
