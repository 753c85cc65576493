// SPDX-License-Identifier: Apache-2.0
// Subscribers' lives, wills, retained values and limits.
#include "hermod/core/core.hpp"

#include <gmock/gmock.h>

#include "core_fixture.hpp"

namespace hermod::core {
namespace {

using model::Reason;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class CoreTest : public CoreFixture {
 protected:
  using CoreFixture::CoreFixture;
};

TEST_F(CoreTest, ATransientSubscriberGoesWithItsConnection) {
  const SubscriberIndex one = attach("one", 1);
  subscribe(one, "a/b");
  EXPECT_EQ(core.find("one"), one);
  EXPECT_EQ(core.tree().subscriptions(), 1u);
  const std::uint32_t generation = core.generation(one);
  EXPECT_TRUE(core.holds(one, generation));
  core.detach(one, {}, true, now);
  EXPECT_EQ(core.find("one"), Subscribers::kNone);
  EXPECT_EQ(core.subscribers(), 0u);
  EXPECT_EQ(core.tree().subscriptions(), 0u);
  EXPECT_EQ(core.tree().find("a"), nullptr);
  EXPECT_FALSE(core.holds(one, generation));
}

TEST_F(CoreTest, ADurableSubscriberIsThereAgain) {
  const SubscriberIndex one = attach("one", 1, true, 60, 2);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  for (const char* payload : {"1", "2", "3"}) send("a", payload, Guarantee::kAtLeastOnce);
  core.settle(one, 1, 1, model::Outcome::kAccept, 0);
  model::Inflight inflight;
  const std::uint16_t id = inflight.take(2, Guarantee::kAtLeastOnce);
  core.detach(one, std::move(inflight), true, now);
  outlet.take(1);

  const Core::Attached again = core.attach("one", 2, false, 60, {}, now);
  EXPECT_EQ(again.subscriber, one);
  EXPECT_TRUE(again.session_present);  // [MQTT-3.2.2-2]
  ASSERT_NE(core.subscriber(one).inflight.find(id), nullptr);
  EXPECT_EQ(core.subscriber(one).inflight.find(id)->tag, 2u);
  EXPECT_EQ(outlet.take(2), "");  // no credit yet
  core.credit(one, 9);
  EXPECT_EQ(outlet.take(2), "2/1d 3/1 ");  // [MQTT-4.4.0-1]
}

TEST_F(CoreTest, ACleanStartForgetsEverything) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  core.detach(one, {}, true, now);
  send("a", "1", Guarantee::kAtLeastOnce);
  const Core::Attached again = core.attach("one", 2, true, 60, {}, now);  // [MQTT-3.1.2-6]
  EXPECT_FALSE(again.session_present);
  core.credit(again.subscriber, 9);
  send("a", "2", Guarantee::kAtLeastOnce);
  EXPECT_EQ(outlet.take(2), "");
  EXPECT_EQ(core.tree().subscriptions(), 0u);
}

TEST_F(CoreTest, ACleanStartMayComeWhileARunIsOpen) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  core.detach(one, {}, true, now);
  (void)publish("a", "1", Guarantee::kAtLeastOnce);
  (void)core.attach("one", 2, true, 60, {}, now);
  core.flush();
  EXPECT_EQ(core.counters().queued, 1u);  // went to the subscriber that was forgotten
  EXPECT_EQ(outlet.take(2), "");
}

// --- delayed wills (MQTT 5 §3.1.3.2.2) ---

class DelayedWillTest : public CoreTest {
 protected:
  DelayedWillTest() { subscribe(attach("watcher", 1), "wills/#"); }
  // A client whose connection breaks; its will comes 10 s later.
  SubscriberIndex break_off(std::uint32_t expiry_s) {
    const SubscriberIndex index =
        core.attach("mortal", 2, true, expiry_s, {will_of("wills/mortal", "gone"), 10}, now)
            .subscriber;
    due = core.detach(index, {}, false, now);
    return index;
  }
  Instant due{};
};

