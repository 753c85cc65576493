// SPDX-License-Identifier: Apache-2.0
// Many retained values: page by page as the subscriber drains, turn by turn so that others go on,
// and the limit of the live topics that are remembered.
#include <algorithm>
#include <set>

#include "desks.hpp"

namespace hermod::broker {
namespace {

std::size_t values_in(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '='));
}

/// Stores `count` values that the desk owns, and nobody hears of.
std::set<std::string> fill(Desks& desks, std::uint16_t owner, std::size_t count,
                           std::string_view payload = "x") {
  std::set<std::string> topics;
  for (int number = 0; topics.size() < count; ++number) {
    const std::string topic = fmt::format("t/{:06}", number);
    if (desks[0].core.owner_of(topic) != owner) continue;
    desks[owner].publish(topic, payload);
    topics.insert(topic);
  }
  return topics;
}

std::string in_order(const std::set<std::string>& topics) {
  std::string text = "#7";
  for (const std::string& topic : topics) text += ' ' + topic + "=xr";
  return text;
}

// A subscriber whose output is full from the start, and the pages that come meanwhile.
class SlowTest : public testing::TestWithParam<std::uint16_t> {};

TEST_P(SlowTest, TheQueueDrainsBeforeThePageAfter) {
  constexpr std::size_t kValues = 3 * Subscribing::kPage + 10;
  Desks desks{2};
  const std::set<std::string> topics = fill(desks, GetParam(), kValues);
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].hold(me);
  desks[0].subscribe(me, "t/#", 7);
  desks.settle();
  const core::Queue& queue = desks[0].core.subscriber(me).queue;
  std::size_t rounds = 0;
  for (; desks.pending() > 0; ++rounds) {
    ASSERT_LT(rounds, 10u);
    EXPECT_LE(queue.waiting(), Subscribing::kPage);
    EXPECT_GT(queue.waiting(), 0u);
    EXPECT_TRUE(desks[0].core.subscriber(me).reading);
    desks[0].turn();  // does not help
    EXPECT_LE(queue.waiting(), Subscribing::kPage);
    // Room for what waits, and none for the next page.
    desks[0].core.set_open(me, true);
    desks[0].hold(me);
    EXPECT_EQ(queue.waiting(), 0u);
    desks[0].subscribing.go_on(me, desks.now);
    desks[0].outbox.send();
    desks.settle();
  }
  EXPECT_EQ(rounds, 4u);
  EXPECT_FALSE(desks[0].core.subscriber(me).reading);
  desks[0].drain(me);
  EXPECT_EQ(desks[0].take(kMe), in_order(topics));
  EXPECT_EQ(desks[0].core.counters().dropped_full(), 0u);
}
INSTANTIATE_TEST_SUITE_P(HereAndThere, SlowTest, testing::Values(0, 1));

TEST(SubscribingPages, APageEndsWithItsOctets) {
  Desks desks{2};
  const std::string large(Subscribing::kPageBytes / 2, 'x');
  fill(desks, 1, 5, large);
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].subscribe(me, "t/#", 7);
  desks.settle();
  EXPECT_EQ(desks[0].pages, 3u);  // two values go beyond the limit
  EXPECT_EQ(values_in(desks[0].take(kMe)), 5u);
}

// A queue with less room than a page: nothing that was asked for is dropped.
TEST(SubscribingPages, APageFitsTheQueue) {
  Desks desks{2, {.queue_messages_max = 5}};
  for (const std::uint16_t owner : Cores{0, 1}) fill(desks, owner, 23);
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].hold(me);
  desks[0].subscribe(me, "t/#", 7);
  desks.settle();
  while (desks.pending() > 0) {
    EXPECT_LE(desks[0].core.subscriber(me).queue.waiting(), 5u);
    desks[0].core.set_open(me, true);
    desks[0].hold(me);
    desks[0].subscribing.go_on(me, desks.now);
    desks[0].outbox.send();
    desks.settle();
  }
  desks[0].drain(me);
  EXPECT_EQ(values_in(desks[0].take(kMe)), 46u);
  EXPECT_EQ(desks[0].core.counters().dropped_full(), 0u);
}

