// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "log/spdlog_log.hpp"

namespace hermod::app {
namespace {

class LogFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "hermod_log_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    config_.to_stderr = false;
    config_.file = (root_ / "h.log").string();
    config_.timestamp = false;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  static std::string read(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return std::move(text).str();
  }

  std::filesystem::path root_;
  LogConfig config_;
  SpdlogLog log_;
};

TEST_F(LogFile, ShowsTheLevelsThatAreOn) {
  log_.write(LogLevel::kError, "before it is configured");
  ASSERT_TRUE(log_.configure(config_));
  EXPECT_FALSE(log_.enabled(LogLevel::kDebug));
  EXPECT_TRUE(log_.enabled(LogLevel::kInfo));
  log_.print(LogLevel::kDebug, "not {}", 1);
  log_.print(LogLevel::kInfo, "client {} connected {{}}", "a");
  log_.write(LogLevel::kError, "as it is: {} %s");
  EXPECT_EQ(read(config_.file), "client a connected {}\nas it is: {} %s\n");
}

TEST_F(LogFile, LinesBeginWithTheTime) {
  config_.timestamp = true;
  config_.timestamp_format = "%Y|%%";
  ASSERT_TRUE(log_.configure(config_));
  log_.write(LogLevel::kNotice, "x");
  EXPECT_THAT(read(config_.file), testing::MatchesRegex("20[0-9][0-9]\\|%: x\n"));
}

TEST_F(LogFile, EachLineBeginsWithItsOwnTime) {
  config_.timestamp = true;
  config_.timestamp_format = "%s";
  ASSERT_TRUE(log_.configure(config_));
  const std::time_t first = std::time(nullptr);
  log_.write(LogLevel::kNotice, "x");
  while (std::time(nullptr) < first + 2) std::this_thread::sleep_for(std::chrono::milliseconds{20});
  log_.write(LogLevel::kNotice, "y");
  std::istringstream lines(read(config_.file));
  std::time_t x = 0;
  std::time_t y = 0;
  char colon = 0;
  std::string text;
  lines >> x >> colon >> text >> y >> colon >> text;
  EXPECT_GE(x, first);
  EXPECT_GT(y, x);
  EXPECT_EQ(text, "y");
}

TEST_F(LogFile, SettingsChangeWhileItRuns) {
  ASSERT_TRUE(log_.configure(config_));
  log_.write(LogLevel::kInfo, "one");
  std::filesystem::rename(config_.file, root_ / "old.log");
  config_.information = false;
  config_.debug = true;
  ASSERT_TRUE(log_.configure(config_));
  log_.write(LogLevel::kInfo, "two");
  log_.write(LogLevel::kDebug, "three");
  EXPECT_EQ(read(root_ / "old.log"), "one\n");
  EXPECT_EQ(read(config_.file), "three\n");
}

TEST_F(LogFile, FilesThatCannotBeOpenedAreNamed) {
  ASSERT_TRUE(log_.configure(config_));
  LogConfig wrong = config_;
  wrong.file = root_.string();  // a directory
  const auto result = log_.configure(wrong);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error(),
              testing::StartsWith("the log file \"" + root_.string() + "\" cannot be opened: "));
  log_.write(LogLevel::kInfo, "goes on");
  EXPECT_EQ(read(config_.file), "goes on\n");
}

TEST_F(LogFile, ThreadsWriteWholeLines) {
  ASSERT_TRUE(log_.configure(config_));
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 100; ++i) log_.write(LogLevel::kInfo, std::string(50, 'x'));
    });
  }
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(log_.configure(config_));
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(read(config_.file));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_EQ(line, std::string(50, 'x'));
  EXPECT_EQ(count, 400);
}

}  // namespace
}  // namespace hermod::app
