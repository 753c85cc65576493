// SPDX-License-Identifier: Apache-2.0
// Enhanced authentication: where an exchange lives, what bounds it, and what its end means.
#include <map>

#include "world.hpp"

namespace hermod::broker {
namespace {

using model::Reason;
using std::chrono::seconds;

/// Knows the method "M": "ask" is answered by a question, "yes:NAME" makes the client NAME,
/// "stale:NAME" too, but with what no longer holds; all else is refused. A topic that holds a
/// user's name is his, "all/..." is everybody's.
class Gate final : public core::Authorizer {
 public:
  class Talk final : public core::Exchange {
   public:
    explicit Talk(Gate& gate) : gate_(gate) { ++gate_.talks; }
    ~Talk() override { --gate_.talks; }
    core::ExchangeStep step(Bytes octets) override {
      ++gate_.steps;
      const std::string_view text = as_text(octets);
      if (text == "ask") return {.octets = "question"};
      const std::size_t colon = text.find(':');
      if (colon == std::string_view::npos) return {.reason = Reason::kBadCredentials, .why = "no"};
      const std::string user{text.substr(colon + 1)};
      const std::uint64_t proof = text.starts_with("yes") ? gate_.proofs[user] : 99;
      return {.reason = Reason::kOk, .octets = "welcome", .user = user, .proof = proof};
    }

   private:
    Gate& gate_;
  };
  std::optional<core::Login> authenticate(const core::Credentials&,
                                          core::LoginTicket ticket) override {
    ++logins;
    return core::Login{ticket};
  }
  std::unique_ptr<core::Exchange> begin_exchange(std::string_view method) override {
    if (method != "M") return nullptr;
    ++begun;
    return std::make_unique<Talk>(*this);
  }
  core::Verdict authorize(const core::Actor& actor, core::Action action,
                          std::string_view name) override {
    if (action == core::Action::kSubscribe || name.starts_with("all/")) {
      return core::Verdict::kAllow;
    }
    const bool own = actor.named && name.find(actor.user) != std::string_view::npos;
    return own ? core::Verdict::kAllow : core::Verdict::kDeny;
  }
  bool has_rules() const override { return rules; }
  bool may_read_all(const core::Actor&, std::string_view filter) override {
    return filter.starts_with("all/");
  }
  bool has_news() const override { return changed; }
  bool take_changes() override { return std::exchange(changed, false); }
  bool still_valid(const core::Actor& actor, std::uint64_t proof) override {
    return !actor.named || proofs[std::string(actor.user)] == proof;
  }

