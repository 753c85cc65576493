// SPDX-License-Identifier: Apache-2.0
// Values of configuration lines by kind.
#include "config/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>

namespace hermod::app {
namespace {

constexpr std::int64_t kHour = 3600;

/// Seconds of one unit as mosquitto counts them; 0 when there is no such unit.
std::int64_t unit_seconds(char unit) {
  switch (unit) {
    case 'h':
      return kHour;
    case 'd':
      return 24 * kHour;
    case 'w':
      return 7 * 24 * kHour;
    case 'm':
      return 30 * 24 * kHour;
    case 'y':
      return 365 * 24 * kHour;
    default:
      return 0;
  }
}

bool read_duration(std::string_view text, std::int64_t& seconds) {
  if (text.empty()) return false;
  const std::int64_t unit = unit_seconds(text.back());
  std::int64_t count = 0;
  if (unit == 0 || !read_number(text.substr(0, text.size() - 1), count)) return false;
  if (count < 1 || count > std::numeric_limits<std::int64_t>::max() / unit) return false;
  seconds = count * unit;
  return true;
}

bool read_boolean(std::string_view text, bool& truth) {
  std::string word(text);
  std::ranges::transform(word, word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  truth = word == "true" || word == "1";
  return truth || word == "false" || word == "0";
}

bool read_by_kind(Value& value, ValueKind kind, Range range) {
  switch (kind) {
    case ValueKind::kBoolean:
      return read_boolean(value.text, value.truth);
    case ValueKind::kInteger:
      return read_number(value.text, value.number) && value.number >= range.min &&
             value.number <= range.max;
    case ValueKind::kDuration:
      return read_duration(value.text, value.number) && value.number <= range.max;
    case ValueKind::kText:
      return !value.text.empty();
  }
  return false;
}

}  // namespace

bool read_number(std::string_view text, std::int64_t& number) {
  const char* begin = std::to_address(text.begin());
  const char* end = std::to_address(text.end());
  const auto [stopped, error] = std::from_chars(begin, end, number);
  return error == std::errc() && stopped == end;
}

std::string describe(ValueKind kind, Range range) {
  switch (kind) {
    case ValueKind::kBoolean:
      return "true or false";
    case ValueKind::kInteger:
      return fmt::format("a whole number from {} to {}", range.min, range.max);
    case ValueKind::kDuration:
      return fmt::format(
          "a whole number followed by h, d, w, m or y (hours, days, weeks, months, years), "
          "such as 14d, and at most {}y",
          range.max / unit_seconds('y'));
    case ValueKind::kText:
      return "some text";
  }
  return "";
}

std::expected<Value, std::string> read_value(std::string_view text, ValueKind kind, Range range) {
  Value value{.text = text};
  if (!read_by_kind(value, kind, range)) return std::unexpected(describe(kind, range));
  return value;
}

}  // namespace hermod::app
