// SPDX-License-Identifier: Apache-2.0
// Time as the store reckons it: a calendar of its own in milliseconds since 1970, so that what
// expires does so when it was to, whatever becomes of the wall clock. While the process runs it is
// the monotonic clock; an anchor that is kept carries it over a stop. It asks no clock.
// docs/decisions/0010-store.md, Time.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "hermod/base/time.hpp"

namespace hermod::store {

/// Milliseconds of the store's calendar. Expiries are kept so.
using CalendarMs = std::int64_t;

/// What kNever is in the calendar. Nothing else is this.
inline constexpr CalendarMs kNeverMs = std::numeric_limits<CalendarMs>::max();

/// What the clocks of the system say at one moment.
struct Moment {
  Instant now;               ///< CLOCK_MONOTONIC
  std::int64_t wall_ms = 0;  ///< CLOCK_REALTIME, since 1970
  Duration since_boot{};     ///< CLOCK_BOOTTIME, which goes on while the system sleeps
};

/// This system's clocks, now.
[[nodiscard]] Moment system_moment();
/// Names this boot of the system (/proc/sys/kernel/random/boot_id); empty when it does not say.
[[nodiscard]] std::string system_boot_id();

/// The clocks that a store goes by: the system's. Tests have others.
struct Clocks {
  std::function<Moment()> moment = system_moment;
  std::function<std::string()> boot_id = system_boot_id;
};

/// Where the calendar and the clocks of a system stood at one moment.
struct Anchor {
  CalendarMs calendar_ms = 0;
  std::int64_t wall_ms = 0;
  Duration since_boot{};
  std::string boot_id;

  bool operator==(const Anchor&) const = default;
};

/// Turns instants of this process into the calendar, and back. Does not change: any thread may use
/// it.
class Calendar {
 public:
  /// Goes on from `kept`: by the time since boot when the system has not been booted since, else by
  /// the wall clock, but never back. A calendar without an anchor begins at the wall clock.
  Calendar(const std::optional<Anchor>& kept, const Moment& start, const std::string& boot_id);

  /// The first whole millisecond that is not before `at`. kNever is kNeverMs.
  [[nodiscard]] CalendarMs to_calendar(Instant at) const;
  /// What to_calendar() was given, up to its rounding. Times that no Instant can tell become the
  /// earliest one, or the latest one before kNever.
  [[nodiscard]] Instant to_instant(CalendarMs at) const;

 private:
  std::int64_t offset_ms_;  // of the calendar to the monotonic clock
};

/// Says when the anchor has to be written again: when the wall clock jumps, which would be taken
/// for time that has passed if the system were booted next, and now and then. Of one thread.
///
///   Anchoring anchoring{calendar, system_boot_id()};
///   const Moment moment = system_moment();
///   if (anchoring.due(moment) && metadata.keep(anchoring.at(moment))) anchoring.on_kept(moment);
class Anchoring {
 public:
  static constexpr Duration kInterval = std::chrono::minutes{1};
  /// The wall clock is steered all the time; it jumps when it gains or loses more than this.
  static constexpr Duration kJump = std::chrono::seconds{1};

  /// `calendar` outlives this.
  Anchoring(const Calendar& calendar, std::string boot_id)
      : calendar_(calendar), boot_id_(std::move(boot_id)) {}

  /// True until an anchor has been kept.
  [[nodiscard]] bool due(const Moment& moment) const;
  [[nodiscard]] Anchor at(const Moment& moment) const;
  /// The anchor of that moment is written.
  void on_kept(const Moment& moment) { kept_ = moment; }

 private:
  const Calendar& calendar_;
  std::string boot_id_;
  std::optional<Moment> kept_;
};

}  // namespace hermod::store
