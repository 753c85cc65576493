// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/calendar.hpp"

#include <algorithm>
#include <ctime>
#include <fstream>

namespace hermod::store {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kInstantMaxMs =
    std::chrono::floor<milliseconds>(kNever.time_since_epoch()).count();
constexpr std::int64_t kInstantMinMs = -kInstantMaxMs;

// The sum, or the limit that it goes over.
std::int64_t add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? std::numeric_limits<std::int64_t>::min()
               : std::numeric_limits<std::int64_t>::max();
}

std::int64_t ceil_ms(Instant at) {
  return std::chrono::ceil<milliseconds>(at.time_since_epoch()).count();
}

std::int64_t ms_of(Duration duration) {
  return std::chrono::floor<milliseconds>(duration).count();
}

std::int64_t passed_ms(const Anchor& kept, const Moment& start, const std::string& boot_id) {
  if (!boot_id.empty() && kept.boot_id == boot_id) {
    return add(ms_of(start.since_boot), -ms_of(kept.since_boot));
  }
  std::int64_t passed = 0;
  const bool overflow = __builtin_sub_overflow(start.wall_ms, kept.wall_ms, &passed);
  return overflow ? 0 : passed;
}

}  // namespace

Moment system_moment() {
  timespec boot{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  const SystemClock clock;
  return {.now = clock.now(),
          .wall_ms = ms_of(clock.since_1970()),
          .since_boot = std::chrono::seconds{boot.tv_sec} + Duration{boot.tv_nsec}};
}

std::string system_boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

// The offset is in whole milliseconds, so that a time that is read and written again at each start
// stays what it was.
Calendar::Calendar(const std::optional<Anchor>& kept, const Moment& start,
                   const std::string& boot_id) {
  const std::int64_t begin =
      kept ? add(kept->calendar_ms, std::max<std::int64_t>(0, passed_ms(*kept, start, boot_id)))
           : start.wall_ms;
  offset_ms_ = add(begin, -ceil_ms(start.now));
}

CalendarMs Calendar::to_calendar(Instant at) const {
  if (at == kNever) return kNeverMs;
  return std::min(add(ceil_ms(at), offset_ms_), kNeverMs - 1);
}

Instant Calendar::to_instant(CalendarMs at) const {
  if (at == kNeverMs) return kNever;
  const std::int64_t ms = add(at, -offset_ms_);
  return Instant{milliseconds{std::clamp(ms, kInstantMinMs, kInstantMaxMs)}};
}

bool Anchoring::due(const Moment& moment) const {
  if (!kept_) return true;
  const Duration passed = moment.now - kept_->now;
  if (passed >= kInterval) return true;
  constexpr std::int64_t kJumpMs = std::chrono::ceil<milliseconds>(kJump).count();
  const std::int64_t expected = kept_->wall_ms + ms_of(passed);
  return moment.wall_ms - expected > kJumpMs || expected - moment.wall_ms > kJumpMs;
}

Anchor Anchoring::at(const Moment& moment) const {
  return {.calendar_ms = calendar_.to_calendar(moment.now),
          .wall_ms = moment.wall_ms,
          .since_boot = moment.since_boot,
          .boot_id = boot_id_};
}

}  // namespace hermod::store
