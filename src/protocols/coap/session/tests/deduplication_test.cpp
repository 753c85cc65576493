// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/deduplication.hpp"

#include <gtest/gtest.h>

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using Verdict = Deduplicator::Verdict;

constexpr Instant kBegin{seconds{1000}};
constexpr Instant kUntil = kBegin + seconds{247};

// RFC 7252 §4.5: the same answer, for as long as the message can come again.
TEST(Deduplicator, RepeatsAnAnswerForItsLifetime) {
  Deduplicator seen(64, 4, nullptr);
  EXPECT_EQ(seen.look_up(1, 11, kBegin).verdict, Verdict::kNew);
  seen.open(1, 11, kBegin, kUntil);
  EXPECT_EQ(seen.look_up(1, 11, kBegin).verdict, Verdict::kInProgress);
  seen.answer(1, 11, code::kChanged);
  EXPECT_EQ(seen.look_up(1, 11, kBegin).verdict, Verdict::kAnswered);
  EXPECT_EQ(seen.look_up(1, 11, kUntil).code, code::kChanged);
  EXPECT_EQ(seen.look_up(1, 11, kUntil + seconds{1}).verdict, Verdict::kNew);
  EXPECT_EQ(seen.until(), kUntil);
}

// A fast peer reuses message ids early: the whole message is compared.
TEST(Deduplicator, TakesTheSameIdWithOtherContentForNew) {
  Deduplicator seen(64, 4, nullptr);
  seen.open(1, 11, kBegin, kUntil);
  seen.answer(1, 11, code::kChanged);
  EXPECT_EQ(seen.look_up(1, 12, kBegin).verdict, Verdict::kNew);
  seen.open(1, 12, kBegin, kUntil);
  seen.answer(1, 12, code::kCreated);
  EXPECT_EQ(seen.look_up(1, 12, kBegin).code, code::kCreated);
  EXPECT_EQ(seen.look_up(1, 11, kBegin).verdict, Verdict::kNew);
}

TEST(Deduplicator, ForgetsWhatMayBeExecutedAgain) {
  Deduplicator seen(64, 4, nullptr);
  seen.open(1, 11, kBegin, kUntil);
  seen.forget(1, 11);
  EXPECT_EQ(seen.look_up(1, 11, kBegin).verdict, Verdict::kNew);
  EXPECT_LT(seen.until(), kBegin);  // nothing to remember
}

// RFC 7252 §5.2.2: after an Empty Acknowledgement no other one follows, whatever the answer was.
TEST(Deduplicator, StaysAcknowledged) {
  Deduplicator seen(64, 4, nullptr);
  seen.open(1, 11, kBegin, kUntil);
  seen.acknowledge(1, 11);
  seen.answer(1, 11, code::kChanged);
  seen.forget(1, 11);
  EXPECT_EQ(seen.look_up(1, 11, kBegin).verdict, Verdict::kAcknowledged);
}

TEST(Deduplicator, GrowsToItsLimitAndKeepsTheNewest) {
  Deduplicator seen(64, 4, nullptr);
  EXPECT_EQ(seen.capacity(), 0u);  // a peer that only reads costs nothing
  for (std::uint16_t id = 100; id < 300; ++id) {
    seen.open(id, id, kBegin, kUntil);
    seen.answer(id, id, code::kChanged);
  }
  EXPECT_EQ(seen.capacity(), 64u);
  for (std::uint16_t id = 100; id < 300; ++id) {
    EXPECT_EQ(seen.look_up(id, id, kBegin).verdict == Verdict::kAnswered, id >= 300 - 64) << id;
  }
}

TEST(Deduplicator, DoesNotGrowForWhatIsOver) {
  Deduplicator seen(64, 4, nullptr);
  for (std::uint16_t id = 0; id < 1000; ++id) {
    seen.open(id, id, kBegin, kUntil);
    seen.forget(id, id);
  }
  EXPECT_EQ(seen.capacity(), 8u);
  for (int round = 0; round < 100; ++round) {
    const Instant now = kBegin + round * seconds{300};
    const auto id = static_cast<std::uint16_t>(round);
    seen.open(id, id, now, now + seconds{247});
    seen.answer(id, id, code::kChanged);
  }
  EXPECT_EQ(seen.capacity(), 8u);
}

