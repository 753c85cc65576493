// SPDX-License-Identifier: Apache-2.0
// Messages through a broker of two and of three threads: nothing is lost, repeated or reordered,
// whichever shards the clients live on. Counts and orders, never times.
#include <algorithm>

#include "clients.hpp"

namespace hermod::threads {
namespace {

class BrokerThreads : public testing::TestWithParam<std::uint16_t> {
 protected:
  Served served{GetParam()};
  Net net;
};
INSTANTIATE_TEST_SUITE_P(Shards, BrokerThreads, testing::Values(2, 3));

/// The number in front of a payload.
int number_of(const Received& message) {
  return std::stoi(message.payload);
}

// Clients on all shards, every QoS, small payloads and such as are lent between shards.
TEST_P(BrokerThreads, EveryMessageComesOnceAndInOrderPerPublisher) {
  constexpr int kPublishers = 6;
  constexpr int kMessages = 600;
  MqttPeers subscribers = connect(net, served, "subscriber", 8);
  subscribe(net, subscribers, "m/#", 2);
  MqttPeers publishers = connect(net, served, "publisher", kPublishers);
  const std::string padding(1'200, '.');
  for (int i = 0; i < kMessages; ++i) {
    for (int p = 0; p < kPublishers; ++p) {
      publishers[p]->publish(fmt::format("m/{}", p),
                             std::to_string(i) + (i % 5 == 0 ? padding : ""),
                             static_cast<std::uint8_t>(p % 3));
    }
  }
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(subscribers, [](const auto& subscriber) {
      return subscriber->received.size() >= kPublishers * kMessages;
    });
  }));
  EXPECT_TRUE(net.until([&] {
    for (int p = 0; p < kPublishers; ++p) {
      if (publishers[p]->published != (p % 3 == 0 ? 0u : kMessages)) return false;
    }
    return true;
  }));
  for (const auto& subscriber : subscribers) {
    EXPECT_EQ(subscriber->received.size(), kPublishers * kMessages);
    std::map<std::string, int> next;
    for (const Received& message : subscriber->received) {
      EXPECT_EQ(number_of(message), next[message.topic]++) << message.topic;
      EXPECT_EQ(message.payload.size() > 1'000, number_of(message) % 5 == 0);
      EXPECT_FALSE(message.retain);
    }
  }
}

// Subscribers come while values change: what they see of a topic only goes up, and ends with the
// last value.
TEST_P(BrokerThreads, RetainedValuesAreNeverReversedOrMissed) {
  constexpr int kTopics = 60;
  constexpr int kRounds = 25;
  MqttPeers publishers = connect(net, served, "publisher", 3);
  MqttPeers subscribers;
  const auto topic_of = [](int topic) { return fmt::format("r/{}/{}", topic % 7, topic); };
  for (int round = 0; round < kRounds; ++round) {
    MqttPeers more = connect(net, served, fmt::format("subscriber-{}-", round), 1);
    more[0]->subscribe("r/#", static_cast<std::uint8_t>(round % 3));  // not waited for
    for (int topic = 0; topic < kTopics; ++topic) {
      publishers[topic % 3]->publish(topic_of(topic), std::to_string(round), 1, true);
    }
    subscribers.push_back(std::move(more[0]));
  }
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(publishers, [](const auto& publisher) {
      return publisher->published == kRounds * kTopics / 3;
    });
  }));
  const auto knows_all = [&](const MqttPeer& subscriber) {
    std::set<std::string> last;
    for (const Received& message : subscriber.received) {
      if (number_of(message) == kRounds - 1) last.insert(message.topic);
    }
    return last.size() == kTopics;
  };
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(subscribers, [&](const auto& each) { return knows_all(*each); });
  }));
  for (const auto& subscriber : subscribers) {
    std::map<std::string, int> seen;
    for (const Received& message : subscriber->received) {
      const auto [at, first] = seen.try_emplace(message.topic, -1);
      EXPECT_GT(number_of(message), at->second) << message.topic << (message.retain ? " r" : "");
      at->second = number_of(message);
    }
  }
  MqttPeers late = connect(net, served, "late", 4);
  subscribe(net, late, "r/+/+", 0);
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(late,
                               [](const auto& each) { return each->received.size() >= kTopics; });
  }));
  for (const auto& subscriber : late) {
    EXPECT_EQ(subscriber->received.size(), static_cast<std::size_t>(kTopics));
    for (const Received& message : subscriber->received) {
      EXPECT_TRUE(message.retain);
      EXPECT_EQ(number_of(message), kRounds - 1);
    }
  }
}

// CoAP datagrams arrive on the shard that the kernel chooses, their topics belong to others.
TEST_P(BrokerThreads, CoapAndMqttShareTheirTopics) {
  constexpr int kPeers = 5;
  constexpr int kRounds = 100;
  MqttPeers subscribers = connect(net, served, "subscriber", 4);
  subscribe(net, subscribers, "c/#", 1);
  std::vector<std::unique_ptr<CoapPeer>> peers;
  std::vector<std::unique_ptr<CoapPeer>> observers;
  for (int i = 0; i < kPeers; ++i) {
    peers.push_back(std::make_unique<CoapPeer>(net, served.coap()));
    observers.push_back(std::make_unique<CoapPeer>(net, served.coap()));
  }
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kPeers; ++i) {
      peers[i]->put(fmt::format("c/{}", i), std::to_string(round));
    }
    EXPECT_TRUE(net.until([&] {
      return std::ranges::all_of(peers,
                                 [&](const auto& peer) { return peer->answers == round + 1u; });
    }));
    for (const auto& peer : peers) EXPECT_TRUE(peer->code.is_success()) << to_string(peer->code);
    if (round == 3) {
      for (int i = 0; i < kPeers; ++i) observers[i]->get(fmt::format("c/{}", i), true);
    }
  }
  const std::string last = std::to_string(kRounds - 1);
  EXPECT_TRUE(net.until([&] {  // an observation promises the latest value
    return std::ranges::all_of(observers, [&](const auto& each) { return each->payload == last; });
  }));
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(
        subscribers, [](const auto& each) { return each->received.size() >= kPeers * kRounds; });
  }));
  for (const auto& subscriber : subscribers) {
    EXPECT_EQ(subscriber->received.size(), static_cast<std::size_t>(kPeers * kRounds));
    std::map<std::string, int> next;
    for (const Received& message : subscriber->received) {
      EXPECT_EQ(number_of(message), next[message.topic]++) << message.topic;
    }
  }
  for (int i = 0; i < kPeers; ++i) peers[i]->get(fmt::format("c/{}", (i + 1) % kPeers));
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(peers,
                               [](const auto& peer) { return peer->answers == kRounds + 1u; });
  }));
  for (const auto& peer : peers) {
    EXPECT_EQ(peer->code, coap::code::kContent);
    EXPECT_EQ(peer->payload, last);
  }
}

// --- opening ---

TEST(BrokerOpen, SettingsThreadsHasBounds) {
  NullLog log;
  for (const std::uint16_t threads : {std::uint16_t{0}, std::uint16_t{broker::kShardsMax + 1}}) {
    const auto opened = broker::Broker::open({.threads = threads}, log);
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().find("threads must be 1 to 64"), std::string::npos);
  }
}

TEST(BrokerOpen, APortThatIsTakenIsNotShared) {
  const Served first{2};
  EXPECT_THROW((Served{2, first.mqtt().port()}), std::runtime_error);
  EXPECT_THROW((Served{1, first.mqtt().port()}), std::runtime_error);
}

}  // namespace
}  // namespace hermod::threads
