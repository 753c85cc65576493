// SPDX-License-Identifier: Apache-2.0
// max_connections_per_source: the count itself, and in shards.
#include "hermod/broker/sources.hpp"

#include "world.hpp"

namespace hermod::broker {
namespace {

using transport::Address;

Address v6(std::uint8_t subnet, std::uint8_t host) {
  return Address::v6({0x20, 1, 0xd, 0xb8, 0, 0, 0, subnet, 0, 0, 0, 0, 0, 0, 0, host}, 1);
}

TEST(Source, IsTheAddressWithoutItsPortAndOfIPv6TheSubnet) {
  const Address address = Address::v4({10, 0, 0, 1}, 1);
  EXPECT_EQ(source_of(address), source_of(address.with_port(2)));
  EXPECT_NE(source_of(address), source_of(Address::v4({10, 0, 0, 2}, 1)));
  EXPECT_EQ(source_of(v6(1, 1)), source_of(v6(1, 2)));
  EXPECT_NE(source_of(v6(1, 1)), source_of(v6(2, 1)));
  EXPECT_NE(source_of(Address::v4({0, 0, 0, 0}, 1)), 0u);
  EXPECT_EQ(source_of(Address{}), 0u);
}

TEST(Sources, CountUpToTheLimitAndForgetWhoHasNone) {
  Sources sources;
  EXPECT_TRUE(sources.enter(1, 2));
  EXPECT_TRUE(sources.enter(1, 2));
  EXPECT_FALSE(sources.enter(1, 2));
  EXPECT_TRUE(sources.enter(2, 2));
  EXPECT_EQ(sources.size(), 2u);
  sources.leave(1);
  EXPECT_TRUE(sources.enter(1, 2));
  sources.leave(1);
  sources.leave(1);
  sources.leave(2);
  sources.leave(3);  // never came
  EXPECT_EQ(sources.size(), 0u);
}

Address client_at(std::uint8_t host) {
  return Address::v4({10, 9, 0, host}, 0);
}

TEST(ConnectionLimits, per_source_max_RefusesTheNextOfThatAddressAlone) {
  World world;
  world.settings.connections.per_source_max = 2;
  Client first{world, 0, client_at(1)};
  Client second{world, 0, client_at(1)};
  EXPECT_EQ(first.ask("attach a"), "#1 ok\n");
  EXPECT_EQ(second.ask("attach b"), "#1 ok\n");
  for (std::uint64_t round = 1; round <= 20; ++round) {
    Client refused{world, 0, client_at(1)};
    world.run();
    EXPECT_EQ(refused.read(), "");
    EXPECT_TRUE(refused.ended());
    EXPECT_EQ(world.shard().counters().refused_by_source, round);
    EXPECT_EQ(world.shard().counters().refused, round);
  }
  Client other{world, 0, client_at(2)};
  EXPECT_EQ(other.ask("attach c"), "#1 ok\n");
  first.reset();
  world.run();
  Client third{world, 0, client_at(1)};
  EXPECT_EQ(third.ask("attach d"), "#1 ok\n");
  EXPECT_EQ(world.sources.size(), 2u);
}

// On all shards together, wherever a connection is accepted and wherever it moves.
TEST(ConnectionLimits, per_source_max_CountsOnAllShardsTogether) {
  World world{2};
  world.settings.connections.per_source_max = 4;
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint16_t i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<Client>(world, i % 2, client_at(1)));
    EXPECT_EQ(clients.back()->ask("attach " + world.name_on(i / 2, fmt::format("c{}x", i))),
              "#1 ok\n");
  }
  for (std::uint16_t shard = 0; shard < 2; ++shard) {
    Client refused{world, shard, client_at(1)};
    world.run();
    (void)refused.read();
    EXPECT_TRUE(refused.ended());
  }
  clients.clear();
  world.run();
  EXPECT_EQ(world.connections(), 0u);
  EXPECT_EQ(world.sources.size(), 0u);
}

// However a connection goes, its place is free again.
TEST(ConnectionLimits, per_source_max_IsCountedRightHoweverTheyGo) {
  World world{2};
  world.settings.connections.per_source_max = 1;
  world.settings.listeners[World::kLines].limits.connect_timeout_s = 1;
  const std::string there = world.name_on(1, "t");
  for (int round = 0; round < 30; ++round) {
    Client client{world, 0, client_at(1)};
    switch (round % 5) {
      case 0:
        client.reset();
        break;
      case 1:
        client.ask("attach " + there + "\nbye");
        break;
      case 2:
        client.ask("attach " + there);
        client.reset();
        break;
      case 3:
        client.send("not a word");
        break;
      default:
        break;  // says nothing
    }
    world.pass(std::chrono::seconds{7});
    EXPECT_EQ(world.connections(), 0u);
    ASSERT_EQ(world.sources.size(), 0u) << "round " << round;
  }
  EXPECT_EQ(world.shard(0).counters().refused, 0u);
}

// A connection that moves to a shard which is full is gone.
TEST(ConnectionLimits, per_source_max_AHandoverThatIsRefusedIsNotCounted) {
  World world{2};
  world.settings.connections.per_source_max = 5;
  world.settings.connections.connections_max = 1;
  Client there{world, 1, client_at(2)};
  there.ask("attach " + world.name_on(1, "a"));
  Client moving{world, 0, client_at(1)};
  EXPECT_EQ(moving.ask("attach " + world.name_on(1, "b")), "");
  EXPECT_EQ(world.sources.size(), 1u);
}

}  // namespace
}  // namespace hermod::broker
