// SPDX-License-Identifier: Apache-2.0
// Entries of the reliability catalogue that a whole store has to hold, by their numbers: thousands
// of seeds, each a store with several lives. HERMOD_SEEDS sets how many.
#include <cstdlib>

#include "store_life.hpp"

namespace hermod::store {
namespace {

std::uint64_t seeds() {
  const char* const wanted = std::getenv("HERMOD_SEEDS");
  return wanted == nullptr ? 500 : std::strtoull(wanted, nullptr, 10);
}

StoreLife::Counts run(const StoreLife::Options& options, bool damages) {
  StoreLife::Counts all;
  for (std::uint64_t seed = 1; seed <= seeds() && !testing::Test::HasFailure(); ++seed) {
    StoreLife life(seed, options);
    life.boot();
    for (std::uint64_t lives = 1 + seed % 4; lives > 0; --lives) {
      if (testing::Test::HasFatalFailure()) break;
      life.live(options.steps);
      life.end();
      if (damages) life.damage();
      life.boot();
    }
    if (testing::Test::HasFailure()) ADD_FAILURE() << "seed " << seed;
    all.promised += life.counts.promised;
    all.recovered += life.counts.recovered;
    all.repeated += life.counts.repeated;
    all.removed += life.counts.removed;
    all.evacuated += life.counts.evacuated;
    all.full += life.counts.full;
    all.refused += life.counts.refused;
    all.damaged += life.counts.damaged;
    all.sealed += life.counts.sealed;
  }
  return all;
}

TEST(StoreLife, R2_WhatIsAcknowledgedSurvivesPowerCuts) {
  const StoreLife::Counts all = run({}, false);
  EXPECT_GT(all.promised, 20 * seeds());
  EXPECT_GT(all.recovered, seeds());
  EXPECT_GT(all.removed, seeds() / 10);
  EXPECT_GT(all.evacuated, seeds() / 10);
}

TEST(StoreLife, R3_DamageLosesWhatItHitsAndForgesNothing) {
  const StoreLife::Counts all = run({.power_in_the_middle = false}, true);
  EXPECT_GT(all.damaged, seeds() / 2);
}

TEST(StoreLife, R5_AFailedSyncSealsTheStore) {
  const StoreLife::Counts all = run({.power_in_the_middle = false, .sync_fails = true}, false);
  EXPECT_GT(all.sealed, seeds() / 2);
  EXPECT_GT(all.refused, seeds());
}

TEST(StoreLife, R4_NothingIsAcknowledgedWithoutRoom) {
  const StoreLife::Counts all = run({.power_in_the_middle = false, .fills_up = true}, false);
  EXPECT_GT(all.full, seeds() / 4);
  EXPECT_GT(all.refused, seeds() / 4);
}

}  // namespace
}  // namespace hermod::store
