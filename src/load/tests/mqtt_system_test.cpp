// SPDX-License-Identifier: Apache-2.0
// The whole engine against servers in this process. Counts are asserted, times never.
#include <gtest/gtest.h>
#include <unistd.h>

#include "dishonest_server.hpp"
#include "hermod/load/null_server.hpp"
#include "hermod/load/run.hpp"
#include "served.hpp"

namespace hermod::load {
namespace {

Options mqtt_options(Scenario scenario, std::uint16_t port) {
  Options options{.scenario = scenario,
                  .url = {.scheme = Url::Scheme::kMqtt, .host = "127.0.0.1", .port = port}};
  options.warmup = std::chrono::milliseconds{50};
  options.duration = std::chrono::milliseconds{200};
  return options;
}

void expect_complete(const Counts& counts, std::uint64_t sent, std::uint64_t expected) {
  EXPECT_EQ(counts.sent, sent);
  EXPECT_EQ(counts.expected, expected);
  EXPECT_EQ(counts.received, expected);
  EXPECT_EQ(counts.lost, 0u);
  EXPECT_EQ(counts.duplicated, 0u);
  EXPECT_EQ(counts.reordered, 0u);
  EXPECT_EQ(counts.unacknowledged, 0u);
  EXPECT_EQ(counts.unexpected, 0u);
  EXPECT_EQ(counts.disconnected, 0u);
  EXPECT_EQ(counts.stalls, 0u);
}

class Flow : public testing::TestWithParam<std::tuple<Scenario, unsigned, unsigned>> {};

TEST_P(Flow, CountsEveryMessage) {
  Served<NullServer> server(*NullServer::open(0));
  const auto [scenario, qos, threads] = GetParam();
  Options options = mqtt_options(scenario, server->port());
  options.qos = qos;
  options.threads = threads;
  options.messages = 500;
  options.window = 32;
  options.publishers = scenario == Scenario::kFanOut ? 1 : 5;
  options.subscribers = scenario == Scenario::kFanIn ? 1 : 5;
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  ASSERT_EQ(report->runs.size(), 1u);
  const std::uint64_t sent = 500 * options.publishers;
  const std::uint64_t fan = scenario == Scenario::kFanOut ? 5 : 1;
  expect_complete(report->runs[0].counts, sent, sent * fan);
  EXPECT_EQ(report->runs[0].operations, sent * fan);
  ASSERT_TRUE(report->runs[0].latency);
  EXPECT_EQ(report->runs[0].latency->count, sent * fan);  // a sample stands for its whole read
  EXPECT_GT(report->runs[0].latency->max_us, 0);
}

INSTANTIATE_TEST_SUITE_P(NullServer, Flow,
                         testing::Combine(testing::Values(Scenario::kFanIn, Scenario::kFanOut,
                                                          Scenario::kPairs),
                                          testing::Values(0u, 1u, 2u), testing::Values(1u, 2u)));

TEST(Flow, OfAFixedTimeLosesNothingAtItsEnd) {
  Served<NullServer> server(*NullServer::open(0));
  Options options = mqtt_options(Scenario::kFanOut, server->port());
  options.subscribers = 10;
  options.repeat = 2;
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  ASSERT_EQ(report->runs.size(), 2u);
  for (const Measurement& run : report->runs) {
    EXPECT_GT(run.operations, 0u);
    expect_complete(run.counts, run.counts.sent, run.counts.sent * 10);
  }
}

TEST(Flow, WithLargePayloads) {
  Served<NullServer> server(*NullServer::open(0));
  Options options = mqtt_options(Scenario::kPairs, server->port());
  options.publishers = 2;
  options.payload_bytes = kPayloadMax;
  options.messages = 40;
  options.qos = 1;
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  expect_complete(report->runs[0].counts, 80, 80);
}

TEST(Latency, SendsAtItsRateAndTimesWhatItMeasures) {
  Served<NullServer> server(*NullServer::open(0));
  Options options = mqtt_options(Scenario::kLatency, server->port());
  options.publishers = 3;
  options.rate = 3000;
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  const Measurement& run = report->runs[0];
  expect_complete(run.counts, run.counts.sent, run.counts.sent);
  ASSERT_TRUE(run.latency && run.lateness);
  // The timetable, not the clock, says which messages are measured: 0.2 s of 3,000 a second.
  EXPECT_NEAR(static_cast<double>(run.latency->count), 600, 1);
  EXPECT_EQ(run.latency->count, run.lateness->count);
}

TEST(Connect, CountsConnections) {
  Served<NullServer> server(*NullServer::open(0));
  Options options = mqtt_options(Scenario::kConnect, server->port());
  options.clients = 4;
  options.threads = 2;
  options.messages = 25;
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->runs[0].operations, 100u);
  expect_complete(report->runs[0].counts, 100, 100);
  ASSERT_TRUE(report->runs[0].latency);
  EXPECT_EQ(report->runs[0].latency->count, 100u);
}

TEST(Idle, MeasuresTheMemoryOfTheProcess) {
  Served<NullServer> server(*NullServer::open(0));
  Options options = mqtt_options(Scenario::kIdle, server->port());
  options.clients = 150;
  options.pid = getpid();
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->runs[0].counts.disconnected, 0u);
  ASSERT_TRUE(report->runs[0].memory && report->runs[0].server);
  EXPECT_GT(report->runs[0].memory->before, 100'000u);
}

TEST(Counts, SayWhatADishonestServerDid) {
  constexpr std::uint64_t kMessages = 1000;
  Served<DishonestServer> server(std::make_unique<DishonestServer>([](std::uint64_t number) {
    switch (number % 10) {
      case 3:
        return Fate::kDrop;
      case 5:
        return Fate::kDouble;
      case 7:
        return Fate::kSwapWithNext;
      default:
        return Fate::kDeliver;
    }
  }));
  Options options = mqtt_options(Scenario::kFanOut, server->port());
  options.subscribers = 1;
  options.messages = kMessages;
  options.window = 16;
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  const Counts& counts = report->runs[0].counts;
  EXPECT_EQ(counts.sent, kMessages);
  EXPECT_EQ(counts.lost, kMessages / 10);
  EXPECT_EQ(counts.received, kMessages - kMessages / 10);
  EXPECT_EQ(counts.duplicated, kMessages / 10);
  EXPECT_EQ(counts.reordered, kMessages / 10);
  EXPECT_EQ(counts.stalls, 0u);
}

TEST(Counts, SurviveAServerThatSwallowsEverything) {
  Served<DishonestServer> server(std::make_unique<DishonestServer>(
      [](std::uint64_t number) { return number < 50 ? Fate::kDeliver : Fate::kDrop; }));
  Options options = mqtt_options(Scenario::kFanOut, server->port());
  options.subscribers = 1;
  options.messages = 100;
  options.window = 40;
  const auto report = run(options);
  ASSERT_TRUE(report) << report.error();
  const Counts& counts = report->runs[0].counts;
  EXPECT_EQ(counts.sent, 100u);
  EXPECT_EQ(counts.lost, 50u);
  EXPECT_EQ(counts.stalls, 1u);  // 50 to 89 are forgiven once, then the rest goes
}

TEST(Run, SaysWhyNothingCouldBeMeasured) {
  const std::uint16_t closed = [] { return (*NullServer::open(0))->port(); }();
  Options options = mqtt_options(Scenario::kFanOut, closed);
  const auto unreachable = run(options);
  ASSERT_FALSE(unreachable);
  EXPECT_NE(unreachable.error().find("does not answer"), std::string::npos) << unreachable.error();

  options.spawn = "sh -c 'exit 7'";
  const auto ended = run(options);
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().find("exit status 7"), std::string::npos) << ended.error();
}

}  // namespace
}  // namespace hermod::load
