// SPDX-License-Identifier: Apache-2.0
// Histogram of durations with a bounded relative error (below 0.1 %), constant memory and a cheap
// record(): each power of two is divided into kSteps equal steps.
#pragma once

#include <cstdint>
#include <vector>

#include "hermod/base/time.hpp"

namespace hermod::load {

class Histogram {
 public:
  /// Steps of one power of two; a recorded value is off by at most 1/kSteps of itself.
  static constexpr std::uint64_t kSteps = 1024;
  /// Longer durations count as this (about 18 minutes).
  static constexpr Duration kMax{(std::int64_t{1} << 40) - 1};

  Histogram();

  /// Negative durations count as zero. `times`: it stands for so many values.
  void record(Duration value, std::uint64_t times = 1);
  void add(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration max() const { return max_; }
  /// The smallest recorded step that at least `fraction` (0 to 1) of the values do not exceed,
  /// rounded up to the step's end but never above max(); zero when nothing was recorded.
  [[nodiscard]] Duration quantile(double fraction) const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  Duration max_{0};
};

}  // namespace hermod::load
