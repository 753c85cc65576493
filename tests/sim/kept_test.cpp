// SPDX-License-Identifier: Apache-2.0
// Entries of the reliability catalogue against a whole broker with the real store, by their
// numbers: R2 (power cuts), R3 (damage), R4 (no room), R5 (a sync that fails). Each run is one of
// the simulation's with one kind of misfortune; HERMOD_SEEDS sets how many. And: what spoils the
// store on purpose is noticed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <functional>

#include "scenario.hpp"

namespace hermod::sim {
namespace {

constexpr std::uint64_t kKeptSeedsMax = 100;

std::uint64_t seeds() {
  const char* const wanted = std::getenv("HERMOD_SEEDS");
  return wanted == nullptr ? kKeptSeedsMax : std::strtoull(wanted, nullptr, 10);
}

// What befalls nobody but who asks for it.
Options quiet_options(std::uint64_t seed) {
  Options options = make_options(Cast::kKept, seed);
  options.kept = {
      .on = true, .down_max = options.kept.down_max, .segment_octets = options.kept.segment_octets};
  return options;
}

// All seeds with these misfortunes, and what they came to together.
Outcome run_all(const std::function<void(Kept&)>& choose) {
  Outcome sum;
  for (std::uint64_t seed = 1; seed <= seeds() && !testing::Test::HasFailure(); ++seed) {
    Options options = quiet_options(seed);
    choose(options.kept);
    const Outcome run = run_scenario(options, false);
    EXPECT_THAT(run.violations, testing::IsEmpty()) << "seed " << seed;
    sum.publications += run.publications;
    sum.deliveries += run.deliveries;
    sum.stops += run.stops;
    sum.damages += run.damages;
    sum.removed += run.removed;
    sum.refused += run.refused;
    sum.unwell += run.unwell;
  }
  return sum;
}

TEST(Reliability, R2_WhatIsAcknowledgedSurvivesPowerCuts) {
  const Outcome sum = run_all([](Kept& kept) {
    kept.power_cuts = 3;
    kept.mid_write_permille = 500;
  });
  EXPECT_GE(sum.stops, seeds());
  EXPECT_GT(sum.deliveries, 100 * seeds());
}

TEST(Reliability, R2_ALogThatIsCleanedSurvivesThem) {
  const Outcome sum = run_all([](Kept& kept) {
    kept.power_cuts = 3;
    kept.cleans = true;
  });
  EXPECT_GT(sum.removed, seeds());
}

TEST(Reliability, R3_DamageLosesWhatItHitsAndIsCounted) {
  const Outcome sum = run_all([](Kept& kept) {
    kept.stops = 2;
    kept.damage_permille = 1000;
  });
  EXPECT_GT(sum.damages, seeds());
}

TEST(Reliability, R4_NothingIsAcknowledgedWithoutRoom) {
  const Outcome sum = run_all([](Kept& kept) {
    kept.fills = 3;
    kept.stops = 1;
  });
  EXPECT_GT(sum.unwell, seeds());
  EXPECT_GT(sum.refused, seeds());
}

TEST(Reliability, R5_AFailedSyncSealsTheStoreUntilItIsStartedAgain) {
  const Outcome sum = run_all([](Kept& kept) { kept.seals = 1; });
  EXPECT_GT(sum.unwell, seeds() / 2);
  EXPECT_GT(sum.refused, seeds() / 2);
}

class Spoilt : public testing::TestWithParam<Sabotage> {};

TEST_P(Spoilt, IsNoticed) {
  for (std::uint64_t seed = 1; seed <= kKeptSeedsMax; ++seed) {
    Options options = quiet_options(seed);
    options.sabotage = GetParam();
    options.kept.power_cuts = 2;
    if (!run_scenario(options, false).violations.empty()) return;
  }
  FAIL() << "no seed up to " << kKeptSeedsMax << " shows it";
}

using enum Sabotage;
INSTANTIATE_TEST_SUITE_P(Store, Spoilt,
                         testing::Values(kSkippedSync, kLostRecord, kLostValue,
                                         kForgottenSettlement, kForgottenSession, kDropPacket,
                                         kRepeatPacket, kSwapPackets, kDamagePayload, kOldRetained,
                                         kLingeringClient));

TEST(Kept, ASeedIsASeed) {
  for (const std::uint64_t seed : std::to_array<std::uint64_t>({3, 17, 40})) {
    const Outcome first = run_scenario(make_options(Cast::kKept, seed), false);
    const Outcome again = run_scenario(make_options(Cast::kKept, seed), false);
    EXPECT_EQ(first.trace_hash, again.trace_hash) << "seed " << seed;
  }
}

}  // namespace
}  // namespace hermod::sim
