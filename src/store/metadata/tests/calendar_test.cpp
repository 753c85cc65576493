// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/calendar.hpp"

#include <gtest/gtest.h>

namespace hermod::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::int64_t kBegin = 1'700'000'000'000;  // ms since 1970
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kTenYearsMs = 10 * 365 * 24 * kHourMs;

Instant at(Duration since) {
  return Instant{since};
}

// A system that has been up for `up` when its wall clock says `wall_ms`.
Moment moment(Duration up, std::int64_t wall_ms) {
  return {.now = at(up), .wall_ms = wall_ms, .since_boot = up};
}

TEST(Calendar, BeginsAtTheWallClock) {
  const Calendar calendar({}, moment(hours{5}, kBegin), "boot");
  EXPECT_EQ(calendar.to_calendar(at(hours{5})), kBegin);
  EXPECT_EQ(calendar.to_calendar(at(hours{6})), kBegin + kHourMs);
  EXPECT_EQ(calendar.to_instant(kBegin - kHourMs), at(hours{4}));
}

TEST(Calendar, NeverIsAValueOfItsOwn) {
  const Calendar calendar({}, moment(hours{5}, kBegin), "boot");
  EXPECT_EQ(calendar.to_calendar(kNever), kNeverMs);
  EXPECT_EQ(calendar.to_instant(kNeverMs), kNever);
  // Times that the other side cannot tell do not become "never".
  EXPECT_LT(calendar.to_instant(kNeverMs - 1), kNever);
  EXPECT_LT(calendar.to_calendar(kNever - nanoseconds{1}), kNeverMs);
  EXPECT_LT(calendar.to_instant(std::numeric_limits<CalendarMs>::min()),
            at(-hours{24 * 365 * 290}));
  const Calendar far({}, moment(hours{5}, kNeverMs - 5), "boot");
  EXPECT_EQ(far.to_calendar(at(hours{6})), kNeverMs - 1);
}

TEST(Calendar, ATimeThatIsReadAndWrittenAtEachStartStaysTheSame) {
  CalendarMs kept = 0;
  std::optional<Anchor> anchor;
  for (int start = 0; start < 1000; ++start) {
    const Duration up = hours{1} + nanoseconds{start * 1'234'567};
    const Calendar calendar(anchor, moment(up, kBegin), "boot");
    if (start == 0) kept = calendar.to_calendar(at(hours{2} + nanoseconds{1}));
    EXPECT_EQ(calendar.to_calendar(calendar.to_instant(kept)), kept);
    anchor = Anchoring(calendar, "boot").at(moment(up, kBegin));
  }
  EXPECT_EQ(kept, kBegin + kHourMs + 1) << "rounded up: nothing expires too early";
}

// Where the calendar stands `up` after the boot `boot_id`, when it has been stopped one hour after
// its boot "first" and the wall clock says `wall_ms` now.
CalendarMs after_stop(std::int64_t wall_ms, Duration up, const std::string& boot_id) {
  const Calendar before({}, moment(hours{1}, kBegin), "first");
  const Anchor anchor = Anchoring(before, "first").at(moment(hours{1}, kBegin));
  const Calendar calendar(anchor, moment(up, wall_ms), boot_id);
  return calendar.to_calendar(at(up));
}

TEST(Calendar, WithoutARebootOnlyTheTimeSinceBootCounts) {
  for (const std::int64_t jump : {std::int64_t{0}, kHourMs, -kHourMs, kTenYearsMs, -kTenYearsMs}) {
    EXPECT_EQ(after_stop(kBegin + kHourMs + jump, hours{2}, "first"), kBegin + kHourMs) << jump;
  }
  EXPECT_EQ(after_stop(kBegin, seconds{30}, "first"), kBegin) << "never back";
}

