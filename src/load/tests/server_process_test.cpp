// SPDX-License-Identifier: Apache-2.0
#include "../server_process.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "../cpu.hpp"

namespace hermod::load {
namespace {

TEST(ServerProcess, ReadsMemoryByName) {
  const std::string text = "1234-5678 ---p 0 0 0 [rollup]\nRss:      12 kB\nRss_Anon:  9 kB\n";
  EXPECT_EQ(kilobyte_line(text, "Rss"), 12u * 1024);
  EXPECT_EQ(kilobyte_line(text, "Rss_Anon"), 9u * 1024);
  EXPECT_EQ(kilobyte_line(text, "Pss"), std::nullopt);
  EXPECT_EQ(kilobyte_line("Rss: none\n", "Rss"), std::nullopt);
}

TEST(ServerProcess, KnowsThisProcess) {
  const std::optional<double> before = process_cpu_s(getpid());
  ASSERT_TRUE(before);
  std::optional<double> after = before;
  for (int look = 0; look < 1'000'000 && after == before; ++look) after = process_cpu_s(getpid());
  EXPECT_GT(after, before);  // looking costs time
  EXPECT_GT(process_memory(getpid()).value_or(0), 100'000u);
  EXPECT_EQ(process_cpu_s(-1), std::nullopt);
  EXPECT_EQ(process_memory(-1), std::nullopt);
  EXPECT_FALSE(confine_process(-1, std::array{0}));
}

TEST(ServerProcess, PutsThePortIn) {
  EXPECT_EQ(with_port("s -p {port} --x={port}", 1883), "s -p 1883 --x=1883");
  EXPECT_EQ(with_port("s", 1), "s");
}

TEST(ServerProcess, StopsWhatItStarted) {
  auto server = ServerProcess::start("sleep 600");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->ended(), std::nullopt);
  server->stop();
  EXPECT_EQ(server->ended(), "signal 15");
}

TEST(ServerProcess, SaysHowItEnded) {
  auto server = ServerProcess::start("sh -c 'exit 3'");
  ASSERT_TRUE(server);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!server->ended() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server->ended(), "exit status 3");
  server->stop();  // there is nothing left to stop
  EXPECT_EQ(server->ended(), "exit status 3");
}

}  // namespace
}  // namespace hermod::load
