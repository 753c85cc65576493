// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/time.hpp"

#include <ctime>

namespace hermod {

Instant SystemClock::now() const {
  timespec at{};
  clock_gettime(CLOCK_MONOTONIC, &at);
  return Instant{std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec}};
}

}  // namespace hermod
