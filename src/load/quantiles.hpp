// SPDX-License-Identifier: Apache-2.0
// From a histogram to the figures that are reported.
#pragma once

#include <optional>

#include "hermod/load/histogram.hpp"
#include "hermod/load/report.hpp"

namespace hermod::load {

/// Nothing when nothing was recorded.
[[nodiscard]] inline std::optional<Quantiles> quantiles(const Histogram& histogram) {
  if (histogram.count() == 0) return std::nullopt;
  const auto microseconds = [](Duration value) {
    return static_cast<double>(value.count()) / 1000.0;
  };
  return Quantiles{.count = histogram.count(),
                   .p50_us = microseconds(histogram.quantile(0.5)),
                   .p90_us = microseconds(histogram.quantile(0.9)),
                   .p99_us = microseconds(histogram.quantile(0.99)),
                   .p999_us = microseconds(histogram.quantile(0.999)),
                   .max_us = microseconds(histogram.max())};
}

}  // namespace hermod::load