TEST_F(DelayedWillTest, ComesWhenItsTimeIsOver) {
  break_off(60);
  EXPECT_EQ(due, now + std::chrono::seconds{10});
  EXPECT_EQ(core.expire(due - Duration{1}), due);
  EXPECT_EQ(outlet.take(1), "");
  EXPECT_EQ(core.expire(due), now + std::chrono::seconds{60});  // the session's own end
  EXPECT_EQ(outlet.take(1), "gone/1 ");
  core.expire(now + std::chrono::seconds{60});
  EXPECT_EQ(outlet.take(1), "");
}

TEST_F(DelayedWillTest, ComesWithTheEndOfTheSession) {
  break_off(5);
  EXPECT_EQ(due, now + std::chrono::seconds{5});
  EXPECT_EQ(core.expire(due), kNever);
  EXPECT_EQ(outlet.take(1), "gone/1 ");
}

TEST_F(DelayedWillTest, ComesAtOnceWhenTheSessionEndsWithTheConnection) {
  break_off(0);
  EXPECT_EQ(outlet.take(1), "gone/1 ");
}

// [MQTT-3.1.3-9]
TEST_F(DelayedWillTest, DoesNotComeWhenTheClientIsBack) {
  break_off(60);
  const Core::Attached back = core.attach("mortal", 3, false, 60, {}, now);
  EXPECT_TRUE(back.session_present);
  core.expire(now + std::chrono::seconds{30});
  core.detach(back.subscriber, {}, false, now);
  core.expire(now + std::chrono::seconds{90});
  EXPECT_EQ(outlet.take(1), "");
}

TEST_F(DelayedWillTest, ComesWhenACleanStartEndsTheSession) {
  break_off(60);
  EXPECT_FALSE(core.attach("mortal", 3, true, 60, {}, now).session_present);
  EXPECT_EQ(outlet.take(1), "gone/1 ");
}

// MQTT 5 §3.1.3.2.4, with a delay and without.
TEST_F(CoreTest, AWillsExpiryBeginsWithItsPublication) {
  for (const std::uint32_t delay_s : {0u, 10u}) {
    const SubscriberIndex mortal =
        core.attach("mortal", 2, true, 60, {will_of("w", "gone", true), delay_s, 5}, now)
            .subscriber;
    subscribe(mortal, "w", Guarantee::kAtLeastOnce);
    now += std::chrono::hours{1};
    core.detach(mortal, {}, false, now);
    now += std::chrono::seconds{delay_s};
    core.expire(now);
    EXPECT_NE(core.retained().find("w", now + std::chrono::seconds{5} - Duration{1}), nullptr);
    EXPECT_EQ(core.retained().find("w", now + std::chrono::seconds{5}), nullptr);
    outlet.expiries.clear();
    (void)attach("mortal", 3, false, 60);
    ASSERT_EQ(outlet.expiries.size(), 1u);  // the copy in the queue too
    EXPECT_EQ(outlet.expiries.front(), now + std::chrono::seconds{5});
    core.detach(core.find("mortal"), {}, true, now);
  }
}

TEST_F(DelayedWillTest, AGoodbyeDiscardsIt) {
  const SubscriberIndex index =
      core.attach("mortal", 2, true, 60, {will_of("wills/mortal", "gone"), 10}, now).subscriber;
  EXPECT_EQ(core.detach(index, {}, true, now), now + std::chrono::seconds{60});
  core.expire(now + std::chrono::seconds{90});
  EXPECT_EQ(outlet.take(1), "");
}

TEST_F(CoreTest, AGoodbyeMaySayHowLongTheSessionLasts) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  core.set_expiry(one, 5);
  EXPECT_EQ(core.detach(one, {}, true, now), now + std::chrono::seconds{5});
  limits.expiry_s_max = 100;
  const SubscriberIndex two = attach("two", 2, true, 60);
  core.set_expiry(two, UINT32_MAX);
  EXPECT_EQ(core.detach(two, {}, true, now), now + std::chrono::seconds{100});
}

