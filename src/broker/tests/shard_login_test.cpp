// SPDX-License-Identifier: Apache-2.0
// Logins that are answered later, and what their user may do afterwards.
#include <map>
#include <set>

#include "mqtt_client.hpp"

namespace hermod::broker {
namespace {

using core::Action;
using core::LoginTicket;
using model::Reason;
using std::chrono::seconds;

/// Lets nobody in before the test says so. A topic that holds a user's name is his, "all/..." is
/// everybody's, and nobody else's are forbidden.
class Porter final : public core::Authorizer {
 public:
  std::optional<core::Login> authenticate(const core::Credentials& credentials,
                                          LoginTicket ticket) override {
    if (!credentials.given) return core::Login{ticket};
    if (waiting.size() >= waiting_max) return core::Login{ticket, Reason::kUnavailable};
    waiting.push_back(ticket);
    seen.emplace_back(fmt::format("{} {} {}", credentials.client_id, credentials.username,
                                  as_text(credentials.password)));
    return std::nullopt;
  }
  void cancel(LoginTicket ticket) override { cancelled.insert(ticket); }
  core::Verdict authorize(const core::Actor& actor, Action action, std::string_view name) override {
    ++asked;
    if (action == Action::kSubscribe || !rules) return core::Verdict::kAllow;
    if (actor.named && actor.user == banned) return core::Verdict::kDeny;
    const bool own = actor.named && name.find(actor.user) != std::string_view::npos;
    return own || name.starts_with("all/") ? core::Verdict::kAllow : core::Verdict::kDeny;
  }
  bool has_rules() const override { return rules; }
  bool may_read_all(const core::Actor&, std::string_view filter) override {
    return filter.starts_with("all/");
  }
  bool has_news() const override { return !answers.empty() || changed; }
  std::optional<core::Login> next_login() override {
    if (answers.empty()) return std::nullopt;
    const core::Login first = answers.front();
    answers.erase(answers.begin());
    return first;
  }
  bool take_changes() override { return std::exchange(changed, false); }
  bool still_valid(const core::Actor& actor, std::uint64_t proof) override {
    return !actor.named || proofs[std::string(actor.user)] == proof;
  }

  std::vector<LoginTicket> waiting;  ///< all that were ever asked
  std::size_t waiting_max = 100;
  std::vector<std::string> seen;
  std::set<LoginTicket> cancelled;
  std::vector<core::Login> answers;
  std::map<std::string, std::uint64_t> proofs;
  std::string banned;  ///< may do nothing any more
  bool rules = false;
  bool changed = false;
  int asked = 0;
};

class ShardLogin : public testing::Test {
 protected:
  /// The n-th login that was asked for is answered; the shard is woken, as by the pool.
  void answer(std::size_t number, Reason reason, std::uint64_t proof = 0) {
    porter.answers.push_back({porter.waiting.at(number), reason, true, proof});
    world.wake();
    world.run();
  }
  /// Logs in and returns what came back.
  std::string log_in(Client& client, std::string_view words) {
    EXPECT_EQ(client.ask(fmt::format("attach {}", words)), "");
    answer(porter.waiting.size() - 1, Reason::kOk);
    return client.read();
  }

