// SPDX-License-Identifier: Apache-2.0
// Runs, the fast lane, queues and their limits, seen from outside the core.
#include "hermod/core/router.hpp"

#include <gmock/gmock.h>

#include "core_fixture.hpp"
#include "hermod/base/output.hpp"
#include "hermod/base/rng.hpp"

namespace hermod::core {
namespace {

using testing::ElementsAre;

class RouterTest : public CoreFixture {
 protected:
  using CoreFixture::CoreFixture;
  [[nodiscard]] const RouterCounters& counters() const { return core.counters(); }
};

TEST_F(RouterTest, ARunIsDeliveredToEverybodyAsTheSameSpan) {
  for (ConnectionKey connection : {1u, 2u, 3u}) subscribe(attach("", connection), "a/+");
  for (const char* payload : {"x", "y", "z"})
    EXPECT_EQ(publish("a/b", payload), model::Reason::kOk);
  EXPECT_TRUE(outlet.batches.empty());
  core.flush();
  ASSERT_EQ(outlet.batches.size(), 3u);
  for (const auto& batch : outlet.batches) {
    EXPECT_THAT(batch.items, ElementsAre("x/0", "y/0", "z/0"));
    EXPECT_EQ(batch.span, outlet.batches[0].span);
    EXPECT_NE(batch.slots, nullptr);
    EXPECT_EQ(batch.slots, outlet.batches[0].slots);
  }
  EXPECT_EQ(counters().published, 3u);
  EXPECT_EQ(counters().delivered, 9u);
}

TEST_F(RouterTest, AudienceGuaranteeOrPublisherEndARun) {
  subscribe(attach("", 1), "#");
  subscribe(attach("", 2), "b");
  (void)publish("a", "1");
  (void)publish("a", "2");
  (void)publish("b", "3");
  (void)publish("b", "4", Guarantee::kAtLeastOnce);
  (void)publish("b", "5", Guarantee::kAtLeastOnce, false, 9);
  core.flush();
  ASSERT_EQ(outlet.batches.size(), 7u);
  EXPECT_THAT(outlet.batches[0].items, ElementsAre("1/0", "2/0"));
  EXPECT_EQ(outlet.take(1), "1/0 2/0 3/0 4/1 5/1 ");
  EXPECT_EQ(outlet.take(2), "3/0 4/1 5/1 ");
}

TEST_F(RouterTest, TopicsThatTheSameFewGetAlikeAreOneRun) {
  for (ConnectionKey connection : {1u, 2u}) {
    subscribe(attach("", connection), "a/+", Guarantee::kAtLeastOnce, {.subscription_id = 7});
  }
  constexpr int kTopics = 200;  // the cache grows, and moves what it holds
  std::string expected;
  for (int i = 0; i < kTopics; ++i) {
    const std::string payload = std::to_string(i);
    (void)publish("a/" + payload, payload);
    expected += payload + "/0#7 ";
  }
  core.flush();
  ASSERT_EQ(outlet.batches.size(), 2u);
  EXPECT_EQ(outlet.take(1), expected);
  EXPECT_EQ(outlet.take(2), expected);
}

// Same subscribers, but not in the same way.
TEST_F(RouterTest, OtherOptionsForATopicEndARun) {
  const SubscriberIndex one = attach("", 1);
  subscribe(one, "a/+", Guarantee::kAtMostOnce, {.subscription_id = 1});
  subscribe(one, "a/b", Guarantee::kAtLeastOnce, {.subscription_id = 2});
  subscribe(one, "a/c", Guarantee::kAtMostOnce, {.retain_as_published = true});
  for (const char* topic : {"a/a", "a/b", "a/c", "a/d"}) {
    (void)publish(topic, "x", Guarantee::kAtLeastOnce);
  }
  core.flush();
  EXPECT_EQ(outlet.batches.size(), 4u);
  const std::string got = outlet.take(1);
  EXPECT_TRUE(got.starts_with("x/0#1 x/1#")) << got;
  EXPECT_TRUE(got.ends_with("x/0#1 x/0#1 ")) << got;
}

TEST_F(RouterTest, WithManySubscribersEachTopicIsARunOfItsOwn) {
  for (ConnectionKey connection = 1; connection <= 5; ++connection) {
    subscribe(attach("", connection), "a/+");
  }
  (void)publish("a/b", "1");
  (void)publish("a/b", "2");
  (void)publish("a/c", "3");
  core.flush();
  EXPECT_EQ(outlet.batches.size(), 10u);
  for (ConnectionKey connection = 1; connection <= 5; ++connection) {
    EXPECT_EQ(outlet.take(connection), "1/0 2/0 3/0 ");
  }
}

TEST_F(RouterTest, ARunHasAnEnd) {
  subscribe(attach("", 1), "a");
  for (int i = 0; i < 600; ++i) (void)publish("a", "x");
  core.flush();
  ASSERT_EQ(outlet.batches.size(), 3u);
  EXPECT_EQ(outlet.batches[0].items.size(), 256u);
  EXPECT_EQ(outlet.batches[2].items.size(), 88u);
}

TEST_F(RouterTest, AChangeOfTheTreeSeesTheRunBeforeIt) {
  const SubscriberIndex early = attach("", 1);
  const SubscriberIndex late = attach("", 2);
  subscribe(early, "a");
  (void)publish("a", "1");
  subscribe(late, "a");
  (void)publish("a", "2");
  EXPECT_EQ(core.unsubscribe(early, "a"), model::Reason::kOk);
  (void)publish("a", "3");
  core.detach(late, {}, true, now);
  (void)publish("a", "4");
  core.flush();
  EXPECT_EQ(outlet.take(1), "1/0 2/0 ");
  EXPECT_EQ(outlet.take(2), "2/0 3/0 ");
}

// A client that acknowledges all messages but one is not sent new ones for ever.
TEST_F(RouterTest, AMessageThatIsNeverSettledHoldsUpTheOthersInTheEnd) {
  const SubscriberIndex subscriber = attach("", 1);
  subscribe(subscriber, "a");
  send("a", "stuck", Guarantee::kAtLeastOnce);
  const model::Tag stuck = outlet.tags[1].front();
  for (std::size_t i = 0; i < Queue::kSettledMax; ++i) {
    send("a", "x", Guarantee::kAtLeastOnce);
    const model::Tag tag = outlet.tags[1].back();
    core.settle(subscriber, tag, tag, model::Outcome::kAccept, 1);
  }
  (void)outlet.take(1);
  send("a", "held up", Guarantee::kAtLeastOnce);
  EXPECT_EQ(outlet.take(1), "");
  core.settle(subscriber, stuck, stuck, model::Outcome::kAccept, 1);
  EXPECT_EQ(outlet.take(1), "held up/1 ");
}

TEST_F(RouterTest, TheLowerGuaranteeCounts) {
  subscribe(attach("", 1), "a", Guarantee::kAtMostOnce);
  subscribe(attach("", 2), "a", Guarantee::kAtLeastOnce);
  subscribe(attach("", 3), "a", Guarantee::kExactlyOnce);
  for (const Guarantee guarantee :
       {Guarantee::kAtMostOnce, Guarantee::kAtLeastOnce, Guarantee::kExactlyOnce}) {
    send("a", "x", guarantee);
  }
  EXPECT_EQ(outlet.take(1), "x/0 x/0 x/0 ");
  EXPECT_EQ(outlet.take(2), "x/0 x/1 x/1 ");
  EXPECT_EQ(outlet.take(3), "x/0 x/1 x/2 ");
}

TEST_F(RouterTest, TheRetainFlagIsKeptForThoseWhoAskedForIt) {
  subscribe(attach("", 1), "a");
  subscribe(attach("", 2), "a", Guarantee::kExactlyOnce, {.retain_as_published = true});
  send("a", "x", Guarantee::kAtMostOnce, true);
  send("a", "y");
  EXPECT_EQ(outlet.take(1), "x/0 y/0 ");  // [MQTT-3.3.1-9]
  EXPECT_EQ(outlet.take(2), "x/0r y/0 ");
}

TEST_F(RouterTest, SubscriptionIdsComeBack) {
  const SubscriberIndex one = attach("", 1);
  subscribe(one, "a", Guarantee::kAtLeastOnce, {.subscription_id = 5});
  subscribe(one, "+", Guarantee::kAtLeastOnce, {.subscription_id = 6});
  const SubscriberIndex queued = attach("", 2, true, 0, 0);
  subscribe(queued, "a", Guarantee::kAtLeastOnce, {.subscription_id = 7});
  send("a", "x", Guarantee::kAtLeastOnce);
  const std::string both = outlet.take(1);
  EXPECT_TRUE(both == "x/1#5#6 " || both == "x/1#6#5 ") << both;
  EXPECT_EQ(outlet.take(2), "");
  core.credit(queued, 1);
  EXPECT_EQ(outlet.take(2), "x/1#7 ");
}

TEST_F(RouterTest, CreditLimitsWhatIsOut) {
  const SubscriberIndex one = attach("", 1, true, 0, 2);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  for (const char* payload : {"1", "2", "3", "4"}) send("a", payload, Guarantee::kAtLeastOnce);
  EXPECT_EQ(outlet.take(1), "1/1 2/1 ");
  EXPECT_THAT(outlet.tags[1], ElementsAre(1u, 2u));
  core.settle(one, 1, 1, model::Outcome::kAccept, 1);
  EXPECT_EQ(outlet.take(1), "3/1 ");
  core.settle(one, 2, 3, model::Outcome::kAccept, 2);
  EXPECT_EQ(outlet.take(1), "4/1 ");
  send("a", "5", Guarantee::kAtLeastOnce);
  send("a", "6", Guarantee::kAtLeastOnce);
  EXPECT_EQ(outlet.take(1), "5/1 ");
  EXPECT_THAT(outlet.tags[1], ElementsAre(1u, 2u, 3u, 4u, 5u));
}

TEST_F(RouterTest, AtMostOnceNeedsNoCreditButNeverOvertakes) {
  const SubscriberIndex one = attach("", 1, true, 0, 0);
  subscribe(one, "a");
  send("a", "1");
  EXPECT_EQ(outlet.take(1), "1/0 ");
  send("a", "2", Guarantee::kAtLeastOnce);
  send("a", "3");
  EXPECT_EQ(outlet.take(1), "");
  core.credit(one, 1);
  EXPECT_EQ(outlet.take(1), "2/1 3/0 ");
}

TEST_F(RouterTest, AClosedConnectionGetsNothingUntilItOpens) {
  const SubscriberIndex one = attach("", 1);
  subscribe(one, "a");
  core.set_open(one, false);
  send("a", "1");
  send("a", "2", Guarantee::kAtLeastOnce);
  core.credit(one, 5);
  EXPECT_EQ(outlet.take(1), "");
  core.set_open(one, true);
  EXPECT_EQ(outlet.take(1), "1/0 2/1 ");
}

// The fast lane and the queue say the same: one subscriber always keeps up, the other is held up at
// random.
TEST_F(RouterTest, WhoIsHeldUpGetsTheSameSequence) {
  SeededRng rng{11};
  const SubscriberIndex fast = attach("", 1, true, 0, 1'000'000);
  const SubscriberIndex slow = attach("", 2, true, 0, 0);
  for (const SubscriberIndex index : {fast, slow}) {
    subscribe(index, "a/+", Guarantee::kAtLeastOnce, {.subscription_id = 1});
    subscribe(index, "a/b", Guarantee::kExactlyOnce);
  }
  std::string all_fast;
  std::string all_slow;
  std::size_t settled = 0;
  for (int i = 0; i < 2'000; ++i) {
    const std::string topic = rng.below(2) == 0 ? "a/b" : "a/c";
    for (std::uint64_t run = 1 + rng.below(3); run > 0; --run) {
      (void)publish(topic, std::to_string(i), static_cast<Guarantee>(rng.below(3)));
    }
    if (rng.below(2) == 0) core.flush();
    if (rng.below(4) == 0) core.set_open(slow, rng.below(2) == 0);
    if (rng.below(3) == 0) core.credit(slow, static_cast<std::uint32_t>(rng.below(5)));
    if (rng.below(3) == 0 && settled < outlet.tags[2].size()) {
      const model::Tag tag = outlet.tags[2][settled++];
      core.settle(slow, tag, tag, model::Outcome::kAccept, 1);
    }
  }
  core.set_open(slow, true);
  core.credit(slow, 1'000'000);
  core.flush();
  EXPECT_EQ(outlet.take(1), outlet.take(2));
  EXPECT_EQ(outlet.tags[1].size(), outlet.tags[2].size());
  EXPECT_TRUE(std::ranges::is_sorted(outlet.tags[2]));
}

TEST_F(RouterTest, NoLocalIsNotForOnesOwn) {
  const SubscriberIndex one = attach("", 1);
  const SubscriberIndex two = attach("", 2);
  subscribe(one, "a", Guarantee::kAtMostOnce, {.no_local = true});
  subscribe(two, "a", Guarantee::kAtMostOnce, {.no_local = true});
  (void)publish("a", "own", Guarantee::kAtMostOnce, false, 1);
  core.flush();
  EXPECT_EQ(outlet.take(1), "");
  EXPECT_EQ(outlet.take(2), "own/0 ");
  subscribe(one, "+", Guarantee::kAtMostOnce);  // one of the overlapping ones wants its own
  (void)publish("a", "again", Guarantee::kAtMostOnce, false, 1);
  core.flush();
  EXPECT_EQ(outlet.take(1), "again/0 ");
}

// [MQTT-3.8.3-3]: for the publisher the subscriptions with No Local do not count at all.
TEST_F(RouterTest, ThePublisherGetsWhatItsOtherSubscriptionsSay) {
  const SubscriberIndex one = attach("", 1);
  subscribe(one, "a/#", Guarantee::kExactlyOnce, {.no_local = true, .subscription_id = 1});
  subscribe(one, "a/+", Guarantee::kAtMostOnce, {.subscription_id = 2});
  (void)publish("a/b", "own", Guarantee::kAtLeastOnce, false, 1);
  (void)publish("a/b", "other", Guarantee::kAtLeastOnce, false, 2);
  core.flush();
  EXPECT_EQ(outlet.take(1), "own/0#2 other/1#1#2 ");
}

// The will was published for a connection of that client: back again, it does not get it.
TEST_F(RouterTest, NoLocalIsNotForOnesOwnWill) {
  for (const std::uint32_t delay_s : {0u, 5u}) {
    const std::string id = fmt::format("c{}", delay_s);
    const auto mine = core.attach(id, 1, true, 60, {will_of("a", "will"), delay_s}, now);
    subscribe(mine.subscriber, "a", Guarantee::kAtLeastOnce, {.no_local = true});
    const SubscriberIndex other = attach("other" + id, 2, true, 60);
    subscribe(other, "a", Guarantee::kAtLeastOnce, {.no_local = true});
    (void)core.detach(mine.subscriber, {}, false, now);
    now += std::chrono::seconds{delay_s};
    (void)core.expire(now);
    core.flush();
    EXPECT_EQ(outlet.take(2), "will/1 ");
    (void)attach(id, 3 + delay_s, false, 60);
    send("a", "later", Guarantee::kAtLeastOnce);
    EXPECT_EQ(outlet.take(3 + delay_s), "later/1 ");
    (void)core.detach(other, {}, true, now);
    (void)outlet.take(2);
  }
}

TEST_F(RouterTest, NoLocalIsNotForOnesOwnRetainedValues) {
  const SubscriberIndex one = attach("one", 1);
  const SubscriberIndex two = attach("two", 2);
  const auto retained = [](std::string_view id) {
    return model::Message{.destination = model::Destination::topic("a"),
                          .payload = as_bytes("x"),
                          .retain = true,
                          .origin = {.client = Subscribers::mark(id)}};
  };
  for (const SubscriberIndex subscriber : {one, two}) {
    core.deliver_retained(subscriber, retained("one"), {.no_local = true});
    core.deliver_retained(subscriber, retained(""), {.no_local = true});  // nobody's
    core.deliver_retained(subscriber, retained("one"), {});
    core.pump(subscriber);
  }
  EXPECT_EQ(outlet.take(1), "x/0r x/0r ");
  EXPECT_EQ(outlet.take(2), "x/0r x/0r x/0r ");
}

TEST_F(RouterTest, AWillThatHasWaitedIsAskedAbout) {
  std::string asked;
  bool may = false;
  core.on_late_will([&](SubscriberIndex, std::string_view topic) {
    asked += topic;
    return may;
  });
  subscribe(attach("", 9), "#", Guarantee::kAtLeastOnce);
  const auto leave = [&](std::string_view topic, std::uint32_t delay_s) {
    const auto made = core.attach("w", 1, true, 60, {will_of(topic, "will"), delay_s}, now);
    (void)core.detach(made.subscriber, {}, false, now);
    core.flush();
  };
  leave("at-once", 0);  // whoever detaches it has just decided
  EXPECT_EQ(outlet.take(9), "will/1 ");
  leave("late", 5);
  now += std::chrono::seconds{5};
  (void)core.expire(now);
  leave("ended", 50);
  now += std::chrono::seconds{60};
  (void)core.expire(now);
  core.flush();
  EXPECT_EQ(asked, "lateended");
  EXPECT_EQ(outlet.take(9), "");
  may = true;
  leave("late", 5);
  now += std::chrono::seconds{5};
  (void)core.expire(now);
  core.flush();
  EXPECT_EQ(outlet.take(9), "will/1 ");
}

// Connection 1 of another shard is not connection 1 of this one.
TEST_F(RouterTest, NoLocalDoesNotMeanOtherShards) {
  subscribe(attach("", 1), "a", Guarantee::kAtMostOnce, {.no_local = true});
  const model::Message message{.destination = model::Destination::topic("a"),
                               .payload = as_bytes("x"),
                               .origin = {.shard = 1, .connection = 1}};
  core.receive(message, true, false);
  core.flush();
  EXPECT_EQ(outlet.take(1), "x/0 ");
}

TEST_F(RouterTest, AFullQueueDropsTheNewestAndCounts) {
  limits.queue_messages_max = 3;
  const SubscriberIndex one = attach("", 1, true, 0, 0);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  for (const char* payload : {"1", "2", "3", "4", "5"}) send("a", payload, Guarantee::kAtLeastOnce);
  EXPECT_EQ(counters().queued, 3u);
  EXPECT_EQ(counters().dropped_full(), 2u);
  core.credit(one, 1);
  send("a", "6", Guarantee::kAtLeastOnce);
  core.credit(one, 10);
  EXPECT_EQ(outlet.take(1), "1/1 2/1 3/1 6/1 ");
}

TEST_F(RouterTest, AQueueHoldsSoManyOctets) {
  limits.queue_bytes_max = 10'000;
  const SubscriberIndex one = attach("", 1, true, 0, 0);
  subscribe(one, "a", Guarantee::kAtLeastOnce);
  const std::string payload(3'000, 'x');
  for (int i = 0; i < 5; ++i) send("a", payload, Guarantee::kAtLeastOnce);
  EXPECT_EQ(counters().queued, 3u);
  EXPECT_EQ(counters().dropped_full(), 2u);
  EXPECT_LE(core.subscriber(one).queue.bytes(), limits.queue_bytes_max);
  // What is out and not settled counts as well; settled makes room.
  core.credit(one, 3);
  send("a", payload, Guarantee::kAtLeastOnce);
  EXPECT_EQ(counters().dropped_full(), 3u);
  core.settle(one, 1, 3, model::Outcome::kAccept, 0);
  send("a", payload, Guarantee::kAtLeastOnce);
  EXPECT_EQ(counters().queued, 4u);
}

TEST_F(RouterTest, ALargePayloadIsCopiedOnceForAll) {
  for (ConnectionKey connection : {1u, 2u}) {
    subscribe(attach("", connection, true, 0, 0), "a", Guarantee::kAtLeastOnce);
  }
  const SubscriberIndex third = attach("", 3);
  subscribe(third, "a", Guarantee::kAtLeastOnce);
  send("a", std::string(Output::kShareFrom, 'x'), Guarantee::kAtLeastOnce);
  std::vector<model::Delivery> items;
  const std::uint8_t* at = nullptr;
  for (SubscriberIndex index = 0; index < 2; ++index) {
    (void)core.subscriber(index).queue.take(1, 1, items);
    ASSERT_EQ(items.size(), 1u);
    if (at == nullptr) at = items[0].message->payload.data();
    EXPECT_EQ(items[0].message->payload.data(), at);
  }
}

TEST_F(RouterTest, AwayAtMostOnceIsDroppedAndBetterWaits) {
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a");
  core.detach(one, {}, true, now);
  send("a", "0");
  send("a", "1", Guarantee::kAtLeastOnce);
  send("a", "2", Guarantee::kExactlyOnce);
  EXPECT_EQ(counters().dropped_away, 1u);
  EXPECT_EQ(counters().queued, 2u);
  core.hear_journal();
  EXPECT_EQ(core.subscriber(one).queue.bytes_in_memory(), 0u);
  EXPECT_EQ(attach("one", 2, false, 60), one);
  EXPECT_EQ(outlet.take(2), "1/1 2/2 ");  // first delivery: no repetition
}

// What is settled in between takes no credit, also where messages come back from the store.
TEST_F(RouterTest, ASettledOneInBetweenDoesNotHoldUpTheNext) {
  const SubscriberIndex one = attach("one", 1, true, 60, 3);
  subscribe(one, "a");
  for (const char* payload : {"1", "2", "3"}) send("a", payload, Guarantee::kAtLeastOnce);
  core.settle(one, 2, 2, model::Outcome::kAccept, 0);
  core.detach(one, {}, true, now);
  core.hear_journal();
  ASSERT_EQ(core.subscriber(one).queue.bytes_in_memory(), 0u);
  EXPECT_EQ(attach("one", 2, false, 60, 2), one);
  EXPECT_EQ(outlet.take(2), "1/1d 3/1d ");
}

TEST_F(RouterTest, AwayAtMostOnceWaitsWhenConfigured) {
  limits.queue_at_most_once_offline = true;
  const SubscriberIndex one = attach("one", 1, true, 60);
  subscribe(one, "a");
  core.set_open(one, false);
  send("a", "waiting");
  core.detach(one, {}, true, now);
  send("a", "away");
  (void)attach("one", 2, false, 60);
  EXPECT_EQ(outlet.take(2), "waiting/0 away/0 ");
}

TEST_F(RouterTest, TheJournalGetsEachRunWithAllKeptSubscribers) {
  const SubscriberIndex durable = attach("d", 1, true, 60);
  const SubscriberIndex away = attach("e", 2, true, 60);
  const SubscriberIndex transient = attach("t", 3);
  const SubscriberIndex careless = attach("c", 4, true, 60);
  for (const SubscriberIndex index : {durable, away, transient}) subscribe(index, "a");
  subscribe(careless, "a", Guarantee::kAtMostOnce);
  core.detach(away, {}, true, now);

  (void)journal.take_lines();
  for (const char* payload : {"1", "2", "3"}) (void)publish("a", payload, Guarantee::kAtLeastOnce);
  core.flush();
  send("a", "4");  // at most once: nothing to keep
  send("a", "5", Guarantee::kExactlyOnce);
  send("b", "6", Guarantee::kExactlyOnce);  // nobody
  EXPECT_THAT(journal.take_lines(), ElementsAre("append 123 for 1@1 2@1", "append 5 for 1@4 2@4"));
}

class TwoShards : public RouterTest {
 protected:
  TwoShards() : RouterTest(2) {}
};

TEST_F(TwoShards, WhatAnotherShardWantsIsForwardedOnceAMessage) {
  core.set_interest("a/#", 1, true);
  send("a/b", "x");
  send("b", "y");
  core.set_interest("a/#", 1, false);
  send("a/b", "z");
  EXPECT_THAT(outlet.forwarded, ElementsAre("a/b=x to 2 owner 0"));
}

TEST_F(TwoShards, WhatCameFromAnotherShardIsNotForwarded) {
  core.set_interest("a", 1, true);
  subscribe(attach("", 1), "a");
  const model::Message message{.destination = model::Destination::topic("a"),
                               .payload = as_bytes("x")};
  core.receive(message, true, false);
  core.flush();
  EXPECT_EQ(outlet.take(1), "x/0 ");
  EXPECT_TRUE(outlet.forwarded.empty());
}

// --- counts ---

TEST_F(RouterTest, OctetsAreCountedAsMessagesAre) {
  subscribe(attach("", 1), "a");
  subscribe(attach("", 2, true, 0, 1), "a");  // credit for one
  send("a", "12345");
  send("a", "123", Guarantee::kAtLeastOnce);
  send("a", "1234567", Guarantee::kAtLeastOnce);
  send("nobody", "1");
  EXPECT_EQ(counters().published, 4u);
  EXPECT_EQ(counters().published_bytes, 16u);
  EXPECT_EQ(counters().delivered, 5u);
  EXPECT_EQ(counters().delivered_bytes, 5u + 3 + 7 + 5 + 3);
}

TEST_F(RouterTest, WhatNoClientPublishedIsCountedApart) {
  const auto will = core.attach("w", 1, true, 0, {will_of("a", "123")}, now);
  (void)core.detach(will.subscriber, {}, false, now);
  core.flush();
  EXPECT_EQ(counters().published, 1u);
  EXPECT_EQ(core.own_counters().own_published, 1u);
  EXPECT_EQ(core.own_counters().own_bytes, 3u);
}

TEST_F(RouterTest, TheCensusFindsWhatQueuesHold) {
  subscribe(attach("away", 1, true, 60), "a");
  (void)core.detach(core.find("away"), {}, true, now);
  subscribe(attach("slow", 2, true, 60, 1), "a");
  send("a", "123", Guarantee::kAtLeastOnce);
  send("a", "123", Guarantee::kAtLeastOnce);
  Census census;
  SubscriberIndex place = 0;
  int steps = 1;
  while (!core.take_census(place, 1'000, census)) ++steps;
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(census.waiting, 3u);
  EXPECT_EQ(census.unsettled, 1u);
  EXPECT_GE(census.bytes, 4u * 3);
  EXPECT_EQ(core.clients(), 2u);
  EXPECT_EQ(core.subscriptions(), 2u);
}

TEST_F(RouterTest, TheCensusGoesOnWhereItStopped) {
  for (int i = 0; i < 100; ++i) {
    const std::string id = std::to_string(i);
    subscribe(attach(id, static_cast<ConnectionKey>(i + 1), true, 60), "a");
    (void)core.detach(core.find(id), {}, true, now);
  }
  send("a", "x", Guarantee::kAtLeastOnce);
  Census census;
  SubscriberIndex place = 0;
  int steps = 1;
  while (!core.take_census(place, 7, census)) ++steps;
  EXPECT_GE(steps, 100 / 7);
  EXPECT_EQ(census.waiting, 100u);
}

}  // namespace
}  // namespace hermod::core
