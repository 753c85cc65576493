// SPDX-License-Identifier: Apache-2.0
// What the lower layers see of logging: a sink that is handed in. Formatting happens only when the
// level is on; the hot path never logs.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace hermod {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kNotice, kWarning, kError };

/// Sink of log lines. Implementations may be called from several shards at once.
class Log {
 public:
  virtual ~Log() = default;
  [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;
  virtual void write(LogLevel level, std::string_view line) = 0;

  /// Formats and writes one line when `level` is on.
  /// Example: log.print(LogLevel::kNotice, "listening on {}", port);
  template <typename... Args>
  void print(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
  }
};

/// Drops everything; for tests.
class NullLog final : public Log {
 public:
  [[nodiscard]] bool enabled(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view) override {}
};

}  // namespace hermod