TEST(SubscribingPages, ALiveMessageWaitsBehindThePageInTheQueue) {
  Desks desks{1};
  fill(desks, 0, 1);
  const SubscriberIndex me = desks[0].attach(kMe);
  desks[0].hold(me);
  desks[0].subscribe(me, "#", 7);
  desks[0].publish("u", "live", false);
  desks[0].drain(me);
  EXPECT_EQ(desks[0].take(kMe), "#7 t/000000=xr u=live");
}

// It came live while the first page waited: the page after leaves it out.
TEST(SubscribingPages, AValueThatCameLiveIsNotReadAgain) {
  for (const std::uint16_t owner : Cores{0, 1}) {
    Desks desks{static_cast<std::uint16_t>(owner + 1)};
    const std::set<std::string> topics = fill(desks, owner, Subscribing::kPage + 2);
    const SubscriberIndex me = desks[0].attach(kMe);
    desks[0].hold(me);
    desks[0].subscribe(me, "t/#", 7);
    desks.settle();
    desks.later();
    desks[owner].publish(*topics.rbegin(), "live");
    desks.settle();
    desks[0].drain(me);
    desks.settle();
    const std::string got = desks[0].take(kMe);
    EXPECT_EQ(values_in(got), topics.size()) << got;
    EXPECT_NE(got.find(*topics.rbegin() + "=live "), std::string::npos) << got;
  }
}

TEST(SubscribingPages, StoppedBetweenPagesNothingIsLeft) {
  for (const std::uint16_t owner : Cores{0, 1}) {
    Desks desks{2};
    fill(desks, owner, 3 * Subscribing::kPage);
    const SubscriberIndex me = desks[0].attach(kMe);
    desks[0].hold(me);
    desks[0].subscribe(me, "t/#", 7);
    desks.settle();
    EXPECT_EQ(desks.pending(), 1u);
    desks[0].leave(me);
    desks.settle();
    EXPECT_EQ(desks.pending(), 0u);
    EXPECT_EQ(desks[0].core.subscribers(), 0u);
  }
}

TEST(SubscribingPages, WithdrawnBetweenPagesTheRestStays) {
  for (const std::uint16_t owner : Cores{0, 1}) {
    Desks desks{2};
    fill(desks, owner, 3 * Subscribing::kPage);
    const SubscriberIndex me = desks[0].attach(kMe);
    desks[0].hold(me);
    desks[0].subscribe(me, "t/#", 7);
    desks.settle();
    desks[0].unsubscribe(me, "t/#");
    EXPECT_EQ(desks.pending(), 0u);
    desks[0].drain(me);
    desks.settle();
    EXPECT_EQ(values_in(desks[0].take(kMe)), Subscribing::kPage);  // was queued before
    EXPECT_FALSE(desks[0].core.subscriber(me).reading);
  }
}

// --- kVisitsPerTurn ---

class VisitsTest : public testing::Test {
 protected:
  static constexpr std::size_t kValues = 2 * Subscribing::kVisitsPerTurn + 1'000;
  VisitsTest() { fill(desks, 0, kValues); }
  std::size_t got(core::ConnectionKey key) const {
    const auto found = desks[0].events.find(key);
    return found == desks[0].events.end() ? 0 : found->second.size() - 1;  // without the answer
  }
  mutable Desks desks{1};
};

TEST_F(VisitsTest, kVisitsPerTurn_LeavesTheOtherReaderItsTurn) {
  const SubscriberIndex first = desks[0].attach(kMe);
  const SubscriberIndex second = desks[0].attach(kOther);
  desks[0].subscribe(first, "t/#", 7);
  EXPECT_EQ(got(kMe), Subscribing::kVisitsPerTurn);
  desks[0].subscribe(second, "#", 8);
  EXPECT_EQ(got(kOther), 0u);  // acknowledged, and the turn is over
  EXPECT_TRUE(desks[0].subscribing.wants_turn());
  std::size_t turns = 0;
  std::size_t before = got(kMe) + got(kOther);
  while (desks[0].subscribing.wants_turn()) {
    ASSERT_LT(++turns, 20u);
    desks[0].turn();
    const std::size_t now = got(kMe) + got(kOther);
    EXPECT_LE(now - before, Subscribing::kVisitsPerTurn);
    before = now;
    // Neither is ever more than a turn behind the other, until one has all.
    if (turns == 2) {
      EXPECT_GE(got(kOther), Subscribing::kVisitsPerTurn);
    }
  }
  EXPECT_EQ(got(kMe), kValues);
  EXPECT_EQ(got(kOther), kValues);
  EXPECT_EQ(desks.pending(), 0u);
}

