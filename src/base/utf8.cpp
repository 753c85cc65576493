// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/utf8.hpp"

#include "hermod/base/words.hpp"

namespace hermod {
namespace {

bool is_continuation(std::uint8_t octet) {
  return (octet & 0xC0) == 0x80;
}

// Length of the well-formed sequence at the start of `rest` (RFC 3629 §4), 0 when there is none.
std::size_t sequence_length(Bytes rest) {
  const std::uint8_t first = rest[0];
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (rest.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(rest[i])) return 0;
  }
  if (first == 0xE0 && rest[1] < 0xA0) return 0;  // overlong
  if (first == 0xED && rest[1] > 0x9F) return 0;  // surrogates
  if (first == 0xF0 && rest[1] < 0x90) return 0;  // overlong
  if (first == 0xF4 && rest[1] > 0x8F) return 0;  // above U+10FFFF
  return length;
}

}  // namespace

bool is_utf8(Bytes bytes) {
  constexpr std::uint64_t kHigh = each_octet(0x80);
  const std::uint8_t* at = bytes.data();
  const std::uint8_t* const end = at + bytes.size();
  while (at != end) {
    const auto left = static_cast<std::size_t>(end - at);
    if (left >= 8) {
      if ((load8(at) & kHigh) == 0) {
        at += 8;
        continue;
      }
    } else if ((load_short(at, left) & kHigh) == 0) {
      return true;
    }
    const std::size_t length = sequence_length({at, left});
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace hermod
