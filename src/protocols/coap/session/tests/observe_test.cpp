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
  Observer observation;
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
  Observer observation;
  const Instant now{hours{100}};
  const std::uint32_t first = next_sequence(observation, now);
  const std::uint32_t second = next_sequence(observation, now + seconds{100});
  EXPECT_NEAR((second - first) & 0xff'ffff, 100.0 * (1 << 23) / 256, 0x1'0000);
  // a new registration, after this side has forgotten the old one, still comes later
  Observer forgotten;
  const std::uint32_t third = next_sequence(forgotten, now + seconds{101});
  EXPECT_LT((third - second) & 0xff'ffff, 1u << 23);
}

// Whoever registers again with the same token while the numbers begin anew gets newer ones too.
TEST(NextSequence, FollowsTheClockWhereItBeginsAnew) {
  Observer first;
  Instant now{hours{100}};
  std::uint32_t before = next_sequence(first, now);
  for (int i = 0; i < 10'000; ++i) {
    now += std::chrono::milliseconds{100};  // round twice
    Observer forgotten;
    const std::uint32_t step = (next_sequence(forgotten, now) - before) & 0xff'ffff;
    ASSERT_GT(step, 0u);
    ASSERT_LT(step, 1u << 23);
    before = current_sequence(forgotten);
  }
}

TEST(MustConfirm, FollowsTheMessageTheCountAndTheClock) {
  const Settings settings;
  const Instant now{hours{100}};
  Observer observation{.confirmed_at = now, .sent_at = now};
  EXPECT_TRUE(must_confirm(observation, settings, now));  // never proven
  observation.proven = true;
  EXPECT_FALSE(must_confirm(observation, settings, now));
  EXPECT_FALSE(must_confirm(observation, settings, now + seconds{9}));
  EXPECT_TRUE(must_confirm(observation, settings, now + seconds{10}));  // changes are rare
  observation.value.confirm = true;
  EXPECT_TRUE(must_confirm(observation, settings, now));
  observation.value.confirm = false;
  observation.unconfirmed = settings.unconfirmed_max;
  EXPECT_TRUE(must_confirm(observation, settings, now));
}

TEST(ConfirmDue, ComesSoonAfterABurstAndOnceADay) {
  const Settings settings;
  const Instant now{hours{100}};
  Observer observation{.confirmed_at = now - hours{1}, .sent_at = now};
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

class ObserversTest : public ::testing::Test {
 protected:
  ObserverId active(std::string_view token) {
    const ObserverId id = list.add(Token{as_bytes(token)}, Instant{});
    list[id].state = Observer::State::kActive;
    return id;
  }
  Observers list;
};

TEST_F(ObserversTest, FindsByTokenAndMessage) {
  const ObserverId a = active("1");
  const ObserverId b = active("2");
  const ObserverId c = active("");
  list[b].message_id = 77;
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(list.find(Token{as_bytes("1")}), a);
  EXPECT_EQ(list.find(Token{}), c);
  EXPECT_EQ(list.find(Token{as_bytes("3")}), 0u);
  EXPECT_EQ(list.find_message(77), b);
  list.remove(a);
  EXPECT_FALSE(list.holds(a));
  EXPECT_TRUE(list.holds(b));
  EXPECT_EQ(active("4"), a);  // places are used again
}

TEST_F(ObserversTest, OffersWhoWaitsOnceAndInOrder) {
  const ObserverId a = active("1");
  const ObserverId b = active("2");
  list.wait(b);
  list.wait(a);
  list.wait(b);
  EXPECT_EQ(list.next_waiting(), b);
  EXPECT_EQ(list.next_waiting(), a);
  EXPECT_EQ(list.next_waiting(), 0u);
  list.wait(b);
  EXPECT_EQ(list.next_waiting(), b);
}

TEST_F(ObserversTest, DoesNotOfferWhoIsGone) {
  const ObserverId a = active("1");
  const ObserverId b = active("2");
  list.wait(a);
  list.wait(b);
  list.remove(a);
  EXPECT_EQ(active("3"), a);  // in the same place, and not waiting
  EXPECT_EQ(list.next_waiting(), b);
  EXPECT_EQ(list.next_waiting(), 0u);
}

TEST_F(ObserversTest, KeepTheFirstBlockOfAValue) {
  const std::vector<std::uint8_t> value(100, 'x');
  const ObserverId a = active("1");
  list[a].size_exponent = 2;
  keep(list[a], {.payload = value, .version = 7});
  EXPECT_EQ(list[a].value.payload.size(), 64u);
  EXPECT_EQ(list[a].value.size, 100u);
  EXPECT_EQ(list[a].value.version, 7u);
}

}  // namespace
}  // namespace hermod::coap::test
