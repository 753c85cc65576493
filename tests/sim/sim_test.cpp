// SPDX-License-Identifier: Apache-2.0
// The simulation can fail: each fault that is made on purpose is noticed; and a seed is a seed.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "options.hpp"
#include "scenario.hpp"

namespace hermod::sim {
namespace {

constexpr std::uint64_t kSeedsMax = 100;

struct Fault {
  Cast cast;
  Sabotage sabotage;
};

class Sabotaged : public testing::TestWithParam<Fault> {};

TEST_P(Sabotaged, is_noticed) {
  for (std::uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
    Options options = make_options(GetParam().cast, seed);
    options.sabotage = GetParam().sabotage;
    if (!run_scenario(options, false).violations.empty()) return;
  }
  FAIL() << "no seed up to " << kSeedsMax << " shows it";
}

std::vector<Fault> with(Cast cast, std::initializer_list<Sabotage> all) {
  std::vector<Fault> out;
  for (const Sabotage sabotage : all) out.push_back({cast, sabotage});
  return out;
}

using enum Sabotage;
INSTANTIATE_TEST_SUITE_P(
    Mqtt, Sabotaged,
    testing::ValuesIn(with(Cast::kMqtt,
                           {kSwapPackets, kDropPacket, kRepeatPacket, kDamagePayload,
                            kWrongProperty, kLostShare, kRepeatedShare, kStrayPacket, kOldRetained,
                            kLostWill, kFalseGoodbye, kHollowJournal, kForgottenAck,
                            kForgottenSession, kLingeringClient, kTightLimits})));
INSTANTIATE_TEST_SUITE_P(
    Coap, Sabotaged,
    testing::ValuesIn(with(Cast::kCoap, {kLostNotification, kStaleNotification, kStuckSequence,
                                         kGhost, kWrongToken, kLostAnswer, kTwoAnswers, kStaleGet,
                                         kRevivedValue, kLingeringClient, kDamagedBlock, kCutBody,
                                         kNothingNew, kForgottenFetch, kTightLimits})));
INSTANTIATE_TEST_SUITE_P(Mixed, Sabotaged,
                         testing::ValuesIn(with(Cast::kMixed, {kRepeatedPut, kHollowJournal})));

constexpr std::array<Cast, 3> kCasts = {Cast::kMqtt, Cast::kCoap, Cast::kMixed};

TEST(Simulation, the_same_seed_gives_the_same_trace) {
  for (const Cast cast : kCasts) {
    for (const std::uint64_t seed : {1, 17, 99}) {
      const Outcome first = run_scenario(make_options(cast, seed), false);
      const Outcome again = run_scenario(make_options(cast, seed), false);
      EXPECT_EQ(first.trace_hash, again.trace_hash) << "seed " << seed;
      EXPECT_EQ(first.deliveries, again.deliveries) << "seed " << seed;
    }
  }
}

TEST(Simulation, another_seed_gives_another_trace) {
  for (const Cast cast : kCasts) {
    EXPECT_NE(run_scenario(make_options(cast, 1), false).trace_hash,
              run_scenario(make_options(cast, 2), false).trace_hash);
  }
}

// A simulation that does nothing finds nothing.
TEST(Simulation, what_can_happen_over_mqtt_does_happen) {
  Outcome sum;
  for (std::uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
    const Outcome run = run_scenario(make_options(Cast::kMqtt, seed), false);
    sum.shared += run.shared;
    sum.passed_on += run.passed_on;
    sum.marked += run.marked;
  }
  EXPECT_GT(sum.shared, 1000u);
  EXPECT_GT(sum.passed_on, 10u);
  EXPECT_GT(sum.marked, 1000u);
}

TEST(Simulation, what_can_happen_over_coap_does_happen) {
  for (const Cast cast : {Cast::kCoap, Cast::kMixed}) {
    CoapCounts sum;
    for (std::uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
      sum += run_scenario(make_options(cast, seed), false).coap;
    }
    EXPECT_GT(sum.answered, 1000u);
    EXPECT_GT(sum.repeated, 100u);
    EXPECT_GT(sum.separate, 10u);
    EXPECT_GT(sum.given_up, 0u);
    EXPECT_GT(sum.notified, 1000u);
    EXPECT_GT(sum.overtaken, 0u);
    EXPECT_GT(sum.ended, 10u);
    EXPECT_GT(sum.renewed, 10u);
    EXPECT_GT(sum.strays, 10u);
    EXPECT_GT(sum.duplicates, 100u);
    EXPECT_GT(sum.valid, 10u);
    EXPECT_GT(sum.reads, 1000u);
    EXPECT_GT(sum.bodies_sent, 100u);
    EXPECT_GT(sum.bodies_read, 100u);
    EXPECT_GT(sum.bodies_told, 50u);
    EXPECT_GT(sum.changed, 10u);
    EXPECT_GT(sum.challenged, 2u);
    EXPECT_GT(sum.pinged, 0u);
    if (cast == Cast::kCoap) {
      EXPECT_GT(sum.too_large, 0u);
    }
  }
}

}  // namespace
}  // namespace hermod::sim
