// SPDX-License-Identifier: Apache-2.0
// Groups whose members sit on two shards: who gets what, and that nothing is left of a group.
#include <algorithm>
#include <set>

#include "world.hpp"

namespace hermod::broker {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// The group belongs to shard 0; one member there, one on shard 1, and a publisher on each.
class ShardGroupTest : public testing::Test {
 protected:
  Client member(std::uint16_t shard, std::string_view stem, std::string_view options = "") {
    Client client{world, shard};
    std::string id = world.name_on(shard, stem);
    EXPECT_EQ(client.ask(fmt::format("attach {}{}", id, options)), "#1 ok\n");
    return client;
  }
  void join(Client& client, std::string_view options = "") {
    EXPECT_EQ(client.ask(fmt::format("sub {}{}", group, options)),
              fmt::format("#2 ok{}\n", options));
  }

  World world{2};
  const std::string group = make_name();

 private:
  std::string make_name() {
    for (int number = 0;; ++number) {
      std::string name = fmt::format("$share/g{}/t", number);
      if (world.shard().core().owner_of(name) == 0) return name;
    }
  }
};

TEST_F(ShardGroupTest, EachMessageGoesToOneMemberWhereverItIsPublished) {
  Client one = member(0, "one");
  Client two = member(1, "two");
  join(one);
  join(two);
  Client all = member(1, "all");
  all.ask("sub #");
  Client here = member(0, "here");
  Client there = member(1, "there");
  std::set<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    (i % 2 == 0 ? here : there).ask(fmt::format("pub t {}", i));
    expected.insert(fmt::format("t={}", i));
  }
  const std::vector<std::string> first = split(one.read());
  const std::vector<std::string> second = split(two.read());
  EXPECT_EQ(first.size(), 100u);  // in turn
  EXPECT_EQ(second.size(), 100u);
  std::set<std::string> got{first.begin(), first.end()};
  got.insert(second.begin(), second.end());
  EXPECT_EQ(got, expected);
  EXPECT_EQ(split(all.read()).size(), 200u);  // a subscription of its own is not shared
  EXPECT_EQ(world.mail(), 0u);
}

TEST_F(ShardGroupTest, ALargePayloadIsLentToAMemberElsewhere) {
  const std::string payload(5'000, 'x');
  Client two = member(1, "two");
  join(two);
  Client here = member(0, "here");
  here.ask("pub t " + payload);
  EXPECT_EQ(two.read(), "t=" + payload + '\n');
  EXPECT_EQ(world.mail(), 0u);
}

// MQTT 5 §4.8.2: no retained values, not even for the first.
TEST_F(ShardGroupTest, BringsNoRetainedValues) {
  Client here = member(0, "here");
  here.ask("put t kept");
  Client two = member(1, "two");
  EXPECT_EQ(two.ask("sub " + group), "#2 ok\n");
}

TEST_F(ShardGroupTest, AMemberThatLeavesGetsNothingMore) {
  Client one = member(0, "one");
  Client two = member(1, "two");
  join(one);
  join(two);
  EXPECT_EQ(two.ask("unsub " + group), "#3 ok\n");
  Client here = member(0, "here");
  for (int i = 0; i < 10; ++i) here.ask("pub t x");
  EXPECT_EQ(split(one.read()).size(), 10u);
  EXPECT_EQ(two.read(), "");
}

// A connection that breaks gives what it has not settled to the others.
TEST_F(ShardGroupTest, WhatABrokenConnectionHeldGoesToTheOthers) {
  Client two = member(1, "two");
  join(two, " q1");
  two.ask("credit 3");
  Client here = member(0, "here");
  for (int i = 0; i < 10; ++i) here.ask(fmt::format("pub1 t {}", i));
  EXPECT_EQ(split(two.read()).size(), 3u);
  two.reset();
  world.run();
  Client one = member(0, "one");
  join(one, " q1");
  one.ask("credit 100");
  EXPECT_TRUE(one.read().empty());  // the group ended with its last member, a transient one

  Client durable = member(1, "durable", " keep");
  join(durable, " q1");
  durable.ask("credit 3");
  for (int i = 0; i < 10; ++i) here.ask(fmt::format("pub1 t {}", i));
  const std::size_t before = split(one.read()).size();
  EXPECT_GT(before, 0u);
  durable.reset();
  world.run();
  EXPECT_EQ(before + split(one.read()).size(), 10u);
  EXPECT_EQ(world.mail(), 0u);
}

TEST_F(ShardGroupTest, IsThereAgainWhenItsDurableMemberIs) {
  {
    Client two = member(1, "two", " keep");
    join(two, " q1");
    two.ask("bye");
  }
  Client here = member(0, "here");
  for (int i = 0; i < 3; ++i) here.ask(fmt::format("pub1 t {}", i));
  Client again{world, 1};
  again.ask(fmt::format("attach {} keep", world.name_on(1, "two")));
  EXPECT_EQ(split(again.ask("credit 10")).size(), 3u);
}

TEST_F(ShardGroupTest, NothingIsLeftOfAGroup) {
  const std::size_t before = world.shard(0).core().subscribers();
  {
    Client two = member(1, "two");
    join(two);
    Client one = member(0, "one");
    join(one);
    two.ask("bye");
    one.reset();
    world.run();
  }
  EXPECT_EQ(world.shard(0).core().subscribers(), before);
  for (const std::uint16_t shard : {std::uint16_t{0}, std::uint16_t{1}}) {
    EXPECT_EQ(world.shard(shard).core().tree().subscriptions(), 0u);
    EXPECT_EQ(world.shard(shard).core().tree().find("t"), nullptr);  // nor of its interest
  }
}

// The connection has gone before its shard hears that it has joined.
TEST_F(ShardGroupTest, AJoinThatNobodyWaitsForLeavesNothing) {
  const std::size_t before = world.shard(0).core().subscribers();
  Client two = member(1, "two");
  two.send("sub " + group);
  world.turn(1);  // the join is on its way
  two.reset();
  world.turn(1);  // and so is the return
  world.run();
  EXPECT_EQ(world.shard(0).core().subscribers(), before);
  EXPECT_EQ(world.shard(0).core().tree().subscriptions(), 0u);
  Client one = member(1, "one");
  join(one);  // its place on the shard is the earlier one's
  Client here = member(0, "here");
  here.ask("pub t x");
  EXPECT_EQ(one.read(), "t=x\n");
}

TEST_F(ShardGroupTest, RefusesWhatIsNoGroup) {
  Client one = member(0, "one");
  EXPECT_EQ(one.ask("sub $share/g"), "#2 name not acceptable\n");
  EXPECT_EQ(one.ask("sub $share/+/t"), "#3 name not acceptable\n");
  EXPECT_EQ(one.ask("unsub $share/g/t"), "#4 not found\n");
}

}  // namespace
}  // namespace hermod::broker
