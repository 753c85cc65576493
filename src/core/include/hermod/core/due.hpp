// SPDX-License-Identifier: Apache-2.0
// When a queue's entry is over, in 32 bits: steps of about a quarter of a second, rounded up.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hermod/base/time.hpp"

namespace hermod::core {

/// Ascending in time, but for the two below.
using Due = std::uint32_t;
inline constexpr Due kNoDue = 0;       ///< never
inline constexpr Due kUnknownDue = 1;  ///< the message has to be read to know it

inline constexpr unsigned kDueShift = 28;  // of nanoseconds: 0.27 s
inline constexpr Due kFirstDue = 2;

/// What is due at `at` is over when due_at(now) has reached this.
[[nodiscard]] constexpr Due to_due(Instant at) {
  if (at == kNever) return kNoDue;
  const auto ns = std::max<std::int64_t>(at.time_since_epoch().count(), 0);
  const std::int64_t steps = (ns >> kDueShift) + ((ns & ((1 << kDueShift) - 1)) != 0 ? 1 : 0);
  return steps < UINT32_MAX - kFirstDue ? static_cast<Due>(steps) + kFirstDue : kNoDue;
}
/// What is due up to here is over at `now`.
[[nodiscard]] constexpr Due due_at(Instant now) {
  const auto ns = std::max<std::int64_t>(now.time_since_epoch().count(), 0);
  return static_cast<Due>(std::min<std::int64_t>(ns >> kDueShift, UINT32_MAX - kFirstDue)) +
         kFirstDue;
}
/// The first instant at which it is over; the beginning of time for kUnknownDue.
[[nodiscard]] constexpr Instant to_instant(Due due) {
  if (due == kNoDue) return kNever;
  return Instant{Duration{due <= kFirstDue ? 0 : std::int64_t{due - kFirstDue} << kDueShift}};
}
[[nodiscard]] constexpr Due earlier(Due a, Due b) {
  return a == kNoDue || (b != kNoDue && b < a) ? b : a;
}
[[nodiscard]] constexpr bool is_over(Due due, Due now) {
  return due >= kFirstDue && due <= now;
}

}  // namespace hermod::core
