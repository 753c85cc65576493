// SPDX-License-Identifier: Apache-2.0
// Connections that end in every way while others go on, and a broker that ends under load.
#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "clients.hpp"

namespace hermod::threads {
namespace {

class BrokerEnds : public testing::TestWithParam<std::uint16_t> {
 protected:
  Served served{GetParam()};
  Net net;
};
INSTANTIATE_TEST_SUITE_P(Shards, BrokerEnds, testing::Values(2, 3));

// A will for each connection that ends without DISCONNECT, however it does, and none for others.
TEST_P(BrokerEnds, EachAbruptEndPublishesItsWillOnce) {
  constexpr int kVictims = 60;
  MqttPeers watchers = connect(net, served, "watcher", 3);
  subscribe(net, watchers, "w/#", 1);
  MqttPeers victims;
  for (int i = 0; i < kVictims; ++i) {
    victims.push_back(std::make_unique<MqttPeer>(net, served.mqtt(),
                                                 MqttOptions{.id = std::to_string(i),
                                                             .will_topic = fmt::format("w/{}", i),
                                                             .will_retain = i % 2 == 0,
                                                             .reads = i % 5 != 0}));
  }
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(victims, [](const auto& victim) { return victim->readable; });
  }));
  std::set<std::string> expected;
  for (int i = 0; i < kVictims; ++i) {
    MqttPeer& victim = *victims[i];
    if (i % 5 != 4) expected.insert(std::to_string(i));
    switch (i % 5) {
      case 1:  // octets and the end right behind them
        victim.publish("x", "last", 0);
        victim.end();
        break;
      case 2:
        victim.end();
        break;
      case 4:
        victim.send(mqtt::DisconnectView{});
        break;
      default:  // closed; with CONNACK unread this resets
        victim.vanish();
        break;
    }
  }
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(
        watchers, [&](const auto& each) { return each->received.size() >= expected.size(); });
  }));
  MqttPeers late = connect(net, served, "late", 1);
  subscribe(net, late, "w/#", 1);
  std::size_t kept = 0;
  for (const std::string& id : expected) kept += std::stoi(id) % 2 == 0 ? 1 : 0;
  EXPECT_TRUE(net.until([&] { return late[0]->received.size() >= kept; }));
  EXPECT_EQ(late[0]->received.size(), kept);
  for (const auto& watcher : watchers) {
    std::multiset<std::string> wills;
    for (const Received& message : watcher->received) wills.insert(message.payload);
    EXPECT_EQ(wills.size(), expected.size());
    EXPECT_EQ(std::set<std::string>(wills.begin(), wills.end()), expected);
  }
}

// Many connections want one session at once, while messages come for it: one of them stays, and
// each message reached some of them.
TEST_P(BrokerEnds, OneOfManyTakeoversStaysAndNothingIsLost) {
  constexpr std::size_t kConnections = 40;
  constexpr std::size_t kMessages = 400;
  MqttPeers all;
  const auto take_over = [&] {
    all.push_back(
        std::make_unique<MqttPeer>(net, served.mqtt(), MqttOptions{.id = "same", .clean = false}));
  };
  take_over();
  all[0]->subscribe("t", 1);
  EXPECT_TRUE(net.until([&] { return all[0]->subscribed == 1; }));
  MqttPeers publishers = connect(net, served, "publisher", 2);
  for (std::size_t i = 0; i < kMessages; ++i) {
    publishers[i % 2]->publish("t", std::to_string(i), 1);
    if (i % (kMessages / kConnections) == 0 && all.size() < kConnections) take_over();
  }
  const auto distinct = [&] {
    std::set<std::string> seen;
    for (const auto& each : all) {
      for (const Received& message : each->received) seen.insert(message.payload);
    }
    return seen.size();
  };
  const auto ended = [&] {
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [](const auto& each) { return each->ended; }));
  };
  EXPECT_TRUE(net.until([&] { return ended() >= kConnections - 1 && distinct() == kMessages; }))
      << ended() << " ended, " << distinct() << " messages";
  EXPECT_EQ(ended(), kConnections - 1);
  const auto left = std::ranges::find_if(all, [](const auto& each) { return !each->ended; });
  ASSERT_NE(left, all.end());
  (*left)->send(mqtt::Pingreq{});
  EXPECT_TRUE(net.until([&] { return (*left)->pings == 1; }));
}