  Porter porter;
  World world{1, {}, nullptr, &porter};
};

TEST_F(ShardLogin, TheAnswerComesWhenThePasswordHasBeenChecked) {
  Client client{world};
  EXPECT_EQ(client.ask("attach a user=bob pass=secret\nping"), "");
  EXPECT_EQ(porter.seen, std::vector<std::string>{"a bob secret"});
  EXPECT_EQ(world.shard().core().subscribers(), 0u);
  Client other{world};
  EXPECT_EQ(other.ask("attach b"), "#1 ok\n");  // nobody waits for him
  answer(0, Reason::kOk);
  EXPECT_EQ(client.read(), "#1 ok\npong\n");  // with what it sent meanwhile
  EXPECT_EQ(world.shard().core().subscribers(), 2u);
}

TEST_F(ShardLogin, ARefusalEndsTheConnection) {
  Client client{world};
  EXPECT_EQ(client.ask("attach a user=bob pass=wrong"), "");
  answer(0, Reason::kBadCredentials);
  EXPECT_EQ(client.read(), "#1 bad user name or password\nend: bad user name or password\n");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(world.shard().core().subscribers(), 0u);
  EXPECT_EQ(world.connections(), 0u);
}

TEST_F(ShardLogin, AnAssignedIdIsToldLate) {
  Client client{world};
  EXPECT_EQ(client.ask("attach - user=bob"), "");
  answer(0, Reason::kOk);
  EXPECT_EQ(client.read().substr(0, 11), "#1 ok auto-");
}

TEST_F(ShardLogin, LoginsMayBeAnsweredInAnyOrder) {
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(world);
    EXPECT_EQ(clients.back().ask(fmt::format("attach c{} user=u{}", i, i)), "");
  }
  answer(2, Reason::kOk);
  EXPECT_EQ(clients[2].read(), "#1 ok\n");
  EXPECT_EQ(clients[0].read() + clients[1].read(), "");
  answer(0, Reason::kBadCredentials);
  answer(1, Reason::kOk);
  EXPECT_EQ(clients[1].read(), "#1 ok\n");
  EXPECT_TRUE(clients[0].read().starts_with("#1 bad user name or password"));
}

TEST_F(ShardLogin, BeyondTheLimitItIsRefusedAtOnceAndCounted) {
  porter.waiting_max = 1;
  Client first{world};
  EXPECT_EQ(first.ask("attach a user=bob"), "");
  Client second{world};
  EXPECT_EQ(second.ask("attach b user=eve"), "#1 unavailable\nend: unavailable\n");
  EXPECT_EQ(world.shard().counters().logins_refused, 1u);
  answer(0, Reason::kOk);
  EXPECT_EQ(first.read(), "#1 ok\n");
}

TEST_F(ShardLogin, AConnectionThatBreaksMeanwhileIsForgotten) {
  Client client{world};
  EXPECT_EQ(client.ask("attach a user=bob will=all/w=gone"), "");
  client.reset();
  world.run();
  EXPECT_EQ(world.connections(), 0u);
  EXPECT_TRUE(porter.cancelled.contains(porter.waiting[0]));
  Client watcher{world};
  watcher.ask("attach w\nsub all/#");
  answer(0, Reason::kOk);  // was on its way already
  EXPECT_EQ(world.shard().core().subscribers(), 1u);
  EXPECT_EQ(watcher.read(), "");  // it has never been there: no will
}

// The slot of the ended connection is another one's by then.
TEST_F(ShardLogin, ALateAnswerDoesNotReachAnotherConnection) {
  Client client{world};
  EXPECT_EQ(client.ask("attach a user=bob"), "");
  client.reset();
  world.run();
  Client next{world};
  EXPECT_EQ(next.ask("attach b user=eve"), "");
  answer(0, Reason::kOk);
  EXPECT_EQ(next.read(), "");
  answer(1, Reason::kOk);
  EXPECT_EQ(next.read(), "#1 ok\n");
}

// It may still read: what was sent before the end is obeyed.
TEST_F(ShardLogin, APeerThatHasSaidEverythingIsAnsweredStill) {
  Client watcher{world};
  watcher.ask("attach w\nsub all/#");
  Client client{world};
  client.send("attach a user=bob\npub1 all/x 1\nbye");
  client.end();
  world.run();
  world.pass(seconds{6});
  answer(0, Reason::kOk);
  EXPECT_EQ(client.read(), "#1 ok\n#2 ok\nend: ok\n");
  EXPECT_EQ(watcher.read(), "all/x=1\n");
  EXPECT_EQ(world.connections(), 1u);
}

TEST_F(ShardLogin, WaitingIsBoundedByTheConnectTimeout) {
  Client held{world};
  held.ask("attach a keep user=bob");
  answer(0, Reason::kOk);
  EXPECT_EQ(held.read(), "#1 ok\n");
  Client client{world};
  EXPECT_EQ(client.ask("attach a user=eve"), "");
  world.pass(seconds{world.settings.listeners[0].limits.connect_timeout_s + 1});
  EXPECT_TRUE(client.read().starts_with("end: timed out"));
  EXPECT_TRUE(porter.cancelled.contains(porter.waiting[1]));
  answer(1, Reason::kOk);  // takes over nothing
  EXPECT_EQ(held.ask("ping"), "pong\n");
}

TEST_F(ShardLogin, ASecondConnectionTakesOverOnlyOnceItIsIn) {
  Client first{world};
  log_in(first, "a user=bob");
  Client second{world};
  EXPECT_EQ(second.ask("attach a user=bob"), "");
  EXPECT_EQ(first.ask("ping"), "pong\n");
  answer(1, Reason::kOk);
  EXPECT_EQ(second.read(), "#1 ok\n");
  EXPECT_EQ(first.read(), "end: session taken over\n");
}

TEST_F(ShardLogin, EndingTheBrokerEndsWhoWaits) {
  Client client{world};
  EXPECT_EQ(client.ask("attach a user=bob"), "");
  world.shard().shut_down();
  EXPECT_EQ(client.read(), "end: shutting down\n");
  EXPECT_EQ(porter.cancelled.size(), 1u);
}

TEST_F(ShardLogin, APasswordThatWasChangedMeanwhileDoesNotComeIn) {
  porter.proofs["bob"] = 1;
  Client client{world};
  EXPECT_EQ(client.ask("attach a user=bob"), "");
  porter.proofs["bob"] = 2;
  answer(0, Reason::kOk, 1);
  EXPECT_TRUE(client.read().starts_with("#1 bad user name or password"));
}

TEST_F(ShardLogin, WhoWouldNotComeInAnyMoreIsEnded) {
  Client bob{world};
  Client eve{world};
  Client nobody{world};
  log_in(bob, "b user=bob");
  log_in(eve, "e user=eve will=all/w=gone");
  nobody.ask("attach n\nsub all/#");
  porter.proofs["eve"] = 9;
  porter.changed = true;
  world.wake();
  world.run();
  EXPECT_EQ(eve.read(), "end: not authorized\n");
  EXPECT_EQ(nobody.read(), "all/w=gone\n");
  EXPECT_EQ(bob.ask("ping"), "pong\n");
}

// --- topics ---

class ShardRules : public ShardLogin {
 protected:
  ShardRules() { porter.rules = true; }
};

TEST_F(ShardRules, TheUserNameDecidesWhatIsPublished) {
  Client bob{world};
  log_in(bob, "b user=bob");
  EXPECT_EQ(bob.ask("pub1 x/bob 1"), "#2 ok\n");
  EXPECT_EQ(bob.ask("pub1 x/eve 1"), "#3 not authorized\n");
  EXPECT_EQ(bob.ask("put all/x 1\nget all/x"), "#4 ok\n#5 ok 1\n");
  EXPECT_EQ(bob.ask("get x/eve"), "#6 not authorized\n");
}

TEST_F(ShardRules, OnlyWhatMayBeReadIsDelivered) {
  Client bob{world};
  Client eve{world};
  log_in(bob, "b user=bob");
  log_in(eve, "e user=eve");
  EXPECT_EQ(bob.ask("sub # q1\ncredit 3"), "#2 ok q1\n");
  for (int i = 0; i < 10; ++i) eve.ask("pub1 x/eve hidden");
  EXPECT_EQ(world.shard().counters().reads_denied, 10u);
  eve.ask("pub1 all/a 1\npub1 x/eve hidden\npub1 eve+bob 2\npub x/eve hidden\npub all/b 3");
  EXPECT_EQ(bob.read(), "all/a=1 q1 @11\neve+bob=2 q1 @13\nall/b=3\n");
  EXPECT_EQ(bob.ask("settle 11\nsettle 13"), "");
  eve.ask("pub1 all/c 4");  // what was denied has given its credit back
  EXPECT_EQ(bob.read(), "all/c=4 q1 @14\n");
}

TEST_F(ShardRules, WhatWaitsIsLookedAtMessageByMessage) {
  Client bob{world};
  Client eve{world};
  log_in(bob, "b user=bob");
  log_in(eve, "e user=eve");
  bob.ask("sub # q1");  // no credit yet
  eve.ask("pub1 all/a 1\npub1 x/eve h\npub1 x/eve h\npub1 all/b 2\npub1 x/eve h\npub1 all/c 3");
  EXPECT_EQ(bob.ask("credit 2"), "all/a=1 q1 @1\nall/b=2 q1 @4\n");
  EXPECT_EQ(bob.ask("settle 1"), "all/c=3 q1 @6\n");
}

TEST_F(ShardRules, AFilterThatMayBeReadAsAWholeIsNotLookedAt) {
  Client bob{world};
  Client eve{world};
  log_in(bob, "b user=bob");
  log_in(eve, "e user=eve");
  bob.ask("sub all/#");
  const int before = porter.asked;
  eve.ask("pub all/a 1\npub all/b 2");
  EXPECT_EQ(bob.read(), "all/a=1\nall/b=2\n");
  EXPECT_EQ(porter.asked, before + 2);  // for publishing
}

TEST_F(ShardRules, RetainedValuesAreCheckedToo) {
  Client eve{world};
  log_in(eve, "e user=eve");
  eve.ask("put all/a 1\nput x/eve hidden\nput x/eve/bob 2");
  Client bob{world};
  log_in(bob, "b user=bob");
  const std::string came = bob.ask("sub #");
  EXPECT_EQ(came.find("hidden"), std::string::npos);
  EXPECT_NE(came.find("all/a=1 r"), std::string::npos);
  EXPECT_NE(came.find("x/eve/bob=2 r"), std::string::npos);
}

// The queue was filled while nobody was attached to the session.
TEST_F(ShardRules, WhatWaitedForAResumedSessionIsChecked) {
  Client first{world};
  log_in(first, "s keep user=bob");
  first.ask("sub # q1");
  first.ask("close");
  Client eve{world};
  log_in(eve, "e user=eve");
  eve.ask("pub1 all/a 1\npub1 x/eve 2\npub1 eve/bob 3");
  Client again{world};
  EXPECT_EQ(log_in(again, "s keep user=bob"), "#1 ok present\n");
  EXPECT_EQ(again.ask("credit 10"), "all/a=1 q1 @1\neve/bob=3 q1 @3\n");
}

// Rules may have changed while it waited.
TEST_F(ShardRules, ADelayedWillIsDecidedWhenItIsPublished) {
  World mqtt_world{1, {}, &mqtt::protocol(), &porter};
  MqttClient watcher{mqtt_world};
  (void)watcher.connects({.client_id = "watcher"});
  (void)watcher.subscribes("all/#");
  for (const bool banned : {true, false}) {
    porter.banned.clear();
    MqttClient client{mqtt_world, mqtt::Version::kV5};
    client.put(wire::v5::connect({.client_id = "c",
                                  .will = mqtt::WillView{.topic = "all/w", .payload = {}},
                                  .user_name = "bob"},
                                 {wire::v5::number(mqtt::PropertyId::kSessionExpiryInterval, 60)},
                                 {wire::v5::number(mqtt::PropertyId::kWillDelayInterval, 5)}));
    mqtt_world.run();
    porter.answers.push_back({porter.waiting.back(), Reason::kOk, true, 0});
    mqtt_world.wake();
    EXPECT_EQ(client.hear(), "connack:0 ");
    client.reset();
    mqtt_world.pass(seconds{4});
    EXPECT_EQ(watcher.hear(), "");
    if (banned) porter.banned = "bob";
    mqtt_world.pass(seconds{2});
    EXPECT_EQ(watcher.hear(), banned ? "" : "all/w= ");
  }
}

// --- whose a session is ---

TEST_F(ShardLogin, ASessionIsItsUsersAlone) {
  const auto leave_behind = [&] {
    Client bob{world};
    log_in(bob, "s user=bob");  // whatever was there is gone
    bob.ask("bye");
    Client again{world};
    log_in(again, "s keep user=bob");
    again.ask("sub t q1");
    again.ask("close");
    Client publisher{world};
    EXPECT_EQ(publisher.ask("attach p\npub1 t secret"), "#1 ok\n#2 ok\n");
  };
  leave_behind();
  {
    Client bob{world};
    EXPECT_EQ(log_in(bob, "s keep user=bob"), "#1 ok present\n");
    EXPECT_EQ(bob.ask("credit 9"), "t=secret q1 @1\n");
  }
  leave_behind();
  {
    Client eve{world};
    EXPECT_EQ(log_in(eve, "s keep user=eve"), "#1 ok\n");
    EXPECT_EQ(eve.ask("credit 9\nping"), "pong\n");
    eve.ask("close");
  }
  {
    Client bob{world};  // the session is eve's now
    EXPECT_EQ(log_in(bob, "s keep user=bob"), "#1 ok\n");
  }
  leave_behind();
  Client nobody{world};
  EXPECT_EQ(nobody.ask("attach s keep\ncredit 9\nping"), "#1 ok\npong\n");
}

TEST_F(ShardLogin, ASessionOfNobodyIsNotAUsers) {
  {
    Client nobody{world};
    EXPECT_EQ(nobody.ask("attach s keep\nsub t q1"), "#1 ok\n#2 ok q1\n");
  }
  world.run();
  Client again{world};
  EXPECT_EQ(again.ask("attach s keep"), "#1 ok present\n");
  again.ask("close");
  Client bob{world};
  EXPECT_EQ(log_in(bob, "s keep user=bob"), "#1 ok\n");
}

// A connection that is there is taken over as ever, but not what it subscribed.
TEST_F(ShardLogin, AnotherUserTakesOverTheIdAndNotTheSession) {
  Client bob{world};
  log_in(bob, "s keep user=bob");
  bob.ask("sub t q1");
  Client eve{world};
  EXPECT_EQ(log_in(eve, "s keep user=eve"), "#1 ok\n");
  EXPECT_EQ(bob.read(), "end: session taken over\n");
  EXPECT_EQ(world.shard().core().subscriptions(), 0u);
}

TEST_F(ShardRules, AWillIsPublishedOnlyWhereItsClientMayWrite) {
  Client watcher{world};
  log_in(watcher, "w user=eve");
  watcher.ask("sub #");
  for (const std::string_view will : {"x/eve", "all/w"}) {
    Client client{world};
    log_in(client, fmt::format("c user=bob will={}=gone", will));
    client.reset();
    world.run();
  }
  EXPECT_EQ(watcher.read(), "all/w=gone\n");
}

TEST_F(ShardRules, ChangedRulesCountForWhatIsSubscribedAlready) {
  porter.rules = false;
  Client bob{world};
  Client eve{world};
  log_in(bob, "b user=bob");
  log_in(eve, "e user=eve");
  bob.ask("sub #");
  eve.ask("pub x/eve 1");
  EXPECT_EQ(bob.read(), "x/eve=1\n");
  porter.rules = porter.changed = true;
  world.wake();
  world.run();
  eve.ask("pub x/eve 2\npub all/a 3");
  EXPECT_EQ(bob.read(), "all/a=3\n");
}

TEST_F(ShardRules, DatagramPeersHaveNoName) {
  PeerClient peer{world};
  EXPECT_EQ(peer.ask("pub1 x/bob 1"), "#1 not authorized\n");
  EXPECT_EQ(peer.ask("put all/a 1"), "#2 ok\n");
  EXPECT_EQ(peer.ask("get all/a"), "#3 ok 1\n");
}

}  // namespace
}  // namespace hermod::broker