TEST(Calendar, AfterARebootTheWallClockCountsButNeverBack) {
  EXPECT_EQ(after_stop(kBegin + kHourMs, seconds{30}, "second"), kBegin + kHourMs);
  EXPECT_EQ(after_stop(kBegin - kHourMs, seconds{30}, "second"), kBegin);
  EXPECT_EQ(after_stop(kBegin - kTenYearsMs, seconds{30}, "second"), kBegin);
  EXPECT_EQ(after_stop(kBegin + kTenYearsMs, seconds{30}, "second"), kBegin + kTenYearsMs);
  // A system that does not name its boots is taken for one that has been booted.
  EXPECT_EQ(after_stop(kBegin + 5, hours{2}, ""), kBegin + 5);
}

TEST(Calendar, SleepOfTheSystemCountsOverAStop) {
  const Calendar before({}, moment(hours{1}, kBegin), "first");
  const Anchor anchor = Anchoring(before, "first").at(moment(hours{1}, kBegin));
  // The monotonic clock stood still for an hour.
  const Moment start{.now = at(hours{1}), .wall_ms = kBegin, .since_boot = hours{2}};
  EXPECT_EQ(Calendar(anchor, start, "first").to_calendar(start.now), kBegin + kHourMs);
}

class AnchoringTest : public testing::Test {
 protected:
  Calendar calendar_{{}, moment(hours{1}, kBegin), "boot"};
  Anchoring anchoring_{calendar_, "boot"};
};

TEST_F(AnchoringTest, IsDueAtFirstAndThenEachMinute) {
  EXPECT_TRUE(anchoring_.due(moment(hours{1}, kBegin)));
  anchoring_.on_kept(moment(hours{1}, kBegin));
  EXPECT_FALSE(anchoring_.due(moment(hours{1}, kBegin)));
  EXPECT_FALSE(anchoring_.due(moment(hours{1} + milliseconds{59'999}, kBegin + 59'999)));
  EXPECT_TRUE(anchoring_.due(moment(hours{1} + seconds{60}, kBegin + 60'000)));
}

TEST_F(AnchoringTest, IsDueWhenTheWallClockJumps) {
  anchoring_.on_kept(moment(hours{1}, kBegin));
  const Duration later = hours{1} + seconds{10};
  for (const std::int64_t steered : {-1000, -1, 0, 1, 1000}) {
    EXPECT_FALSE(anchoring_.due(moment(later, kBegin + 10'000 + steered))) << steered;
  }
  for (const std::int64_t jump :
       {std::int64_t{-1001}, std::int64_t{1001}, kHourMs, -kHourMs, kTenYearsMs, -kTenYearsMs}) {
    EXPECT_TRUE(anchoring_.due(moment(later, kBegin + 10'000 + jump))) << jump;
  }
}

// The calendar is set while the broker runs, and then the system is booted.
TEST_F(AnchoringTest, AJumpThatWasAnchoredIsNoTimeThatPasses) {
  for (const std::int64_t jump : {kHourMs, -kHourMs, kTenYearsMs, -kTenYearsMs}) {
    anchoring_.on_kept(moment(hours{1}, kBegin));
    const Moment jumped = moment(hours{1} + seconds{5}, kBegin + 5'000 + jump);
    ASSERT_TRUE(anchoring_.due(jumped));
    const Anchor anchor = anchoring_.at(jumped);
    EXPECT_EQ(anchor.calendar_ms, kBegin + 5'000);
    const Moment booted = moment(seconds{20}, kBegin + 65'000 + jump);
    EXPECT_EQ(Calendar(anchor, booted, "next").to_calendar(booted.now), kBegin + 65'000) << jump;
  }
}

TEST(SystemMoment, TellsTheClocksOfThisSystem) {
  const Moment first = system_moment();
  const Moment second = system_moment();
  EXPECT_GE(second.now, first.now);
  EXPECT_GE(second.since_boot, first.since_boot);
  EXPECT_GT(first.since_boot, Duration{});
  EXPECT_GT(first.wall_ms, kBegin);
  EXPECT_EQ(system_boot_id(), system_boot_id());
  EXPECT_EQ(system_boot_id().size(), 36u);
}

}  // namespace
}  // namespace hermod::store
