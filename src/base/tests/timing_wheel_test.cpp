// SPDX-License-Identifier: Apache-2.0
// The wheel's promises one by one, then against a model: a multimap of deadlines, driven by the
// same random operations, also from inside the callbacks.
#include "hermod/base/timing_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "hermod/base/rng.hpp"

namespace hermod {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{std::chrono::hours{5}};

class Timer : public WheelEntry {
 public:
  explicit Timer(int number = 0) : number_(number) {}
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};
static_assert(sizeof(WheelEntry) <= 32);

std::vector<int> fired_at(TimingWheel& wheel, Instant now) {
  std::vector<int> numbers;
  wheel.advance(now, [&](WheelEntry& e) { numbers.push_back(static_cast<Timer&>(e).number()); });
  return numbers;
}

TEST(TimingWheel, FiresAtTheDeadlineRoundedUpAndNotBefore) {
  TimingWheel wheel(kStart);
  Timer exact(1);
  Timer between(2);
  wheel.arm(exact, kStart + 5ms);
  wheel.arm(between, kStart + 5ms + 1ns);
  EXPECT_TRUE(exact.armed());
  EXPECT_EQ(fired_at(wheel, kStart + 5ms - 1ns), std::vector<int>{});
  EXPECT_EQ(fired_at(wheel, kStart + 5ms), std::vector<int>{1});
  EXPECT_FALSE(exact.armed());
  EXPECT_EQ(fired_at(wheel, kStart + 6ms - 1ns), std::vector<int>{});
  EXPECT_EQ(fired_at(wheel, kStart + 6ms), std::vector<int>{2});
  EXPECT_EQ(wheel.next_deadline(), kNever);
}

TEST(TimingWheel, FiresInOrderOfTicks) {
  TimingWheel wheel(kStart);
  std::vector<std::unique_ptr<Timer>> timers;
  const std::vector<Duration> after = {90s, 1ms, 64ms, 4096ms, 63ms, 65ms, 26h, 4095ms, 24h * 400};
  for (std::size_t i = 0; i < after.size(); ++i) {
    timers.push_back(std::make_unique<Timer>(static_cast<int>(i)));
    wheel.arm(*timers.back(), kStart + after[i]);
  }
  EXPECT_EQ(fired_at(wheel, kStart + 24h * 401), (std::vector<int>{1, 4, 2, 5, 7, 3, 0, 6, 8}));
}

TEST(TimingWheel, CancelledAndNeverDoNotFire) {
  TimingWheel wheel(kStart);
  Timer cancelled(1);
  Timer never(2);
  {
    Timer destroyed(3);
    wheel.arm(destroyed, kStart + 10ms);
    wheel.arm(cancelled, kStart + 10ms);
    wheel.arm(never, kStart + 10ms);
    wheel.arm(never, kNever);
    cancelled.cancel();
  }
  EXPECT_FALSE(cancelled.armed());
  EXPECT_FALSE(never.armed());
  EXPECT_EQ(wheel.next_deadline(), kNever);
  EXPECT_EQ(fired_at(wheel, kStart + 24h), std::vector<int>{});
}

TEST(TimingWheel, LastDeadlineCounts) {
  TimingWheel wheel(kStart);
  Timer timer(1);
  wheel.arm(timer, kStart + 90s);
  wheel.arm(timer, kStart + 20ms);
  EXPECT_EQ(wheel.next_deadline(), kStart + 20ms);
  wheel.arm(timer, kStart + 30ms);
  EXPECT_EQ(fired_at(wheel, kStart + 29ms), std::vector<int>{});
  EXPECT_EQ(fired_at(wheel, kStart + 30ms), std::vector<int>{1});
}

TEST(TimingWheel, PastDeadlineFiresAtTheNextAdvance) {
  TimingWheel wheel(kStart);
  EXPECT_TRUE(fired_at(wheel, kStart + 100ms).empty());
  Timer timer(1);
  wheel.arm(timer, kStart + 3ms);
  EXPECT_LE(wheel.next_deadline(), kStart + 100ms);
  EXPECT_TRUE(fired_at(wheel, kStart + 99ms).empty()) << "time does not go back";
  EXPECT_EQ(fired_at(wheel, kStart + 100ms), std::vector<int>{1});
}

TEST(TimingWheel, ArmingAnewInTheCallbackEndsTheAdvance) {
  TimingWheel wheel(kStart);
  Timer timer(1);
  wheel.arm(timer, kStart + 1ms);
  const auto again = [&](WheelEntry& entry) {
    EXPECT_FALSE(entry.armed());
    wheel.arm(entry, kStart + 2ms);
  };
  EXPECT_EQ(wheel.advance(kStart + 1s, again), 1u);
  EXPECT_EQ(wheel.advance(kStart + 1s, again), 1u);
  EXPECT_TRUE(timer.armed());
}

TEST(TimingWheel, CallbackMayDestroyItselfAndOthers) {
  TimingWheel wheel(kStart);
  std::map<int, std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 10; ++i) {
    timers[i] = std::make_unique<Timer>(i);
    wheel.arm(*timers[i], kStart + 7ms);
  }
  const std::size_t count = wheel.advance(kStart + 7ms, [&](WheelEntry& entry) {
    const int number = static_cast<Timer&>(entry).number();
    timers.erase(number);
    timers.erase(number + 1);
  });
  EXPECT_EQ(count, 5u);
  EXPECT_TRUE(timers.empty());
}

