// SPDX-License-Identifier: Apache-2.0
// Declared topics through shards: how they come, change and end.
#include "topic_worlds.hpp"

namespace hermod::broker {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class ShardTopics : public TopicWorlds {};
INSTANTIATE_TEST_SUITE_P(Everywhere, ShardTopics, kEverywhere, name_of);

TEST_P(ShardTopics, AreDeclaredOnceAndChanged) {
  Near client{world, "c"};
  EXPECT_EQ(client.ask(line("replace @ tt=x")), "#2 not found\n");
  EXPECT_EQ(client.ask(line("patch @ tt=x")), "#3 not found\n");
  EXPECT_EQ(client.ask(line("declare @ rt=r ct=text/plain max=3")),
            "#4 ok {rt=r ct=text/plain max=3}\n");
  EXPECT_EQ(client.ask(line("declare @ tt=x")), "#5 already exists\n");
  EXPECT_EQ(client.ask(line("patch @ tt=x max= check=60")),
            "#6 ok {rt=r ct=text/plain tt=x check=60}\n");
  Far far{world, "f"};
  EXPECT_EQ(far.ask(line("get @")), "#2 not found {rt=r ct=text/plain tt=x check=60}\n");
  EXPECT_EQ(far.ask(line("replace @ max=0")), "#3 ok {max=0}\n");
  EXPECT_EQ(client.ask(line("put @ 1\nget @")), "#7 ok\n#8 ok 1 {max=0}\n");
  EXPECT_EQ(client.ask("get other"), "#9 not found\n");
  EXPECT_EQ(world.mail(), 0u);
}

TEST_P(ShardTopics, TakeEffectInTheOrderAskedFor) {
  Near client{world, "c"};
  EXPECT_EQ(client.ask(line("declare @ tt=1\npatch @ tt=2\nundeclare @\ndeclare @ tt=3\nget @")),
            "#2 ok {tt=1}\n#3 ok {tt=2}\n#4 ok\n#5 ok {tt=3}\n#6 not found {tt=3}\n");
}

TEST_P(ShardTopics, AValueAloneBecomesDeclared) {
  Near client{world, "c"};
  Far far{world, "f"};
  EXPECT_EQ(far.ask(line("put @ 1")), "#2 ok\n");
  EXPECT_EQ(client.ask(line("replace @ tt=x")), "#2 ok {tt=x}\n");
  EXPECT_EQ(client.ask(line("get @")), "#3 ok 1 {tt=x}\n");
}

TEST_P(ShardTopics, AValueIsReplacedOnlyWhereItIsTheOneSeen) {
  Near client{world, "c"};
  Far far{world, "f"};
  EXPECT_EQ(far.ask("sub #"), "#2 ok\n");
  EXPECT_EQ(client.ask(line("get @")), "#2 not found\n");
  EXPECT_EQ(client.ask(line("swap @ 1")), "#3 ok\n");
  EXPECT_EQ(far.read(), line("@=1\n"));
  EXPECT_EQ(client.ask(line("swap @ 2")), "#4 changed meanwhile\n");  // there is a value now
  EXPECT_EQ(client.ask(line("get @")), "#5 ok 1\n");
  EXPECT_EQ(far.ask(line("put @ 2")), line("@=2\n#3 ok\n"));
  EXPECT_EQ(client.ask(line("swap @ 3")), "#6 changed meanwhile\n");
  EXPECT_EQ(client.ask(line("get @")), "#7 ok 2\n");
  EXPECT_EQ(client.ask(line("swap @ 3")), "#8 ok\n");
  EXPECT_EQ(client.ask(line("get @")), "#9 ok 3\n");
  EXPECT_EQ(far.read(), line("@=3\n"));
  EXPECT_EQ(client.ask("swap $SYS/x 1"), "#10 not authorized\n");
  EXPECT_EQ(world.mail(), 0u);
}

// Two that have seen the same: one of them succeeds.
TEST_P(ShardTopics, AValueIsReplacedOnce) {
  Near client{world, "c"};
  Far far{world, "f"};
  EXPECT_EQ(client.ask(line("get @")), "#2 not found\n");
  EXPECT_EQ(far.ask(line("get @")), "#2 not found\n");
  client.send(line("swap @ mine"));
  far.send(line("swap @ yours"));
  world.run();
  const std::string answers = client.read() + far.read();
  EXPECT_TRUE(answers == "#3 ok\n#3 changed meanwhile\n" ||
              answers == "#3 changed meanwhile\n#3 ok\n")
      << answers;
}

TEST_P(ShardTopics, AValueIsReplacedWhenItIsSafe) {
  Client keeper{world, GetParam().owner};  // what it is kept for goes to the journal
  keeper.ask(fmt::format("attach {} keep\nsub {} q1", world.name_on(GetParam().owner, "k"), topic));
  Near client{world, "c"};
  world.journal().hold(true);
  EXPECT_EQ(client.ask(line("swap @ 1")), "");
  world.journal().let_commit();
  world.turn(GetParam().owner);
  world.run();
  EXPECT_EQ(client.read(), "#2 ok\n");
}

TEST_P(ShardTopics, UndeclareClearsTheValueAndEverybodyHears) {
  Near client{world, "c"};
  Far far{world, "f"};
  EXPECT_EQ(far.ask("sub #"), "#2 ok\n");
  EXPECT_EQ(client.ask(line("undeclare @")), "#2 not found\n");
  EXPECT_EQ(client.ask(line("declare @")), "#3 ok {}\n");
  EXPECT_EQ(client.ask(line("put @ 1")), "#4 ok\n");
  EXPECT_EQ(far.read(), line("@=1\n"));
  EXPECT_EQ(client.ask(line("undeclare @")), "#5 ok\n");
  EXPECT_EQ(far.read(), line("@=\n"));
  EXPECT_EQ(client.ask(line("get @")), "#6 not found\n");
  EXPECT_EQ(client.ask(line("put @ 2")), "#7 ok\n");  // a value alone
  EXPECT_EQ(client.ask(line("undeclare @")), "#8 ok\n");
  EXPECT_EQ(far.read(), line("@=2\n@=\n"));
  EXPECT_TRUE(declarations().empty());
}

TEST_P(ShardTopics, NamesAreTopicsOfClients) {
  Near client{world, "c"};
  EXPECT_EQ(client.ask("declare a/+\ndeclare $x"),
            "#2 name not acceptable\n#3 name not acceptable\n");
  EXPECT_EQ(client.ask("declare $SYS/x"), "#4 not authorized\n");
}

TEST_P(ShardTopics, EndOnTheirDay) {
  Near client{world, "c"};
  Far far{world, "f"};
  far.ask("sub #");
  const std::int64_t today = std::chrono::floor<seconds>(world.clock.since_1970()).count();
  client.ask(line(fmt::format("declare @ at={}\nput @ 1", today + 20)));
  EXPECT_EQ(client.ask(line("watch @")), fmt::format("#4 ok {{at={}}}\n", today + 20));
  EXPECT_EQ(far.read(), line("@=1\n"));
  world.pass(seconds{19});
  EXPECT_EQ(far.read(), "");
  world.pass(seconds{1});
  EXPECT_EQ(far.read(), line("@=\n"));
  EXPECT_EQ(client.read(), "#4 not found\n");
  EXPECT_EQ(client.ask(line("get @")), "#5 not found\n");
  EXPECT_TRUE(declarations().empty());
}

TEST_P(ShardTopics, TheDayMayBePutOff) {
  Near client{world, "c"};
  const std::int64_t today = std::chrono::floor<seconds>(world.clock.since_1970()).count();
  client.ask(line(fmt::format("declare @ at={}", today + 20)));
  client.ask(line(fmt::format("patch @ at={}", today + 4 * 3'600)));
  world.pass(seconds{30});
  EXPECT_EQ(declarations().size(), 1u);
  world.pass(hours{4} - seconds{31});
  EXPECT_EQ(declarations().size(), 1u);
  world.pass(seconds{1});
  EXPECT_TRUE(declarations().empty());
}

TEST_P(ShardTopics, TheCalendarMayBeSet) {
  Near client{world, "c"};
  const std::int64_t today = std::chrono::floor<seconds>(world.clock.since_1970()).count();
  client.ask(line(fmt::format("declare @ at={}", today + 40 * 24 * 3'600)));
  world.clock.set_calendar_ahead(hours{40 * 24});
  world.pass(core::Core::kCalendarTrust);
  EXPECT_TRUE(declarations().empty());
  client.ask(line(fmt::format("declare @ at={}", today + 40 * 24 * 3'600 + 3'700)));
  world.clock.set_calendar_ahead({});
  world.pass(hours{2});
  EXPECT_EQ(declarations().size(), 1u);
}

TEST_P(ShardTopics, OverBeforeTheyBegan) {
  Near client{world, "c"};
  EXPECT_EQ(client.ask(line("declare @ at=1")), "#2 ok {at=1}\n");
  EXPECT_EQ(client.ask(line("get @")), "#3 not found\n");
}

// More than a turn may take.
TEST_P(ShardTopics, ManyEndOnOneDay) {
  Near client{world, "c"};
  constexpr int kTopics = 600;
  for (int i = 0; i < kTopics; ++i) client.send(fmt::format("declare a/{} at=200", i));
  world.run();
  client.read();
  world.pass(seconds{200});
  for (std::uint16_t shard = 0; shard < GetParam().shards; ++shard) {
    EXPECT_TRUE(world.shard(shard).core().declarations().empty());
  }
}

// A value that was acknowledged elsewhere may still be in the mail.
TEST(ShardTopicsInMail, AnAcknowledgedValueCounts) {
  World world{3, {}, nullptr, nullptr, {}, true};  // else it is acknowledged when it is there
  const std::string topic = world.name_on(1, "t");
  Client publisher{world, 0};
  publisher.ask("attach " + world.name_on(0, "p"));
  Client client{world, 2};
  client.ask("attach " + world.name_on(2, "c"));
  publisher.send(fmt::format("put {} 1", topic));
  world.turn(0);
  EXPECT_EQ(publisher.read(), "#2 ok\n");
  client.send(fmt::format("replace {} tt=x", topic));
  world.turn(2);
  world.run();
  EXPECT_EQ(client.read(), "#2 ok {tt=x}\n");
  EXPECT_EQ(publisher.ask(fmt::format("put {} ", topic)), "#3 ok\n");
  publisher.send(fmt::format("put {} 2", topic));
  world.turn(0);
  client.send(fmt::format("undeclare {}", topic));
  world.turn(2);
  world.run();
  EXPECT_EQ(client.ask(fmt::format("get {}", topic)), "#3 ok\n#4 not found\n");
}

/// Nobody may publish or read what begins with "secret".
class LockedSecrets final : public core::Authorizer {
 public:
  std::optional<core::Login> authenticate(const core::Credentials&,
                                          core::LoginTicket ticket) override {
    return core::Login{ticket};
  }
  core::Verdict authorize(const core::Actor&, core::Action, std::string_view name) override {
    return name.starts_with("secret") ? core::Verdict::kDeny : core::Verdict::kAllow;
  }
};

TEST(ShardTopicsOfOthers, AreNotToBeTouched) {
  LockedSecrets keeper;
  World world{1, {}, nullptr, &keeper};
  Client client{world};
  client.ask("attach c");
  for (const std::string_view verb : {"declare", "replace", "patch", "undeclare", "watch"}) {
    const std::string got = client.ask(fmt::format("{} secret/1", verb));
    EXPECT_TRUE(got.ends_with(" not authorized\n")) << got;
  }
  EXPECT_TRUE(world.shard().core().declarations().empty());
}

}  // namespace
}  // namespace hermod::broker