  std::map<std::string, std::uint64_t> proofs;
  bool rules = false;
  bool changed = false;
  int logins = 0;
  int begun = 0;
  int steps = 0;
  int talks = 0;  ///< that live
};

class ShardExchange : public testing::Test {
 protected:
  Gate gate;
  World world{1, {}, nullptr, &gate};
};

TEST_F(ShardExchange, ItGoesOnUntilTheClientIsAttached) {
  Client client{world};
  EXPECT_EQ(client.ask("attach a auth=M:ask"), "#1 authentication goes on question\n");
  EXPECT_EQ(client.ask("auth ask"), "#1 authentication goes on question\n");
  EXPECT_EQ(world.shard().core().subscribers(), 0u);
  EXPECT_EQ(client.ask("auth yes:bob"), "#1 ok welcome\n");
  EXPECT_EQ(world.shard().core().subscribers(), 1u);
  EXPECT_EQ(client.ask("pub1 x/bob 1\npub1 x/eve 1"), "#2 ok\n#3 not authorized\n");
  EXPECT_EQ(gate.talks, 0);
  EXPECT_EQ(gate.logins, 0);  // the method decides
}

TEST_F(ShardExchange, OneStepMayBeEnough) {
  Client client{world};
  EXPECT_EQ(client.ask("attach - auth=M:yes:bob").substr(0, 11), "#1 ok auto-");
  Client other{world};
  EXPECT_EQ(other.ask("attach b user=eve auth=M:ask\nauth yes:bob\nping"),
            "#1 authentication goes on question\n#1 ok welcome\npong\n");
  EXPECT_EQ(other.ask("pub1 x/eve 1"), "#2 not authorized\n");  // nor the name that is presented
}

TEST_F(ShardExchange, AnUnknownMethodAndARefusalEndTheConnection) {
  Client unknown{world};
  EXPECT_EQ(unknown.ask("attach a auth=N:yes:bob"),
            "#1 authentication method not known\nend: authentication method not known\n");
  for (const std::string_view words : {"attach a auth=M:no", "attach a auth=M:ask\nauth no"}) {
    Client client{world};
    EXPECT_TRUE(client.ask(words).ends_with("bad user name or password\n"));
    EXPECT_TRUE(client.ended());
  }
  EXPECT_EQ(gate.talks, 0);
  EXPECT_EQ(world.connections(), 0u);
  EXPECT_EQ(world.shard().core().subscribers(), 0u);
}

// What the client said in its first packet is obeyed where its id lives, once.
TEST_F(ShardExchange, ItLivesOnTheShardOfTheClientId) {
  World two{2, {}, nullptr, &gate};
  const std::string id = two.name_on(1, "c");
  Client client{two, 0};
  EXPECT_EQ(client.ask(fmt::format("attach {} auth=M:ask", id)),
            "#1 authentication goes on question\n");
  EXPECT_EQ(gate.begun, 1);
  EXPECT_EQ(two.shard(0).counters().handed_over, 1u);
  EXPECT_EQ(two.shard(0).connections(), 0u);
  EXPECT_EQ(two.shard(1).connections(), 1u);
  EXPECT_EQ(client.ask("auth yes:bob"), "#1 ok welcome\n");
  EXPECT_EQ(two.shard(1).core().subscribers(), 1u);
  Client eager{two, 0};
  EXPECT_EQ(eager.ask(fmt::format("attach {}\n", two.name_on(1, "d")) + "ping"), "#1 ok\npong\n");
  Client all{two, 0};
  EXPECT_EQ(all.ask(fmt::format("attach {} auth=M:ask\nauth yes:bob\nping", two.name_on(1, "e"))),
            "#1 authentication goes on question\n#1 ok welcome\npong\n");
  EXPECT_EQ(gate.begun, 2);
  EXPECT_EQ(gate.steps, 4);
}

TEST_F(ShardExchange, AConnectionThatEndsForgetsIt) {
  Client client{world};
  client.ask("attach a auth=M:ask will=all/w=gone");
  EXPECT_EQ(gate.talks, 1);
  client.reset();
  world.run();
  EXPECT_EQ(gate.talks, 0);
  EXPECT_EQ(world.connections(), 0u);
  Client next{world};  // takes its place in the table
  EXPECT_EQ(next.ask("attach b auth=M:ask\nauth yes:bob"),
            "#1 authentication goes on question\n#1 ok welcome\n");
}

TEST_F(ShardExchange, TheTimeToLogInBoundsIt) {
  Client client{world};
  client.ask("attach a auth=M:ask");
  world.pass(seconds{world.settings.listeners[0].limits.connect_timeout_s + 1});
  EXPECT_TRUE(client.read().ends_with("end: timed out\n"));
  EXPECT_EQ(gate.talks, 0);
}

TEST_F(ShardExchange, ItsStepsAreBounded) {
  Client client{world};
  client.ask("attach a auth=M:ask");
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(client.ask("auth ask"), "#1 authentication goes on question\n");
  }
  EXPECT_EQ(client.ask("auth ask"), "#1 quota exceeded\nend: quota exceeded\n");
}

// A will of a client that has not logged in counts among the octets of such connections.
TEST_F(ShardExchange, WhatItKeepsIsBounded) {
  world.settings.connections.unattached_bytes_max = 25'000;
  const std::string will(3'000, 'w');
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(world);
    EXPECT_EQ(clients.back().ask(fmt::format("attach c{} auth=M:ask will=all/w={}", i, will)),
              "#1 authentication goes on question\n");
  }
  Client over{world};
  EXPECT_EQ(over.ask(fmt::format("attach d auth=M:ask will=all/w={}", will)),
            "end: quota exceeded\n");
  EXPECT_EQ(gate.talks, 3);
  EXPECT_EQ(clients[0].ask("auth yes:bob"), "#1 ok welcome\n");  // makes room
  clients[1].reset();
  world.run();
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back(world);
    EXPECT_EQ(clients.back().ask(fmt::format("attach e{} auth=M:ask will=all/w={}", i, will)),
              "#1 authentication goes on question\n");
  }
}

TEST_F(ShardExchange, AnotherConnectionIsTakenOverOnlyInTheEnd) {
  Client first{world};
  first.ask("attach a");
  Client second{world};
  second.ask("attach a auth=M:ask");
  EXPECT_EQ(first.ask("ping"), "pong\n");
  EXPECT_EQ(second.ask("auth yes:bob"), "#1 ok welcome\n");
  EXPECT_EQ(first.read(), "end: session taken over\n");
}

