// SPDX-License-Identifier: Apache-2.0
// What waits to be answered until the disk has it: how much of it there may be.
#include "mqtt_client.hpp"

namespace hermod::broker {
namespace {

constexpr std::size_t kMost = 65'536;

class ShardWaiting : public testing::Test {
 protected:
  // To be kept: it waits while the journal is held.
  void publish(MqttClient& client, std::size_t count, std::uint8_t qos = 1) {
    wire::Octets octets;
    for (std::size_t i = 0; i < count; ++i) {
      const auto id = static_cast<std::uint16_t>(1 + i % 65'000);
      const wire::Octets packet = wire::publish("t", "x", {.qos = qos, .id = id, .retain = true});
      octets.insert(octets.end(), packet.begin(), packet.end());
    }
    client.put(octets);
    EXPECT_EQ(client.hear(), "");
  }

  World world{1, {}, &mqtt::protocol()};
  MqttClient many{world};
  MqttClient other{world};
  MqttClient third{world};
};

TEST_F(ShardWaiting, NoRequestIsReadWhileManyAnswersWait) {
  ASSERT_EQ(many.connects({.client_id = "many"}), "connack:0 ");
  ASSERT_EQ(other.connects({.client_id = "other"}), "connack:0 ");
  ASSERT_EQ(third.connects({.client_id = "third"}), "connack:0 ");
  world.journal().hold(true);
  publish(many, kMost - 1);
  EXPECT_EQ(other.subscribes("u"), "suback:0 ");
  publish(many, 10);
  EXPECT_EQ(other.subscribes("u"), "");
  EXPECT_EQ(third.asks(wire::pingreq()), "pong ") << "asks for nothing to be kept";
  world.journal().let_commit();
  world.turn();
  EXPECT_EQ(other.hear(), "suback:0 ");
  const std::size_t before = many.packets();
  while (!many.hear().empty()) {
  }
  EXPECT_EQ(many.packets() - before, kMost - 1 + 10);
}

// While a disk takes nothing, clients that come, publish and go again do not fill the memory, nor
// bring those to a stop who want nothing kept.
TEST_F(ShardWaiting, NobodyIsRememberedWhoHasGone) {
  ASSERT_EQ(other.connects({.client_id = "other"}), "connack:0 ");
  world.journal().hold(true);
  for (int i = 0; i < 80; ++i) {
    MqttClient client{world};
    ASSERT_EQ(client.connects({.client_id = std::to_string(i)}), "connack:0 ") << i;
    publish(client, 1'000);
  }
  EXPECT_EQ(other.hear(), "");
  EXPECT_EQ(other.subscribes("u"), "suback:0 ");
}

// What was published exactly once is remembered until it is known to be safe, which of a sealed
// store it never will be.
TEST_F(ShardWaiting, ExactlyOnceIsRememberedUntilTheStoreIsSealed) {
  ASSERT_EQ(other.connects({.client_id = "other"}), "connack:0 ");
  world.journal().hold(true);
  for (std::size_t i = 0; i < kMost / 1'000 + 1; ++i) {
    MqttClient client{world};
    const std::string name = std::to_string(i);
    ASSERT_EQ(client.connects({.clean_session = false, .client_id = name}), "connack:0 ");
    publish(client, 1'000, 2);
  }
  EXPECT_EQ(other.hear(), "");
  EXPECT_EQ(other.subscribes("u"), "");
  world.journal().now = core::Journal::State::kSealed;
  world.turn();
  EXPECT_EQ(other.hear(), "suback:0 ");
}

}  // namespace
}  // namespace hermod::broker
