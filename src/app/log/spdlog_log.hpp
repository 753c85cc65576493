// SPDX-License-Identifier: Apache-2.0
// The broker's log: lines as mosquitto writes them, "time: text", to the places that the
// configuration names. May be written to from any thread; the settings can be changed while it
// runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "hermod/base/log.hpp"

namespace spdlog {
class logger;  // NOLINT(readability-identifier-naming): its name there
}

namespace hermod::app {

class SpdlogLog final : public Log {
 public:
  /// Shows nothing until configure() has been called.
  SpdlogLog();
  ~SpdlogLog() override;
  SpdlogLog(const SpdlogLog&) = delete;
  SpdlogLog& operator=(const SpdlogLog&) = delete;

  /// Takes new settings and opens the log file, again when it was open (so that it can be rotated).
  /// An error in words when that fails; the settings before it then stay.
  [[nodiscard]] std::expected<void, std::string> configure(const LogConfig& config);

  [[nodiscard]] bool enabled(LogLevel level) const override;
  void write(LogLevel level, std::string_view line) override;

 private:
  std::atomic<std::uint8_t> levels_{0};  // one bit a level
  std::mutex mutex_;                     // guards logger_
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace hermod::app
