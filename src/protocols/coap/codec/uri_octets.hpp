// SPDX-License-Identifier: Apache-2.0
// Which octets stand for themselves in an address, and how the others are written (RFC 3986 §2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hermod::coap {

[[nodiscard]] inline bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
[[nodiscard]] inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
[[nodiscard]] inline bool is_unreserved(char c) {  // RFC 3986 §2.3
  return is_alpha(c) || is_digit(c) || std::string_view("-._~").contains(c);
}
[[nodiscard]] inline bool is_sub_delim(char c) {  // RFC 3986 §2.2
  return std::string_view("!$&'()*+,;=").contains(c);
}
[[nodiscard]] inline bool is_path_char(char c) {  // RFC 7252 §6.5 step 6
  return is_unreserved(c) || is_sub_delim(c) || c == ':' || c == '@';
}

/// "%2F"
inline void append_encoded(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";  // upper case: RFC 7252 §6.5
  const auto octet = static_cast<std::uint8_t>(c);
  out += '%';
  out += kDigits[octet >> 4];
  out += kDigits[octet & 0x0fu];
}

inline void append_encoded(std::string& out, std::string_view text, bool (*is_plain)(char)) {
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
    } else {
      append_encoded(out, c);
    }
  }
}

}  // namespace hermod::coap
