// SPDX-License-Identifier: Apache-2.0
#include "salvage.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "hermod/base/rng.hpp"
#include "hermod/store/metadata.hpp"
#include "hermod/testkit/faulty_disk.hpp"
#include "put_octets.hpp"
#include "samples.hpp"

namespace hermod::store {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr core::QueueId kSubscribers = 4'000;
constexpr std::size_t kPage = 4'096;

class SalvageTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto metadata = Metadata::open(disk_, {.rng = rng_});
    ASSERT_TRUE(metadata) << metadata.error();
    ASSERT_EQ((*metadata)->keep_anchor({.calendar_ms = 5}), Metadata::Outcome::kOk);
    std::vector<core::Change> changes;
    for (core::QueueId queue = 1; queue <= kSubscribers; ++queue) {
      changes.emplace_back(core::KeepSubscriber{.queue = queue, .name = name_of(queue)});
      changes.emplace_back(core::KeepSubscription{.queue = queue, .filter = "a/#"});
    }
    changes.emplace_back(core::KeepDeclaration{.topic = "d"});
    ASSERT_EQ((*metadata)->apply(changes, sample_calendar()), Metadata::Outcome::kOk);
  }
  static std::string name_of(core::QueueId queue) {
    return fmt::format("subscriber-{:05}-{}", queue, std::string(60, 'x'));
  }

  // What is left; of each subscriber with its subscription, if it has it.
  Salvage run() {
    const SqliteVfs vfs(disk_);
    Salvage salvaged = salvage(vfs, sample_calendar());
    subscribers_.clear();
    subscriptions_ = 0;
    declarations_ = 0;
    for (const core::Change& change : salvaged.changes) {
      if (const auto* is = std::get_if<core::KeepSubscriber>(&change)) {
        EXPECT_EQ(is->name, name_of(is->queue));
        EXPECT_TRUE(subscribers_.insert(is->queue).second) << is->queue;
      } else if (const auto* has = std::get_if<core::KeepSubscription>(&change)) {
        EXPECT_EQ(has->queue, *subscribers_.rbegin()) << "behind its subscriber";
        ++subscriptions_;
      } else {
        ++declarations_;
      }
    }
    return salvaged;
  }

  // Zeros where a page was that begins to hold `text`.
  void lose_page_of(const std::string& text) {
    const Octets octets = disk_.octets_of(Metadata::kFileName);
    const auto at = std::ranges::search(octets, as_bytes(std::string_view{text})).begin();
    ASSERT_NE(at, octets.end());
    const auto page = static_cast<std::size_t>(at - octets.begin()) / kPage * kPage;
    ASSERT_NE(page, 0u);
    disk_.overwrite(Metadata::kFileName, page, Octets(kPage, 0));
  }

  testkit::FaultyDisk disk_{1};
  SeededRng rng_{2};
  std::set<core::QueueId> subscribers_;  // that are left
  std::size_t subscriptions_ = 0;
  std::size_t declarations_ = 0;
};

TEST_F(SalvageTest, OfWholeMetadataEverythingIsLeft) {
  const Salvage salvaged = run();
  EXPECT_TRUE(salvaged.lost.empty());
  EXPECT_EQ(subscribers_.size(), kSubscribers);
  EXPECT_EQ(subscriptions_, kSubscribers);
  EXPECT_EQ(declarations_, 1u);
  ASSERT_TRUE(salvaged.store);
  EXPECT_EQ(salvaged.store->first_free_queue, kSubscribers + 1);
  ASSERT_TRUE(salvaged.store->anchor);
  EXPECT_EQ(salvaged.store->anchor->calendar_ms, 5);
}

// A page has some 25 of these rows: those around three that are lost are there, also those between.
TEST_F(SalvageTest, RowsAroundLostPagesAreLeft) {
  for (const core::QueueId queue : {500, 2'000, 3'000}) lose_page_of(name_of(queue));
  const Salvage salvaged = run();
  ASSERT_FALSE(salvaged.lost.empty());
  EXPECT_TRUE(salvaged.lost[0].starts_with("a part of the table 'subscriber' cannot be read: "))
      << salvaged.lost[0];
  EXPECT_GT(subscribers_.size(), kSubscribers - 150);
  EXPECT_LT(subscribers_.size(), kSubscribers);
  for (const core::QueueId queue : {1, 1'000, 1'500, 2'500, 4'000}) {
    EXPECT_TRUE(subscribers_.contains(queue)) << queue;
  }
  for (const core::QueueId queue : {500, 2'000, 3'000}) {
    EXPECT_FALSE(subscribers_.contains(queue)) << queue;
  }
  EXPECT_EQ(subscriptions_, subscribers_.size());
  EXPECT_EQ(declarations_, 1u);
}

TEST_F(SalvageTest, ARowWhoseSumIsWrongIsNamed) {
  const Octets octets = disk_.octets_of(Metadata::kFileName);
  const std::string name = name_of(77);
  const auto at = std::ranges::search(octets, as_bytes(std::string_view{name})).begin();
  disk_.flip_bit(Metadata::kFileName, static_cast<std::uint64_t>(at - octets.begin()), 0);
  const Salvage salvaged = run();
  EXPECT_EQ(salvaged.lost, (std::vector<std::string>{
                               "a row of the table 'subscriber' (77): its sum is wrong",
                               "1 subscriptions of 1 queues: their subscribers cannot be read"}));
  EXPECT_EQ(subscribers_.size(), kSubscribers - 1);
}

TEST_F(SalvageTest, OfManyWrongRowsSomeAreNamed) {
  const Octets octets = disk_.octets_of(Metadata::kFileName);
  for (core::QueueId queue = 1'001; queue <= 1'100; ++queue) {
    const std::string name = name_of(queue);
    const auto at = std::ranges::search(octets, as_bytes(std::string_view{name})).begin();
    disk_.flip_bit(Metadata::kFileName, static_cast<std::uint64_t>(at - octets.begin()), 0);
  }
  const Salvage salvaged = run();
  ASSERT_EQ(salvaged.lost.size(), 66u);
  EXPECT_EQ(salvaged.lost[64], "36 more rows of the table 'subscriber'");
  EXPECT_EQ(salvaged.lost[65], "100 subscriptions of 100 queues: their subscribers cannot be read");
}

TEST_F(SalvageTest, WhatIsNoMetadataIsLeftAlone) {
  put_octets(disk_, Metadata::kFileName, Octets(10'000, 7));
  Salvage salvaged = run();
  EXPECT_TRUE(subscribers_.empty());
  ASSERT_EQ(salvaged.lost.size(), 1u);
  EXPECT_TRUE(salvaged.lost[0].starts_with("no row of 'metadata.sqlite' can be read"));
  EXPECT_FALSE(salvaged.store);
}

}  // namespace
}  // namespace hermod::store
