// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/deduplication.hpp"

#include <gtest/gtest.h>

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using Verdict = Deduplicator::Verdict;

constexpr Instant kNow{seconds{1000}};
constexpr Instant kUntil = kNow + seconds{247};

// RFC 7252 §4.5: the same answer, for as long as the message can come again.
TEST(Deduplicator, RepeatsAnAnswerForItsLifetime) {
  Deduplicator seen(64, 4, nullptr);
  EXPECT_EQ(seen.look_up(1, 11, kNow).verdict, Verdict::kNew);
  seen.open(1, 11, kNow, kUntil);
  EXPECT_EQ(seen.look_up(1, 11, kNow).verdict, Verdict::kInProgress);
  seen.answer(1, 11, code::kChanged);
  EXPECT_EQ(seen.look_up(1, 11, kNow).verdict, Verdict::kAnswered);
  EXPECT_EQ(seen.look_up(1, 11, kUntil).code, code::kChanged);
  EXPECT_EQ(seen.look_up(1, 11, kUntil + seconds{1}).verdict, Verdict::kNew);
  EXPECT_EQ(seen.until(), kUntil);
}

// A fast peer reuses message ids early: the whole message is compared.
TEST(Deduplicator, TakesTheSameIdWithOtherContentForNew) {
  Deduplicator seen(64, 4, nullptr);
  seen.open(1, 11, kNow, kUntil);
  seen.answer(1, 11, code::kChanged);
  EXPECT_EQ(seen.look_up(1, 12, kNow).verdict, Verdict::kNew);
  seen.open(1, 12, kNow, kUntil);
  seen.answer(1, 12, code::kCreated);
  EXPECT_EQ(seen.look_up(1, 12, kNow).code, code::kCreated);
  EXPECT_EQ(seen.look_up(1, 11, kNow).verdict, Verdict::kNew);
}

TEST(Deduplicator, ForgetsWhatMayBeExecutedAgain) {
  Deduplicator seen(64, 4, nullptr);
  seen.open(1, 11, kNow, kUntil);
  seen.forget(1, 11);
  EXPECT_EQ(seen.look_up(1, 11, kNow).verdict, Verdict::kNew);
  EXPECT_LT(seen.until(), kNow);  // nothing to remember
}

// RFC 7252 §5.2.2: after an Empty Acknowledgement no other one follows, whatever the answer was.
TEST(Deduplicator, StaysAcknowledged) {
  Deduplicator seen(64, 4, nullptr);
  seen.open(1, 11, kNow, kUntil);
  seen.acknowledge(1, 11);
  seen.answer(1, 11, code::kChanged);
  seen.forget(1, 11);
  EXPECT_EQ(seen.look_up(1, 11, kNow).verdict, Verdict::kAcknowledged);
}

TEST(Deduplicator, GrowsToItsLimitAndKeepsTheNewest) {
  Deduplicator seen(64, 4, nullptr);
  EXPECT_EQ(seen.capacity(), 0u);  // a peer that only reads costs nothing
  for (std::uint16_t id = 100; id < 300; ++id) {
    seen.open(id, id, kNow, kUntil);
    seen.answer(id, id, code::kChanged);
  }
  EXPECT_EQ(seen.capacity(), 64u);
  for (std::uint16_t id = 100; id < 300; ++id) {
    EXPECT_EQ(seen.look_up(id, id, kNow).verdict == Verdict::kAnswered, id >= 300 - 64) << id;
  }
}

TEST(Deduplicator, DoesNotGrowForWhatIsOver) {
  Deduplicator seen(64, 4, nullptr);
  for (std::uint16_t id = 0; id < 1000; ++id) {
    seen.open(id, id, kNow, kUntil);
    seen.forget(id, id);
  }
  EXPECT_EQ(seen.capacity(), 8u);
  for (int round = 0; round < 100; ++round) {
    const Instant now = kNow + round * seconds{300};
    const auto id = static_cast<std::uint16_t>(round);
    seen.open(id, id, now, now + seconds{247});
    seen.answer(id, id, code::kChanged);
  }
  EXPECT_EQ(seen.capacity(), 8u);
}

TEST(Deduplicator, KeepsEntriesWhenItGrows) {
  Deduplicator seen(256, 4, nullptr);
  for (const int id : {0, 8, 16, 24, 32, 3, 11, 65'528}) {
    seen.open(static_cast<std::uint16_t>(id), 5, kNow, kUntil);
    seen.answer(static_cast<std::uint16_t>(id), 5, code::kDeleted);
  }
  for (const int id : {0, 8, 16, 24, 32, 3, 11, 65'528}) {
    EXPECT_EQ(seen.look_up(static_cast<std::uint16_t>(id), 5, kNow).verdict, Verdict::kAnswered)
        << id;
  }
}

}  // namespace
}  // namespace hermod::coap::test
