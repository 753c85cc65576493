// SPDX-License-Identifier: Apache-2.0
// The simulation can fail: each fault that is made on purpose is noticed; and a seed is a seed.
#include <gtest/gtest.h>

#include "options.hpp"
#include "scenario.hpp"

namespace hermod::sim {
namespace {

constexpr std::uint64_t kSeedsMax = 100;

class Sabotaged : public testing::TestWithParam<Sabotage> {};

TEST_P(Sabotaged, is_noticed) {
  for (std::uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
    Options options = make_options(Cast::kMqtt, seed);
    options.sabotage = GetParam();
    if (!run_scenario(options, false).violations.empty()) return;
  }
  FAIL() << "no seed up to " << kSeedsMax << " shows it";
}

INSTANTIATE_TEST_SUITE_P(Faults, Sabotaged,
                         testing::Values(Sabotage::kSwapPackets, Sabotage::kDropPacket,
                                         Sabotage::kRepeatPacket, Sabotage::kDamagePayload,
                                         Sabotage::kStrayPacket, Sabotage::kOldRetained,
                                         Sabotage::kLostWill, Sabotage::kFalseGoodbye,
                                         Sabotage::kHollowJournal, Sabotage::kForgottenAck,
                                         Sabotage::kForgottenSession, Sabotage::kLingeringClient,
                                         Sabotage::kTightLimits));

TEST(Simulation, the_same_seed_gives_the_same_trace) {
  for (const std::uint64_t seed : {1, 17, 99}) {
    const Outcome first = run_scenario(make_options(Cast::kMqtt, seed), false);
    const Outcome again = run_scenario(make_options(Cast::kMqtt, seed), false);
    EXPECT_EQ(first.trace_hash, again.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.deliveries, again.deliveries) << "seed " << seed;
  }
}

TEST(Simulation, another_seed_gives_another_trace) {
  EXPECT_NE(run_scenario(make_options(Cast::kMqtt, 1), false).trace_hash,
            run_scenario(make_options(Cast::kMqtt, 2), false).trace_hash);
}

}  // namespace
}  // namespace hermod::sim
