// SPDX-License-Identifier: Apache-2.0
#include "hermod/client/backoff.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace hermod::client {
namespace {

using std::chrono::milliseconds;

std::vector<std::int64_t> waits(Backoff& backoff, int count) {
  std::vector<std::int64_t> out;
  for (int i = 0; i < count; ++i) out.push_back(backoff.next().count());
  return out;
}

TEST(Backoff, DoublesUpToTheLongest) {
  SeededRng rng(1);
  Backoff backoff({.initial = milliseconds(100), .longest = milliseconds(1'000), .jitter = 0}, rng);
  EXPECT_EQ(waits(backoff, 6), (std::vector<std::int64_t>{100, 200, 400, 800, 1000, 1000}));
  backoff.reset();
  EXPECT_EQ(waits(backoff, 2), (std::vector<std::int64_t>{100, 200}));
}

TEST(Backoff, EachWaitLiesInItsBounds) {
  SeededRng rng(7);
  Backoff backoff({.initial = milliseconds(1'000), .longest = milliseconds(8'000), .jitter = 0.25},
                  rng);
  bool differs = false;
  for (const std::int64_t limit : {1'000, 2'000, 4'000, 8'000, 8'000, 8'000, 8'000}) {
    const std::int64_t wait = backoff.next().count();
    EXPECT_GE(wait, limit * 3 / 4);
    EXPECT_LE(wait, limit);
    differs |= wait != limit;
  }
  EXPECT_TRUE(differs);
}

TEST(Backoff, TheSameSeedGivesTheSameWaits) {
  SeededRng rng(42);
  SeededRng same(42);
  SeededRng other(43);
  Backoff one({}, rng);
  Backoff two({}, same);
  Backoff three({}, other);
  const auto first = waits(one, 10);
  EXPECT_EQ(first, waits(two, 10));
  EXPECT_NE(first, waits(three, 10));
}

TEST(Backoff, OddOptionsAreNoTrap) {
  SeededRng rng(1);
  Backoff backoff(
      {.initial = milliseconds(50), .longest = milliseconds(10), .factor = 0, .jitter = 9}, rng);
  for (const std::int64_t wait : waits(backoff, 100)) {
    EXPECT_GE(wait, 0);
    EXPECT_LE(wait, 50);
  }
}

}  // namespace
}  // namespace hermod::client
