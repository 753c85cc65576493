// SPDX-License-Identifier: Apache-2.0
// Values of configuration lines by kind: reading them, and saying in words what would have been
// right. It knows no directive.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace hermod::app {

enum class ValueKind : std::uint8_t {
  kBoolean,   ///< true or false
  kInteger,   ///< a whole number within a range
  kDuration,  ///< a whole number followed by h, d, w, m or y, as mosquitto writes it
  kText,      ///< the rest of the line
};

/// Smallest and largest integer, both allowed.
struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
};

/// A value that has been read; `text` is what the line says and lives as long as the line.
struct Value {
  std::string_view text;
  std::int64_t number = 0;  ///< kInteger; kDuration in seconds
  bool truth = false;       ///< kBoolean
};

/// "a whole number from 1 to 65535", "true or false", ...
[[nodiscard]] std::string describe(ValueKind kind, Range range);

/// Reads `text`; the error is the text of describe().
[[nodiscard]] std::expected<Value, std::string> read_value(std::string_view text, ValueKind kind,
                                                           Range range);

/// A whole number in decimal digits with an optional minus, nothing around it.
[[nodiscard]] bool read_number(std::string_view text, std::int64_t& number);

}  // namespace hermod::app