TEST(TimingWheel, EntriesOutliveTheWheel) {
  Timer near_one;
  Timer far_one;
  Timer overdue;
  {
    TimingWheel wheel(kStart);
    wheel.arm(near_one, kStart + 1ms);
    wheel.arm(far_one, kStart + 24h * 30);
    wheel.arm(overdue, kStart - 1s);
  }
  EXPECT_FALSE(near_one.armed());
  EXPECT_FALSE(far_one.armed());
  EXPECT_FALSE(overdue.armed());
}

TEST(TimingWheel, WholeRangeOfInstantsFits) {
  TimingWheel wheel(Instant::min(), TimingWheel::kTickMin);
  Timer last(1);
  Timer middle(2);
  wheel.arm(last, kNever - 1ns);
  wheel.arm(middle, Instant{});
  EXPECT_EQ(fired_at(wheel, Instant{1s}), std::vector<int>{2});
  EXPECT_LE(wheel.next_deadline(), kNever);
  EXPECT_EQ(fired_at(wheel, kNever), std::vector<int>{});
  EXPECT_TRUE(last.armed()) << "its tick begins after the last Instant";
}

TEST(TimingWheel, FollowingNextDeadlineTakesFewSteps) {
  TimingWheel wheel(kStart);
  Timer timer(1);
  wheel.arm(timer, kStart + 24h * 45 + 7ms);
  int steps = 0;
  std::vector<int> fired;
  while (fired.empty()) {
    ASSERT_LT(++steps, 10);
    fired = fired_at(wheel, wheel.next_deadline());
  }
}

// One multimap of ticks beside the wheel. Every operation goes to both.
class WheelModel {
 public:
  WheelModel(std::uint64_t seed, Duration tick) : rng_(seed), tick_(tick), wheel_(kStart, tick) {
    for (int i = 0; i < 60; ++i) timers_[i] = std::make_unique<Timer>(i);
  }

  void step() {
    const std::uint64_t choice = rng_.below(8);
    if (choice < 3) {
      arm(pick());
    } else if (choice < 4) {
      cancel(pick());
    } else if (choice < 5) {
      replace(pick());
    } else if (choice < 6) {
      advance(now_ + random_distance());
    } else if (wheel_.next_deadline() != kNever) {
      advance(std::max(now_, wheel_.next_deadline()));
    }
    check();
  }

 private:
  int pick() { return static_cast<int>(rng_.below(timers_.size())); }

