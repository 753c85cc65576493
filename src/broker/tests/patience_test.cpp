// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/patience.hpp"

#include <gtest/gtest.h>

namespace hermod::broker {
namespace {

void write(Patience& patience, std::size_t count, bool gathered) {
  for (std::size_t i = 0; i < count; ++i) patience.note(gathered);
}

TEST(Patience, GoesOnWhileHalfOfTheOutputsGather) {
  Patience patience;
  for (int trial = 0; trial < 10; ++trial) {
    write(patience, Patience::kTrial / 2, true);
    write(patience, Patience::kTrial / 2, false);
    EXPECT_TRUE(patience.pays());
  }
}

TEST(Patience, RestsWhenItIsOfNoUseAndTriesAgain) {
  Patience patience;
  write(patience, Patience::kTrial - 1, false);
  EXPECT_TRUE(patience.pays());
  write(patience, 1, false);
  EXPECT_FALSE(patience.pays());
  write(patience, Patience::kRest - 1, true);
  EXPECT_FALSE(patience.pays());
  write(patience, 1, true);
  EXPECT_TRUE(patience.pays());
  write(patience, Patience::kTrial, true);  // what came before the rest does not count
  EXPECT_TRUE(patience.pays());
}

}  // namespace
}  // namespace hermod::broker
