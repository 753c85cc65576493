// SPDX-License-Identifier: Apache-2.0
// The loads of `hermod bench` that need more of a server than copying octets, against a broker in
// this process. Counts, never times.
#include <gtest/gtest.h>

#include "hermod/broker/broker.hpp"
#include "hermod/load/run.hpp"
#include "hermod/mqtt/session/plugin.hpp"

namespace hermod::threads {
namespace {

using load::Counts;
using load::Options;
using load::Scenario;

class Load : public testing::TestWithParam<std::uint16_t> {
 protected:
  void serve(const core::Limits& limits = {}) {
    broker::Settings settings{.threads = GetParam(), .core = limits};
    settings.listeners.push_back(
        {.protocol = &mqtt::protocol(), .address = transport::Address::v4({127, 0, 0, 1}, 0)});
    broker_ = std::move(*broker::Broker::open(std::move(settings), log_));
    broker_->start();
  }
  /// A run of a given number of messages, without loss.
  Options options(Scenario scenario, unsigned publishers, unsigned subscribers) {
    if (broker_ == nullptr) serve();
    return {.scenario = scenario,
            .url = {.scheme = load::Url::Scheme::kMqtt,
                    .host = "127.0.0.1",
                    .port = broker_->addresses()[0].port()},
            .publishers = publishers,
            .subscribers = subscribers,
            .messages = 300};
  }
  static Counts run(const Options& options) {
    const auto report = load::run(options);
    EXPECT_TRUE(report) << report.error();
    return report ? report->runs.front().counts : Counts{};
  }
  static void expect_complete(const Counts& counts, std::uint64_t sent, std::uint64_t expected) {
    EXPECT_EQ(counts.sent, sent);
    EXPECT_EQ(counts.expected, expected);
    EXPECT_EQ(counts.received, expected);
    EXPECT_EQ(counts.lost, 0u);
    EXPECT_EQ(counts.duplicated, 0u);
    EXPECT_EQ(counts.reordered, 0u);
    EXPECT_EQ(counts.unacknowledged, 0u);
    EXPECT_EQ(counts.unexpected, 0u);
    EXPECT_EQ(counts.refused, 0u);
    EXPECT_EQ(counts.disconnected, 0u);
    EXPECT_EQ(counts.stalls, 0u);
  }

