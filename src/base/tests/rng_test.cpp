// SPDX-License-Identifier: Apache-2.0
// A seed replays; bounds hold; the system's generator does not repeat itself. Also the other doors
// to the outside: the clock and the log sink.
#include "hermod/base/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include "hermod/base/log.hpp"
#include "hermod/base/time.hpp"

namespace hermod {
namespace {

TEST(SeededRng, ReplaysFromItsSeed) {
  SeededRng first(1);
  SeededRng second(1);
  SeededRng other(2);
  int equal = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = first.next();
    EXPECT_EQ(value, second.next());
    if (value == other.next()) ++equal;
  }
  EXPECT_EQ(equal, 0);
}

TEST(SeededRng, IsXoshiro256StarStar) {
  // Computed from the published definitions of splitmix64 and xoshiro256** for seed 0.
  SeededRng rng(0);
  EXPECT_EQ(rng.next(), 0x99EC5F36CB75F2B4u);
  EXPECT_EQ(rng.next(), 0xBF6E1F784956452Au);
  EXPECT_EQ(rng.next(), 0x1A5F849D4933E6E0u);
}

TEST(Rng, BelowStaysBelowAndReachesAll) {
  SeededRng rng(3);
  std::array<int, 7> counts{};
  for (int i = 0; i < 7000; ++i) ++counts.at(rng.below(7));
  EXPECT_GT(*std::ranges::min_element(counts), 850);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rng.below(1), 0u);
  bool large = false;
  for (int i = 0; i < 100; ++i) large |= rng.below(UINT64_MAX) > UINT64_MAX / 2;
  EXPECT_TRUE(large);
}

TEST(SystemRng, DoesNotRepeatItself) {
  SystemRng first;
  SystemRng second;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100; ++i) {  // three fillings of the buffer
    EXPECT_TRUE(seen.insert(first.next()).second);
    EXPECT_TRUE(seen.insert(second.next()).second);
  }
}

TEST(SystemClock, DoesNotGoBack) {
  const SystemClock clock;
  Instant last = clock.now();
  EXPECT_LT(last, kNever);
  for (int i = 0; i < 1000; ++i) {
    const Instant now = clock.now();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(SystemClock, KnowsTheCalendar) {
  const SystemClock clock;
  EXPECT_GT(clock.since_1970(), std::chrono::hours{24 * 365 * 50});  // it is after 2019
}

TEST(Log, FormatsOnlyWhatIsOn) {
  class Lines final : public Log {
   public:
    [[nodiscard]] bool enabled(LogLevel level) const override { return level >= LogLevel::kNotice; }
    void write(LogLevel, std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
  };
  Lines log;
  log.print(LogLevel::kDebug, "hidden {}", 1);
  log.print(LogLevel::kNotice, "shown {}", 2);
  EXPECT_EQ(log.lines, std::vector<std::string>{"shown 2"});
  NullLog().print(LogLevel::kError, "nowhere {}", 3);
}

}  // namespace
}  // namespace hermod
