// SPDX-License-Identifier: Apache-2.0
#include "hermod/client/backoff.hpp"

#include <algorithm>

namespace hermod::client {

std::chrono::milliseconds Backoff::next() {
  constexpr std::uint64_t kSteps = 1'000'000;
  const auto longest = static_cast<double>(std::max(options_.initial, options_.longest).count());
  const double limit = std::min(limit_ms_, longest);
  limit_ms_ = std::min(limit * std::max(options_.factor, 1.0), longest);
  const double chance = static_cast<double>(rng_->below(kSteps + 1)) / kSteps;
  const double wait = limit * (1.0 - std::clamp(options_.jitter, 0.0, 1.0) * chance);
  return std::chrono::milliseconds(static_cast<std::int64_t>(wait));
}

}  // namespace hermod::client
