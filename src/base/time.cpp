// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/time.hpp"

#include <ctime>

namespace hermod {
namespace {

Duration read(clockid_t clock) {
  timespec at{};
  clock_gettime(clock, &at);
  return std::chrono::seconds{at.tv_sec} + std::chrono::nanoseconds{at.tv_nsec};
}

}  // namespace

Instant SystemClock::now() const {
  return Instant{read(CLOCK_MONOTONIC)};
}

Duration SystemClock::since_1970() const {
  return read(CLOCK_REALTIME);
}

}  // namespace hermod
