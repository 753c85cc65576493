// SPDX-License-Identifier: Apache-2.0
// Lines of pipes and files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>

#include "commands/line_source.hpp"

namespace hermod::app {
namespace {

class Lines : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe(pipe_.data()), 0); }
  void TearDown() override {
    close_writer();
    ::close(pipe_[0]);
  }
  void write(std::string_view text) {
    ASSERT_EQ(::write(pipe_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close_writer() {
    if (pipe_[1] >= 0) ::close(pipe_[1]);
    pipe_[1] = -1;
  }
  /// Reads to the end, calling `between` after each line.
  void read_all(LineSource& source, const std::function<void()>& between = [] {}) {
    std::function<void()> next = [&] {
      source.next([&](client::error_code error, std::optional<std::string> line) {
        if (error) lines_.push_back("error: " + error.message());
        if (!line) return;
        lines_.push_back(*line);
        between();
        next();
      });
    };
    next();
    io_.restart();
    io_.run_for(std::chrono::seconds(10));
  }

  boost::asio::io_context io_;
  std::array<int, 2> pipe_{-1, -1};
  std::vector<std::string> lines_;
};

TEST_F(Lines, ComeOneByOneWithoutTheirEnds) {
  write("one\n\nthree\r\nlast");
  close_writer();
  LineSource source(io_, pipe_[0], 1000);
  read_all(source);
  EXPECT_THAT(lines_, testing::ElementsAre("one", "", "three\r", "last"));
}

TEST_F(Lines, AreHandedOutBeforeTheInputEnds) {
  write("one\ntw");
  LineSource source(io_, pipe_[0], 1000);
  read_all(source, [this] {
    if (lines_.size() == 1) write("o\n");
    if (lines_.size() == 2) close_writer();
  });
  EXPECT_THAT(lines_, testing::ElementsAre("one", "two"));
}

TEST_F(Lines, OfFilesAreRead) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i) + "\n";
  ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), file), text.size());
  ASSERT_EQ(std::fseek(file, 0, SEEK_SET), 0);
  {
    LineSource source(io_, fileno(file), 1000);
    read_all(source);
  }
  ASSERT_EQ(lines_.size(), 50'000u);
  EXPECT_EQ(lines_.front(), "0");
  EXPECT_EQ(lines_.back(), "49999");
  std::fclose(file);
}

TEST_F(Lines, HaveALimit) {
  LineSource source(io_, pipe_[0], 1000);
  write(std::string(5000, 'x'));
  read_all(source);
  EXPECT_THAT(lines_, testing::ElementsAre("error: too large for a packet"));
}

TEST_F(Lines, OfNothingAreNone) {
  close_writer();
  LineSource source(io_, pipe_[0], 1000);
  read_all(source);
  EXPECT_THAT(lines_, testing::IsEmpty());
}

}  // namespace
}  // namespace hermod::app
