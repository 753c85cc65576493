// SPDX-License-Identifier: Apache-2.0
// Seats of those who observe declared topics: who gets one, who loses it, and that none is left
// when nobody sits there.
#include "topic_worlds.hpp"

namespace hermod::broker {
namespace {

class ShardWatches : public TopicWorlds {
 protected:
  [[nodiscard]] std::size_t seats() { return declarations().seats(topic); }
};
INSTANTIATE_TEST_SUITE_P(Everywhere, ShardWatches, kEverywhere, name_of);

TEST_P(ShardWatches, HaveNoSeatWhereNothingIsDeclared) {
  Near client{world, "c"};
  EXPECT_EQ(client.ask(line("watch @")), "#2 not found\n");
  EXPECT_EQ(client.ask(line("put @ 1\nwatch @")), "#3 ok\n#4 not found\n");
  EXPECT_EQ(client.ask(line("replace @")), "#5 ok {}\n");  // the refused ones are over
  EXPECT_EQ(seats(), 0u);
}

TEST_P(ShardWatches, AsManyAsTheTopicHasSeats) {
  Near first{world, "a"};
  Far second{world, "b"};
  Near third{world, "c"};
  EXPECT_EQ(first.ask(line("declare @ max=2\nwatch @")), "#2 ok {max=2}\n#3 ok {max=2}\n");
  EXPECT_EQ(second.ask(line("watch @")), "#2 ok {max=2}\n");
  EXPECT_EQ(third.ask(line("watch @")), "#2 quota exceeded\n");
  EXPECT_EQ(second.ask(line("unwatch @")), "");
  EXPECT_EQ(third.ask(line("watch @")), "#3 ok {max=2}\n");
  EXPECT_EQ(second.ask(line("watch @")), "#3 quota exceeded\n");
  EXPECT_EQ(seats(), 2u);
}

TEST_P(ShardWatches, HearOfChanges) {
  Near first{world, "a"};
  Far second{world, "b"};
  first.ask(line("declare @"));
  EXPECT_EQ(first.ask(line("watch @")), "#3 ok {}\n");
  EXPECT_EQ(second.ask(line("watch @")), "#2 ok {}\n");
  EXPECT_EQ(second.ask(line("patch @ check=5")), "#3 ok {check=5}\n#2 ok {check=5}\n");
  EXPECT_EQ(first.read(), "#3 ok {check=5}\n");
  EXPECT_EQ(second.ask(line("patch @ check=5")), "#4 ok {check=5}\n");  // nothing has changed
  EXPECT_EQ(first.read(), "");
  first.ask(line("unwatch @"));
  EXPECT_EQ(second.ask(line("patch @ check=6")), "#5 ok {check=6}\n#2 ok {check=6}\n");
  EXPECT_EQ(first.read(), "");
}

TEST_P(ShardWatches, TheNewestGoWhenThereAreFewerSeats) {
  Near first{world, "a"};
  Far second{world, "b"};
  Near third{world, "c"};
  first.ask(line("declare @"));
  first.ask(line("watch @"));
  second.ask(line("watch @"));
  third.ask(line("watch @"));
  EXPECT_EQ(third.ask(line("patch @ max=1")), "#3 ok {max=1}\n#2 quota exceeded\n");
  EXPECT_EQ(second.read(), "#2 quota exceeded\n");
  EXPECT_EQ(first.read(), "#3 ok {max=1}\n");
  EXPECT_EQ(seats(), 1u);
  EXPECT_EQ(third.ask(line("patch @ max=2")), "#4 ok {max=2}\n");  // whoever lost it asks again
  EXPECT_EQ(first.read(), "#3 ok {max=2}\n");
  EXPECT_EQ(second.ask(line("watch @")), "#3 ok {max=2}\n");
}

TEST_P(ShardWatches, EndWithTheTopic) {
  Near first{world, "a"};
  Far second{world, "b"};
  first.ask(line("declare @\nput @ 1"));
  second.ask(line("sub @"));
  second.ask(line("watch @"));
  EXPECT_EQ(first.ask(line("undeclare @")), "#4 ok\n");
  EXPECT_EQ(second.read(), line("@=\n#3 not found\n"));  // the clear first
  EXPECT_EQ(first.ask(line("declare @")), "#5 ok {}\n");
  EXPECT_EQ(seats(), 0u);
  EXPECT_EQ(second.read(), "");
}

TEST_P(ShardWatches, OneSeatAConnectionAndTopic) {
  Near client{world, "a"};
  Near other{world, "b"};
  client.ask(line("declare @ max=2\nwatch @"));
  EXPECT_EQ(other.ask(line("watch @")), "#2 ok {max=2}\n");
  EXPECT_EQ(client.ask(line("watch @")), "#4 ok {max=2}\n");
  EXPECT_EQ(seats(), 2u);
  EXPECT_EQ(client.ask(line("patch @ max=1")), "#5 ok {max=1}\n#4 ok {max=1}\n");  // its old place
  EXPECT_EQ(other.read(), "#2 quota exceeded\n");
}

TEST_P(ShardWatches, GoBackWithTheirConnection) {
  Near first{world, "a"};
  first.ask(line("declare @ max=1"));
  for (int how = 0; how < 3; ++how) {
    Near client{world, "c"};
    EXPECT_EQ(client.ask(line("watch @")), "#2 ok {max=1}\n");
    if (how == 0) client.ask("bye");
    if (how == 1) client.reset();
    if (how == 2) Near taken_over{world, "c"};
    world.run();
    EXPECT_EQ(seats(), 0u) << how;
  }
}

TEST_P(ShardWatches, OfPeersThatAreNotAttached) {
  Near first{world, "a"};
  first.ask(line("declare @ max=1"));
  world.settings.connections.peers_max = 1;
  PeerClient peer{world, 0, 4};
  EXPECT_EQ(peer.ask(line("watch @")), "#1 ok {max=1}\n");
  EXPECT_EQ(first.ask(line("patch @ check=7")), "#3 ok {max=1 check=7}\n");
  EXPECT_EQ(peer.read(), "#1 ok {max=1 check=7}\n");
  PeerClient other{world, 0, 5};  // takes the first one's place in the table
  EXPECT_EQ(other.ask(line("watch @")), "#1 ok {max=1 check=7}\n");
  EXPECT_EQ(seats(), 1u);
}

TEST_P(ShardWatches, UnwatchOvertakesNoAnswer) {
  Near client{world, "a"};
  client.ask(line("declare @ max=1"));
  EXPECT_EQ(client.ask(line("watch @\nunwatch @\nping")), "pong\n");
  EXPECT_EQ(seats(), 0u);
  EXPECT_EQ(client.ask(line("watch @\nunwatch @\nwatch @")), "#5 ok {max=1}\n");
  EXPECT_EQ(seats(), 1u);
  EXPECT_EQ(client.ask(line("watch @\nwatch @\nwatch @")), "#8 ok {max=1}\n");
  EXPECT_EQ(seats(), 1u);
  EXPECT_EQ(client.ask(line("unwatch @\nunwatch @\nunwatch other")), "");
  EXPECT_EQ(seats(), 0u);
}

// The session's own answers decide when a stream has been worked off.
TEST_P(ShardWatches, WhatIsTakenBackHoldsNothingUp) {
  Near client{world, "a"};
  client.ask(line("declare @\nwatch @\nunwatch @"));
  client.end();
  world.run();
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(world.connections(), 0u);
}

TEST_P(ShardWatches, SubscriptionsMaxLimitsThemToo) {
  Near client{world, "a"};
  world.settings.core.subscriptions_max = 2;
  client.ask(line("declare a\ndeclare b\ndeclare @"));
  EXPECT_EQ(client.ask("watch a\nwatch b\nping").find("quota"), std::string::npos);
  EXPECT_EQ(client.ask(line("watch @")), "#7 quota exceeded\n");
  EXPECT_EQ(seats(), 0u);
  EXPECT_EQ(client.ask("watch a"), "#8 ok {}\n");  // the same one again takes no place
  EXPECT_EQ(client.ask(line("unwatch a\nwatch @")), "#9 ok {}\n");
}

/// The owner is another shard, and letters are carried one by one.
class WatchesInMail : public testing::Test {
 protected:
  WatchesInMail() {
    owner.ask("attach " + world.name_on(1, "o"));
    EXPECT_EQ(owner.ask(fmt::format("declare {} max=1", topic)), "#2 ok {max=1}\n");
  }
  [[nodiscard]] std::size_t seats() { return world.shard(1).core().declarations().seats(topic); }

