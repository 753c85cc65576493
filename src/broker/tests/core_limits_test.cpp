// SPDX-License-Identifier: Apache-2.0
// Every member of core::Limits, reached through a shard: how the peer learns of it, that nothing is
// left over, and that service goes on.
#include <algorithm>

#include "world.hpp"

namespace hermod::broker {
namespace {

using std::chrono::seconds;

/// Publishes at least once so many values to t; all are acknowledged.
void publish(Client& publisher, int from, int to, std::string_view padding = "") {
  for (int i = from; i < to; ++i) {
    EXPECT_TRUE(publisher.ask(fmt::format("pub1 t {}{}", i, padding)).ends_with(" ok\n"));
  }
}

TEST(CoreLimits, queue_messages_max_DropsTheNewest) {
  World world;
  world.settings.core.queue_messages_max = 5;
  Client publisher{world};
  publisher.ask("attach p");
  for (int round = 0; round < 3; ++round) {
    {
      Client away{world};
      away.ask("attach a keep\nsub t q1\ncredit 100");
      away.ask("bye");
    }
    publish(publisher, 0, 8);
    EXPECT_EQ(world.shard().core().counters().dropped_full(), 3u * (round + 1));
    Client again{world};
    const std::string got = again.ask("attach a keep\ncredit 100");
    EXPECT_EQ(std::ranges::count(got, '='), 5) << got;
    EXPECT_NE(got.find("t=0 q1"), std::string::npos);
    EXPECT_EQ(got.find("t=5 q1"), std::string::npos);
    publish(publisher, 9, 10);
    EXPECT_TRUE(again.read().starts_with("t=9 q1"));
    again.ask("settle 0\nbye");
    Client clean{world};
    clean.ask("attach a\nbye");  // forgets it
  }
}

TEST(CoreLimits, queue_bytes_max_DropsTheNewest) {
  World world;
  world.settings.core.queue_bytes_max = 10'000;
  Client publisher{world};
  publisher.ask("attach p");
  Client away{world};
  away.ask("attach a keep\nsub t q1");
  away.ask("bye");
  publish(publisher, 0, 10, std::string(2'000, 'x'));
  const core::Core& core = world.shard().core();
  EXPECT_GE(core.counters().dropped_full(), 5u);
  EXPECT_LE(core.counters().dropped_full(), 6u);
  publish(publisher, 10, 11);  // a small one still fits
  Client again{world};
  const std::string got = again.ask("attach a keep\ncredit 100");
  EXPECT_EQ(std::ranges::count(got, '='), 11 - static_cast<int>(core.counters().dropped_full()));
  EXPECT_NE(got.find("t=10 q1"), std::string::npos);
  again.ask("settle 1\nsettle 2\nsettle 3\nsettle 4\nsettle 5\nsettle 6");
  publish(publisher, 11, 12, std::string(9'000, 'y'));  // the room is there again
  EXPECT_TRUE(again.read().starts_with("t=11yyy"));
}

TEST(CoreLimits, queue_at_most_once_offline_KeepsThemOrNot) {
  for (const bool keep : {false, true}) {
    World world;
    world.settings.core.queue_at_most_once_offline = keep;
    world.settings.core.queue_messages_max = 2;
    Client publisher{world};
    publisher.ask("attach p");
    {
      Client away{world};
      away.ask("attach a keep\nsub t");
    }
    world.run();
    publisher.ask("pub t 0\npub t 1\npub t 2");
    Client again{world};
    EXPECT_EQ(again.ask("attach a keep\ncredit 1\nping"),
              keep ? "#1 ok present\npong\nt=0\nt=1\n" : "#1 ok present\npong\n");
    EXPECT_EQ(world.shard().core().counters().dropped_away, keep ? 0u : 3u);
    EXPECT_EQ(world.shard().core().counters().dropped_full(), keep ? 1u : 0u);
  }
}

TEST(CoreLimits, subscriptions_max_RefusesTheNextFilter) {
  World world{2};
  world.settings.core.subscriptions_max = 2;
  Client client{world, 0};
  client.ask("attach " + world.name_on(0, "a") + "\nsub a\nsub b");
  EXPECT_EQ(client.ask("sub c"), "#4 quota exceeded\n");
  EXPECT_EQ(client.ask("sub b"), "#5 ok\n");  // the same one again takes no place
  Client publisher{world, 1};
  publisher.ask("attach " + world.name_on(1, "p"));
  publisher.send("pub c x");
  world.turn(1);
  EXPECT_EQ(world.mailroom.between(1, 0).letters(), 0u);  // the other shard never heard of it
  EXPECT_EQ(client.ask("unsub a\nsub c"), "#6 ok\n#7 ok\n");
  publisher.ask("pub c y\npub a z");
  EXPECT_EQ(client.read(), "c=y\n");
  Client other{world, 0};  // the limit is each subscriber's
  EXPECT_EQ(other.ask("attach " + world.name_on(0, "b") + "\nsub a\nsub b"),
            "#1 ok\n#2 ok\n#3 ok\n");
}

TEST(CoreLimits, subscribers_max_RefusesTheNextId) {
  World world;
  world.settings.core.subscribers_max = 2;
  Client first{world};
  first.ask("attach a");
  {
    Client away{world};
    away.ask("attach b keep");
  }
  for (int round = 0; round < 10; ++round) {
    Client refused{world};
    EXPECT_EQ(refused.ask("attach c"), "#1 quota exceeded\nend: quota exceeded\n");
    EXPECT_TRUE(refused.ended());
    PeerClient peer{world};
    EXPECT_EQ(peer.ask("attach -"), "#1 quota exceeded\n");
    world.pass(std::chrono::milliseconds{5});
    EXPECT_EQ(world.shard().core().subscribers(), 2u);
  }
  Client again{world};
  EXPECT_EQ(again.ask("attach b keep"), "#1 ok present\n");  // has its place
  Client taking{world};
  EXPECT_EQ(taking.ask("attach a"), "#1 ok\n");
  taking.ask("bye");
  Client third{world};
  EXPECT_EQ(third.ask("attach c"), "#1 ok\n");
}

TEST(CoreLimits, retained_messages_max_RefusesTheNextTopic) {
  World world;
  world.settings.core.retained_messages_max = 2;
  Client client{world};
  client.ask("attach a\nsub #");
  EXPECT_EQ(client.ask("put a x\nput b x"), "a=x\nb=x\n#3 ok\n#4 ok\n");
  EXPECT_EQ(client.ask("put c x"), "#5 quota exceeded\n");  // and nobody gets it
  EXPECT_EQ(client.ask("get c"), "#6 not found\n");
  EXPECT_EQ(client.ask("put b y"), "b=y\n#7 ok\n");
  EXPECT_EQ(client.ask("put a "), "a=\n#8 ok\n");  // a clear makes room
  EXPECT_EQ(client.ask("put c x"), "c=x\n#9 ok\n");
  EXPECT_EQ(world.shard().core().retained().size(), 2u);
}

// The owner of the topic is another shard: the publisher has moved on, live copies arrive.
TEST(CoreLimits, declared_topics_max_RefusesTheNext) {
  for (const std::uint16_t shards : {std::uint16_t{1}, std::uint16_t{2}}) {
    World world{shards};
    world.settings.core.declared_topics_max = 1;
    const auto owner = static_cast<std::uint16_t>(shards - 1);
    const std::string first = world.name_on(owner, "a");
    const std::string next = world.name_on(owner, "b");
    Client client{world};
    client.ask("attach " + world.name_on(0, "c"));
    EXPECT_EQ(client.ask("declare " + first), "#2 ok {}\n");
    EXPECT_EQ(client.ask("declare " + next), "#3 quota exceeded\n");
    EXPECT_EQ(client.ask("get " + next), "#4 not found\n");
    EXPECT_EQ(client.ask("undeclare " + first), "#5 ok\n");
    EXPECT_EQ(client.ask("declare " + next), "#6 ok {}\n");
  }
}

TEST(CoreLimits, declared_bytes_max_RefusesWhatGoesOverIt) {
  World world;
  world.settings.core.declared_bytes_max = 1'000;
  Client client{world};
  client.ask("attach c");
  EXPECT_EQ(client.ask("declare a"), "#2 ok {}\n");
  EXPECT_EQ(client.ask("patch a tt=" + std::string(800, 'x')), "#3 quota exceeded\n");
  EXPECT_EQ(client.ask("get a"), "#4 not found {}\n");
  EXPECT_EQ(client.ask("patch a tt=short"), "#5 ok {tt=short}\n");
}

TEST(CoreLimits, declared_text_max_RefusesALongerOne) {
  World world;
  world.settings.core.declared_text_max = 10;
  Client client{world};
  client.ask("attach c");
  EXPECT_EQ(client.ask("declare a rt=r ct=12345678901"), "#2 too large\n");
  EXPECT_EQ(client.ask("declare a rt=r ct=1234567890"), "#3 ok {rt=r ct=1234567890}\n");
}

TEST(CoreLimits, retained_messages_max_AtAnotherShardKeepsNothing) {
  World world{2};
  world.settings.core.retained_messages_max = 1;
  const std::string first = world.name_on(1, "a");
  const std::string second = world.name_on(1, "b");
  Client client{world, 0};
  client.ask("attach " + world.name_on(0, "c") + "\nsub #");
  EXPECT_EQ(client.ask("put " + first + " x\nput " + second + " y"),
            first + "=x\n" + second + "=y\n#3 ok\n#4 ok\n");
  EXPECT_EQ(client.ask("get " + first), "#5 ok x\n");
  EXPECT_EQ(client.ask("get " + second), "#6 not found\n");
  EXPECT_EQ(world.shard(1).core().retained().size(), 1u);
  client.ask("put " + first + " ");
  client.ask("put " + second + " z");
  EXPECT_TRUE(client.ask("get " + second).ends_with(" ok z\n"));
}

TEST(CoreLimits, retained_bytes_max_RefusesWhatDoesNotFit) {
  World world;
  world.settings.core.retained_bytes_max = 10'000;
  Client client{world};
  client.ask("attach a");
  const std::string large(6'000, 'x');
  EXPECT_EQ(client.ask("put a " + large), "#2 ok\n");
  EXPECT_EQ(client.ask("put b " + large), "#3 quota exceeded\n");
  EXPECT_EQ(client.ask("put a " + std::string(20'000, 'x')), "#4 quota exceeded\n");
  EXPECT_EQ(client.ask("get a"), "#5 ok " + large + '\n');  // what was there stays
  EXPECT_EQ(client.ask("put b small"), "#6 ok\n");
  EXPECT_LE(world.shard().core().retained().bytes(), 10'000u);
  EXPECT_EQ(client.ask("put a small\nput b " + large), "#7 ok\n#8 ok\n");
  EXPECT_EQ(client.ask("put a \nput b "), "#9 ok\n#10 ok\n");
  EXPECT_EQ(world.shard().core().retained().bytes(), 0u);
}

TEST(CoreLimits, expiry_s_max_CutsWhatIsAskedFor) {
  for (const std::string_view asked : {"expiry=100", "keep"}) {
    World world;
    world.settings.core.expiry_s_max = 5;
    {
      Client client{world};
      client.ask(fmt::format("attach a {}\nsub t q1", asked));
    }
    world.pass(seconds{4});
    EXPECT_EQ(world.shard().core().subscribers(), 1u);
    world.pass(seconds{2});
    EXPECT_EQ(world.shard().core().subscribers(), 0u);
    Client again{world};
    EXPECT_EQ(again.ask("attach a keep"), "#1 ok\n");
  }
}

TEST(CoreLimits, expiry_s_max_ASubscriberThatComesBackInTimeStays) {
  World world;
  world.settings.core.expiry_s_max = 5;
  for (int round = 0; round < 4; ++round) {
    Client client{world};
    EXPECT_EQ(client.ask("attach a keep"), round == 0 ? "#1 ok\n" : "#1 ok present\n");
    world.pass(seconds{7});  // attached: no time runs
    EXPECT_EQ(client.ask("ping"), "pong\n");
    client.end();
    world.pass(seconds{3});
  }
}

}  // namespace
}  // namespace hermod::broker
