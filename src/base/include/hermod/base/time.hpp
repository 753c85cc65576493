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
  /// What the calendar says, since 1970-01-01T00:00Z, without leap seconds. It may be set, and then
  /// it jumps: now() and this have no fixed distance, except in a clock that does not say
  /// otherwise, where time began in 1970.
  [[nodiscard]] virtual Duration since_1970() const { return now().time_since_epoch(); }
};

/// CLOCK_MONOTONIC, and CLOCK_REALTIME for the calendar.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] Duration since_1970() const override;
};

}  // namespace hermod
