// SPDX-License-Identifier: Apache-2.0
// Octets as a person writes them in a test vector: hexadecimal pairs, 'text' in single quotes, and
// *N behind a pair or a text to repeat it. Blanks separate.
//
//   octets("30 07 0003 'a/b' 'x'*2") is the PUBLISH of "xx" to a/b
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"

namespace hermod::testkit {

namespace octets_detail {

inline int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  throw std::invalid_argument(std::string("not a lower-case hexadecimal digit: ") + c);
}

// Takes the next pair or text off `notation`.
inline std::string take_item(std::string_view& notation) {
  if (notation[0] == '\'') {
    const std::size_t end = notation.find('\'', 1);
    if (end == std::string_view::npos) throw std::invalid_argument("text without closing quote");
    const std::string text(notation.substr(1, end - 1));
    notation.remove_prefix(end + 1);
    return text;
  }
  if (notation.size() < 2) throw std::invalid_argument("half an octet at the end");
  const int value = digit(notation[0]) * 16 + digit(notation[1]);
  notation.remove_prefix(2);
  return std::string(1, static_cast<char>(value));
}

// Takes "*N" off `notation`; 1 when it is not there.
inline std::size_t take_count(std::string_view& notation) {
  if (notation.empty() || notation[0] != '*') return 1;
  notation.remove_prefix(1);
  std::size_t count = 0;
  while (!notation.empty() && notation[0] >= '0' && notation[0] <= '9') {
    count = count * 10 + static_cast<std::size_t>(notation[0] - '0');
    notation.remove_prefix(1);
  }
  return count;
}

}  // namespace octets_detail

/// The octets that `notation` describes. Throws std::invalid_argument when it cannot be read.
[[nodiscard]] inline std::vector<std::uint8_t> octets(std::string_view notation) {
  std::vector<std::uint8_t> out;
  while (!notation.empty()) {
    if (notation[0] == ' ') {
      notation.remove_prefix(1);
      continue;
    }
    const std::string item = octets_detail::take_item(notation);
    for (std::size_t n = octets_detail::take_count(notation); n > 0; --n) {
      out.insert(out.end(), item.begin(), item.end());
    }
  }
  return out;
}

/// Hexadecimal pairs separated by blanks, the first 64 of them.
[[nodiscard]] inline std::string hex(Bytes bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t octet : bytes.first(std::min<std::size_t>(bytes.size(), 64))) {
    out += kDigits[octet >> 4];
    out += kDigits[octet & 15];
    out += ' ';
  }
  return bytes.size() > 64 ? out + "..." : out;
}

}  // namespace hermod::testkit
