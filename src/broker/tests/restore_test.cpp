// SPDX-License-Identifier: Apache-2.0
// What an earlier run has left meets what comes now.
#include "hermod/broker/restore.hpp"

#include <array>

#include "mqtt_client.hpp"

namespace hermod::broker {
namespace {

// A stamp as an earlier run gave it: of a clock that stood higher than today's.
constexpr core::Stamp stamp_of(std::uint64_t clock, std::uint16_t shard) {
  return clock << core::kStampShardBits | shard;
}
constexpr std::uint64_t kLongAgo = 1'000'000'000'000;

class RestoreTest : public testing::Test {
 protected:
  // `stamped` by that shard, and owned by the first.
  void restore_value(core::Stamp stamped) {
    topic = world.name_on(0, "value");
    model::Message message{.destination = model::Destination::topic(topic),
                           .payload = as_bytes("old"),
                           .guarantee = model::Guarantee::kAtLeastOnce,
                           .retain = true};
    message.version = stamped;
    store::RecoveredState state;
    state.values.push_back({message.own(), 0});
    state.version = stamped;
    std::vector<Shard*> shards{&world.shard(0), &world.shard(1)};
    restore(std::move(state), shards);
  }
  std::unique_ptr<MqttClient> client(std::uint16_t shard, std::string_view stem) {
    auto made = std::make_unique<MqttClient>(world, mqtt::Version::kV311, shard);
    EXPECT_EQ(made->connects({.client_id = world.name_on(shard, stem)}), "connack:0 ");
    return made;
  }

  World world{2, {}, &mqtt::protocol()};
  std::string topic;
};

TEST_F(RestoreTest, NewSubscribersGetValuesOfAllShardsOfBefore) {
  for (const std::uint16_t publisher :
       std::to_array<std::uint16_t>({0, 1, 5})) {  // of the last one there is none today
    restore_value(stamp_of(kLongAgo + publisher, publisher));
    for (const std::uint16_t shard : std::to_array<std::uint16_t>({0, 1})) {
      EXPECT_EQ(client(shard, "s")->subscribes("#", 1), "suback:1 " + topic + "=old ")
          << publisher << " to " << shard;
    }
  }
}

TEST_F(RestoreTest, WhatComesNowIsNewer) {
  restore_value(stamp_of(kLongAgo, 0));
  EXPECT_EQ(client(1, "p")->publishes(topic, "new", {.qos = 1, .id = 1, .retain = true}),
            "puback:1:0 ");
  EXPECT_EQ(client(0, "s")->subscribes(topic, 1), "suback:1 " + topic + "=new ");
}

}  // namespace
}  // namespace hermod::broker
