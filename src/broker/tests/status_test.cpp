// SPDX-License-Identifier: Apache-2.0
// From counts to the texts on $SYS/broker/#.
#include "hermod/broker/status.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>

namespace hermod::broker {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

class StatusTest : public testing::Test {
 protected:
  static constexpr Instant kStart{seconds{1'000}};

  /// What one update publishes.
  std::map<std::string, std::string> update(Duration at,
                                            std::optional<std::uint64_t> heap = std::nullopt) {
    std::map<std::string, std::string> said;
    status.update(counts, heap, kStart + at, [&](std::string_view topic, std::string_view text) {
      EXPECT_TRUE(said.emplace(topic, text).second) << topic << " said twice";
    });
    return said;
  }

  Status status{
      {.version = "1.2.3", .threads = 2, .protocols = {"mqtt", "coap", "mqtt"}, .start = kStart}};
  Counts counts;
};

TEST_F(StatusTest, TheFirstUpdateSaysEverything) {
  const auto said = update(seconds{0}, 1);
  for (const char* topic : {"version",
                            "uptime",
                            "clients/total",
                            "clients/connected",
                            "clients/disconnected",
                            "clients/active",
                            "clients/inactive",
                            "clients/expired",
                            "clients/maximum",
                            "messages/received",
                            "messages/sent",
                            "messages/stored",
                            "publish/messages/received",
                            "publish/messages/sent",
                            "publish/messages/dropped",
                            "dropped/queue_messages",
                            "dropped/queue_bytes",
                            "dropped/user_quota",
                            "dropped/oldest",
                            "dropped/expired",
                            "dropped/damaged",
                            "dropped/away",
                            "dropped/refused",
                            "publish/bytes/received",
                            "publish/bytes/sent",
                            "bytes/received",
                            "bytes/sent",
                            "store/messages/count",
                            "store/messages/bytes",
                            "subscriptions/count",
                            "shared_subscriptions/count",
                            "retained messages/count",
                            "declared topics/count",
                            "heap/current",
                            "heap/maximum"}) {
    EXPECT_THAT(said, Contains(Key(topic)));
  }
  for (const char* load :
       {"messages/received", "messages/sent", "publish/sent", "publish/received", "publish/dropped",
        "bytes/received", "bytes/sent", "sockets", "connections"}) {
    for (const char* minutes : {"1min", "5min", "15min"}) {
      EXPECT_THAT(said, Contains(Pair(fmt::format("load/{}/{}", load, minutes), "0.00")));
    }
  }
  EXPECT_THAT(said, Contains(Pair("version", "hermod version 1.2.3")));
  EXPECT_THAT(said, Contains(Pair("uptime", "0 seconds")));
  EXPECT_THAT(said, Contains(Pair("threads", "2")));
}

TEST_F(StatusTest, LaterOnesSayOnlyWhatHasChanged) {
  (void)update(seconds{0}, 5);
  EXPECT_THAT(update(seconds{0}, 5), IsEmpty());
  counts.subscriptions = 3;
  const auto said = update(seconds{10}, 5);
  EXPECT_EQ(said.size(), 2u);
  EXPECT_THAT(said, Contains(Pair("uptime", "10 seconds")));
  EXPECT_THAT(said, Contains(Pair("subscriptions/count", "3")));
}

TEST_F(StatusTest, ClientsAreConnectedOrAwayAndTheMostAreRemembered) {
  counts.clients_total = 7;
  counts.clients_connected = 5;
  auto said = update(seconds{0});
  EXPECT_THAT(said, Contains(Pair("clients/disconnected", "2")));
  EXPECT_THAT(said, Contains(Pair("clients/inactive", "2")));
  EXPECT_THAT(said, Contains(Pair("clients/active", "5")));
  EXPECT_THAT(said, Contains(Pair("clients/maximum", "5")));
  counts.clients_connected = 1;
  said = update(seconds{1});
  EXPECT_THAT(said, Contains(Pair("clients/connected", "1")));
  EXPECT_THAT(said, Not(Contains(Key("clients/maximum"))));
}

TEST_F(StatusTest, HeapIsSaidWhenItIsKnown) {
  EXPECT_THAT(update(seconds{0}), Not(Contains(Key("heap/current"))));
  (void)update(seconds{1}, 900);
  const auto said = update(seconds{2}, 400);
  EXPECT_THAT(said, Contains(Pair("heap/current", "400")));
  EXPECT_THAT(said, Not(Contains(Key("heap/maximum"))));
}

TEST_F(StatusTest, ConnectionsOfAllListenersOfAProtocolAreOneNumber) {
  counts.by_listener = {3, 4, 5};
  const auto said = update(seconds{0});
  EXPECT_THAT(said, Contains(Pair("connections/mqtt", "8")));
  EXPECT_THAT(said, Contains(Pair("connections/coap", "4")));
}

// 60 in 10 seconds are 360 in a minute; an average over one minute takes in 1 - e^(-10/60) of it.
TEST_F(StatusTest, LoadsAreMovingAveragesOfWhatHappensInAMinute) {
  (void)update(seconds{0});
  counts.publishes_received = 60;
  auto said = update(seconds{10});
  EXPECT_THAT(said, Contains(Pair("load/publish/received/1min", "55.27")));
  EXPECT_THAT(said, Contains(Pair("load/publish/received/5min", "11.80")));
  EXPECT_THAT(said, Contains(Pair("load/publish/received/15min", "3.98")));
  EXPECT_THAT(said, Not(Contains(Key("load/publish/sent/1min"))));
  std::string last;
  for (int i = 2; i <= 600; ++i) {  // it comes to stand at what always happens
    counts.publishes_received += 60;
    said = update(seconds{10 * i});
    if (said.contains("load/publish/received/15min")) {
      last = said.at("load/publish/received/15min");
    }
  }
  EXPECT_EQ(last, "359.54");
  said = update(seconds{6'010});  // and falls when nothing does
  EXPECT_THAT(said, Contains(Pair("load/publish/received/1min", "304.73")));
}

TEST_F(StatusTest, ALongIntervalCountsAsMuchAsManyShortOnes) {
  Status other{{.version = "", .threads = 1, .protocols = {}, .start = kStart}};
  std::map<std::string, std::string> last;
  for (int i = 0; i <= 6; ++i) {
    Counts steps;
    steps.sockets = static_cast<std::uint64_t>(i);
    other.update(
        steps, std::nullopt, kStart + seconds{10 * i},
        [&](std::string_view topic, std::string_view text) { last[std::string{topic}] = text; });
  }
  (void)update(seconds{0});
  counts.sockets = 6;
  const auto said = update(seconds{60});
  for (const char* topic : {"load/sockets/1min", "load/sockets/5min", "load/sockets/15min"}) {
    EXPECT_EQ(said.at(topic), last.at(topic));
  }
}

TEST(Counts, AddUpMemberByMember) {
  Counts sum;
  Counts one;
  one.bytes_received = 1;
  one.inflight = 2;
  one.by_listener = {1, 2};
  sum += one;
  sum += one;
  EXPECT_EQ(sum.bytes_received, 2u);
  EXPECT_EQ(sum.inflight, 4u);
  EXPECT_EQ(sum.bytes_sent, 0u);
  EXPECT_EQ(sum.by_listener, (std::vector<std::uint64_t>{2, 4}));
}

}  // namespace
}  // namespace hermod::broker