TEST_F(CoreTest, AnonymousSubscribersDoNotMeet) {
  const SubscriberIndex one = attach("", 1);
  const SubscriberIndex two = attach("", 2);
  EXPECT_NE(one, two);
  EXPECT_EQ(core.find(""), Subscribers::kNone);
  core.detach(one, {}, true, now);
  EXPECT_EQ(core.subscribers(), 1u);
}

TEST_F(CoreTest, TheWillIsPublishedUnlessDiscarded) {
  subscribe(attach("", 1), "wills/#", Guarantee::kAtLeastOnce);
  for (const bool discard : {false, true}) {
    const SubscriberIndex mortal =
        core.attach("mortal", 2, true, 0, {will_of("wills/mortal", "gone")}, now).subscriber;
    core.detach(mortal, {}, discard, now);  // [MQTT-3.1.2-8], [MQTT-3.14.4-3]
    EXPECT_EQ(outlet.take(1), discard ? "" : "gone/1 ");
  }
}

TEST_F(CoreTest, AWillMayBeRetainedAndReachesADurableSubscriberOfItsOwn) {
  const SubscriberIndex mortal =
      core.attach("mortal", 2, true, 60, {will_of("wills/mortal", "gone", true)}, now).subscriber;
  subscribe(mortal, "wills/#", Guarantee::kAtLeastOnce);
  core.detach(mortal, {}, false, now);
  ASSERT_NE(core.retained().find("wills/mortal", now), nullptr);
  (void)attach("mortal", 3, false, 60);
  EXPECT_EQ(outlet.take(3), "gone/1 ");
}

TEST_F(CoreTest, ASubscriberAwayTooLongIsForgotten) {
  const SubscriberIndex short_one = attach("short", 1, true, 10);
  const SubscriberIndex long_one = attach("long", 2, true, 20);
  const SubscriberIndex endless = attach("endless", 3, true, UINT32_MAX);
  (void)attach("here", 4, true, 10);
  for (const SubscriberIndex index : {short_one, long_one, endless}) {
    subscribe(index, "a");
    core.detach(index, {}, true, now);
  }
  EXPECT_EQ(core.expire(now + std::chrono::seconds{9}), now + std::chrono::seconds{10});
  EXPECT_NE(core.find("short"), Subscribers::kNone);
  EXPECT_EQ(core.expire(now + std::chrono::seconds{10}), now + std::chrono::seconds{20});
  EXPECT_EQ(core.find("short"), Subscribers::kNone);
  EXPECT_EQ(core.expire(now + std::chrono::seconds{1'000'000}), kNever);
  EXPECT_EQ(core.find("long"), Subscribers::kNone);
  EXPECT_EQ(core.find("endless"), endless);
  EXPECT_NE(core.find("here"), Subscribers::kNone);  // attached: its time has not begun
  EXPECT_EQ(core.tree().subscriptions(), 1u);
}

TEST_F(CoreTest, ExpiryIsCutToItsLimit) {
  limits.expiry_s_max = 5;
  const SubscriberIndex one = attach("one", 1, true, UINT32_MAX);
  core.detach(one, {}, true, now);
  (void)core.expire(now + std::chrono::seconds{4});
  EXPECT_EQ(core.find("one"), one);
  (void)core.expire(now + std::chrono::seconds{5});
  EXPECT_EQ(core.find("one"), Subscribers::kNone);
}

TEST_F(CoreTest, SubscribersMaxRefusesOneMore) {
  limits.subscribers_max = 2;
  const SubscriberIndex one = attach("one", 1, true, 60);
  (void)attach("two", 2);
  EXPECT_EQ(core.attach("three", 3, true, 0, {}, now).reason, Reason::kQuotaExceeded);
  EXPECT_EQ(core.find("three"), Subscribers::kNone);
  core.detach(one, {}, true, now);
  EXPECT_EQ(core.attach("three", 3, true, 0, {}, now).reason,
            Reason::kQuotaExceeded);  // away counts
  EXPECT_EQ(core.attach("one", 4, false, 60, {}, now).reason, Reason::kOk);
  core.detach(one, {}, true, now);
  EXPECT_EQ(core.attach("one", 5, true, 0, {}, now).reason, Reason::kOk);  // in its own place
}

