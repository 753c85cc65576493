// SPDX-License-Identifier: Apache-2.0
#include "../shared_group.hpp"

#include <gtest/gtest.h>

namespace hermod::load {
namespace {

TEST(UnorderedTracker, GoesOnWhenTheOldestHasCome) {
  UnorderedTracker tracker(100);
  for (const std::uint64_t sequence : {1, 3, 2}) EXPECT_TRUE(tracker.on_message(sequence));
  EXPECT_EQ(tracker.base(), 0u);
  EXPECT_TRUE(tracker.on_message(0));
  EXPECT_EQ(tracker.base(), 4u);
  EXPECT_EQ(tracker.received(), 4u);
  EXPECT_EQ(tracker.lost(4), 0u);
  EXPECT_EQ(tracker.lost(6), 2u);
}

TEST(UnorderedTracker, CountsWhatComesTwice) {
  UnorderedTracker tracker(64);
  EXPECT_TRUE(tracker.on_message(0));
  EXPECT_TRUE(tracker.on_message(5));
  EXPECT_FALSE(tracker.on_message(5));  // above the base
  EXPECT_FALSE(tracker.on_message(0));  // below it
  EXPECT_EQ(tracker.duplicated(), 2u);
  EXPECT_EQ(tracker.received(), 2u);
}

TEST(UnorderedTracker, WorksAllRoundTheRing) {
  UnorderedTracker tracker(128);
  for (std::uint64_t base = 0; base < 1280; base += 128) {
    for (std::uint64_t i = 0; i < 128; ++i) EXPECT_TRUE(tracker.on_message(base + 127 - i));
    EXPECT_EQ(tracker.base(), base + 128);
  }
  EXPECT_EQ(tracker.received(), 1280u);
}

TEST(UnorderedTracker, TakesWhatWasGivenUpWhenItComesAfterAll) {
  UnorderedTracker tracker(64);
  EXPECT_TRUE(tracker.on_message(1));
  EXPECT_TRUE(tracker.on_message(100));  // 0 to 36 are too far behind now
  EXPECT_EQ(tracker.base(), 37u);
  EXPECT_EQ(tracker.lost(101), 99u);
  EXPECT_TRUE(tracker.on_message(0));
  EXPECT_FALSE(tracker.on_message(0));
  EXPECT_FALSE(tracker.on_message(1));
  EXPECT_EQ(tracker.received(), 3u);
  EXPECT_EQ(tracker.duplicated(), 2u);
}

TEST(SharedGroup, KeepsTheOrderOfEachMember) {
  SharedGroup group(3, 2, 64);
  group.join();
  group.join();
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  group.on_message(1, 1, a);
  group.on_message(1, 3, a);
  group.on_message(1, 0, b);  // another member: nothing is wrong
  EXPECT_EQ(group.reordered(), 0u);
  group.on_message(1, 2, a);
  EXPECT_EQ(group.reordered(), 1u);
  group.on_message(1, 2, a);  // duplicated, no more
  EXPECT_EQ(group.reordered(), 1u);
  EXPECT_EQ(group.trackers()[1].received(), 4u);
  EXPECT_EQ(group.trackers()[0].received(), 0u);
  EXPECT_FALSE(group.leave());
  EXPECT_TRUE(group.leave());
}

}  // namespace
}  // namespace hermod::load