  // From nanoseconds to days, all magnitudes alike.
  Duration random_distance() {
    return Duration{static_cast<std::int64_t>(rng_.below(std::uint64_t{1} << rng_.below(50)))};
  }

  [[nodiscard]] std::int64_t floor_tick(Instant at) const { return (at - kStart) / tick_; }
  [[nodiscard]] std::int64_t ceil_tick(Instant at) const {
    return at <= kStart ? 0 : (at - kStart + tick_ - 1ns) / tick_;
  }

  void forget(int number) {
    std::erase_if(waiting_, [&](const auto& item) { return item.second == number; });
    to_fire_.erase(number);
  }

  void arm(int number) {
    Instant deadline = now_ + random_distance();
    if (rng_.below(10) == 0) deadline = now_ - random_distance();
    if (rng_.below(20) == 0) deadline = kNever;
    wheel_.arm(*timers_[number], deadline);
    forget(number);
    if (deadline != kNever) waiting_.emplace(ceil_tick(deadline), number);
  }

  void cancel(int number) {
    timers_[number]->cancel();
    forget(number);
  }

  void replace(int number) {
    timers_[number] = std::make_unique<Timer>(number);
    forget(number);
  }

  void advance(Instant now) {
    const std::int64_t before = floor_tick(now_);
    now_ = now;
    for (const auto& [tick, number] : waiting_) {
      if (tick <= floor_tick(now)) to_fire_.insert(number);
    }
    std::int64_t last = 0;
    wheel_.advance(now, [&](WheelEntry& entry) {
      const int number = static_cast<Timer&>(entry).number();
      EXPECT_FALSE(entry.armed());
      EXPECT_TRUE(to_fire_.contains(number)) << number;
      const std::int64_t tick = tick_of(number);
      if (tick > before) {  // those that were overdue come first, in any order
        EXPECT_GE(tick, last);
        last = tick;
      } else {
        EXPECT_EQ(last, 0);
      }
      forget(number);
      for (std::uint64_t i = rng_.below(3); i > 0; --i) change_inside(number);
    });
    EXPECT_TRUE(to_fire_.empty()) << "not fired";
  }

  void change_inside(int fired) {
    switch (rng_.below(4)) {
      case 0:
        arm(fired);
        break;
      case 1:
        arm(pick());
        break;
      case 2:
        cancel(pick());
        break;
      default:
        replace(rng_.below(3) == 0 ? fired : pick());
    }
  }

  [[nodiscard]] std::int64_t tick_of(int number) const {
    for (const auto& [tick, other] : waiting_) {
      if (other == number) return tick;
    }
    ADD_FAILURE() << "the model does not know " << number;
    return 0;
  }

  void check() {
    const Instant next = wheel_.next_deadline();
    if (waiting_.empty()) {
      EXPECT_EQ(next, kNever);
    } else {
      EXPECT_LE(next, kStart + std::max(waiting_.begin()->first, floor_tick(now_)) * tick_);
    }
    std::set<int> armed;
    for (const auto& [number, timer] : timers_) {
      if (timer->armed()) armed.insert(number);
    }
    std::set<int> expected;
    for (const auto& item : waiting_) expected.insert(item.second);
    EXPECT_EQ(armed, expected);
  }

  SeededRng rng_;
  Duration tick_;
  Instant now_ = kStart;
  std::map<int, std::unique_ptr<Timer>> timers_;
  std::multimap<std::int64_t, int> waiting_;
  std::set<int> to_fire_;
  TimingWheel wheel_;
};

TEST(TimingWheel, AgreesWithAModel) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    WheelModel model(seed, seed % 2 == 0 ? TimingWheel::kDefaultTick : Duration{250us});
    for (int i = 0; i < 600; ++i) {
      model.step();
      ASSERT_FALSE(::testing::Test::HasFailure()) << "step " << i;
    }
  }
}

}  // namespace
}  // namespace hermod
