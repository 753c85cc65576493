// SPDX-License-Identifier: Apache-2.0
// The model of loss is the one of the table, runs keep to it, and faults made on purpose are seen.
#include "loss.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermod::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Seven rates of loss, without and with repetition, five times each.
constexpr std::uint64_t kSeeds = 70;

TEST(LossModel, FollowsTheTable) {
  struct Row {
    double loss, non_delivered, delivered, acknowledged, transmissions, waited_s, copies;
  };
  // Closed forms: 1-p; 1-p^5; 1-(1-(1-p)^2)^5; the sum of (1-(1-p)^2)^k for k from 0 to 4; ...
  for (const Row& row : {Row{0.00, 1.00, 1.000000, 1.00000, 1.000, 0.000, 0.000},
                         Row{0.01, 0.99, 1.000000, 1.00000, 1.020, 0.026, 0.010},
                         Row{0.05, 0.95, 1.000000, 0.99999, 1.108, 0.139, 0.053},
                         Row{0.10, 0.90, 0.999990, 0.99975, 1.234, 0.312, 0.111},
                         Row{0.15, 0.85, 0.999924, 0.99835, 1.382, 0.529, 0.175},
                         Row{0.20, 0.80, 0.999680, 0.99395, 1.553, 0.800, 0.243},
                         Row{0.25, 0.75, 0.999023, 0.98397, 1.749, 1.136, 0.313}}) {
    SCOPED_TRACE(row.loss);
    const LossModel model = loss_model(row.loss, 0);
    EXPECT_NEAR(model.non_delivered.mean, row.non_delivered, 1e-9);
    EXPECT_NEAR(model.delivered.mean, row.delivered, 5.1e-7);
    EXPECT_NEAR(model.acknowledged.mean, row.acknowledged, 5.1e-6);
    EXPECT_NEAR(model.transmissions.mean, row.transmissions, 5.1e-4);
    EXPECT_NEAR(model.waited_s.mean, row.waited_s, 5.1e-4);
    EXPECT_NEAR(model.copies.mean, row.copies, 5.1e-4);
  }
}

// By Wald: as many arrivals as transmissions that are not lost, and d more of them.
TEST(LossModel, CountsWhatComesTwice) {
  for (const double loss : {0.0, 0.1, 0.25}) {
    const LossModel model = loss_model(loss, 0.1);
    EXPECT_NEAR(model.copies.mean,
                model.transmissions.mean * (1 - loss) * 1.1 - model.delivered.mean, 1e-12);
    EXPECT_GE(model.acknowledged.mean, loss_model(loss, 0).acknowledged.mean);
  }
}

TEST(LossModel, BoundsAreFiveDeviations) {
  const Expected half{0.5, 0.25, 1};
  EXPECT_TRUE(agrees(half, 0.5 + 0.025, 10'000));
  EXPECT_FALSE(agrees(half, 0.5 + 0.025, 20'000));
  EXPECT_FALSE(agrees(half, 0.5 - 0.025, 20'000));
  EXPECT_TRUE(agrees(half, 0.9, 0));
  const Expected sure{1, 0, 1};
  EXPECT_TRUE(agrees(sure, 1, 1000));
  EXPECT_FALSE(agrees(sure, 0.99, 1000));
}

std::vector<std::string> run_all(LossFault fault) {
  LossTable table;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto violations = run_loss(seed, fault, false, table);
    if (!violations.empty()) return violations;
  }
  return table.check();
}

// Reliability catalogue R10, with the test of that number in reliability_test.cpp.
TEST(CoapLoss, R10_con_is_as_reliable_as_the_model_and_nothing_acts_twice) {
  EXPECT_THAT(run_all(LossFault::kNone), IsEmpty());
}

struct Seen {
  LossFault fault;
  std::string_view words;
};

class CoapLossFaults : public testing::TestWithParam<Seen> {};

TEST_P(CoapLossFaults, are_noticed) {
  const auto violations = run_all(GetParam().fault);
  ASSERT_FALSE(violations.empty());
  EXPECT_THAT(violations.front(), HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(Each, CoapLossFaults,
                         testing::Values(Seen{LossFault::kMoreLoss, "NON delivered"},
                                         Seen{LossFault::kFewerRepeats, "acknowledged: "},
                                         Seen{LossFault::kSteadyPauses, "timeout s"},
                                         Seen{LossFault::kFalseAck, "acknowledged and not done"},
                                         Seen{LossFault::kTwoIds, "done twice"}));

}  // namespace
}  // namespace hermod::sim
