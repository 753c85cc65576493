// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/tracker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "hermod/base/rng.hpp"

namespace hermod::load {
namespace {

SequenceTracker tracker_of(const std::vector<std::uint64_t>& sequences) {
  SequenceTracker tracker;
  for (const std::uint64_t sequence : sequences) tracker.on_message(sequence);
  return tracker;
}

TEST(SequenceTracker, FollowsWhatComesInOrder) {
  const auto tracker = tracker_of({0, 1, 2, 3});
  EXPECT_EQ(tracker.next(), 4u);
  EXPECT_EQ(tracker.received(), 4u);
  EXPECT_EQ(tracker.lost(4), 0u);
  EXPECT_EQ(tracker.duplicated(), 0u);
  EXPECT_EQ(tracker.reordered(), 0u);
}

TEST(SequenceTracker, CountsWhatNeverCame) {
  const auto tracker = tracker_of({0, 3, 4, 7});
  EXPECT_EQ(tracker.next(), 8u);  // seeing 7 accounts for everything below
  EXPECT_EQ(tracker.received(), 4u);
  EXPECT_EQ(tracker.lost(8), 4u);
  EXPECT_EQ(tracker.lost(10), 6u);  // two more were sent behind the last one seen
  EXPECT_EQ(tracker.reordered(), 0u);
}

TEST(SequenceTracker, TellsALateMessageFromASecondOne) {
  const auto tracker = tracker_of({0, 2, 1, 1, 2});
  EXPECT_EQ(tracker.received(), 3u);
  EXPECT_EQ(tracker.reordered(), 1u);
  EXPECT_EQ(tracker.duplicated(), 2u);
  EXPECT_EQ(tracker.lost(3), 0u);
}

TEST(SequenceTracker, SplitsAGapAnywhere) {
  for (const std::uint64_t late : {1u, 5u, 9u}) {  // first, middle and last of the missing 1..9
    auto tracker = tracker_of({0, 10, late});
    EXPECT_EQ(tracker.reordered(), 1u) << late;
    EXPECT_EQ(tracker.lost(11), 8u) << late;
    tracker.on_message(late);
    EXPECT_EQ(tracker.duplicated(), 1u) << late;
    for (std::uint64_t sequence = 1; sequence < 10; ++sequence) {
      if (sequence != late) tracker.on_message(sequence);
    }
    EXPECT_EQ(tracker.lost(11), 0u) << late;
    EXPECT_EQ(tracker.duplicated(), 1u) << late;
    EXPECT_EQ(tracker.received(), 11u) << late;
  }
}

TEST(SequenceTracker, AgreesWithASetOnRandomInput) {
  SeededRng rng(7);
  for (int round = 0; round < 200; ++round) {
    SequenceTracker tracker;
    std::set<std::uint64_t> seen;
    std::uint64_t highest = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t sequence = rng.below(40);
      tracker.on_message(sequence);
      if (!seen.insert(sequence).second) {
        ++duplicated;
      } else if (sequence < highest) {
        ++reordered;
      }
      highest = std::max(highest, sequence);
    }
    ASSERT_EQ(tracker.received(), seen.size()) << round;
    ASSERT_EQ(tracker.duplicated(), duplicated) << round;
    ASSERT_EQ(tracker.reordered(), reordered) << round;
    ASSERT_EQ(tracker.lost(40), 40 - seen.size()) << round;
  }
}

TEST(SequenceTracker, RemembersABoundedNumberOfGaps) {
  SequenceTracker tracker;
  const std::uint64_t gaps = SequenceTracker::kGapsMax + 1;
  for (std::uint64_t i = 0; i < gaps; ++i) tracker.on_message(2 * i + 1);
  EXPECT_EQ(tracker.lost(2 * gaps), gaps);
  tracker.on_message(0);  // of a gap that is forgotten: lost for good
  EXPECT_EQ(tracker.duplicated(), 1u);
  EXPECT_EQ(tracker.lost(2 * gaps), gaps);
  tracker.on_message(2 * gaps - 2);  // of the last one
  EXPECT_EQ(tracker.reordered(), 1u);
  EXPECT_EQ(tracker.lost(2 * gaps), gaps - 1);
}

}  // namespace
}  // namespace hermod::load