  World world{2};
  std::string topic = world.name_on(1, "t");
  Client owner{world, 1};
};

TEST_F(WatchesInMail, TheConnectionEndsBeforeTheOwnerHasHeard) {
  Client client{world};
  client.ask("attach " + world.name_on(0, "c"));
  client.send("watch " + topic);
  world.turn(0);
  client.reset();
  world.turn(0);
  EXPECT_EQ(world.connections(), 1u);
  EXPECT_EQ(seats(), 0u);
  world.run();
  EXPECT_EQ(seats(), 0u);
  EXPECT_EQ(world.mail(), 0u);
}

TEST_F(WatchesInMail, TheConnectionEndsWhileItsAnswerIsUnderWay) {
  Client client{world};
  client.ask("attach " + world.name_on(0, "c"));
  client.send("watch " + topic);
  world.turn(0);
  world.turn(1);  // reads the letter
  world.turn(1);  // answers it
  EXPECT_EQ(seats(), 1u);
  client.reset();
  world.turn(0);
  world.run();
  EXPECT_EQ(seats(), 0u);
  EXPECT_EQ(world.mail(), 0u);
}

TEST_F(WatchesInMail, UnwatchWhileTheAnswerIsUnderWay) {
  Client client{world};
  client.ask("attach " + world.name_on(0, "c"));
  client.send("watch " + topic);
  world.turn(0);
  world.turn(1);
  world.turn(1);
  EXPECT_EQ(seats(), 1u);
  client.send("unwatch " + topic);
  EXPECT_EQ(client.read(), "");
  world.run();
  EXPECT_EQ(seats(), 0u);
  EXPECT_EQ(client.ask("watch " + topic), "#3 ok {max=1}\n");
  EXPECT_EQ(seats(), 1u);
}

// The seat is taken away while the connection asks for it anew.
TEST_F(WatchesInMail, AskedForAnewWhileItIsLost) {
  Client client{world};
  client.ask("attach " + world.name_on(0, "c"));
  EXPECT_EQ(client.ask("watch " + topic), "#2 ok {max=1}\n");
  owner.send(fmt::format("patch {} max=0", topic));
  world.turn(1);
  client.send("watch " + topic);
  world.turn(0);
  owner.send(fmt::format("patch {} max=3", topic));
  world.run();
  const std::string got = client.read();
  EXPECT_EQ(got.substr(got.rfind('#')), seats() == 1 ? "#3 ok {max=3}\n" : "#3 quota exceeded\n");
  EXPECT_EQ(client.ask("unwatch " + topic), "");
  EXPECT_EQ(seats(), 0u);
}

}  // namespace
}  // namespace hermod::broker