// The user is the one that was proven, not the name in CONNECT.
TEST_F(ShardExchange, ASessionIsTheUsersWhoHasProvenItself) {
  gate.rules = true;
  Client bob{world};
  bob.ask("attach s keep auth=M:yes:bob\nsub # q1\ncredit 1\nclose");
  Client eve{world};
  eve.ask("attach e auth=M:yes:eve\npub1 all/a 1\npub1 x/eve 2\npub1 eve/bob 3");
  Client again{world};
  EXPECT_EQ(again.ask("attach s keep auth=M:ask"), "#1 authentication goes on question\n");
  EXPECT_EQ(again.ask("auth yes:bob"), "#1 ok present welcome\n");
  EXPECT_EQ(again.ask("credit 10"), "all/a=1 q1 @1\neve/bob=3 q1 @3\n");
  again.ask("close");
  Client carl{world};
  EXPECT_EQ(carl.ask("attach s keep user=bob auth=M:ask"), "#1 authentication goes on question\n");
  EXPECT_EQ(carl.ask("auth yes:carl"), "#1 ok welcome\n");
  EXPECT_EQ(carl.ask("credit 10\nping"), "pong\n");
  EXPECT_EQ(carl.ask("pub1 x/carl 4\npub1 x/bob 5"), "#2 ok\n#3 not authorized\n");
}

TEST_F(ShardExchange, WhatHasChangedMeanwhileDoesNotComeIn) {
  Client client{world};
  client.ask("attach a auth=M:ask");
  EXPECT_TRUE(client.ask("auth stale:bob").starts_with("#1 bad user name or password\n"));
  EXPECT_EQ(world.shard().core().subscribers(), 0u);
}

TEST_F(ShardExchange, TheLastOctetsWaitForACommitWithTheirAnswer) {
  {
    Client client{world};
    client.ask("attach a keep auth=M:yes:bob\nsub all/t q1\nhold 5");
  }
  Client other{world};
  world.journal().hold(true);
  other.ask("attach b\npub1 all/t x");
  Client again{world};
  EXPECT_EQ(again.ask("attach a keep auth=M:yes:bob"), "");
  world.journal().let_commit();
  world.turn();
  world.run();
  EXPECT_EQ(again.read(), "#1 ok present welcome\n");
}

// --- once more, while attached ---

class ShardExchangeAgain : public ShardExchange {
 protected:
  ShardExchangeAgain() {
    EXPECT_EQ(client.ask("attach a auth=M:yes:bob will=all/w=gone"), "#1 ok welcome\n");
    EXPECT_EQ(watcher.ask("attach w\nsub all/#"), "#1 ok\n#2 ok\n");
  }
  Client client{world};
  Client watcher{world};
};

TEST_F(ShardExchangeAgain, TheSameUserStays) {
  EXPECT_EQ(client.ask("again M ask"), "#2 authentication goes on question\n");
  EXPECT_EQ(client.ask("pub1 x/bob 1"), "#3 ok\n");  // meanwhile
  EXPECT_EQ(client.ask("auth yes:bob"), "#2 ok welcome\n");
  EXPECT_EQ(gate.talks, 0);
  EXPECT_EQ(client.ask("again M yes:bob"), "#4 ok welcome\n");
}

TEST_F(ShardExchangeAgain, AnotherUserIsNotAuthorised) {
  EXPECT_EQ(client.ask("again M yes:eve"), "#2 not authorized\n");
  EXPECT_EQ(client.ask("pub1 x/eve 1"), "#3 not authorized\n");
  EXPECT_EQ(watcher.ask("again M yes:bob"), "#3 not authorized\n");  // has come in without a name
}

TEST_F(ShardExchangeAgain, RefusalsAreToldAndForgotten) {
  EXPECT_EQ(client.ask("again M no"), "#2 bad user name or password\n");
  EXPECT_EQ(client.ask("again M ask"), "#3 authentication goes on question\n");
  EXPECT_EQ(client.ask("auth no"), "#3 bad user name or password\n");
  EXPECT_EQ(client.ask("again M stale:bob"), "#4 bad user name or password\n");
  EXPECT_EQ(client.ask("again N yes:bob"), "#5 authentication method not known\n");
  EXPECT_EQ(gate.talks, 0);
}

TEST_F(ShardExchangeAgain, WhatWasProvenLastCountsAfterAChange) {
  client.ask("again M ask");
  gate.proofs["bob"] = 5;
  EXPECT_EQ(client.ask("auth yes:bob"), "#2 ok welcome\n");
  gate.changed = true;
  world.wake();
  world.run();
  EXPECT_EQ(client.ask("ping"), "pong\n");
  gate.proofs["bob"] = 6;
  gate.changed = true;
  world.wake();
  world.run();
  EXPECT_EQ(client.read(), "end: not authorized\n");
  EXPECT_EQ(watcher.read(), "all/w=gone\n");
}

TEST_F(ShardExchangeAgain, AnEndForgetsIt) {
  client.ask("again M ask");
  EXPECT_EQ(gate.talks, 1);
  client.reset();
  world.run();
  EXPECT_EQ(gate.talks, 0);
}

}  // namespace
}  // namespace hermod::broker
