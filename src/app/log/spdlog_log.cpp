// SPDX-License-Identifier: Apache-2.0
// spdlog brings the sinks; the level mask and the form of a line are mosquitto's.
#include "log/spdlog_log.hpp"

#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>

#include <array>
#include <ctime>
#include <utility>
#include <vector>

namespace hermod::app {
namespace {

/// What decides about the priority of a line in syslog.
spdlog::level::level_enum weight(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    default:
      return spdlog::level::info;
  }
}

std::uint8_t bit(LogLevel level) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(level));
}

/// "2026-11-24T06:43:24: text", or without the time.
class LineFormatter final : public spdlog::formatter {
 public:
  LineFormatter(bool timestamp, std::string format)
      : timestamp_(timestamp), format_(std::move(format)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    if (timestamp_) {
      show(spdlog::log_clock::to_time_t(message.time));
      out.append(stamp_.data(), stamp_.data() + stamp_.size());
    }
    out.append(message.payload.data(), message.payload.data() + message.payload.size());
    out.push_back('\n');
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(timestamp_, format_);
  }

 private:
  void show(std::time_t time) {
    if (time == shown_) return;
    std::tm local{};
    localtime_r(&time, &local);
    std::array<char, 128> text{};
    stamp_.assign(text.data(), std::strftime(text.data(), text.size(), format_.c_str(), &local));
    stamp_ += ": ";
    shown_ = time;
  }

  bool timestamp_;
  std::string format_;
  std::time_t shown_ = -1;
  std::string stamp_;  // of shown_: most lines come in the second of the line before
};

}  // namespace

SpdlogLog::SpdlogLog() = default;
SpdlogLog::~SpdlogLog() = default;

std::expected<void, std::string> SpdlogLog::configure(const LogConfig& config) {
  std::vector<spdlog::sink_ptr> sinks;
  if (config.to_stderr) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (config.to_stdout) sinks.push_back(std::make_shared<spdlog::sinks::stdout_sink_mt>());
  if (config.to_syslog) {
    const int facility =
        config.local_facility < 0 ? LOG_DAEMON : LOG_LOCAL0 + (config.local_facility << 3);
    sinks.push_back(
        std::make_shared<spdlog::sinks::syslog_sink_mt>("hermod", LOG_PID, facility, false));
  }
  if (!config.file.empty()) {
    try {
      sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(config.file));
    } catch (const spdlog::spdlog_ex& error) {
      return std::unexpected(fmt::format(
          "the log file \"{}\" cannot be opened: {}. Name another one with log_dest file PATH, or "
          "make it writable.",
          config.file, error.what()));
    }
  }
  auto logger = std::make_shared<spdlog::logger>("hermod", sinks.begin(), sinks.end());
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  logger->set_formatter(std::make_unique<LineFormatter>(config.timestamp, config.timestamp_format));

  std::uint8_t levels = 0;
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kNotice,
                               LogLevel::kWarning, LogLevel::kError}) {
    if (config.shows(level)) levels = static_cast<std::uint8_t>(levels | bit(level));
  }
  const std::scoped_lock lock(mutex_);
  logger_ = std::move(logger);
  levels_ = levels;
  return {};
}

bool SpdlogLog::enabled(LogLevel level) const {
  return (levels_ & bit(level)) != 0;
}

void SpdlogLog::write(LogLevel level, std::string_view line) {
  if (!enabled(level)) return;
  std::shared_ptr<spdlog::logger> logger;
  {
    const std::scoped_lock lock(mutex_);
    logger = logger_;
  }
  if (logger != nullptr) logger->log(weight(level), spdlog::string_view_t(line));
}

}  // namespace hermod::app
