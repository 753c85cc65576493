// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/histogram.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hermod::load {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, IsZeroWhileEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile(0.99), Duration{0});
  EXPECT_EQ(histogram.max(), Duration{0});
}

TEST(Histogram, IsExactBelowTheFirstOctave) {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.record(nanoseconds{i});
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds{500});
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds{990});
  EXPECT_EQ(histogram.quantile(0.999), nanoseconds{999});
  EXPECT_EQ(histogram.quantile(1), nanoseconds{1000});
  EXPECT_EQ(histogram.quantile(0), nanoseconds{1});
}

TEST(Histogram, AValueMayStandForMany) {
  Histogram histogram;
  histogram.record(nanoseconds{10}, 99);
  histogram.record(nanoseconds{20});
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds{10});
  EXPECT_EQ(histogram.quantile(0.991), nanoseconds{20});
}

TEST(Histogram, ErrsByLessThanOneStepEverywhere) {
  for (std::int64_t value = 1; value < Histogram::kMax.count(); value = value * 3 + 1) {
    Histogram histogram;
    histogram.record(nanoseconds{value});
    histogram.record(Histogram::kMax);  // so that max() does not cut the answer
    const auto found = static_cast<double>(histogram.quantile(0.5).count());
    const auto exact = static_cast<double>(value);
    EXPECT_GE(found, exact) << value;
    EXPECT_LE(found, exact * (1 + 1.0 / Histogram::kSteps)) << value;
  }
}

TEST(Histogram, KeepsTheTailOfManyFastValues) {
  Histogram histogram;
  for (int i = 0; i < 9990; ++i) histogram.record(std::chrono::microseconds{50});
  for (int i = 0; i < 10; ++i) histogram.record(std::chrono::milliseconds{40});
  EXPECT_LT(histogram.quantile(0.999), std::chrono::microseconds{51});
  EXPECT_GE(histogram.quantile(0.9991), std::chrono::milliseconds{40});
  EXPECT_EQ(histogram.max(), std::chrono::milliseconds{40});
}

TEST(Histogram, ClampsWhatIsOutOfRange) {
  Histogram histogram;
  histogram.record(nanoseconds{-5});
  EXPECT_EQ(histogram.quantile(1), nanoseconds{0});
  histogram.record(std::chrono::hours{24});
  EXPECT_EQ(histogram.max(), Histogram::kMax);
  EXPECT_EQ(histogram.quantile(1), Histogram::kMax);
  EXPECT_EQ(histogram.count(), 2u);
}

TEST(Histogram, AddsAnother) {
  Histogram one;
  Histogram other;
  for (int i = 1; i <= 100; ++i) one.record(nanoseconds{i});
  for (int i = 101; i <= 200; ++i) other.record(nanoseconds{i});
  one.add(other);
  EXPECT_EQ(one.count(), 200u);
  EXPECT_EQ(one.quantile(0.5), nanoseconds{100});
  EXPECT_EQ(one.max(), nanoseconds{200});
}

}  // namespace
}  // namespace hermod::load