TEST_F(CoreTest, SubscriptionsMaxRefusesOneMoreFilter) {
  limits.subscriptions_max = 2;
  const SubscriberIndex one = attach("one", 1);
  subscribe(one, "a");
  subscribe(one, "b");
  EXPECT_EQ(core.subscribe(one, "c", {}).reason, Reason::kQuotaExceeded);
  EXPECT_EQ(core.tree().find("c"), nullptr);
  const Core::Subscribed again = core.subscribe(one, "b", {});
  EXPECT_EQ(again.reason, Reason::kOk);
  EXPECT_TRUE(again.replaced);
  EXPECT_EQ(core.unsubscribe(one, "a"), Reason::kOk);
  subscribe(one, "c");
  subscribe(attach("two", 2), "d");  // each has its own
}

TEST_F(CoreTest, SubscribingAgainReplacesTheOptions) {
  const SubscriberIndex one = attach("one", 1);
  subscribe(one, "a", Guarantee::kExactlyOnce);
  subscribe(one, "a", Guarantee::kAtMostOnce);  // [MQTT-3.8.4-3]
  send("a", "x", Guarantee::kExactlyOnce);
  EXPECT_EQ(outlet.take(1), "x/0 ");
  EXPECT_EQ(core.unsubscribe(one, "a"), Reason::kOk);
  EXPECT_EQ(core.tree().find("a"), nullptr);
}

TEST_F(CoreTest, OnlyWhatIsSubscribedCanBeUnsubscribed) {
  const SubscriberIndex one = attach("one", 1);
  const SubscriberIndex two = attach("two", 2);
  subscribe(one, "a/b");
  EXPECT_EQ(core.unsubscribe(one, "a"), Reason::kNotFound);  // a level, not a subscription
  EXPECT_EQ(core.unsubscribe(two, "a/b"), Reason::kNotFound);
  EXPECT_EQ(core.unsubscribe(one, "c"), Reason::kNotFound);
  EXPECT_EQ(core.unsubscribe(one, "a/b"), Reason::kOk);
  EXPECT_EQ(core.unsubscribe(one, "a/b"), Reason::kNotFound);
  send("a/b", "x");
  EXPECT_EQ(outlet.take(1), "");
}

TEST_F(CoreTest, ARetainedValueIsDeliveredAsSuch) {
  send("a", "x", Guarantee::kExactlyOnce, true);
  const SubscriberIndex one = attach("one", 1);
  const model::Message* value = core.retained().find("a", now);
  ASSERT_NE(value, nullptr);
  core.deliver_retained(one, *value,
                        {.guarantee_max = Guarantee::kAtLeastOnce, .subscription_id = 4});
  core.pump(one);
  EXPECT_EQ(outlet.take(1), "x/1r#4 ");  // [MQTT-3.3.1-8]
}

TEST_F(CoreTest, ARetainedPublicationThatDoesNotFitReachesNobody) {
  limits.retained_messages_max = 1;
  subscribe(attach("", 1), "#");
  send("a", "x", Guarantee::kAtMostOnce, true);
  EXPECT_EQ(publish("b", "y", Guarantee::kAtMostOnce, true), Reason::kQuotaExceeded);
  core.flush();
  EXPECT_EQ(outlet.take(1), "x/0 ");
  limits.retained_bytes_max = core.retained().bytes();
  EXPECT_EQ(publish("a", "longer than before", Guarantee::kAtMostOnce, true),
            Reason::kQuotaExceeded);
  core.flush();
  EXPECT_EQ(outlet.take(1), "");
}

