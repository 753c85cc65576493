// SPDX-License-Identifier: Apache-2.0
// Groups and their members: shares, windows, slow and absent members, on one core and on two.
#include "hermod/core/group.hpp"

#include <gmock/gmock.h>

#include "group_fixture.hpp"

namespace hermod::core {
namespace {

using model::Reason;
using testing::ElementsAre;
using testing::IsEmpty;

// --- names ---

TEST(GroupName, HasAShareAndAFilter) {
  const auto name = parse_group("$share/consumer1//finance");  // §4.8.2: the filter is /finance
  ASSERT_TRUE(name);
  EXPECT_EQ(name->share, "consumer1");
  EXPECT_EQ(name->filter, "/finance");
}

// [MQTT-4.8.2-1], [MQTT-4.8.2-2]
TEST(GroupName, NeedsAShareWithoutWildcardsAndAFilter) {
  for (const char* wrong : {"$share", "$share/", "$share//a", "$share/g", "$share/g/", "$share/+/a",
                            "$share/g#/a", "a/$share/g/a"}) {
    EXPECT_FALSE(parse_group(wrong)) << wrong;
  }
}

// --- members ---

TEST_F(GroupTest, EachMessageGoesToOneMember) {
  join(owner(), attach(owner(), "one", 1));
  join(other(), attach(other(), "two", 2));
  publish(owner(), "1");
  publish(other(), "2");
  publish(owner(), "3", Guarantee::kAtMostOnce);
  publish(owner(), "4", Guarantee::kExactlyOnce);
  EXPECT_THAT(owner().got[1], ElementsAre("1/1", "3/0"));
  EXPECT_THAT(other().got[2], ElementsAre("2/1", "4/2"));
}

// [MQTT-4.8.2-3]; the subscription id is the member's own.
TEST_F(GroupTest, AMembersOwnOptionsCount) {
  join(owner(), attach(owner(), "one", 1), Guarantee::kAtMostOnce, 7);
  publish(owner(), "1", Guarantee::kExactlyOnce);
  EXPECT_THAT(owner().got[1], ElementsAre("1/0#7"));
  const SubscriberIndex one = owner().core.find("one");
  join(owner(), one, Guarantee::kAtLeastOnce, 8);  // once more: other options, one membership
  publish(owner(), "2", Guarantee::kExactlyOnce);
  EXPECT_THAT(owner().got[1], ElementsAre("1/0#7", "2/1#8"));
}

TEST_F(GroupTest, ASlowMemberHoldsItsWindowAndTheOthersGetTheRest) {
  const SubscriberIndex slow = attach(owner(), "slow", 1, 5);
  const SubscriberIndex fast = attach(other(), "fast", 2, 10'000);
  join(owner(), slow);
  join(other(), fast);
  for (int i = 1; i <= 300; ++i) {
    publish(owner(), std::to_string(i));
    settle_all(other(), fast, 2);
  }
  EXPECT_EQ(owner().got[1].size(), 5u);  // credit of its connection
  EXPECT_EQ(owner().core.subscriber(slow).queue.waiting(), Core::kGroupWindow - 5);
  EXPECT_EQ(other().got[2].size(), 300 - Core::kGroupWindow);
}

// What nobody can take yet waits in the group, in order, up to the limits of a queue.
TEST_F(GroupTest, WaitsInTheGroupUpToTheLimit) {
  limits.queue_messages_max = 10;
  const SubscriberIndex one = attach(owner(), "one", 1, 1000);
  join(owner(), one);
  publish_numbers(1, static_cast<int>(Core::kGroupWindow) + 15);
  EXPECT_EQ(owner().got[1].size(), Core::kGroupWindow);
  settle_all(owner(), one, 1);
  EXPECT_EQ(owner().got[1].size(), Core::kGroupWindow + 10);
  EXPECT_EQ(owner().got[1].back(), std::to_string(Core::kGroupWindow + 10) + "/1");
  EXPECT_EQ(owner().core.counters().dropped_full(), 5u);
}

// Credit costs a letter for half a window, not for each message.
TEST_F(GroupTest, CreditGoesBackByHalfWindows) {
  const SubscriberIndex one = attach(other(), "one", 1, 1000);
  join(other(), one);
  for (int i = 0; i < static_cast<int>(Core::kGroupWindow); ++i) {
    publish(owner(), "x", i % 2 == 0 ? Guarantee::kAtMostOnce : Guarantee::kAtLeastOnce);
    settle_all(other(), one, 1);
  }
  EXPECT_THAT(other().grants,
              ElementsAre(Core::kGroupWindow, Core::kGroupWindow / 2, Core::kGroupWindow / 2));
}

// --- away ---

// What was not sent, and what was sent at least once and not settled, goes to others before what
// waits, in its order.
TEST_F(GroupTest, WhatAnAbsentMemberHeldGoesToOthers) {
  const SubscriberIndex one = attach(other(), "one", 1, 2);
  join(other(), one);
  publish_numbers(1, 4);  // two sent, two wait
  model::Inflight inflight;
  (void)inflight.take(other().tags[1][0], Guarantee::kAtLeastOnce);
  (void)inflight.take(other().tags[1][1], Guarantee::kAtLeastOnce);
  detach(other(), one, std::move(inflight));
  EXPECT_EQ(other().core.subscriber(one).inflight.outgoing(), 0u);  // the ids are free
  EXPECT_TRUE(other().core.subscriber(one).queue.empty());
  publish_numbers(5, 5);
  join(owner(), attach(owner(), "two", 2));
  EXPECT_THAT(owner().got[2], ElementsAre("1/1d", "2/1d", "3/1", "4/1", "5/1"));
}

// [MQTT-4.8.2-4]
TEST_F(GroupTest, ExactlyOnceIsCompletedByWhoBegan) {
  const SubscriberIndex one = attach(owner(), "one", 1);
  join(owner(), one);
  publish(owner(), "1", Guarantee::kExactlyOnce);
  model::Inflight inflight;
  (void)inflight.take(owner().tags[1][0], Guarantee::kExactlyOnce);
  detach(owner(), one, std::move(inflight));
  join(other(), attach(other(), "two", 2));
  EXPECT_THAT(other().got[2], IsEmpty());
  EXPECT_EQ(attach(owner(), "one", 3), one);
  carry();
  EXPECT_THAT(owner().got[3], ElementsAre("1/2d"));
  EXPECT_EQ(owner().grants.back(), Core::kGroupWindow - 1);  // it holds one
  publish(owner(), "2");
  publish(owner(), "3");
  EXPECT_THAT(owner().got[3], ElementsAre("1/2d", testing::AnyOf("2/1", "3/1")));
}

// [MQTT-4.8.2-5]
TEST_F(GroupTest, ExactlyOnceEndsWithWhoBegan) {
  const SubscriberIndex one = attach(owner(), "one", 1, 100, 0);
  join(owner(), one);
  join(other(), attach(other(), "two", 2));
  publish(owner(), "1", Guarantee::kExactlyOnce);
  ASSERT_THAT(owner().got[1], ElementsAre("1/2"));
  model::Inflight inflight;
  (void)inflight.take(owner().tags[1][0], Guarantee::kExactlyOnce);
  detach(owner(), one, std::move(inflight));
  EXPECT_THAT(other().got[2], IsEmpty());
}

// A session that ends gives at least once messages to another member.
TEST_F(GroupTest, ATransientMemberLeavesItsMessages) {
  const SubscriberIndex one = attach(owner(), "one", 1, 1, 0);
  join(owner(), one);
  publish_numbers(1, 3);
  join(other(), attach(other(), "two", 2));
  detach(owner(), one);
  EXPECT_THAT(other().got[2], ElementsAre("1/1d", "2/1", "3/1"));
}

TEST_F(GroupTest, KeepsMessagesWhileAllDurableMembersAreAway) {
  const SubscriberIndex one = attach(other(), "one", 1);
  join(other(), one);
  detach(other(), one);
  publish(owner(), "1");
  publish(owner(), "2", Guarantee::kAtMostOnce);  // nobody is there
  publish(other(), "3", Guarantee::kExactlyOnce);
  EXPECT_EQ(attach(other(), "one", 2), one);
  carry();
  EXPECT_THAT(other().got[2], ElementsAre("1/1", "3/2"));
  EXPECT_EQ(owner().core.counters().dropped_away, 1u);
}

// A message on its way to a member that has gone comes back.
TEST_F(GroupTest, AMessageThatMeetsNobodyGoesToAnother) {
  const SubscriberIndex one = attach(other(), "one", 1);
  join(other(), one);
  model::Message message{.destination = model::Destination::topic("a"),
                         .payload = as_bytes("1"),
                         .guarantee = Guarantee::kAtLeastOnce};
  ASSERT_EQ(owner().core.publish(message, kStart), Reason::kOk);
  owner().core.flush();  // the letter to the member is under way
  detach(other(), one);
  join(owner(), attach(owner(), "two", 2));
  EXPECT_THAT(owner().got[2], ElementsAre("1/1"));
}

// --- leaving ---

TEST_F(GroupTest, WhoLeavesKeepsWhatItWasSentOnly) {
  const SubscriberIndex one = attach(owner(), "one", 1, 1);
  const SubscriberIndex two = attach(other(), "two", 2);
  join(owner(), one);
  publish_numbers(1, 2);  // one is sent, one waits for credit
  join(other(), two);
  EXPECT_EQ(owner().core.unsubscribe(one, kGroup), Reason::kOk);
  EXPECT_EQ(owner().core.unsubscribe(one, kGroup), Reason::kNotFound);
  carry();
  EXPECT_THAT(other().got[2], ElementsAre("2/1"));
  publish(owner(), "3");
  EXPECT_THAT(owner().got[1], ElementsAre("1/1"));
  settle_all(owner(), one, 1);
  EXPECT_TRUE(owner().core.subscriber(one).queue.empty());
}

TEST_F(GroupTest, EndsWithItsLastMember) {
  const SubscriberIndex one = attach(other(), "one", 1);
  join(other(), one);
  EXPECT_EQ(owner().core.tree().subscriptions(), 1u);
  EXPECT_EQ(other().core.unsubscribe(one, kGroup), Reason::kOk);
  carry();
  EXPECT_EQ(owner().core.tree().subscriptions(), 0u);
  EXPECT_EQ(owner().core.subscribers(), 0u);
  publish(owner(), "1");
  join(other(), one);  // a new group: the message is not for it
  publish(owner(), "2");
  EXPECT_THAT(other().got[1], ElementsAre("2/1"));
}

// The answer to a join that was given up must not count for the next one.
TEST_F(GroupTest, AnOldAnswerIsNoNewMembership) {
  const SubscriberIndex one = attach(other(), "one", 1);
  const Core::Member first = other().core.enter_group(one, kGroup, {});
  const Core::Group old = owner().core.join_group(kGroup, first.ref, true);
  EXPECT_EQ(other().core.unsubscribe(one, kGroup), Reason::kOk);
  const Core::Member again = other().core.enter_group(one, "$share/other/a", {});
  EXPECT_EQ(again.ref.membership, first.ref.membership);  // the place is used again
  other().core.group_joined(kGroup, first.ref, old);
  EXPECT_THAT(other().grants, IsEmpty());
}

TEST_F(GroupTest, MembershipsCountAsSubscriptions) {
  limits.subscriptions_max = 2;
  const SubscriberIndex one = attach(owner(), "one", 1);
  EXPECT_EQ(owner().core.subscribe(one, "b", {}).reason, Reason::kOk);
  EXPECT_EQ(owner().core.enter_group(one, "$share/1/a", {}).reason, Reason::kOk);
  EXPECT_EQ(owner().core.enter_group(one, "$share/2/a", {}).reason, Reason::kQuotaExceeded);
  EXPECT_EQ(owner().core.enter_group(one, "$share/1/a", {}).reason, Reason::kOk);
}

TEST_F(GroupTest, GroupsCountAsSubscribers) {
  limits.subscribers_max = 1;
  const SubscriberIndex one = attach(owner(), "one", 1);
  const Core::Member member = owner().core.enter_group(one, kGroup, {});
  EXPECT_EQ(owner().core.join_group(kGroup, member.ref, true).reason, Reason::kQuotaExceeded);
}

}  // namespace
}  // namespace hermod::core