TEST(Deduplicator, KeepsEntriesWhenItGrows) {
  Deduplicator seen(256, 4, nullptr);
  for (const int id : {0, 8, 16, 24, 32, 3, 11, 65'528}) {
    seen.open(static_cast<std::uint16_t>(id), 5, kBegin, kUntil);
    seen.answer(static_cast<std::uint16_t>(id), 5, code::kDeleted);
  }
  for (const int id : {0, 8, 16, 24, 32, 3, 11, 65'528}) {
    EXPECT_EQ(seen.look_up(static_cast<std::uint16_t>(id), 5, kBegin).verdict, Verdict::kAnswered)
        << id;
  }
}

// The last bodies are kept, and of others the code.
TEST(Deduplicator, RepeatsTheLastBodies) {
  session::Budget budget{20};
  Deduplicator seen(64, 2, &budget);
  const Instant now{std::chrono::hours{1}};
  for (std::uint16_t id = 1; id <= 3; ++id) {
    seen.open(id, 7, now, now + std::chrono::seconds{10});
    seen.answer(id, 7, code::kCreated, as_bytes("12345678"));
  }
  EXPECT_EQ(seen.look_up(1, 7, now).code, code::kCreated);
  EXPECT_TRUE(seen.look_up(1, 7, now).body.empty());
  EXPECT_EQ(as_text(seen.look_up(2, 7, now).body), "12345678");
  EXPECT_EQ(as_text(seen.look_up(3, 7, now).body), "12345678");
  EXPECT_EQ(budget.used(), 16u);
  seen.open(4, 7, now, now + std::chrono::seconds{10});
  seen.answer(4, 7, code::kCreated, as_bytes("more than is left"));
  EXPECT_EQ(seen.look_up(4, 7, now).verdict, Deduplicator::Verdict::kAnswered);
  EXPECT_TRUE(seen.look_up(4, 7, now).body.empty());
}

// Reliability catalogue R10: 265 a second for EXCHANGE_LIFETIME, and none is forgotten.
TEST(Deduplicator, RemembersEveryMessageIdThereIs) {
  session::Budget budget{1u << 20};
  Deduplicator seen(Deduplicator::kEntriesMost, 0, &budget);
  const Instant begin{std::chrono::hours{1}};
  const Instant until = begin + std::chrono::seconds{247};
  for (std::uint32_t id = 0; id <= 0xffff; ++id) {
    seen.open(static_cast<std::uint16_t>(id), id, begin, until);
    seen.answer(static_cast<std::uint16_t>(id), id, code::kChanged);
  }
  for (std::uint32_t id = 0; id <= 0xffff; ++id) {
    ASSERT_EQ(seen.look_up(static_cast<std::uint16_t>(id), id, until).verdict,
              Deduplicator::Verdict::kAnswered);
  }
  EXPECT_EQ(budget.used(), 1u << 20);
}

// Where the budget is used up the table stays as it is, and the newest entries win.
TEST(Deduplicator, GrowsNoFurtherThanItsBudget) {
  session::Budget budget{0};
  Deduplicator seen(Deduplicator::kEntriesMost, 0, &budget);
  const Instant now{std::chrono::hours{1}};
  for (std::uint16_t id = 0; id < 1000; ++id) {
    seen.open(id, id, now, now + std::chrono::seconds{10});
    seen.answer(id, id, code::kChanged);
  }
  EXPECT_EQ(seen.capacity(), Deduplicator::kEntriesFree);
  for (std::uint16_t id = 0; id < 1000; ++id) {
    EXPECT_EQ(seen.look_up(id, id, now).verdict == Deduplicator::Verdict::kAnswered,
              id >= 1000 - Deduplicator::kEntriesFree);
  }
}

}  // namespace
}  // namespace hermod::coap::test