// Connections come and go with subscriptions and retained values under way, and others notice
// nothing of it.
TEST_P(BrokerEnds, ComingAndGoingDisturbsNobody) {
  MqttPeers steady = connect(net, served, "steady", 3);
  subscribe(net, steady, "s", 1);
  MqttPeers publishers = connect(net, served, "publisher", 1);
  for (int i = 0; i < 100; ++i) {
    publishers[0]->publish(fmt::format("kept/{}", i), std::string(i % 3 == 0 ? 2'000 : 3, 'x'), 1,
                           true);
  }
  EXPECT_TRUE(net.until([&] { return publishers[0]->published == 100; }));
  int sent = 0;
  for (int round = 0; round < 40; ++round) {
    MqttPeers passing = connect(net, served, fmt::format("passing-{}-", round % 3), 6);
    for (auto& peer : passing) peer->subscribe("kept/#", 1);
    for (int i = 0; i < 10; ++i) publishers[0]->publish("s", std::to_string(sent++), 1);
    // Some go while their values are read, some with some of them unread.
    (void)net.until([&] { return passing[round % 6]->received.size() > 10u * (round % 3); });
  }
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(
        steady, [&](const auto& each) { return each->received.size() >= std::size_t(sent); });
  }));
  for (const auto& each : steady) {
    EXPECT_EQ(each->received.size(), static_cast<std::size_t>(sent));
    for (int i = 0; i < sent; ++i) EXPECT_EQ(each->received[i].payload, std::to_string(i));
  }
}

// --- the broker's own end ---

// Publishers that keep so many messages under way, and subscribers; until all connections end.
class Load {
 public:
  explicit Load(const Served& served) : served_(served), thread_([this] { run(); }) {}
  void join() { thread_.join(); }
  /// False when it does not get going.
  [[nodiscard]] bool wait_until_going() {
    return going_.get_future().wait_for(std::chrono::seconds{30}) == std::future_status::ready;
  }

 private:
  static constexpr std::size_t kGoing = 20'000;  // messages delivered
  static constexpr std::size_t kUnderWay = 40;

  void run() {
    Net net;
    MqttPeers subscribers = connect(net, served_, "subscriber", 4);
    subscribe(net, subscribers, "l/#", 1);
    MqttPeers publishers = connect(net, served_, "publisher", 4);
    CoapPeer observer{net, served_.coap()};
    observer.get("l/0", true);
    std::vector<std::size_t> sent(publishers.size());
    std::size_t before = 0;
    const auto go_on = [&] {
      std::size_t seen = 0;
      std::size_t ended = 0;
      for (std::size_t p = 0; p < publishers.size(); ++p) {
        ended += publishers[p]->ended ? 1 : 0;
        while (!publishers[p]->ended && sent[p] < publishers[p]->published + kUnderWay) {
          publishers[p]->publish(fmt::format("l/{}", p),
                                 std::to_string(sent[p]) + std::string(p == 1 ? 1'500 : 0, '.'), 1,
                                 p == 0);
          ++sent[p];
        }
      }
      for (const auto& subscriber : subscribers) {
        seen += subscriber->received.size();
        ended += subscriber->ended ? 1 : 0;
      }
      if (std::exchange(before, seen) < kGoing && seen >= kGoing) going_.set_value();
      return ended == publishers.size() + subscribers.size();
    };
    EXPECT_TRUE(net.until(go_on)) << "some connections outlive the broker";
    for (const auto& subscriber : subscribers) {
      std::map<std::string, int> last;
      for (const Received& message : subscriber->received) {
        const auto [at, first] = last.try_emplace(message.topic, -1);
        EXPECT_EQ(std::stoi(message.payload), at->second + 1);
        at->second = std::stoi(message.payload);
      }
    }
  }

  const Served& served_;
  std::promise<void> going_;
  std::thread thread_;
};

TEST_P(BrokerEnds, StoppingUnderLoadEndsEveryConnection) {
  Load load{served};
  EXPECT_TRUE(load.wait_until_going());
  const std::uint16_t port = served.mqtt().port();
  served.stop();
  load.join();
  served.close();
  // Its port is free again, and who comes then is served.
  const Served next{GetParam(), port};
  MqttPeers peers = connect(net, next, "again", 4);
  subscribe(net, peers, "t", 0);
  peers[0]->publish("t", "x", 0);
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(peers, [](const auto& peer) { return peer->received.size() == 1; });
  }));
}

TEST(BrokerStop, WithoutStartAndTwice) {
  NullLog log;
  broker::Settings settings{.threads = 2};
  settings.listeners.push_back(
      {.protocol = &mqtt::protocol(), .address = transport::Address::v4({127, 0, 0, 1}, 0)});
  auto never_started = broker::Broker::open(settings, log);
  ASSERT_TRUE(never_started.has_value());
  (*never_started)->stop();
  auto stopped_twice = broker::Broker::open(settings, log);
  ASSERT_TRUE(stopped_twice.has_value());
  (*stopped_twice)->start();
  (*stopped_twice)->stop();
  (*stopped_twice)->stop();
}

}  // namespace
}  // namespace hermod::threads
