// SPDX-License-Identifier: Apache-2.0
// Lines of a text with their numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace hermod::identity {

class TextLines {
 public:
  explicit TextLines(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  /// The next line without its end; only while !done().
  std::string_view next() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    return line;
  }
  /// Of the line that next() has returned, from 1.
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

/// What isspace() calls white in the C locale.
inline constexpr std::string_view kWhite = " \t\r\n\v\f";

inline std::string_view trim_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kWhite) + 1);
}
inline std::string_view trim(std::string_view text) {
  text = trim_end(text);
  return text.substr(std::min(text.find_first_not_of(kWhite), text.size()));
}

}  // namespace hermod::identity
