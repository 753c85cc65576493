// SPDX-License-Identifier: Apache-2.0
// Storms of connections: those that die without a word, never speak, speak too slowly, or never
// end.
#include "storms.hpp"

namespace hermod::broker {
namespace {

using mqtt::Version;
using std::chrono::milliseconds;
using std::chrono::seconds;

const wire::Octets kPing = wire::pingreq();

// R8: the network swallows everything, and nobody is told.
TEST(Storms, R8_HalfOpenConnectionsGoAfterOneAndAHalfKeepAlivesWithOneWillEach) {
  const std::size_t count = storm(200, 1'000);
  World world{2, wide_network(), &mqtt::protocol()};
  MqttClient watcher{world};
  (void)watcher.connects({.client_id = "watcher"});
  (void)watcher.subscribes("wills/#");  // QoS 0: a window has no part in this
  std::vector<std::unique_ptr<MqttClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string topic = fmt::format("wills/{}", i);
    clients.push_back(std::make_unique<MqttClient>(world));
    ASSERT_EQ(clients.back()->connects(
                  {.keep_alive_s = 10,
                   .client_id = fmt::format("c{}", i),
                   .will = mqtt::WillView{.topic = topic, .payload = as_bytes("x"), .qos = 1}}),
              "connack:0 ");
  }
  for (auto& client : clients) world.network.silence(client->stream());
  world.pass(milliseconds{14'900});
  EXPECT_EQ(world.connections(), count + 1);
  EXPECT_EQ(watcher.hear(), "");
  world.pass(milliseconds{1'100});
  EXPECT_EQ(world.connections(), 1u);
  const std::string wills = watcher.hear();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string will = fmt::format("wills/{}=x ", i);
    const std::size_t at = wills.find(will);
    ASSERT_NE(at, std::string::npos) << will;
    EXPECT_EQ(wills.find(will, at + 1), std::string::npos) << will;
  }
  world.pass(seconds{60});
  EXPECT_EQ(watcher.hear(), "");
}

// R12: connections that never speak take their places and no others, and go in time.
TEST(Storms, R12_ConnectionsThatNeverSpeakAreBoundedAndGo) {
  const std::size_t count = storm(3'000, 50'000);
  World world{1, {.backlog = 1'000}, &mqtt::protocol()};
  const std::size_t most = count / 5;
  world.settings.connections.unattached_max = most;
  MqttClient served{world};
  ASSERT_EQ(served.connects({.client_id = "served"}), "connack:0 ");
  std::vector<std::unique_ptr<Client>> silent;
  for (std::size_t i = 0; i < count; ++i) {
    silent.push_back(std::make_unique<Client>(world));
    if (i % 200 != 199) continue;
    ASSERT_EQ(served.asks(kPing), "pong ");
    ASSERT_LE(world.connections(), most + 1);
  }
  world.run();
  EXPECT_EQ(world.connections(), most + 1);
  EXPECT_EQ(world.shard().counters().refused, count - most);
  world.pass(seconds{9});
  EXPECT_EQ(world.connections(), most + 1);
  world.pass(seconds{1} + milliseconds{100});
  EXPECT_EQ(world.connections(), 1u);
  EXPECT_EQ(served.asks(kPing), "pong ");
  MqttClient next{world};
  EXPECT_EQ(next.connects({.client_id = "next"}), "connack:0 ");
}

// R14: an octet now and then is no sign of life before CONNECT is whole.
TEST(Storms, R14_ASlowConnectIsClosedInTime) {
  const std::size_t count = storm(200, 10'000);
  World world{1, {.backlog = 1'000}, &mqtt::protocol()};
  const wire::Octets connect = wire::connect({.client_id = "slow"});
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<Client>(world));
    if (i % 100 == 99) world.run();
  }
  world.run();
  for (std::size_t at = 0; at < 10; ++at) {
    EXPECT_EQ(world.connections(), count) << "second " << at;
    for (auto& client : clients) {
      ASSERT_EQ(client->write(as_text(Bytes{connect}.subspan(at, 1))), 1u);
    }
    world.pass(seconds{1});
  }
  world.pass(milliseconds{100});
  EXPECT_EQ(world.connections(), 0u);
}

// R14: max_keepalive bounds how long a client may be silent.
TEST(Storms, R14_MaxKeepaliveIsEnforced) {
  const std::size_t count = storm(200, 10'000);
  World world{1, wide_network(), &mqtt::protocol()};
  world.settings.listeners[World::kLines].limits.keep_alive_s_max = 60;
  std::vector<std::unique_ptr<MqttClient>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = fmt::format("c{}", i);
    const std::uint16_t asked = i % 2 == 0 ? 65'535 : 0;
    MqttClient old{world};
    ASSERT_EQ(old.connects({.keep_alive_s = asked, .client_id = id}), "connack:2 end ");
    clients.push_back(std::make_unique<MqttClient>(world, Version::kV5));
    ASSERT_EQ(clients.back()->connects({.keep_alive_s = asked, .client_id = id}), "connack:0 ");
    ASSERT_EQ(clients.back()->granted(mqtt::PropertyId::kServerKeepAlive), 60u);
  }
  EXPECT_EQ(world.connections(), count);
  MqttClient modest{world};
  EXPECT_EQ(modest.connects({.keep_alive_s = 60, .client_id = "modest"}), "connack:0 ");
  world.pass(milliseconds{89'900});
  EXPECT_EQ(world.connections(), count + 1);
  world.pass(milliseconds{200});
  EXPECT_EQ(world.connections(), 0u);
  EXPECT_EQ(clients.front()->hear(), "disconnect:8d end ");
}

// R14: what one address may have, whatever it does with it.
TEST(Storms, R14_OneSourceGetsNoMoreThanItsShare) {
  const std::size_t count = storm(1'000, 20'000);
  World world{2, {.backlog = 1'000}, &mqtt::protocol()};
  world.settings.connections.per_source_max = 100;
  const auto greedy = transport::Address::v4({10, 9, 0, 1}, 0);
  const auto other = transport::Address::v4({10, 9, 0, 2}, 0);
  std::vector<std::unique_ptr<Client>> taken;
  for (std::size_t i = 0; i < count; ++i) {
    taken.push_back(std::make_unique<Client>(world, static_cast<std::uint16_t>(i % 2), greedy));
    if (i % 100 == 99) world.run();
  }
  world.run();
  EXPECT_EQ(world.connections(), 100u);
  EXPECT_EQ(
      world.shard(0).counters().refused_by_source + world.shard(1).counters().refused_by_source,
      count - 100);
  MqttClient served{world, Version::kV311, 0, other};
  EXPECT_EQ(served.connects({.client_id = "served"}), "connack:0 ");
  world.pass(seconds{11});
  EXPECT_EQ(world.connections(), 1u);
  EXPECT_EQ(world.sources.size(), 1u);
}

// R16: nobody is given memory for what is only announced.
TEST(Storms, R16_ADeclaredLengthAllocatesNothing) {
  const std::size_t count = storm(500, 20'000);
  World world{1, wide_network(), &mqtt::protocol()};
  const auto storm_of = [&](const wire::Octets& header, bool closes) {
    for (std::size_t i = 0; i < count / 100; ++i) {
      const MemoryGrowth growth;
      std::vector<std::unique_ptr<Client>> clients;
      for (std::size_t j = 0; j < 100; ++j) {
        clients.push_back(std::make_unique<Client>(world));
        (void)clients.back()->write(as_text(header));
      }
      world.run();
      ASSERT_EQ(world.connections(), closes ? 0u : 100u);
      // Both ends of the network are in it.
      ASSERT_LE(growth.octets(), 100u * 4'096);
      clients.clear();
      world.pass(seconds{6});  // half a packet is waited for a little
      ASSERT_EQ(world.connections(), 0u);
    }
  };
  storm_of(testkit::octets("30 ff ff ff 7f"), true);  // PUBLISH of 256 MiB
  storm_of(testkit::octets("10 ff ff ff 7f"), true);  // CONNECT of 256 MiB
  storm_of(testkit::octets("10 80 80 04"), false);    // the largest that is waited for
}

}  // namespace
}  // namespace hermod::broker
