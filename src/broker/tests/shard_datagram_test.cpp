// SPDX-License-Identifier: Apache-2.0
// Datagram peers of a shard: a session an address, answers from where the question came, values of
// other shards by letter, ends.
#include "world.hpp"

namespace hermod::broker {
namespace {

using std::chrono::milliseconds;

TEST(ShardDatagrams, ASessionAnAddress) {
  World world;
  PeerClient first{world};
  PeerClient second{world};
  EXPECT_EQ(first.ask("ping"), "pong\n");
  EXPECT_EQ(first.ask("ping"), "pong\n");
  EXPECT_EQ(second.ask("ping"), "pong\n");
  EXPECT_EQ(world.shard().connections(), 2u);
  EXPECT_EQ(world.shard().counters().datagrams, 3u);
  EXPECT_EQ(world.datagrams.sessions(), 2);
}

TEST(ShardDatagrams, APeerOfTwoShardsIsTwo) {
  World world{2};
  PeerClient first{world, 0, 7'000};
  PeerClient other{world, 1, 7'001};
  EXPECT_EQ(first.ask("ping"), "pong\n");
  EXPECT_EQ(other.ask("ping"), "pong\n");
  EXPECT_EQ(world.shard(0).connections(), 1u);
  EXPECT_EQ(world.shard(1).connections(), 1u);
}

TEST(ShardDatagrams, TheyObserveAndPublish) {
  World world{2};
  PeerClient observer{world, 0};
  EXPECT_EQ(observer.ask("attach -"), "#1 ok\n");
  EXPECT_EQ(observer.ask("sub t"), "#2 ok\n");
  PeerClient publisher{world, 1};
  EXPECT_EQ(publisher.ask("pub1 t x"), "#1 ok\n");  // needs no subscriber of its own
  EXPECT_EQ(observer.read(), "t=x\n");
  Client stream{world, 1};
  stream.ask("attach " + world.name_on(1, "c") + "\npub t y");
  EXPECT_EQ(observer.read(), "t=y\n");
  EXPECT_EQ(world.shard(0).core().subscribers(), 1u);
}

TEST(ShardDatagrams, ALookupAsksTheOwner) {
  World world{2};
  PeerClient client{world, 0};
  for (std::uint16_t owner = 0; owner < 2; ++owner) {
    const std::string topic = world.name_on(owner, "t");
    client.ask("put " + topic + " x");
    EXPECT_TRUE(client.ask("get " + topic).ends_with(" ok x\n"));
  }
}

TEST(ShardDatagrams, ManyInATurn) {
  World world;
  PeerClient observer{world};
  observer.ask("attach -");
  observer.ask("sub #");
  PeerClient publisher{world};
  std::string expected;
  for (int i = 0; i < 900; ++i) {
    publisher.send(fmt::format("pub t {}", i));
    expected += fmt::format("t={}\n", i);
  }
  world.run();
  EXPECT_EQ(observer.read(), expected);
}

// As many as arrive are worked off, but not all in one turn.
TEST(ShardDatagrams, AFloodLeavesStreamsTheirTurn) {
  World world{1, {.datagrams_waiting_max = 10'000}};
  Client stream{world};
  stream.ask("attach s");
  PeerClient flooding{world};
  for (int i = 0; i < 5'000; ++i) flooding.send("pub t x");
  stream.send("ping");
  world.turn();
  EXPECT_EQ(stream.read(), "pong\n");
  EXPECT_LT(world.shard().counters().datagrams, 5'000u);
  world.run();
  EXPECT_EQ(world.shard().counters().datagrams, 5'000u);
}

TEST(ShardDatagrams, DeadlinesAreTheSessions) {
  World world;
  PeerClient client{world};
  client.ask("wake 300");
  world.pass(milliseconds{299});
  EXPECT_EQ(client.read(), "");
  world.pass(milliseconds{2});
  EXPECT_EQ(client.read(), "tick\n");
}

// A session that has said its goodbye is about to go: it would forget what comes then.
TEST(ShardDatagrams, WhatComesAfterTheGoodbyeBeginsANewSession) {
  World world;
  PeerClient client{world};
  EXPECT_EQ(client.ask("attach -"), "#1 ok\n");
  client.ask("leave 100");
  world.network.advance_to(world.network.now() + milliseconds{100});
  world.turn();  // says goodbye
  EXPECT_EQ(client.ask("attach -"), "#1 ok\n");
  EXPECT_EQ(world.shard().connections(), 1u);
  EXPECT_EQ(world.datagrams.sessions(), 1);
  EXPECT_EQ(world.shard().core().subscribers(), 1u);
}

TEST(ShardDatagrams, ASessionThatClosesIsForgottenWithWhatItHeld) {
  World world;
  PeerClient client{world};
  client.ask("attach - will=w=dead");
  client.ask("sub t");
  Client watcher{world};
  watcher.ask("attach w\nsub w");
  client.ask("close");
  world.pass(milliseconds{5});
  EXPECT_EQ(world.datagrams.sessions(), 0);
  EXPECT_EQ(world.shard().connections(), 1u);
  EXPECT_EQ(world.shard().core().subscribers(), 1u);
  EXPECT_EQ(watcher.read(), "w=dead\n");
  EXPECT_EQ(client.ask("ping"), "pong\n");  // a new session
}

}  // namespace
}  // namespace hermod::broker
