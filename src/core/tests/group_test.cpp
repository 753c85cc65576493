// SPDX-License-Identifier: Apache-2.0
// Groups and their members: shares, windows, slow and absent members, on one core and on two.
#include "hermod/core/group.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "core_fixture.hpp"

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

/// Cores whose messages between groups and members the test carries. Letters of a core to itself
/// travel like those to others.
class GroupTest : public testing::Test {
 protected:
  static constexpr std::uint16_t kCores = 2;

  class Side final : public Outlet {
   public:
    Side(GroupTest& test, std::uint16_t shard)
        : test_(test),
          core{{.shard = shard, .shards = kCores, .hash_key = 7}, test.limits, journal_, *this} {}

    void deliver(ConnectionKey connection, const model::DeliveryBatch& batch) override {
      for (std::size_t i = 0; i < batch.items.size(); ++i) {
        got[connection].push_back(text_of(batch.items[i]));
        if (batch.items[i].guarantee != Guarantee::kAtMostOnce) {
          tags[connection].push_back(batch.first_tag + i);
        }
      }
    }
    void forward(const model::Message& message, ShardSet, ShardSet) override {
      test_.letters.emplace_back([this, kept = message.own()] {
        Core& there = test_.side(1 - core_number()).core;
        there.receive(*kept, true, false);
        there.flush();
      });
    }
    void to_member(const MemberRef& member, GroupKey group,
                   const model::Delivery& delivery) override {
      test_.letters.emplace_back(
          [this, member, group, kept = delivery.message->own(), again = delivery.redelivered] {
            const model::Delivery arrived{.message = &*kept, .redelivered = again};
            if (!test_.side(member.shard).core.deliver_from_group(member, group, arrived)) {
              core.group_return(group, {kept, again});
            }
          });
    }
    void grant(std::uint16_t owner, GroupKey group, const MemberRef& member,
               std::uint32_t count) override {
      grants.push_back(count);
      test_.letters.emplace_back(
          [=, this] { test_.side(owner).core.group_grant(group, member, count); });
    }
    void give_back(std::uint16_t owner, std::string_view group, const MemberRef& member,
                   std::vector<Returned> messages, bool leaves) override {
      test_.letters.emplace_back(
          [this, owner, name = std::string{group}, member, messages = std::move(messages), leaves] {
            (void)test_.side(owner).core.group_return(name, member, messages, leaves);
          });
    }
    [[nodiscard]] std::uint16_t core_number() const {
      return static_cast<std::uint16_t>(core.stamp() & 63);
    }

    std::map<ConnectionKey, std::vector<std::string>> got;
    std::map<ConnectionKey, std::vector<model::Tag>> tags;
    std::vector<std::uint32_t> grants;

   private:
    GroupTest& test_;
    NullJournal journal_;

   public:
    Core core;
  };

  GroupTest() {
    for (std::uint16_t i = 0; i < kCores; ++i) sides_.push_back(std::make_unique<Side>(*this, i));
    // A group's core must hear of what is published on the other one.
    owner_ = sides_[0]->core.owner_of(kGroup);
    other_ = static_cast<std::uint16_t>(1 - owner_);
    sides_[other_]->core.set_interest("a", owner_, true);
  }

  Side& side(std::uint16_t shard) { return *sides_[shard]; }
  Side& owner() { return side(owner_); }
  Side& other() { return side(other_); }

  /// Carries letters until none is left.
  void carry() {
    while (!letters.empty()) {
      const auto letter = std::move(letters.front());
      letters.pop_front();
      letter();
    }
  }
  SubscriberIndex attach(Side& at, std::string_view id, ConnectionKey connection,
                         std::uint32_t credit = 100, std::uint32_t expiry_s = 60) {
    const Core::Attached attached = at.core.attach(id, connection, false, expiry_s, {}, kStart);
    at.core.credit(attached.subscriber, credit);
    return attached.subscriber;
  }
  void join(Side& at, SubscriberIndex member, Guarantee guarantee = Guarantee::kExactlyOnce,
            std::uint32_t id = 0) {
    const Core::Member made =
        at.core.enter_group(member, kGroup, {.guarantee_max = guarantee, .subscription_id = id});
    ASSERT_EQ(made.reason, Reason::kOk);
    ASSERT_EQ(made.owner, owner_);
    const bool durable = at.core.subscriber(member).durable();
    const Core::Group group = owner().core.join_group(kGroup, made.ref, durable);
    ASSERT_EQ(group.reason, Reason::kOk);
    at.core.group_joined(kGroup, made.ref, group.key);
    carry();
  }
  void publish(Side& at, std::string_view payload, Guarantee guarantee = Guarantee::kAtLeastOnce) {
    model::Message message{.destination = model::Destination::topic("a"),
                           .payload = as_bytes(payload),
                           .guarantee = guarantee};
    ASSERT_LE(at.core.publish(message, kStart), Reason::kNoMatch);
    at.core.flush();
    carry();
  }
  void publish_numbers(int first, int last) {
    for (int i = first; i <= last; ++i) publish(owner(), std::to_string(i));
  }
  void settle_all(Side& at, SubscriberIndex member, ConnectionKey connection) {
    for (const model::Tag tag : std::exchange(at.tags[connection], {})) {
      at.core.settle(member, tag, tag, model::Outcome::kAccept, 1);
    }
    carry();
  }
  void detach(Side& at, SubscriberIndex member, model::Inflight inflight = {}) {
    at.core.detach(member, std::move(inflight), true, kStart);
    carry();
  }

  static constexpr std::string_view kGroup = "$share/g/a";
  Limits limits;
  std::deque<std::function<void()>> letters;

 private:
  std::vector<std::unique_ptr<Side>> sides_;
  std::uint16_t owner_ = 0;
  std::uint16_t other_ = 0;
};

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
  other().core.group_joined(kGroup, first.ref, old.key);
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