class ThreeShards : public CoreFixture {
 protected:
  ThreeShards() : CoreFixture(3) {
    core.on_interest_lost([this](std::string_view filter) { lost.emplace_back(filter); });
  }
  std::string topic_of(std::uint16_t owner) {
    for (int i = 0;; ++i) {
      std::string topic = fmt::format("t{}", i);
      if (core.owner_of(topic) == owner) return topic;
    }
  }
  std::vector<std::string> lost;
};

TEST_F(ThreeShards, EveryShardOwnsSomething) {
  std::array<int, 3> owned{};
  for (int i = 0; i < 3'000; ++i) ++owned.at(core.owner_of(fmt::format("client-{}", i)));
  for (const int count : owned) EXPECT_NEAR(count, 1'000, 150);
}

TEST_F(ThreeShards, LostInterestIsTold) {
  const SubscriberIndex one = attach("one", 1);
  const SubscriberIndex two = attach("two", 2);
  for (const char* filter : {"a/b", "c"}) subscribe(one, filter);
  subscribe(two, "a/b");
  EXPECT_EQ(core.unsubscribe(one, "a/b"), Reason::kOk);
  EXPECT_TRUE(lost.empty());  // two still has it
  core.detach(one, {}, true, now);
  EXPECT_THAT(lost, ElementsAre("c"));
  core.detach(two, {}, true, now);
  EXPECT_THAT(lost, ElementsAre("c", "a/b"));
}

TEST_F(ThreeShards, TheOwnerOfARetainedTopicGetsIt) {
  const std::string mine = topic_of(0);
  const std::string other = topic_of(2);
  core.set_interest(other, 1, true);
  send(mine, "x", Guarantee::kAtMostOnce, true);
  send(other, "y", Guarantee::kAtMostOnce, true);
  EXPECT_NE(core.retained().find(mine, now), nullptr);
  EXPECT_EQ(core.retained().find(other, now), nullptr);
  EXPECT_THAT(outlet.forwarded, ElementsAre(other + "=y to 2 owner 4"));
}

TEST_F(ThreeShards, AStampIsGreaterThanWhatWasPublishedOrSeenBefore) {
  const std::string topic = topic_of(0);
  const auto version = [&] { return core.retained().find(topic, now)->version; };
  send(topic, "1", Guarantee::kAtMostOnce, true);
  const Stamp first = version();
  EXPECT_EQ(first & 63, 0u);  // the shard
  send(topic, "2", Guarantee::kAtMostOnce, true);
  EXPECT_GT(version(), first);

  const Stamp seen = core.stamp() + 1'000'000;
  const model::Message foreign{
      .destination = model::Destination::topic("elsewhere"), .retain = true, .version = seen};
  core.receive(foreign, true, false);
  core.flush();
  EXPECT_GE(core.stamp() >> kStampShardBits, seen >> kStampShardBits);
  send(topic, "3", Guarantee::kAtMostOnce, true);
  EXPECT_GT(version(), seen);
}

// Two shards that hear nothing of each other: the one that published more does not win by that.
TEST_F(ThreeShards, WhatWasPublishedLaterStaysWithoutHearingOfTheOther) {
  RecordingOutlet other_outlet;
  Core other{{.shard = 1, .shards = 3, .hash_key = kHashKey}, limits, journal, other_outlet};
  const std::string mine = topic_of(0);
  const std::string others = topic_of(1);
  for (int i = 0; i < 1'000; ++i) send(mine, "busy", Guarantee::kAtMostOnce, true);
  send(others, "first", Guarantee::kAtMostOnce, true);
  const Stamp first = core.stamp();

  model::Message second{.destination = model::Destination::topic(others),
                        .payload = as_bytes("second"),
                        .retain = true};
  EXPECT_EQ(other.publish(second, now + std::chrono::milliseconds{1}), Reason::kOk);
  other.flush();
  EXPECT_GT(second.version, first);
}

}  // namespace
}  // namespace hermod::core
