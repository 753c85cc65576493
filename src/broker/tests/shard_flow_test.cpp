// SPDX-License-Identifier: Apache-2.0
// The way of messages through one and two shards: order, encoding, congestion, what is kept back,
// and retained values and look-ups across shards.
#include "world.hpp"

namespace hermod::broker {
namespace {

std::string numbered(std::string_view verb, int from, int to) {
  std::string lines;
  for (int i = from; i < to; ++i) lines += fmt::format("{} t {}\n", verb, i);
  lines.pop_back();
  return lines;
}

std::string received(int from, int to) {
  std::string lines;
  for (int i = from; i < to; ++i) lines += fmt::format("t={}\n", i);
  return lines;
}

// --- publish ---

TEST(ShardPublish, OrderIsKeptHereAndThere) {
  World world{2};
  Client here{world, 0};
  Client there{world, 1};
  Client publisher{world, 0};
  here.ask("attach " + world.name_on(0, "a") + "\nsub t");
  there.ask("attach " + world.name_on(1, "b") + "\nsub #");
  publisher.ask("attach " + world.name_on(0, "p"));
  publisher.ask(numbered("pub", 0, 1'000));
  EXPECT_EQ(here.read(), received(0, 1'000));
  EXPECT_EQ(there.read(), received(0, 1'000));
  EXPECT_EQ(world.mail(), 0u);
}

TEST(ShardPublish, NobodyThereGetsNoLetter) {
  World world{2};
  Client there{world, 1};
  there.ask("attach " + world.name_on(1, "b") + "\nsub other");
  Client publisher{world, 0};
  publisher.ask("attach " + world.name_on(0, "p"));
  publisher.send("pub t x");
  world.turn(0);
  EXPECT_EQ(world.mailroom.between(0, 1).letters(), 0u);
  publisher.send("pub other x");
  world.turn(0);
  EXPECT_EQ(world.mailroom.between(0, 1).letters(), 1u);
  world.run();
  EXPECT_EQ(there.read(), "other=x\n");
}

// A letter may be written after its reader's turn has begun: a message never has more time left
// than it was given.
TEST(ShardPublish, TimeThatIsLeftIsNoMoreThanWasGiven_MQTT_3_3_2_6) {
  World world{2};
  Client there{world, 1};
  there.ask("attach " + world.name_on(1, "b") + "\nsub t");
  Client publisher{world, 0};
  publisher.ask("attach " + world.name_on(0, "p"));
  publisher.send("hour t x");
  world.clock.after_next([&] {
    world.network.advance_to(world.network.now() + std::chrono::milliseconds{1});
    world.turn(0);
  });
  world.turn(1);
  EXPECT_EQ(there.read(), "t=x 3600s\n");
}

// Each acknowledgement comes in its place, a shared octet string to everybody who keeps up.
TEST(ShardPublish, EveryTicketIsAnsweredInOrder) {
  World world;
  Client client{world};
  client.ask("attach p");
  std::string expected;
  for (int i = 2; i < 302; ++i) expected += fmt::format("#{} ok\n", i);
  EXPECT_EQ(client.ask(numbered("pub1", 0, 300)), expected);
}

TEST(ShardPublish, ALargePayloadIsLentAndComesHome) {
  const std::string payload(5'000, 'x');
  World world{2};
  Client here{world, 0};
  Client there{world, 1};
  here.ask("attach " + world.name_on(0, "a") + "\nsub t");
  there.ask("attach " + world.name_on(1, "b") + "\nsub t");
  Client publisher{world, 0};
  publisher.ask("attach " + world.name_on(0, "p"));
  publisher.send("pub t " + payload);
  world.turn(0);
  EXPECT_EQ(world.shard(0).outbox().lent(), 1u);
  world.run();
  EXPECT_EQ(here.read(), "t=" + payload + '\n');
  EXPECT_EQ(there.read(), "t=" + payload + '\n');
  EXPECT_EQ(world.mail(), 0u);
}

TEST(ShardPublish, AWillCrosses) {
  World world{2};
  Client there{world, 1};
  there.ask("attach " + world.name_on(1, "b") + "\nsub w");
  {
    Client dying{world, 0};
    dying.ask("attach " + world.name_on(0, "a") + " will=w=dead");
  }
  world.run();
  EXPECT_EQ(there.read(), "w=dead\n");
}

// --- congestion ---

class CongestionTest : public testing::Test {
 protected:
  CongestionTest() {
    world.settings.connections.output_soft_bytes = 2'000;
    world.settings.connections.output_hard_bytes = 6'000;
    slow.ask("attach slow\nsub t");
    other.ask("attach other\nsub t");
    publisher.ask("attach publisher");
  }
  static constexpr std::size_t kBuffer = 1'000;
  World world{1, {.stream_buffer_bytes = kBuffer}};
  Client slow{world};
  Client other{world};
  Client publisher{world};

  /// One after the other, so that only `slow` falls behind.
  void publish(int from, int to) {
    for (int i = from; i < to; ++i) {
      publisher.ask(fmt::format("pub t {}", i));
      seen_by_other += other.read();
    }
  }
  std::string drained(Client& client) {
    std::string all;
    for (std::string part = client.read(); !part.empty(); part = client.read()) {
      all += part;
      world.run();
    }
    return all;
  }
  std::string seen_by_other;
};

// The output of who does not read grows to the soft limit and no further; then its queue does.
TEST_F(CongestionTest, DeliveriesStopAtTheSoftLimitAndGoOn) {
  publish(0, 2'000);
  EXPECT_EQ(seen_by_other, received(0, 2'000));  // nobody else is held up
  core::Core& core = world.shard().core();
  const core::Subscriber& subscriber = core.subscriber(core.find("slow"));
  EXPECT_FALSE(subscriber.open);
  EXPECT_GT(subscriber.queue.waiting(), 1'000u);
  EXPECT_EQ(drained(slow), received(0, 2'000));
  EXPECT_TRUE(subscriber.open);
  EXPECT_EQ(subscriber.queue.waiting(), 0u);
}

TEST_F(CongestionTest, RequestsStandUntilItIsOver) {
  publish(0, 2'000);
  slow.send("pub u from-slow\nping");
  other.ask("sub u");
  world.run();
  other.read();
  EXPECT_EQ(world.shard().core().counters().published, 2'000u);  // not read
  EXPECT_EQ(drained(slow), received(0, 2'000) + "pong\n");
  EXPECT_EQ(drained(other), "u=from-slow\n");
}

// Replies pass: what the peer settles makes room.
TEST_F(CongestionTest, RepliesAreReadMeanwhile) {
  slow.send("say 4000\nping");
  world.run();
  slow.send("ping\nping");
  world.run();
  const std::string got = drained(slow);
  EXPECT_EQ(got, std::string(4'000, '.') + "\npong\npong\npong\n");
}

// The rest that is kept of it has a limit too: the network's buffer is the queue then.
TEST_F(CongestionTest, TheRestOfAPausedConnectionHasALimit) {
  World wide{1, {.stream_buffer_bytes = 64'000}};
  wide.settings.connections.output_soft_bytes = 2'000;
  Client client{wide};
  client.ask("attach a");
  client.send("say 100000");
  wide.run();  // 64,000 are under way, the others wait: congested
  std::size_t taken = 0;
  for (int i = 0; i < 200; ++i) {
    taken += client.write(numbered("pub", 0, 100) + '\n');
    wide.run();
  }
  EXPECT_LE(taken, 64'000u + 2 * 4'096u);  // the network's buffer, and little more
  EXPECT_EQ(wide.shard().core().counters().published, 0u);
  while (!client.read().empty()) wide.run();
  wide.run();
  EXPECT_GT(wide.shard().core().counters().published, 1'000u);
}

// The peer of a paused connection ends: what it had sent is obeyed all the same.
TEST_F(CongestionTest, ThePeersEndDoesNotSwallowWhatStood) {
  publish(0, 2'000);
  other.ask("sub u");
  slow.send("pub u last\nbye");
  world.run();
  EXPECT_EQ(drained(other), "");
  slow.end();
  world.run();
  EXPECT_EQ(drained(other), "u=last\n");
  const std::string got = drained(slow);  // the output is written, the queue has gone
  EXPECT_TRUE(got.ends_with("\nend: ok\n"));
  EXPECT_TRUE((received(0, 2'000)).starts_with(got.substr(0, got.size() - 8)));
  EXPECT_EQ(world.shard().connections(), 2u);
}

TEST_F(CongestionTest, OneThatEndsBehindWhatStoodIsOverAtOnce) {
  publish(0, 2'000);
  other.ask("sub u");
  slow.send("pub u last");
  world.run();
  slow.end();
  world.run();  // no time passes
  EXPECT_EQ(drained(other), "u=last\n");
  EXPECT_EQ(world.shard().connections(), 2u);
}

// The same when the connection breaks: a goodbye that stood must not become a will.
TEST_F(CongestionTest, AGoodbyeThatStoodIsObeyedWhenTheConnectionBreaks) {
  Client dying{world};
  dying.ask("attach dying will=w=dead");
  dying.ask("sub t");
  other.ask("sub u\nsub w");
  publish(0, 2'000);
  dying.send("pub u last\nbye");
  world.run();
  dying.reset();
  world.run();
  seen_by_other += other.read();
  publish(2'000, 2'001);
  world.pass(std::chrono::seconds{10});
  EXPECT_EQ(seen_by_other, received(0, 2'000) + "u=last\n" + received(2'000, 2'001));
  EXPECT_EQ(other.read(), "");  // no will
  EXPECT_EQ(world.shard().core().find("dying"), core::Subscribers::kNone);
}

TEST_F(CongestionTest, OneThatNeverReadsGoesWhenItsPeerDoes) {
  publish(0, 2'000);
  slow.reset();
  world.run();
  EXPECT_EQ(world.shard().connections(), 2u);
  EXPECT_EQ(world.shard().core().find("slow"), core::Subscribers::kNone);
  publish(0, 10);
  EXPECT_TRUE(seen_by_other.ends_with(received(0, 10)));
}

// The hub does not grow by what one write cannot take: small buffers, many writes, nothing lost.
TEST(ShardFlush, PartialWritesKeepTheOrder) {
  World world{1, {.seed = 3, .stream_buffer_bytes = 700, .partial_write_permille = 500}};
  Client client{world};
  client.ask("attach a\nsub t");
  Client publisher{world};
  publisher.ask("attach p");
  std::string got;
  for (int i = 0; i < 300; ++i) {
    publisher.ask(fmt::format("pub t {}", i));
    got += client.read();
  }
  for (int i = 0; i < 20; ++i) {
    world.run();
    got += client.read();
  }
  EXPECT_EQ(got, received(0, 300));
}

TEST(ShardFlush, SharedAndCopiedOctetsKeepTheOrder) {
  World world{1, {.stream_buffer_bytes = 3'000}};
  Client client{world};
  client.ask("attach a\nsub t");
  Client publisher{world};
  publisher.ask("attach p");
  std::string got;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string payload = i % 3 == 0 ? std::string(1'500, 'x') : std::to_string(i);
    expected += "t=" + payload + '\n';
    publisher.ask("pub t " + payload);
    if (i % 5 == 0) got += client.read();
  }
  for (std::string part = client.read(); !part.empty(); part = client.read()) {
    got += part;
    world.run();
  }
  EXPECT_EQ(got, expected);
}

// --- retained values and look-ups ---

TEST(ShardRetained, AreReadOfEveryShard) {
  World world{2};
  Client publisher{world, 0};
  publisher.ask("attach " + world.name_on(0, "p"));
  const std::string here = world.name_on(0, "r/h");
  const std::string there = world.name_on(1, "r/t");
  EXPECT_EQ(publisher.ask("put " + here + " x\nput " + there + " y"), "#2 ok\n#3 ok\n");
  for (const std::uint16_t self : {std::uint16_t{0}, std::uint16_t{1}}) {
    Client client{world, self};
    EXPECT_EQ(client.ask("attach " + world.name_on(self, "c") + "\nsub r/+"),
              "#1 ok\n#2 ok\n" + here + "=x r\n" + there + "=y r\n");
    EXPECT_EQ(client.ask("get " + here + "\nget " + there + "\nget r/none"),
              "#3 ok x\n#4 ok y\n#5 not found\n");
  }
}

// Shard 2 publishes before it hears of the interest; the letter reaches the owner, shard 1,
// together with the question, in either order.
TEST(ShardRetained, AQuestionWaitsForWhatIsOnItsWayToTheOwner) {
  for (int idle_turns = 0; idle_turns < 3; ++idle_turns) {
    World world{3};
    const std::string topic = world.name_on(1, "t");
    Client publisher{world, 2};
    publisher.ask("attach " + world.name_on(2, "p"));
    Client client{world, 0};
    client.ask("attach " + world.name_on(0, "c"));
    client.send("sub " + topic);
    world.turn(0);  // the interest leaves
    world.turn(1);  // the owner knows it
    for (int i = 0; i < idle_turns; ++i) world.turn(1);
    publisher.send("put " + topic + " x");
    world.turn(2);  // publishes, then reads of the interest
    world.turn(0);  // acknowledges, and asks
    world.turn(1);
    world.run();
    EXPECT_EQ(client.read(), "#2 ok\n" + topic + "=x r\n") << idle_turns;
  }
}

TEST(ShardRetained, IfNewSendsThemOnce) {
  World world;
  Client client{world};
  client.ask("attach a\nput t x");
  EXPECT_EQ(client.ask("sub t new"), "#3 ok\nt=x r\n");
  EXPECT_EQ(client.ask("sub t new"), "#4 ok\n");
  EXPECT_EQ(client.ask("unsub t\nunsub t"), "#5 ok\n#6 not found\n");
}

TEST(ShardRetained, ALookupOfOneThatHasGoneIsForgotten) {
  World world{2};
  const std::string there = world.name_on(1, "t");
  Client staying{world, 0};
  staying.ask("attach " + world.name_on(0, "s"));
  {
    Client client{world, 0};
    client.ask("attach " + world.name_on(0, "c"));
    client.send("get " + there);
    world.turn(0);
  }
  world.run();
  EXPECT_EQ(world.connections(), 1u);
  EXPECT_EQ(staying.ask("get " + there), "#2 not found\n");
}

// A retained will is a publication as any other: a page that is older must not follow it.
TEST(ShardRetained, ALiveWillSuppressesAnOlderPage) {
  World world{2};
  const std::string topic = world.name_on(1, "t");
  Client publisher{world, 1};
  publisher.ask("attach " + world.name_on(1, "p") + "\nput " + topic + " old");
  auto dying = std::make_unique<Client>(world, 0);
  dying->ask("attach " + world.name_on(0, "d") + " rwill=" + topic + "=dead");
  Client client{world, 0};
  client.ask("attach " + world.name_on(0, "c"));
  client.send("sub " + topic);
  world.turn(0);  // the interest leaves
  world.turn(1);  // the stamp
  world.turn(0);  // the question
  world.turn(1);  // is read
  world.turn(1);  // the page with the old value leaves
  dying.reset();
  world.network.advance_to(world.network.now() + std::chrono::milliseconds{1});
  world.run();
  EXPECT_EQ(client.read(), "#2 ok\n" + topic + "=dead\n");
}

// --- others have their turn ---

TEST(ShardTurns, ABusyConnectionDoesNotHoldTheOthers) {
  World world{1, {.stream_buffer_bytes = 1'000'000}};
  Client busy{world};
  busy.ask("attach busy");
  Client other{world};
  other.ask("attach other");
  std::string lines;
  while (lines.size() < 900'000) lines += "pub t " + std::string(1'000, 'x') + '\n';
  ASSERT_EQ(busy.write(lines), lines.size());
  other.send("ping");
  world.turn();  // a read or two of each
  EXPECT_EQ(other.read(), "pong\n");
  EXPECT_LT(world.shard().core().counters().published, 600u);
  world.run();
  EXPECT_EQ(world.shard().core().counters().published, lines.size() / 1'007);
}

}  // namespace
}  // namespace hermod::broker
