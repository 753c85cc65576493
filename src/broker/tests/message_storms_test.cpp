// SPDX-License-Identifier: Apache-2.0
// Storms of messages: exchanges that never end, topics without end, retained values by the million,
// aliases, wildcards.
#include <set>

#include "hermod/base/rng.hpp"
#include "hermod/core/match_cache.hpp"
#include "hermod/core/topic_tree.hpp"
#include "storms.hpp"

namespace hermod::broker {
namespace {

using mqtt::PropertyId;
using mqtt::Version;

class MessageStorms : public testing::Test {
 protected:
  session::SessionLimits& limits() { return world.settings.listeners[World::kLines].limits; }
  /// A client that is connected.
  std::unique_ptr<MqttClient> client(std::string_view id, Version version) {
    auto made = std::make_unique<MqttClient>(world, version);
    EXPECT_EQ(made->connects({.client_id = id}), "connack:0 ");
    return made;
  }
  World world{1, wide_network(), &mqtt::protocol()};
};

// --- R17: exchanges that are not finished ---

TEST_F(MessageStorms, R17_TheSameIdWithoutPubrelIsOneMessage) {
  const std::size_t count = storm(10'000, 1'000'000);
  const auto subscriber = client("s", Version::kV311);
  (void)subscriber->subscribes("t");
  const auto publisher = client("p", Version::kV311);
  EXPECT_EQ(publisher->publishes("t", "first", {.qos = 2, .id = 7}), "pubrec:7:0 ");
  const wire::Octets again =
      wire::repeat(wire::publish("t", "again", {.qos = 2, .id = 7, .dup = true}), 100);
  const MemoryGrowth growth;
  const std::size_t before = publisher->packets();
  for (std::size_t i = 0; i < count / 100; ++i) {
    (void)publisher->asks(again);
    ASSERT_LT(growth.octets(), 1u << 20);
  }
  EXPECT_EQ(publisher->packets() - before, count);
  EXPECT_EQ(subscriber->hear(), "t=first ");
  EXPECT_EQ(publisher->asks(wire::pubrel(7)), "pubcomp:7:0 ");
  EXPECT_EQ(publisher->publishes("t", "second", {.qos = 2, .id = 7}), "pubrec:7:0 ");
  EXPECT_EQ(subscriber->hear(), "t=second ");
}

TEST_F(MessageStorms, R17_AllIdsWithoutPubrelTakeABoundedMemory) {
  const auto publisher = client("p", Version::kV311);
  const MemoryGrowth growth;
  for (std::uint32_t id = 1; id <= 65'535; ++id) {
    publisher->put(wire::publish("t", "x", {.qos = 2, .id = static_cast<std::uint16_t>(id)}));
    if (id % 500 == 0) (void)publisher->hear();
  }
  (void)publisher->hear();
  EXPECT_EQ(publisher->packets(), 1 + 65'535u);
  EXPECT_LT(growth.octets(), 1u << 20);
}

TEST_F(MessageStorms, R17_MoreThanTheReceiveMaximumIsRefused) {
  limits().inflight_max = 20;
  const auto publisher = client("p", Version::kV5);
  EXPECT_EQ(publisher->granted(PropertyId::kReceiveMaximum), 20u);
  for (std::uint16_t id = 1; id <= 20; ++id) {
    EXPECT_EQ(publisher->publishes("t", "x", {.qos = 2, .id = id}),
              fmt::format("pubrec:{}:10 ", id));
  }
  EXPECT_EQ(publisher->publishes("t", "x", {.qos = 2, .id = 21}), "disconnect:93 end ");
}

TEST_F(MessageStorms, R17_WhoNeverAcknowledgesHoldsItsWindowAndItsQueue) {
  const std::size_t count = storm(5'000, 200'000);
  limits().inflight_max = 20;
  world.settings.core.queue_messages_max = 100;
  const auto hoarder = client("h", Version::kV311);
  (void)hoarder->subscribes("t", 1);
  const auto publisher = client("p", Version::kV311);
  const wire::Octets once = wire::repeat(wire::publish("t", "x", {.qos = 1, .id = 1}), 50);
  const MemoryGrowth growth;
  for (std::size_t i = 0; i < count / 50; ++i) {
    (void)publisher->asks(once);
    ASSERT_LT(growth.octets(), 1u << 20);
  }
  (void)hoarder->hear();
  EXPECT_EQ(hoarder->packets(), 2 + 20u);
  core::Core& core = world.shard().core();
  const core::Queue& queue = core.subscriber(core.find("h")).queue;
  EXPECT_EQ(queue.unsettled(), 20u);
  EXPECT_EQ(queue.waiting(), 100u);
  EXPECT_EQ(core.counters().dropped_full(), count - 120);
}

// --- R18: topics without end ---

TEST_F(MessageStorms, R18_TopicsHaveAsManyLevelsAsTheyMay) {
  const auto levels = [](std::size_t count) { return std::string(count - 1, '/'); };
  const std::string endless(65'535, '/');
  for (const std::string& topic : {levels(129), endless}) {
    EXPECT_EQ(client("c", Version::kV5)->publishes(topic, "x"), "disconnect:90 end ");
    EXPECT_EQ(client("c", Version::kV5)->subscribes(topic), "suback:8f ");
    EXPECT_EQ(client("c", Version::kV311)->publishes(topic, "x"), "end ");
    EXPECT_EQ(client("c", Version::kV311)->subscribes(topic), "suback:80 ");
    const mqtt::WillView will{.topic = topic};
    EXPECT_EQ(MqttClient(world, Version::kV5).connects({.client_id = "w", .will = will}),
              "connack:90 end ");
    EXPECT_EQ(MqttClient(world).connects({.client_id = "w", .will = will}), "end ");
  }
  const auto served = client("c", Version::kV5);
  EXPECT_EQ(served->subscribes(levels(128)), "suback:0 ");
  EXPECT_EQ(served->publishes(levels(128), "x"), levels(128) + "=x ");
}

// --- R19: wildcards ---

TEST(Storms, R19_OverlappingWildcardsVisitEachNodeOnceAtMost) {
  const std::size_t count = storm(5'000, 100'000);
  constexpr int kLevels = 20;
  core::TopicTree tree{7};
  std::set<std::string> filters;
  std::set<std::string> nodes;  // every beginning of a filter
  SeededRng rng{19};
  while (filters.size() < count) {
    std::string filter;
    for (int level = 0; level < kLevels; ++level) {
      if (level > 0) filter.push_back('/');
      filter.push_back(rng.below(2) == 0 ? '+' : 'a');
      nodes.insert(filter);
    }
    if (!filters.insert(filter).second) continue;
    (void)tree.add(filter, static_cast<core::SubscriberIndex>(filters.size()), {});
  }
  std::string topic = "a";
  for (int level = 1; level < kLevels; ++level) topic += "/a";
  core::MatchSet found;
  const std::size_t visited = tree.match(topic, found);
  EXPECT_EQ(found.matches.size(), count);  // each of them matches
  EXPECT_EQ(visited, nodes.size() + 1);    // and the root
  topic.front() = 'b';
  EXPECT_LE(tree.match(topic, found), visited);
}

// A session works through them in rounds, each after the answers to the one before, which come at
// once on one shard.
TEST_F(MessageStorms, R19_APacketMayHaveVeryManyFilters) {
  constexpr std::size_t kFilters = 2'000;
  world.settings.core.subscriptions_max = kFilters / 2;
  std::vector<std::string> names;
  std::vector<mqtt::SubscribeEntry> entries;
  std::vector<std::string_view> filters;
  for (std::size_t i = 0; i < kFilters; ++i) names.push_back(fmt::format("a/{}", i));
  for (const std::string& name : names) {
    entries.push_back({.filter = name, .qos = 1});
    filters.push_back(name);
  }
  const auto asker = client("a", Version::kV311);
  std::string granted = "suback";
  for (std::size_t i = 0; i < kFilters; ++i) granted += i < kFilters / 2 ? ":1" : ":80";
  EXPECT_EQ(asker->asks(wire::subscribe(1, entries)), granted + ' ');
  EXPECT_EQ(world.shard().core().tree().subscriptions(), kFilters / 2);
  EXPECT_EQ(asker->asks(wire::unsubscribe(2, filters)), "other ");
  EXPECT_EQ(world.shard().core().tree().subscriptions(), 0u);
}

TEST_F(MessageStorms, R19_AClientHasAsManySubscriptionsAsItMay) {
  const std::size_t most = storm(2'000, 10'000);
  world.settings.core.subscriptions_max = most;
  const auto bomber = client("b", Version::kV5);
  std::vector<std::string> filters;
  for (std::size_t i = 0; i < most + 100; ++i) filters.push_back(fmt::format("+/{}/+/#", i));
  std::size_t granted = 0;
  for (std::size_t at = 0; at < filters.size(); at += 100) {
    std::vector<mqtt::SubscribeEntry> entries;
    for (std::size_t i = at; i < std::min(at + 100, filters.size()); ++i) {
      entries.push_back({.filter = filters[i]});
    }
    const std::string answer = bomber->asks(wire::v5::subscribe(1, entries));
    for (std::size_t i = answer.find(":0"); i != std::string::npos; i = answer.find(":0", i + 1)) {
      ++granted;
    }
    if (at >= most) {
      EXPECT_EQ(answer.substr(0, 13), "suback:97:97:");
    }
  }
  EXPECT_EQ(granted, most);
  EXPECT_EQ(world.shard().core().tree().subscriptions(), most);
  const auto old = client("b", Version::kV311);  // takes over, clean
  for (std::size_t i = 0; i < most; ++i) (void)old->subscribes(filters[i]);
  EXPECT_EQ(old->subscribes(filters[most]), "suback:80 ");
}

// --- R25: retained values ---

TEST_F(MessageStorms, R25_RetainedValuesHaveAQuotaAndAreReplayedInPieces) {
  const std::size_t most = storm(5'000, 1'000'000);
  world.settings.core.retained_messages_max = most;
  world.settings.core.retained_bytes_max = 1u << 30;
  const std::string payload(200, 'x');
  {
    const auto bomber = client("b", Version::kV5);
    for (std::size_t i = 0; i < most; ++i) {
      bomber->put(wire::v5::publish(fmt::format("bomb/{}", i), payload, {.retain = true}));
      if (i % 500 == 0) world.run();
    }
    world.run();
    EXPECT_EQ(world.shard().core().retained().size(), most);
    for (std::uint16_t id = 1; id <= 100; ++id) {
      const std::string topic = fmt::format("more/{}", id);
      EXPECT_EQ(bomber->publishes(topic, "x", {.qos = 1, .id = id, .retain = true}),
                fmt::format("puback:{}:97 ", id));
    }
    EXPECT_EQ(bomber->publishes("bomb/0", payload, {.qos = 1, .id = 1, .retain = true}),
              "puback:1:0 ");  // one that is there may change
    EXPECT_EQ(world.shard().core().retained().size(), most);
  }
  // Who reads nothing is sent no more than fits into its output and into the network.
  const MemoryGrowth growth;
  const auto reader = client("r", Version::kV311);
  reader->put(wire::subscribe(1, {{.filter = "#"}}));
  world.run();
  const ConnectionLimits& connections = world.settings.connections;
  const std::uint64_t sent = world.shard().core().counters().delivered_bytes;
  EXPECT_GT(sent, wide_network().stream_buffer_bytes / 2);
  EXPECT_LE(sent, wide_network().stream_buffer_bytes + connections.output_soft_bytes +
                      2 * Subscribing::kPageBytes);
  EXPECT_LE(growth.octets(), sent + (2u << 20));
  const auto other = client("o", Version::kV311);  // is served meanwhile
  (void)other->subscribes("live");
  EXPECT_EQ(other->publishes("live", "x"), "live=x ");
  std::size_t values = 0;
  std::string last;
  for (std::string words = reader->hear(); !words.empty(); words = reader->hear()) {
    for (const char octet : words) values += octet == ' ' ? 1 : 0;
  }
  EXPECT_EQ(values, 1 + most + 1);  // SUBACK, all of them, and what came live
}

// --- R26: topic aliases ---

TEST_F(MessageStorms, R26_AliasesThatAreNoneCloseTheConnection) {
  limits().topic_alias_max = 10;
  const auto with = [&](std::string_view topic, std::uint32_t alias) {
    return client("c", Version::kV5)
        ->publishes(topic, "x", {}, {wire::v5::number(PropertyId::kTopicAlias, alias)});
  };
  EXPECT_EQ(with("t", 0), "disconnect:94 end ");
  EXPECT_EQ(with("t", 11), "disconnect:94 end ");
  EXPECT_EQ(with("t", 65'535), "disconnect:94 end ");
  EXPECT_EQ(with("", 5), "disconnect:82 end ");  // allowed, and not set
  EXPECT_EQ(with("t", 10), "");
  limits().topic_alias_max = 0;
  EXPECT_EQ(with("t", 1), "disconnect:94 end ");
}

TEST_F(MessageStorms, R26_AliasesTakeABoundedMemory) {
  const std::size_t rounds = storm(40, 6'554);
  limits().topic_alias_max = 10;
  const auto publisher = client("p", Version::kV5);
  const MemoryGrowth growth;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::uint32_t alias = 1; alias <= 10; ++alias) {
      const std::string topic = fmt::format("{:065535}", round * 10 + alias);
      ASSERT_EQ(
          publisher->publishes(topic, "x", {}, {wire::v5::number(PropertyId::kTopicAlias, alias)}),
          "");
    }
    // Beside the aliases only the topics matched last are remembered.
    ASSERT_LE(growth.octets(), core::MatchCache::kBytesMax + 10 * 65'536u + (2u << 20));
  }
}

}  // namespace
}  // namespace hermod::broker
