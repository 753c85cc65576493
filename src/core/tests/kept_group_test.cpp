// SPDX-License-Identifier: Apache-2.0
// Groups that are kept: what the journal hears of what they lend, and of what becomes a member's.
#include "group_fixture.hpp"

namespace hermod::core {
namespace {

using model::Reason;
using testing::ElementsAre;
using testing::IsEmpty;

class KeptGroupTest : public GroupTest {
 protected:
  KeptGroupTest() : GroupTest(Journal::State::kWell) {}

  /// A lasting member, queue 1 (the group's is 2).
  SubscriberIndex lasting(Side& at, Guarantee guarantee = Guarantee::kExactlyOnce,
                          std::uint32_t credit = 100) {
    const SubscriberIndex member = attach(at, "lasting", 1, credit);
    join(at, member, guarantee);
    (void)journal.take_lines();
    return member;
  }
  void hear() {
    for (Side* one : {&owner(), &other()}) one->core.hear_journal();
    carry();
  }
  void say_standings() {
    journal.standings.clear();
    journal.check_wanted = true;
    owner().core.keep_house();
  }
  [[nodiscard]] Queue& queue(Side& at, SubscriberIndex index) {
    return at.core.subscriber(index).queue;
  }
};

TEST_F(KeptGroupTest, IsKeptFromItsFirstLastingMemberToItsEnd) {
  const SubscriberIndex passing = attach(owner(), "passing", 1, 100, 0);
  join(owner(), passing);
  publish(owner(), "1");
  EXPECT_THAT(journal.take_lines(), IsEmpty());
  const SubscriberIndex one = attach(other(), "one", 2);
  join(other(), one);
  EXPECT_THAT(journal.take_lines(),
              ElementsAre("keep 1=one", "subscribe 1 $share/g/a", "keep 2=$share/g/a"));
  publish(owner(), "2");
  EXPECT_THAT(journal.take_lines(), ElementsAre("append 2 for 2@2"));
  EXPECT_EQ(other().core.unsubscribe(one, kGroup), Reason::kOk);
  hear();
  settle_all(other(), one, 2);
  detach(owner(), passing);
  EXPECT_THAT(journal.take_lines(), testing::Contains("forget 2"));
  EXPECT_EQ(journal.places(), 0u);
}

TEST_F(KeptGroupTest, AtLeastOnceIsTheGroupsUntilAMemberHasSettledIt) {
  const SubscriberIndex one = lasting(other());
  publish_numbers(1, 3);
  EXPECT_THAT(other().got[1], ElementsAre("1/1", "2/1", "3/1"));
  (void)journal.take_lines();
  other().core.settle(one, 2, 2, model::Outcome::kAccept, 1);
  carry();
  EXPECT_THAT(journal.take_lines(), ElementsAre("settle 1@2-2", "settle 2@2-2"));
  EXPECT_EQ(journal.places(), 2u);
  say_standings();
  const auto standing = std::ranges::find(journal.standings, QueueId{2}, &Standing::queue);
  ASSERT_NE(standing, journal.standings.end());
  EXPECT_EQ(standing->floor, 1u);
  EXPECT_EQ(standing->next, 4u);
  EXPECT_THAT(standing->settled, ElementsAre(TagRange{2, 2}));
  for (const model::Tag tag : {1u, 3u}) {
    other().core.settle(one, tag, tag, model::Outcome::kAccept, 1);
  }
  carry();
  EXPECT_EQ(journal.places(), 0u);
}

// [MQTT-4.8.2-4]: nobody else may get what it was sent, not even after a stop.
TEST_F(KeptGroupTest, ExactlyOnceBecomesTheMembersBeforeItIsSent) {
  for (Side* side : {&owner(), &other()}) {
    SCOPED_TRACE(side == &owner() ? "on the group's shard" : "elsewhere");
    const SubscriberIndex one = side == &owner() ? lasting(owner()) : attach(*side, "else", 3);
    if (side == &other()) join(*side, one);
    const ConnectionKey connection = side == &owner() ? 1 : 3;
    (void)journal.take_lines();
    journal.hold(true);
    publish(owner(), "1", Guarantee::kExactlyOnce);
    journal.let_commit();
    journal.hold(true);
    hear();  // it is the group's for certain, and goes to the member
    EXPECT_THAT(side->got[connection], IsEmpty());
    const auto lines = journal.take_lines();
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_THAT(lines[1], testing::MatchesRegex("append 1 for [0-9]@[0-9] from 2@[0-9]"));
    journal.let_commit();
    hear();
    EXPECT_THAT(side->got[connection], ElementsAre("1/2"));
    EXPECT_EQ(journal.places(), 1u);  // the member's alone
    model::Inflight inflight;
    (void)inflight.take_for(side->tags[connection][0], Guarantee::kExactlyOnce);
    detach(*side, one, std::move(inflight));
    const ConnectionKey again = connection + 10;
    EXPECT_EQ(attach(*side, side == &owner() ? "lasting" : "else", again), one);
    carry();
    EXPECT_THAT(side->got[again], ElementsAre("1/2d"));
    settle_all(*side, one, again);
    EXPECT_EQ(journal.places(), 0u);
    detach(*side, one);
  }
}

// What has no credit yet is not the member's: another one may get it.
TEST_F(KeptGroupTest, ExactlyOnceThatWaitsForCreditGoesToOthers) {
  const SubscriberIndex one = lasting(owner(), Guarantee::kExactlyOnce, 1);
  for (const char* payload : {"1", "2", "3"}) publish(owner(), payload, Guarantee::kExactlyOnce);
  hear();
  hear();
  EXPECT_THAT(owner().got[1], ElementsAre("1/2"));
  join(other(), attach(other(), "two", 2));
  model::Inflight inflight;
  (void)inflight.take_for(owner().tags[1][0], Guarantee::kExactlyOnce);
  detach(owner(), one, std::move(inflight));
  hear();
  EXPECT_THAT(other().got[2], ElementsAre("2/2", "3/2"));
}

TEST_F(KeptGroupTest, WhoEndsWhileItTakesOverTakesItAlong) {
  const SubscriberIndex one = lasting(owner());
  publish(owner(), "1", Guarantee::kExactlyOnce);
  journal.hold(true);
  hear();  // written as the member's, and not committed
  detach(owner(), one);
  attach(owner(), "one", 2);
  (void)owner().core.attach("lasting", 3, true, 60, {}, kStart);  // clean start: it has ended
  carry();
  journal.let_commit();
  hear();
  EXPECT_THAT(owner().got[1], IsEmpty());
  EXPECT_EQ(journal.places(), 0u);
}

// [MQTT-4.8.2-5]: a member without a lasting session has nothing to record it in, and nobody else
// may get it, not even after a stop: it is over for the group before it is sent.
TEST_F(KeptGroupTest, ExactlyOnceIsOverBeforeItIsSentToAPassingMember) {
  (void)lasting(other());
  detach(other(), other().core.find("lasting"));
  const SubscriberIndex passing = attach(owner(), "passing", 2, 1, 0);
  join(owner(), passing);
  for (const char* payload : {"1", "2"}) publish(owner(), payload, Guarantee::kExactlyOnce);
  (void)journal.take_lines();
  journal.hold(true);
  hear();
  EXPECT_THAT(journal.take_lines(), ElementsAre("take out 2@1"));
  EXPECT_THAT(owner().got[2], IsEmpty());
  journal.let_commit();
  hear();
  EXPECT_THAT(owner().got[2], ElementsAre("1/2"));
  // Again, as the group's standing may have been said meanwhile: by the member, and by the group.
  EXPECT_THAT(journal.take_lines(), ElementsAre("settle 2@1-1", "settle 2@1-1"));
  EXPECT_EQ(journal.places(), 1u) << "the second one, of which no credit is left";
  settle_all(owner(), passing, 2);
  EXPECT_EQ(queue(owner(), passing).find(1), nullptr);
}

TEST_F(KeptGroupTest, APassingMemberThatEndsWhileItTakesOverTakesItAlong) {
  (void)lasting(other());
  detach(other(), other().core.find("lasting"));
  const SubscriberIndex passing = attach(owner(), "passing", 2, 100, 0);
  join(owner(), passing);
  publish(owner(), "1", Guarantee::kExactlyOnce);
  journal.hold(true);
  hear();
  detach(owner(), passing);
  carry();
  journal.let_commit();
  hear();
  EXPECT_THAT(owner().got[2], IsEmpty());
  EXPECT_EQ(journal.places(), 0u);
}

TEST_F(KeptGroupTest, APassingMemberThatLeavesWhileItTakesOverGetsIt) {
  (void)lasting(other());
  detach(other(), other().core.find("lasting"));
  const SubscriberIndex passing = attach(owner(), "passing", 2, 100, 0);
  join(owner(), passing);
  publish(owner(), "1", Guarantee::kExactlyOnce);
  journal.hold(true);
  hear();
  EXPECT_EQ(owner().core.unsubscribe(passing, kGroup), Reason::kOk);
  carry();
  EXPECT_THAT(owner().got[2], IsEmpty());
  journal.let_commit();
  hear();
  EXPECT_THAT(owner().got[2], ElementsAre("1/2"));
  EXPECT_EQ(journal.places(), 0u);
  settle_all(owner(), passing, 2);
  EXPECT_EQ(queue(owner(), passing).unsettled(), 0u);
}

// The group is kept only since the lasting member has come, which the other one hears of with the
// next message.
TEST_F(KeptGroupTest, APassingMemberTakesOverAlsoWhenItWasThereBefore) {
  const SubscriberIndex passing = attach(other(), "passing", 2, 100, 0);
  join(other(), passing);
  publish(owner(), "1", Guarantee::kExactlyOnce);
  hear();
  EXPECT_THAT(other().got[2], ElementsAre("1/2"));
  (void)lasting(owner(), Guarantee::kExactlyOnce, 0);
  detach(owner(), owner().core.find("lasting"));
  journal.hold(true);
  publish(owner(), "2", Guarantee::kExactlyOnce);
  journal.let_commit();
  journal.hold(true);
  hear();
  EXPECT_THAT(other().got[2], ElementsAre("1/2"));
  EXPECT_THAT(journal.take_lines(), testing::Contains(testing::StartsWith("take out ")));
  journal.let_commit();
  hear();
  EXPECT_THAT(other().got[2], ElementsAre("1/2", "2/2"));
  settle_all(other(), passing, 2);
  EXPECT_EQ(journal.places(), 0u);
}

// Of a member of two groups, one of which is kept: what comes from the other waits for nothing.
TEST_F(KeptGroupTest, WhatNobodyKeepsIsTakenOverAtOnce) {
  (void)lasting(other());
  detach(other(), other().core.find("lasting"));
  const SubscriberIndex passing = attach(owner(), "passing", 2, 100, 0);
  join(owner(), passing);
  std::string name = "$share/h/a";  // on the same shard
  while (owner().core.owner_of(name) != owner().core_number()) name.insert(7, "h");
  join(owner(), passing, Guarantee::kExactlyOnce, 0, name);
  journal.hold(true);
  publish(owner(), "1", Guarantee::kExactlyOnce);
  EXPECT_THAT(owner().got[2], ElementsAre("1/2")) << "by the group that is not kept";
  journal.let_commit();
  journal.hold(true);
  hear();
  publish(owner(), "2", Guarantee::kExactlyOnce);  // behind what waits to be taken over
  EXPECT_THAT(owner().got[2], ElementsAre("1/2"));
  journal.let_commit();
  hear();
  EXPECT_THAT(owner().got[2], ElementsAre("1/2", "1/2", "2/2"));
  hear();
  EXPECT_THAT(owner().got[2], ElementsAre("1/2", "1/2", "2/2", "2/2"));
  settle_all(owner(), passing, 2);
  EXPECT_EQ(journal.places(), 0u);
  // The first one's end is told later, with credit.
  EXPECT_THAT(owner().core.subscriber(group.index).group->lent(), ElementsAre(1u));
}

TEST_F(KeptGroupTest, WhoLeavesTakesOverWhatItWasSent) {
  const SubscriberIndex one = lasting(owner(), Guarantee::kAtLeastOnce, 1);
  publish_numbers(1, 2);
  join(other(), attach(other(), "two", 2));
  (void)journal.take_lines();
  EXPECT_EQ(owner().core.unsubscribe(one, kGroup), Reason::kOk);
  carry();
  hear();
  EXPECT_THAT(other().got[2], ElementsAre("2/1"));
  EXPECT_THAT(journal.take_lines(),
              ElementsAre("append 1 for 1@1 from 2@1", "unsubscribe 1 $share/g/a", "settle 2@1-1",
                          "settle 2@1-1"));
  detach(owner(), one);
  EXPECT_EQ(attach(owner(), "lasting", 3), one);
  EXPECT_THAT(owner().got[3], ElementsAre("1/1d"));
  settle_all(owner(), one, 3);
  EXPECT_EQ(journal.places(), 1u);
}

TEST_F(KeptGroupTest, WhileAllAreAwayMessagesLeaveMemory) {
  const SubscriberIndex one = lasting(other());
  detach(other(), one);
  publish_numbers(1, 3);
  publish(owner(), "4", Guarantee::kExactlyOnce);
  hear();
  Queue& waiting = queue(owner(), group.index);
  EXPECT_EQ(waiting.waiting(), 4u);
  EXPECT_EQ(waiting.bytes_in_memory(), 0u);
  journal.damage(waiting.find(2)->message.position());
  EXPECT_EQ(attach(other(), "lasting", 2), one);
  carry();
  hear();
  EXPECT_THAT(other().got[2], ElementsAre("1/1", "3/1", "4/2"));
  EXPECT_EQ(owner().core.counters().damaged, 1u);
  settle_all(other(), one, 2);
  EXPECT_EQ(journal.places(), 0u);
}

TEST_F(KeptGroupTest, WhatIsLentIsWrittenAgain) {
  const SubscriberIndex one = lasting(other());
  publish_numbers(1, 1);
  Queue::Entry* const lent = owner().core.subscriber(group.index).group->find_lent(1);
  ASSERT_NE(lent, nullptr);
  const Position before = lent->message.position();
  journal.stale = {{.position = before, .queue = 2, .tag = 1}};
  (void)journal.take_lines();
  owner().core.keep_house();
  EXPECT_THAT(journal.take_lines(), ElementsAre("append 1 for 2@1"));
  hear();
  EXPECT_NE(lent->message.position(), before);
  settle_all(other(), one, 1);
  EXPECT_EQ(journal.places(), 0u);
}

// --- after a stop ---

class RestoredGroupTest : public KeptGroupTest {
 protected:
  /// A group of an earlier run with one message of each guarantee; queue 7.
  void restore() {
    Core::Restored left{.name = std::string{kGroup}, .kept_as = 7};
    model::Tag tag = 5;
    for (const Guarantee guarantee : {Guarantee::kAtLeastOnce, Guarantee::kExactlyOnce}) {
      const model::Message message{.destination = model::Destination::topic("a"),
                                   .payload = as_bytes(tag == 5 ? "5" : "6"),
                                   .guarantee = guarantee};
      const model::Message* const only = &message;
      const Recipient recipient{.queue = 7, .tag = tag, .count = 1, .guarantee = guarantee};
      Position position = 0;
      journal.append({.messages = {&only, 1}, .recipients = {&recipient, 1}}, {&position, 1});
      Queue::Entry entry{
          .message = Content::at(position),
          .marks = {.guarantee = guarantee, .recovered = guarantee == Guarantee::kAtLeastOnce}};
      left.queue.restore(tag++, std::move(entry), 100);
    }
    left.queue.restore_next(tag);
    ASSERT_NE(owner().core.restore_group(std::move(left)), Subscribers::kNone);
  }
};

TEST_F(RestoredGroupTest, GoesOnWhereItWas) {
  restore();
  const SubscriberIndex one = attach(other(), "one", 1);
  join(other(), one);
  owner().core.end_empty_groups();
  hear();
  publish(owner(), "7");
  EXPECT_THAT(other().got[1], ElementsAre("5/1d", "6/2", "7/1"));
  settle_all(other(), one, 1);
  EXPECT_EQ(journal.places(), 0u);
}

TEST_F(RestoredGroupTest, EndsWithoutMembers) {
  restore();
  (void)journal.take_lines();
  owner().core.end_empty_groups();
  EXPECT_THAT(journal.take_lines(), ElementsAre("forget 7"));
  EXPECT_EQ(journal.places(), 0u);
  EXPECT_EQ(owner().core.subscribers(), 0u);
}

}  // namespace
}  // namespace hermod::core