 private:
  NullLog log_;
  std::unique_ptr<broker::Broker> broker_;
};
INSTANTIATE_TEST_SUITE_P(Shards, Load, testing::Values(1, 2));

TEST_P(Load, SpeaksMqtt5) {
  for (const unsigned qos : {0u, 1u, 2u}) {
    Options fan_out = options(Scenario::kFanOut, 2, 3);
    fan_out.mqtt = load::MqttVersion::k5;
    fan_out.qos = qos;
    expect_complete(run(fan_out), 600, 1800);
  }
  Options connect = options(Scenario::kConnect, 0, 0);
  connect.mqtt = load::MqttVersion::k5;
  connect.clients = 3;
  connect.messages = 20;
  expect_complete(run(connect), 60, 60);
}

// Fewer topics than publishers, some for each, and more than are ever published on.
TEST_P(Load, CyclesOverManyTopics) {
  for (const bool exact : {false, true}) {
    for (const unsigned topics : {2u, 50u, 5'000u}) {
      Options fan_in = options(Scenario::kFanIn, 4, 2);
      fan_in.topics = topics;
      fan_in.exact = exact;
      fan_in.qos = 1;
      expect_complete(run(fan_in), 1200, 2400);
      if (topics < 4) continue;
      Options pairs = options(Scenario::kPairs, 4, 4);
      pairs.topics = topics;
      pairs.exact = exact;
      pairs.qos = 2;
      pairs.mqtt = load::MqttVersion::k5;
      expect_complete(run(pairs), 1200, 1200);
    }
  }
}

// The number in the topic is where it should be, and nowhere else.
TEST_P(Load, ASubscriptionForEachTopicGetsThatTopicAlone) {
  Options fan_out = options(Scenario::kFanOut, 1, 3);
  fan_out.topics = 300;
  fan_out.exact = true;
  for (const unsigned qos : {0u, 1u}) {
    for (const auto version : {load::MqttVersion::k311, load::MqttVersion::k5}) {
      fan_out.qos = qos;
      fan_out.mqtt = version;
      expect_complete(run(fan_out), 300, 900);
    }
  }
}

TEST_P(Load, SaysWhichSubscriptionIsRefused) {
  serve({.subscriptions_max = 700});
  Options fan_in = options(Scenario::kFanIn, 1, 1);
  fan_in.topics = 1000;
  fan_in.exact = true;
  const auto report = load::run(fan_in);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().find("its number 701"), std::string::npos) << report.error();
}

// Each message reaches one member of each group.
TEST_P(Load, CountsWhatGroupsReceiveTogether) {
  for (const unsigned qos : {0u, 1u, 2u}) {
    for (const unsigned threads : {1u, 2u}) {
      Options fan_in = options(Scenario::kFanIn, 5, 7);
      fan_in.groups = 3;
      fan_in.qos = qos;
      fan_in.threads = threads;
      fan_in.mqtt = qos == 1 ? load::MqttVersion::k5 : load::MqttVersion::k311;
      expect_complete(run(fan_in), 1500, 4500);
    }
  }
}

// More filters than one client may have.
TEST_P(Load, PlacesUnrelatedFilters) {
  Options fan_out = options(Scenario::kFanOut, 1, 3);
  fan_out.filters = 12'345;
  expect_complete(run(fan_out), 300, 900);
}

TEST_P(Load, PlacesEachUnrelatedFilter) {
  serve({.subscriptions_max = 6'999});
  Options fan_out = options(Scenario::kFanOut, 1, 3);
  fan_out.filters = 7'000;
  const auto report = load::run(fan_out);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().find("/6999/+/x' with QoS 0, its number 7000"), std::string::npos)
      << report.error();
}

// One subscription is left at the end.
TEST_P(Load, SubscribesAndUnsubscribesBesideTheFlow) {
  for (const auto version : {load::MqttVersion::k311, load::MqttVersion::k5}) {
    Options pairs = options(Scenario::kPairs, 3, 3);
    pairs.churn = 50'000;
    pairs.qos = 1;
    pairs.mqtt = version;
    pairs.threads = 2;
    const Counts counts = run(pairs);
    expect_complete(counts, 900, 900);
    EXPECT_GT(counts.churn_subscribed, 0u);
    EXPECT_EQ(counts.churn_unsubscribed, counts.churn_subscribed - 1);
  }
}

// More than sockets and queues hold: the measured subscribers get all of it all the same.
TEST_P(Load, GoesOnBesideASlowNeighbour) {
  Options fan_out = options(Scenario::kFanOut, 1, 2);
  fan_out.neighbour = load::NeighbourKind::kSlow;
  fan_out.qos = 1;
  fan_out.payload_bytes = load::kPayloadMax;
  fan_out.messages = 1'000;
  const Counts counts = run(fan_out);
  expect_complete(counts, 1'000, 2'000);
  EXPECT_EQ(counts.neighbour_connections, 1u);
}

TEST_P(Load, GoesOnBesideAHugeNeighbour) {
  for (const auto version : {load::MqttVersion::k311, load::MqttVersion::k5}) {
    Options latency = options(Scenario::kLatency, 2, 2);
    latency.neighbour = load::NeighbourKind::kHuge;
    latency.mqtt = version;
    latency.rate = 1'000;
    latency.messages = 0;
    latency.warmup = Duration{0};
    latency.duration = std::chrono::milliseconds{500};
    const Counts counts = run(latency);
    expect_complete(counts, 500, 500);
    EXPECT_EQ(counts.neighbour_connections, 2u);
    EXPECT_GT(counts.neighbour_packets, 0u);
    const std::uint64_t header = version == load::MqttVersion::k5 ? 20 : 19;
    EXPECT_EQ(counts.neighbour_bytes, counts.neighbour_packets * ((1u << 20) + header));
  }
}

// Each way to break the protocol ends the connection, other than the two that wait for the rest of
// a packet.
TEST_P(Load, GoesOnBesideAMaliciousNeighbour) {
  Options latency = options(Scenario::kLatency, 2, 2);
  latency.neighbour = load::NeighbourKind::kMalicious;
  latency.rate = 1'000;
  latency.messages = 0;
  latency.warmup = Duration{0};
  latency.duration = std::chrono::milliseconds{500};
  const Counts counts = run(latency);
  expect_complete(counts, 500, 500);
  EXPECT_GT(counts.neighbour_connections, 0u);
  EXPECT_GE(counts.neighbour_ended + 16, counts.neighbour_connections / 7 * 5);  // 16 are open
  EXPECT_LE(counts.neighbour_ended, counts.neighbour_connections);
}

// An open loop has no limit of its own on what is unacknowledged: the server's counts
// [MQTT-3.3.4-7].
TEST_P(Load, KeepsToTheReceiveMaximumOfTheServer) {
  Options latency = options(Scenario::kLatency, 1, 1);
  latency.mqtt = load::MqttVersion::k5;
  latency.qos = 2;
  latency.rate = 1e7;
  latency.messages = 0;
  latency.warmup = Duration{0};
  latency.duration = std::chrono::milliseconds{1};
  expect_complete(run(latency), 10'000, 10'000);
}

}  // namespace
}  // namespace hermod::threads
