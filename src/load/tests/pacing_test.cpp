// SPDX-License-Identifier: Apache-2.0
#include "../pacing.hpp"

#include <gtest/gtest.h>

namespace hermod::load {
namespace {

using std::chrono::milliseconds;

TEST(Pacing, PublishersTakeTurns) {
  const Pacing pacing(1000, 3);  // one message a millisecond
  EXPECT_EQ(pacing.due(0, 0), milliseconds{0});
  EXPECT_EQ(pacing.due(2, 0), milliseconds{2});
  EXPECT_EQ(pacing.due(0, 1), milliseconds{3});
  EXPECT_EQ(pacing.due_at(7), pacing.due(1, 2));
}

TEST(Pacing, NothingIsDueBeforeTheBegin) {
  const Pacing pacing(1000, 3);
  EXPECT_EQ(pacing.total_due(milliseconds{-1}), 0u);
  EXPECT_EQ(pacing.total_due(milliseconds{0}), 1u);
  EXPECT_EQ(pacing.share(1, 0), 0u);
}

TEST(Pacing, SharesAddUpAndMatchTheTimetable) {
  const Pacing pacing(1000, 3);
  for (int elapsed = 0; elapsed < 50; ++elapsed) {
    const std::uint64_t total = pacing.total_due(milliseconds{elapsed});
    std::uint64_t sum = 0;
    for (std::uint32_t publisher = 0; publisher < 3; ++publisher) {
      const std::uint64_t share = pacing.share(publisher, total);
      sum += share;
      if (share > 0) {
        EXPECT_LE(pacing.due(publisher, share - 1), milliseconds{elapsed});
      }
      EXPECT_GT(pacing.due(publisher, share), milliseconds{elapsed});
    }
    EXPECT_EQ(sum, total);
  }
}

}  // namespace
}  // namespace hermod::load
