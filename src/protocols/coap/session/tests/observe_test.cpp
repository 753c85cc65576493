// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/observe.hpp"

#include <gtest/gtest.h>

namespace hermod::coap::test {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

// RFC 7641 §4.4: strictly increasing, no more than 2^23 in 256 s, and always three octets long.
TEST(NextSequence, IncreasesStrictlyInSerialArithmetic) {
  Observation observation;
  Instant now{hours{100}};
  std::uint32_t before = next_sequence(observation, now);
  for (int i = 0; i < 200'000; ++i) {
    now += i % 3 == 0 ? Duration{} : microseconds{i % 5 == 0 ? 2000 : 10};
    const std::uint32_t sequence = next_sequence(observation, now);
    ASSERT_GE(sequence, 0x1'0000u);
    ASSERT_LE(sequence, 0xff'ffffu);
    const std::uint32_t step = (sequence - before) & 0xff'ffff;
    ASSERT_GT(step, 0u);
    ASSERT_LT(step, 1u << 23);
    before = sequence;
  }
}

TEST(NextSequence, FollowsTheClock) {
  Observation observation;
  const Instant now{hours{100}};
  const std::uint32_t first = next_sequence(observation, now);
  const std::uint32_t second = next_sequence(observation, now + seconds{100});
  EXPECT_NEAR((second - first) & 0xff'ffff, 100.0 * (1 << 23) / 256, 0x1'0000);
  // a new registration, after this side has forgotten the old one, still comes later
  Observation forgotten;
  const std::uint32_t third = next_sequence(forgotten, now + seconds{101});
  EXPECT_LT((third - second) & 0xff'ffff, 1u << 23);
}

// Whoever registers again with the same token while the numbers begin anew gets newer ones too.
TEST(NextSequence, FollowsTheClockWhereItBeginsAnew) {
  Observation first;
  Instant now{hours{100}};
  std::uint32_t before = next_sequence(first, now);
  for (int i = 0; i < 10'000; ++i) {
    now += std::chrono::milliseconds{100};  // round twice
    Observation forgotten;
    const std::uint32_t step = (next_sequence(forgotten, now) - before) & 0xff'ffff;
    ASSERT_GT(step, 0u);
    ASSERT_LT(step, 1u << 23);
    before = current_sequence(forgotten);
  }
}

TEST(MustConfirm, FollowsTheMessageTheCountAndTheClock) {
  const Settings settings;
  const Instant now{hours{100}};
  using enum model::Guarantee;
  Observation observation{.confirmed_at = now, .sent_at = now};
  EXPECT_TRUE(must_confirm(observation, settings, now));  // never proven
  observation.proven = true;
  EXPECT_FALSE(must_confirm(observation, settings, now));
  EXPECT_FALSE(must_confirm(observation, settings, now + seconds{9}));
  EXPECT_TRUE(must_confirm(observation, settings, now + seconds{10}));  // changes are rare
  for (const auto guarantee : {kAtLeastOnce, kExactlyOnce}) {
    observation.value.guarantee = guarantee;
    EXPECT_TRUE(must_confirm(observation, settings, now));
  }
  observation.value.guarantee = kAtMostOnce;
  observation.unconfirmed = settings.unconfirmed_max;
  EXPECT_TRUE(must_confirm(observation, settings, now));
}

TEST(ConfirmDue, ComesSoonAfterABurstAndOnceADay) {
  const Settings settings;
  const Instant now{hours{100}};
  Observation observation{.confirmed_at = now - hours{1}, .sent_at = now};
  EXPECT_EQ(confirm_due(observation, settings), now - hours{1} + settings.prove_within);
  observation.proven = true;
  EXPECT_EQ(confirm_due(observation, settings), now + hours{23});  // RFC 7641 §4.5
  observation.unconfirmed = 1;
  EXPECT_EQ(confirm_due(observation, settings), now + settings.quiet);
}

// RFC 7641 §3.4.
TEST(NotificationOrder, KnowsTheFreshest) {
  const Instant now{seconds{1000}};
  NotificationOrder order;
  EXPECT_TRUE(order.accept(5, now));
  EXPECT_FALSE(order.accept(5, now));
  EXPECT_FALSE(order.accept(4, now));
  EXPECT_TRUE(order.accept(6, now));
  EXPECT_TRUE(order.accept(6 + (1 << 23) - 1, now));  // V1 < V2 and V2 - V1 < 2^23
  EXPECT_FALSE(order.accept(6, now));
  EXPECT_TRUE(order.accept(0xff'ffff, now));
  EXPECT_TRUE(order.accept(3, now));           // V1 > V2 and V1 - V2 > 2^23
  EXPECT_FALSE(order.accept(0xff'ffff, now));  // and not back
}

TEST(NotificationOrder, TakesAnythingAfterSilence) {
  const Instant now{seconds{1000}};
  NotificationOrder order;
  EXPECT_TRUE(order.accept(100, now));
  EXPECT_FALSE(order.accept(50, now + seconds{128}));
  EXPECT_TRUE(order.accept(50, now + seconds{128} + Duration{1}));  // T2 > T1 + 128 seconds
}

class ObservationsTest : public ::testing::Test {
 protected:
  ObservationId active(std::string_view token, std::string_view topic) {
    const ObservationId id = list.add(Token{as_bytes(token)}, topic, Instant{});
    list[id].state = Observation::State::kActive;
    return id;
  }
  Observations list;
};

TEST_F(ObservationsTest, FindsByTokenMessageAndTopic) {
  const ObservationId a = active("1", "x");
  const ObservationId b = active("2", "x");
  const ObservationId c = active("", "y");
  list[b].message_id = 77;
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(list.topics(), 2u);
  EXPECT_EQ(list.find(Token{as_bytes("1")}), a);
  EXPECT_EQ(list.find(Token{}), c);
  EXPECT_EQ(list.find(Token{as_bytes("3")}), 0u);
  EXPECT_EQ(list.find_message(77), b);
  EXPECT_EQ(list.find_topic("x"), list[a].topic);
  EXPECT_EQ(list.find_topic("z"), 0u);
  EXPECT_EQ(list.topic(list[a].topic).observers, 2u);
}

TEST_F(ObservationsTest, ForgetsATopicWithItsLastObserverAndUnsubscribe) {
  const ObservationId a = active("1", "x");
  const ObservationId b = active("2", "x");
  const TopicId topic = list[a].topic;
  list.remove(a);
  list.release_topic(topic);
  EXPECT_EQ(list.find_topic("x"), topic);
  list.remove(b);
  list.topic(topic).unsubscribes_pending = 1;
  list.release_topic(topic);
  EXPECT_TRUE(list.has_topic(topic));
  list.topic(topic).unsubscribes_pending = 0;
  list.release_topic(topic);
  EXPECT_FALSE(list.has_topic(topic));
  EXPECT_EQ(list.topics(), 0u);
  EXPECT_EQ(active("3", "z"), a);  // places are used again
}

TEST_F(ObservationsTest, OffersWhoWaitsOnceAndInOrder) {
  const ObservationId a = active("1", "x");
  const ObservationId b = active("2", "y");
  list.wait(b);
  list.wait(a);
  list.wait(b);
  EXPECT_EQ(list.next_waiting(), b);
  EXPECT_EQ(list.next_waiting(), a);
  EXPECT_EQ(list.next_waiting(), 0u);
  list.wait(b);
  EXPECT_EQ(list.next_waiting(), b);
}

TEST_F(ObservationsTest, DoesNotOfferWhoIsGone) {
  const ObservationId a = active("1", "x");
  const ObservationId b = active("2", "y");
  list.wait(a);
  list.wait(b);
  list.remove(a);
  EXPECT_EQ(active("3", "z"), a);  // in the same place, and not waiting
  EXPECT_EQ(list.next_waiting(), b);
  EXPECT_EQ(list.next_waiting(), 0u);
}

}  // namespace
}  // namespace hermod::coap::test
