// SPDX-License-Identifier: Apache-2.0
// Time as the sans-I/O layers see it: an instant is handed in with every input, nobody asks a
// clock.
#pragma once

#include <chrono>

namespace hermod {

using Duration = std::chrono::nanoseconds;

/// Tag of the monotonic time line; it has no now(): instants come from a Clock.
struct MonotonicTag {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicTag, Duration>;
  static constexpr bool is_steady = true;
};

/// A point on the monotonic time line of this process; its origin means nothing.
using Instant = std::chrono::time_point<MonotonicTag, Duration>;

/// "Never": later than every deadline.
inline constexpr Instant kNever = Instant::max();

/// Where instants come from: the system's monotonic clock, or a test's.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
};

/// CLOCK_MONOTONIC.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
};

}  // namespace hermod
