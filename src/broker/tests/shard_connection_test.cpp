// SPDX-License-Identifier: Apache-2.0
// How connections of a shard begin, move, and end.
#include <cerrno>

#include "world.hpp"

namespace hermod::broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// --- begin ---

TEST(ShardAccept, EachConnectionHasASessionOfItsOwn) {
  World world;
  Client first{world};
  Client second{world};
  world.run();
  EXPECT_EQ(world.shard().connections(), 2u);
  EXPECT_EQ(world.shard().counters().accepted, 2u);
  EXPECT_EQ(world.lines.sessions(), 2);
  EXPECT_EQ(first.ask("attach a"), "#1 ok\n");
  EXPECT_EQ(second.ask("attach b"), "#1 ok\n");
  EXPECT_EQ(first.ask("ping"), "pong\n");
}

// More than one turn accepts: the others have their turn first.
TEST(ShardAccept, ManyAtOnceAreAcceptedTurnByTurn) {
  World world{1, {.backlog = 1'000}};
  std::vector<Client> clients;
  for (int i = 0; i < 600; ++i) clients.emplace_back(world);
  world.turn();
  EXPECT_LT(world.shard().connections(), 600u);
  world.run();
  EXPECT_EQ(world.shard().connections(), 600u);
}

// A listener that has connections and cannot make sockets of them for a while.
class ExhaustedListener final : public transport::StreamListener {
 public:
  explicit ExhaustedListener(std::unique_ptr<transport::StreamListener> inner)
      : inner_(std::move(inner)) {}
  [[nodiscard]] int descriptor() const override { return inner_->descriptor(); }
  [[nodiscard]] bool wants_writable() const override { return inner_->wants_writable(); }
  [[nodiscard]] std::unique_ptr<transport::Stream> accept(int& error) override {
    ++calls;
    if (!exhausted) return inner_->accept(error);
    error = EMFILE;
    return nullptr;
  }
  [[nodiscard]] transport::Address local() const override { return inner_->local(); }
  bool exhausted = true;
  int calls = 0;

 private:
  std::unique_ptr<transport::StreamListener> inner_;
};

// No edge announces the connection again: the shard looks itself, a little later.
TEST(ShardAccept, WithoutDescriptorsItTriesAgainLater) {
  World world;
  const transport::Address at = transport::Address::v4({10, 0, 0, 9}, 1);
  auto made = std::make_unique<ExhaustedListener>(std::move(*world.network.listen(at)));
  ExhaustedListener& listener = *made;
  ASSERT_TRUE(world.shard().add_listener(World::kLines, std::move(made)));
  const auto stream = world.network.connect(at);
  Client elsewhere{world};
  EXPECT_EQ(elsewhere.ask("attach a"), "#1 ok\n");
  EXPECT_EQ(world.shard().connections(), 1u);
  world.pass(seconds{1});
  EXPECT_GE(listener.calls, 5);
  EXPECT_LE(listener.calls, 20);  // without spinning
  listener.exhausted = false;
  world.pass(seconds{1});
  EXPECT_EQ(world.shard().connections(), 2u);
  const int calls = listener.calls;
  world.pass(seconds{5});
  EXPECT_EQ(listener.calls, calls);
}

TEST(ShardAttach, LinesMayComeInPieces) {
  World world;
  Client client{world};
  for (const char c : std::string_view{"attach a\nping\n"}) {
    (void)client.write({&c, 1});
    world.run();
  }
  EXPECT_EQ(client.read(), "#1 ok\npong\n");
}

TEST(ShardAttach, WhatFollowsTheFirstLineIsObeyed) {
  World world{2};
  for (const std::uint16_t owner : {std::uint16_t{0}, std::uint16_t{1}}) {
    Client client{world};  // accepted by 0
    EXPECT_EQ(client.ask(world.name_on(owner, "attach c") + "\nping\nsub t\npub t x"),
              "#1 ok\npong\n#2 ok\nt=x\n");
  }
}

TEST(ShardAttach, AnAssignedIdStaysOnTheShard) {
  World world{2};
  for (std::uint16_t self = 0; self < 2; ++self) {
    for (int i = 0; i < 8; ++i) {
      Client client{world, self};
      const std::string got = client.ask("attach -");
      ASSERT_TRUE(got.starts_with("#1 ok auto-")) << got;
      EXPECT_EQ(world.shard().core().owner_of(got.substr(6, got.size() - 7)), self);
    }
    EXPECT_EQ(world.shard(self).counters().handed_over, 0u);
  }
}

TEST(ShardAttach, ASessionIsFoundAgain) {
  World world;
  {
    Client client{world};
    EXPECT_EQ(client.ask("attach a keep"), "#1 ok\n");
    EXPECT_EQ(client.ask("sub t q1"), "#2 ok q1\n");
  }
  Client other{world};
  other.ask("attach b\npub1 t while-away");
  Client again{world};
  EXPECT_EQ(again.ask("attach a keep"), "#1 ok present\n");
  EXPECT_EQ(again.ask("credit 1"), "t=while-away q1 @1\n");
}

TEST(ShardAttach, AnUnsettledMessageComesAgain) {
  World world;
  {
    Client client{world};
    client.ask("attach a keep\nsub t q1\ncredit 2");
    EXPECT_EQ(client.ask("pub1 t x\npub1 t y\nsettle 1"), "t=x q1 @1\nt=y q1 @2\n#3 ok\n#4 ok\n");
  }
  Client again{world};
  EXPECT_EQ(again.ask("attach a keep\ncredit 2"), "#1 ok present\nt=y q1 @2 d\n");
}

// --- takeover ---

TEST(ShardTakeover, TheOldConnectionEndsBeforeTheNewOneIsAnswered) {
  for (const std::uint16_t accepting : {std::uint16_t{0}, std::uint16_t{1}}) {
    World world{2};
    const std::string id = world.name_on(0, "c");
    Client old{world, 1};
    old.ask("attach " + id + " keep will=w=dead");
    old.ask("sub t");
    Client watcher{world};
    watcher.ask("attach " + world.name_on(1, "watcher") + "\nsub w");
    Client young{world, accepting};
    EXPECT_EQ(young.ask("attach " + id + " keep"), "#1 ok present\n");
    EXPECT_EQ(old.read(), "end: session taken over\n");
    EXPECT_TRUE(old.ended());
    EXPECT_EQ(watcher.read(), "w=dead\n");
    EXPECT_EQ(young.ask("pub t x"), "t=x\n");  // the subscription is the session's
    EXPECT_EQ(world.connections(), 2u);
  }
}

TEST(ShardTakeover, AChainOfThemLeavesOne) {
  World world{2};
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(world, static_cast<std::uint16_t>(i % 2));
    clients.back().send("attach same");
  }
  world.run();
  EXPECT_EQ(world.connections(), 1u);
  EXPECT_EQ(world.lines.sessions(), 1);
  std::size_t left = 0;
  for (Client& client : clients) {
    const std::string got = client.read();
    if (client.ended()) {
      EXPECT_EQ(got, "#1 ok\nend: session taken over\n");
    } else {
      ++left;
      EXPECT_EQ(client.ask("ping"), "pong\n");
    }
  }
  EXPECT_EQ(left, 1u);
}

// --- hand-over ---

TEST(ShardHandover, TheConnectionMovesWithUnreadOctets) {
  World world{2};
  Client client{world, 0};
  client.send("attach " + world.name_on(1, "c") + "\nsub t\npub t x\npub t y");
  (void)client.write("pi");  // half a line
  world.turn(0);             // accepts
  world.turn(0);             // reads
  EXPECT_EQ(world.shard(0).connections(), 0u);
  EXPECT_EQ(world.shard(0).counters().handed_over, 1u);
  EXPECT_EQ(world.lines.sessions(), 0);  // nothing was made of it
  (void)client.write("ng\n");            // while it is under way
  world.run();
  EXPECT_EQ(world.shard(1).connections(), 1u);
  EXPECT_EQ(world.shard(1).core().subscribers(), 1u);
  EXPECT_EQ(world.shard(0).core().subscribers(), 0u);
  EXPECT_EQ(client.read(), "#1 ok\n#2 ok\npong\nt=x\nt=y\n");
  EXPECT_EQ(world.mail(), 0u);
}

TEST(ShardHandover, OnePeerThatGoesMeanwhileIsFound) {
  World world{2};
  {
    Client client{world, 0};
    client.send("attach " + world.name_on(1, "c") + " will=w=dead");
    world.turn(0);
    world.turn(0);
  }
  Client watcher{world, 0};
  watcher.send("attach " + world.name_on(0, "w") + "\nsub w");
  world.turn(0);
  world.turn(0);
  world.run();
  EXPECT_EQ(world.connections(), 1u);
  EXPECT_EQ(world.shard(1).core().subscribers(), 0u);
}

TEST(ShardHandover, ALongTailMovesWhole) {
  World world{2};
  Client client{world, 0};
  std::string text = "attach " + world.name_on(1, "c") + "\nsub t\n";
  std::string expected = "#1 ok\n#2 ok\n";
  for (int i = 0; i < 2'000; ++i) {
    text += fmt::format("pub t {}\n", i);
    expected += fmt::format("t={}\n", i);
  }
  ASSERT_EQ(client.write(text), text.size());
  world.run();
  EXPECT_EQ(client.read(), expected);
}

// --- end ---

TEST(ShardEnd, ThePeersEndIsTheSessions) {
  for (const bool reset : {false, true}) {
    World world;
    Client watcher{world};
    watcher.ask("attach w\nsub w");
    Client client{world};
    client.ask("attach a will=w=dead");
    if (reset) {
      client.reset();
    } else {
      client.end();
    }
    world.run();
    EXPECT_EQ(watcher.read(), "w=dead\n");
    EXPECT_EQ(world.shard().connections(), 1u);
    EXPECT_EQ(world.lines.sessions(), 1);
    EXPECT_EQ(world.shard().core().subscribers(), 1u);
  }
}

TEST(ShardEnd, AGoodbyeDiscardsTheWill) {
  World world;
  Client watcher{world};
  watcher.ask("attach w\nsub w");
  Client client{world};
  client.ask("attach a will=w=dead");
  client.send("pub w last\nbye");
  client.end();
  world.run();
  EXPECT_EQ(watcher.read(), "w=last\n");
  EXPECT_EQ(world.shard().connections(), 1u);
  client.read();
  EXPECT_TRUE(client.ended());
}

TEST(ShardEnd, WhatCameBeforeThePeersEndIsObeyed) {
  World world;
  Client watcher{world};
  watcher.ask("attach w\nsub #");
  Client client{world};
  client.send("attach a will=w=dead\npub t x");
  client.end();
  world.run();
  EXPECT_EQ(watcher.read(), "t=x\nw=dead\n");
}

// The broker's own end: the output is written, then the connection goes.
TEST(ShardClose, WhatWasWrittenStillArrives) {
  World world{1, {.stream_buffer_bytes = 1'000}};
  Client client{world};
  client.ask("attach a will=w=dead");
  client.send("say 5000\nclose");
  world.run();
  EXPECT_EQ(world.shard().connections(), 1u);  // the network takes no more
  EXPECT_EQ(world.shard().core().subscribers(), 1u);
  std::string got;
  for (int i = 0; i < 20 && !client.ended(); ++i) {
    got += client.read();
    world.run();
  }
  EXPECT_EQ(got, std::string(5'000, '.') + "\nend: protocol error\n");
  EXPECT_EQ(world.shard().connections(), 0u);
  EXPECT_EQ(world.shard().core().subscribers(), 0u);
}

TEST(ShardClose, WhatComesAfterItIsNotObeyed) {
  World world{1, {.stream_buffer_bytes = 1'000}};
  Client watcher{world};
  watcher.ask("attach w\nsub #");
  Client client{world};
  client.send("attach a\nsay 5000\nclose\npub t x");
  world.run();
  client.send("pub t y");
  world.run();
  EXPECT_EQ(watcher.read(), "");
  EXPECT_EQ(world.shard().connections(), 2u);
}

// A peer that does not read is waited for so long and no longer.
TEST(ShardClose, TheGraceEnds) {
  World world{1, {.stream_buffer_bytes = 1'000}};
  Client client{world};
  client.send("attach a\nsay 5000\nclose");
  world.run();
  world.pass(seconds{4});
  EXPECT_EQ(world.shard().connections(), 1u);
  world.pass(seconds{2});
  EXPECT_EQ(world.shard().connections(), 0u);
  EXPECT_EQ(world.lines.sessions(), 0);
  EXPECT_EQ(world.shard().core().subscribers(), 0u);
}

TEST(ShardClose, ADeadlineOfTheSessionDoesNotExtendTheGrace) {
  World world{1, {.stream_buffer_bytes = 1'000}};
  Client client{world};
  client.send("attach a\nwake 3000\nsay 5000\nclose");
  world.run();
  world.pass(seconds{6});
  EXPECT_EQ(world.shard().connections(), 0u);
}

// Half a line can never be completed once the peer has ended; the grace ends it.
TEST(ShardEnd, HalfALineIsWaitedForNoLongerThanTheGrace) {
  World world;
  Client client{world};
  client.ask("attach a");
  (void)client.write("pub t ");
  world.run();
  client.end();
  world.run();
  EXPECT_EQ(world.shard().connections(), 1u);
  world.pass(seconds{6});
  EXPECT_EQ(world.shard().connections(), 0u);
  EXPECT_EQ(world.lines.sessions(), 0);
}

// --- deadlines ---

TEST(ShardDeadline, TheSessionIsWokenWhenItWants) {
  World world;
  Client client{world};
  client.ask("attach a\nwake 250");
  world.pass(milliseconds{249});
  EXPECT_EQ(client.read(), "");
  world.pass(milliseconds{2});
  EXPECT_EQ(client.read(), "tick\n");
  world.pass(seconds{10});
  EXPECT_EQ(client.read(), "");
  client.ask("wake 400");
  client.ask("wake 100");  // an earlier one replaces it
  world.pass(milliseconds{102});
  EXPECT_EQ(client.read(), "tick\n");
}

TEST(ShardDeadline, ALaterOneMayFireEarlyAndIsKept) {
  World world;
  Client client{world};
  client.ask("attach a\nwake 100");
  client.ask("wake 400");
  world.pass(milliseconds{399});
  EXPECT_EQ(client.read(), "");
  world.pass(milliseconds{2});
  EXPECT_EQ(client.read(), "tick\n");
}

TEST(ShardDeadline, WhoDoesNotAttachInTimeIsClosed) {
  World world;
  world.settings.listeners[World::kLines].limits.connect_timeout_s = 3;
  Client silent{world};
  Client half{world};
  (void)half.write("attach");
  Client attached{world};
  attached.ask("attach a");
  world.pass(seconds{2});
  EXPECT_EQ(world.shard().connections(), 3u);
  world.pass(seconds{2});
  EXPECT_EQ(silent.read(), "end: timed out\n");
  EXPECT_EQ(half.read(), "end: timed out\n");
  EXPECT_EQ(world.shard().connections(), 1u);
  EXPECT_EQ(attached.ask("ping"), "pong\n");
}

// --- shut-down ---

TEST(ShardShutDown, EveryConnectionIsToldAndDetached) {
  World world{2};
  Client a{world, 0};
  a.ask("attach " + world.name_on(0, "a") + "\nsub w");
  Client b{world, 1};
  b.ask("attach " + world.name_on(1, "b") + " will=w=dead");
  Client unattached{world, 1};
  world.run();
  PeerClient peer{world, 1};
  peer.ask("attach -");
  peer.ask("sub t");
  world.shard(1).shut_down();
  EXPECT_EQ(world.shard(1).connections(), 0u);
  EXPECT_EQ(world.shard(1).core().subscribers(), 0u);
  EXPECT_EQ(b.read(), "end: shutting down\n");
  EXPECT_TRUE(b.ended());
  EXPECT_EQ(unattached.read(), "end: shutting down\n");
  world.run();
  EXPECT_EQ(a.read(), "w=dead\n");  // the will crossed
  world.shard(0).shut_down();
  EXPECT_EQ(a.read(), "end: shutting down\n");
  EXPECT_EQ(world.lines.sessions(), 0);
  EXPECT_EQ(world.datagrams.sessions(), 0);
}

// --- what waits for a commit ---

TEST(ShardCommit, AnAnswerWaitsForTheCommitAndLaterOnesForIt) {
  World world;
  Client keeper{world};
  keeper.ask("attach k keep\nsub t q1");
  Client client{world};
  client.ask("attach a");
  world.journal().hold(true);
  EXPECT_EQ(client.ask("pub1 t x"), "");
  EXPECT_EQ(client.ask("pub1 u y"), "");  // for nobody, but in order
  EXPECT_EQ(client.ask("ping"), "pong\n");
  world.journal().let_commit();
  world.turn();
  EXPECT_EQ(client.read(), "#2 ok\n#3 ok\n");
}

// The commit is there, and the turn that notices it brings another request first.
TEST(ShardCommit, NothingOvertakesAnAnswerThatCouldLeave) {
  World world;
  Client keeper{world};
  keeper.ask("attach k keep\nsub t q1");
  Client client{world};
  client.ask("attach a");
  world.journal().hold(true);
  EXPECT_EQ(client.ask("pub1 t x"), "");
  world.journal().let_commit();
  EXPECT_EQ(client.ask("pub1 u y"), "#2 ok\n#3 ok\n");
}

TEST(ShardCommit, AnAttachWithReceivedIdsWaitsForTheirCommit) {
  World world;
  {
    Client client{world};
    client.ask("attach a keep\nsub t q1\nhold 5");
  }
  Client other{world};
  world.journal().hold(true);
  other.ask("attach b\npub1 t x");
  Client again{world};
  EXPECT_EQ(again.ask("attach a keep\ncredit 1\nping"), "");
  world.journal().let_commit();
  world.turn();
  world.run();
  EXPECT_EQ(again.read(), "#1 ok present\npong\nt=x q1 @1\n");
}

// Written there, and committed.
TEST(ShardCommit, AnAnswerWaitsForTheShardsThatHaveToKeepTheMessage) {
  World world{2};
  Client keeper{world, 1};
  keeper.ask(fmt::format("attach {} keep\nsub t q1", world.name_on(1, "k")));
  Client client{world, 0};
  client.ask("attach " + world.name_on(0, "c"));
  client.send("pub1 t x");
  world.turn(0);
  EXPECT_EQ(client.read(), "");  // it is in the mail
  world.turn(1);
  world.turn(0);
  EXPECT_EQ(client.read(), "#2 ok\n");

  world.journal().hold(true);
  EXPECT_EQ(client.ask("pub1 t y"), "");  // it is there, but not safe
  world.journal().let_commit();
  world.turn(0);
  EXPECT_EQ(client.read(), "#3 ok\n");
}

TEST(ShardCommit, ARetainedPublicationWaitsForTheOwnerOfItsTopic) {
  World world{2};
  const std::string topic = world.name_on(1, "t");
  Client client{world, 0};
  client.ask("attach " + world.name_on(0, "c"));
  client.send(fmt::format("put {} 1", topic));
  world.turn(0);
  EXPECT_EQ(client.read(), "");
  world.run();
  EXPECT_EQ(client.read(), "#2 ok\n");
}

TEST(ShardCommit, ASubscriptionIsAnsweredWhenItIsKept) {
  World world;
  Client client{world};
  client.ask("attach a keep");
  world.journal().hold(true);
  EXPECT_EQ(client.ask("sub t q1"), "");
  world.journal().let_commit();
  world.turn();
  EXPECT_EQ(client.read(), "#2 ok q1\n");
  world.journal().hold(true);
  EXPECT_EQ(client.ask("unsub t"), "");
  world.journal().let_commit();
  world.turn();
  EXPECT_EQ(client.read(), "#3 ok\n");
}

TEST(ShardCommit, ACleanStartIsAnsweredWhenTheOldSessionIsForgotten) {
  World world;
  {
    Client client{world};
    client.ask("attach a keep");
  }
  world.run();
  world.journal().hold(true);
  Client again{world};
  EXPECT_EQ(again.ask("attach a"), "");
  world.journal().let_commit();
  world.turn();
  EXPECT_EQ(again.read(), "#1 ok\n");
}

TEST(ShardCommit, NothingToKeepWaitsForNothing) {
  World world;
  Client keeper{world};
  keeper.ask("attach k keep\nsub t q1");
  Client one{world};
  one.ask("attach a");
  Client other{world};
  other.ask("attach b");
  world.journal().hold(true);
  EXPECT_EQ(one.ask("pub1 t x"), "");
  EXPECT_EQ(other.ask("pub1 u y"), "#2 ok\n");
}

TEST(ShardCommit, WhileMuchWaitsToBeWrittenNoRequestIsRead) {
  World world;
  Client client{world};
  client.ask("attach a");
  world.journal().room = false;
  EXPECT_EQ(client.ask("pub1 t x"), "");
  world.journal().room = true;
  world.turn();
  EXPECT_EQ(client.read(), "#2 ok\n");
}

// Of a session that ends with its connection the store knows nothing.
TEST(ShardCommit, ASubscriptionThatIsNotKeptWaitsForNothing) {
  World world;
  Client keeper{world};
  keeper.ask("attach k keep");
  Client passing{world};
  passing.ask("attach a");
  world.journal().hold(true);
  EXPECT_EQ(keeper.ask("sub t q1"), "");
  EXPECT_EQ(passing.ask("sub t q1"), "#2 ok q1\n");
}

TEST(ShardCommit, OneThatHasGoneMeanwhileIsNotAnswered) {
  World world;
  Client keeper{world};
  keeper.ask("attach k keep\nsub t q1");
  world.journal().hold(true);
  {
    Client client{world};
    client.ask("attach a\npub1 t x");
  }
  world.run();
  Client next{world};  // takes its place in the table
  next.ask("attach b");
  world.journal().let_commit();
  world.turn();
  EXPECT_EQ(next.ask("ping"), "pong\n");
}

}  // namespace
}  // namespace hermod::broker