TEST_F(VisitsTest, kVisitsPerTurn_OneThatWaitsForItsTurnCanGo) {
  const SubscriberIndex first = desks[0].attach(kMe);
  desks[0].subscribe(first, "t/#", 7);
  const SubscriberIndex second = desks[0].attach(kOther);
  desks[0].subscribe(second, "t/#", 8);
  desks[0].leave(second);
  desks[0].unsubscribe(first, "t/#");
  EXPECT_EQ(desks.pending(), 0u);
  desks[0].turn();
  desks[0].turn();
  EXPECT_FALSE(desks[0].subscribing.wants_turn());
  EXPECT_EQ(got(kMe), Subscribing::kVisitsPerTurn);
  // And its place does not count twice for the one who comes next.
  desks[0].subscribe(first, "t/#", 9);
  desks.settle();
  EXPECT_EQ(desks.pending(), 0u);
}

TEST_F(VisitsTest, kVisitsPerTurn_ASlowReaderDoesNotHoldTheOther) {
  const SubscriberIndex slow = desks[0].attach(kMe);
  desks[0].hold(slow);
  desks[0].subscribe(slow, "t/#", 7);
  const SubscriberIndex other = desks[0].attach(kOther);
  desks[0].subscribe(other, "t/#", 8);
  desks.settle();
  EXPECT_EQ(got(kOther), kValues);
  EXPECT_EQ(got(kMe), 0u);
  EXPECT_EQ(desks.pending(), 1u);
}

// --- kLiveTopicsMax ---

// While a page is on its way, more topics change than are remembered.
TEST(SubscribingLive, kLiveTopicsMax_BeyondItAStaleValueMayFollow) {
  Desks desks{2};
  const std::string first = desks.topic_of(1, "a");
  const std::string last = desks.topic_of(1, "z");
  desks[1].publish(first, "old");
  desks[1].publish(last, "old");
  const SubscriberIndex me = desks[0].attach(kMe);
  const auto change_while_read = [&](std::string_view value) {
    desks[0].subscribe(me, "+/+", 7);
    desks[1].read(0);
    desks[0].read(1);
    desks[1].read(0);
    desks[1].reply();  // the page is on its way
    desks.later();
    desks[0].publish(first, value);
    std::size_t noted = 1;
    for (int i = 0; noted < Subscribing::kLiveTopicsMax; ++i) {
      const std::string topic = fmt::format("m/m/{}", i);  // matches nothing, but is noted
      if (desks[0].core.owner_of(topic) == 0) continue;
      desks[0].publish(topic, value);
      ++noted;
    }
    desks[0].publish(last, value);  // for this one there is no room
    desks.later();
    desks[0].publish(first, fmt::format("{}er", value));  // what is noted is kept up to date
  };
  change_while_read("new");
  desks.settle();
  EXPECT_EQ(desks[0].take(kMe), fmt::format("#7 {0}=new {1}=new {0}=newer {1}=oldr", first, last));
  EXPECT_EQ(desks.pending(), 0u);

  // What was noted has gone with the reading: the next one starts with all the room.
  desks[0].unsubscribe(me, "+/+");
  desks[0].subscribe(me, last, 8);
  desks[1].read(0);
  desks[0].read(1);
  desks[1].read(0);
  desks[1].reply();
  desks.later();
  desks[0].publish(last, "newest");
  desks.settle();
  EXPECT_EQ(desks[0].take(kMe), fmt::format("#8 {}=newest", last));
}

}  // namespace
}  // namespace hermod::broker
