// SPDX-License-Identifier: Apache-2.0
// Inflight as sessions use it: ids this side chose, ids the peer chose.
#include "hermod/session/inflight.hpp"

#include <gtest/gtest.h>

#include <map>

#include "hermod/base/rng.hpp"

namespace hermod::session {
namespace {

using model::Guarantee;
using model::Tag;

TEST(Inflight, IdsAscendFrom1) {
  Inflight inflight;
  EXPECT_TRUE(inflight.empty());
  for (std::uint16_t id = 1; id <= 100; ++id) {
    EXPECT_EQ(inflight.take(id, Guarantee::kAtLeastOnce), id);
  }
  EXPECT_EQ(inflight.outgoing(), 100u);
}

TEST(Inflight, AnIdIsNotReusedAtOnceAndNeverWhileInUse) {
  Inflight inflight;
  EXPECT_EQ(inflight.take(1, Guarantee::kAtLeastOnce), 1);
  EXPECT_EQ(inflight.take(2, Guarantee::kAtLeastOnce), 2);
  inflight.finish(2);
  EXPECT_EQ(inflight.take(3, Guarantee::kAtLeastOnce), 3);
  for (int i = 0; i < 70'000; ++i) {
    const std::uint16_t id = inflight.take(4, Guarantee::kAtLeastOnce);
    ASSERT_NE(id, 0);
    ASSERT_NE(id, 1);
    ASSERT_NE(id, 3);
    inflight.finish(id);
  }
}

TEST(Inflight, AllIdsCanBeInUse) {
  Inflight inflight;
  for (Tag tag = 0; tag < 65'535; ++tag) {
    ASSERT_NE(inflight.take(tag, Guarantee::kAtLeastOnce), 0);
  }
  EXPECT_EQ(inflight.take(0, Guarantee::kAtLeastOnce), 0);
  inflight.finish(40'000);
  EXPECT_EQ(inflight.take(7, Guarantee::kAtLeastOnce), 40'000);
}

TEST(Inflight, FindsByIdAndByTag) {
  Inflight inflight;
  EXPECT_EQ(inflight.find(1), nullptr);
  EXPECT_EQ(inflight.find_tag(500), nullptr);
  const std::uint16_t id = inflight.take(500, Guarantee::kExactlyOnce);
  const Inflight::Entry* entry = inflight.find(id);
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->tag, 500u);
  EXPECT_EQ(entry->stage, Stage::kSent);
  EXPECT_EQ(entry->guarantee, Guarantee::kExactlyOnce);
  EXPECT_EQ(inflight.find_tag(500), entry);
  EXPECT_EQ(inflight.find_tag(501), nullptr);
  EXPECT_EQ(inflight.find(static_cast<std::uint16_t>(id + 8)), nullptr);  // same place, other id
  inflight.finish(id);
  EXPECT_EQ(inflight.find(id), nullptr);
  EXPECT_EQ(inflight.find_tag(500), nullptr);
}

TEST(Inflight, FindsTagsInAnyOrderWhateverWasFoundBefore) {
  Inflight inflight;
  std::map<Tag, std::uint16_t> ids;
  for (Tag tag = 10; tag < 60; ++tag) ids[tag] = inflight.take(tag, Guarantee::kAtLeastOnce);
  for (const Tag step : {1, 7, 49}) {
    for (Tag tag = 0; tag < 50; ++tag) {
      const Tag wanted = 10 + tag * step % 50;
      const Inflight::Entry* entry = inflight.find_tag(wanted);
      ASSERT_NE(entry, nullptr) << wanted;
      EXPECT_EQ(entry->id, ids[wanted]);
    }
  }
}

TEST(Inflight, ReleasedIdsComeInTheOrderOfTheirRelease) {
  Inflight inflight;
  for (Tag tag = 1; tag <= 4; ++tag) (void)inflight.take(tag, Guarantee::kExactlyOnce);
  for (const int id : {3, 1, 4}) {
    inflight.release(*inflight.find(static_cast<std::uint16_t>(id)));
  }
  EXPECT_EQ(inflight.released(), (std::vector<std::uint16_t>{3, 1, 4}));
  EXPECT_EQ(inflight.find_tag(3), nullptr);  // settled: no delivery of it comes again
  EXPECT_NE(inflight.find_tag(2), nullptr);
  EXPECT_EQ(inflight.outgoing(), 4u);
  inflight.finish(1);
  EXPECT_EQ(inflight.released(), (std::vector<std::uint16_t>{3, 4}));
}

TEST(Inflight, RemembersIncomingIdsUntilTheyAreForgotten) {
  Inflight inflight;
  EXPECT_FALSE(inflight.forget_incoming(5));
  for (const std::uint16_t id : std::initializer_list<std::uint16_t>{1, 5, 1023, 1024, 65'535}) {
    EXPECT_TRUE(inflight.note_incoming(id));
    EXPECT_FALSE(inflight.note_incoming(id));
  }
  EXPECT_EQ(inflight.incoming(), 5u);
  EXPECT_TRUE(inflight.forget_incoming(5));
  EXPECT_FALSE(inflight.forget_incoming(5));
  EXPECT_FALSE(inflight.forget_incoming(6));
  EXPECT_TRUE(inflight.note_incoming(5));
  EXPECT_EQ(inflight.outgoing(), 0u);
}

TEST(Inflight, BothDirectionsAreApart) {
  Inflight inflight;
  const std::uint16_t id = inflight.take(1, Guarantee::kExactlyOnce);
  EXPECT_TRUE(inflight.note_incoming(id));
  inflight.finish(id);
  EXPECT_EQ(inflight.incoming(), 1u);
  EXPECT_FALSE(inflight.empty());
}

TEST(Inflight, ShrinksOnlyWhenNothingIsInFlight) {
  Inflight inflight;
  inflight.shrink();
  const std::uint16_t id = inflight.take(1, Guarantee::kAtLeastOnce);
  inflight.shrink();
  EXPECT_NE(inflight.find(id), nullptr);
  inflight.finish(id);
  inflight.shrink();
  EXPECT_TRUE(inflight.empty());
  EXPECT_EQ(inflight.take(2, Guarantee::kAtLeastOnce), 1);
}

TEST(Inflight, MovesAway) {
  Inflight from;
  const std::uint16_t id = from.take(9, Guarantee::kAtLeastOnce);
  Inflight to = std::move(from);
  EXPECT_NE(to.find(id), nullptr);
  EXPECT_EQ(to.outgoing(), 1u);
}

// Against a plain map, with many seeds.
TEST(Inflight, AgreesWithAMap) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRng rng(seed);
    Inflight inflight;
    std::map<std::uint16_t, Tag> expected;
    Tag tag = 0;
    for (int step = 0; step < 3000; ++step) {
      if (rng.below(100) < (step / 500 % 2 == 0 ? 70u : 30u)) {
        const std::uint16_t id = inflight.take(++tag, Guarantee::kAtLeastOnce);
        ASSERT_TRUE(expected.emplace(id, tag).second) << "seed " << seed;
      } else if (!expected.empty()) {
        const auto victim =
            std::next(expected.begin(), static_cast<std::ptrdiff_t>(rng.below(expected.size())));
        inflight.finish(victim->first);
        expected.erase(victim);
      }
      ASSERT_EQ(inflight.outgoing(), expected.size()) << "seed " << seed;
    }
    for (const auto& [id, expected_tag] : expected) {
      ASSERT_NE(inflight.find(id), nullptr) << "seed " << seed;
      EXPECT_EQ(inflight.find(id)->tag, expected_tag);
    }
  }
}

}  // namespace
}  // namespace hermod::session
