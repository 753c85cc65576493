// SPDX-License-Identifier: Apache-2.0
// What a store may be given before it has been written.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "hermod/base/log.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/store/store.hpp"
#include "hermod/testkit/faulty_disk.hpp"

namespace hermod::store {
namespace {

class StoreRoom : public testing::Test {
 protected:
  static constexpr std::size_t kMost = 64u << 10;

  void SetUp() override {
    Clocks clocks;
    clocks.moment = [this] {
      Moment moment = system_moment();
      moment.now += ahead_;
      return moment;
    };
    auto opened =
        Store::open(disk_, rng_, log_, {.buffer_octets_max = kMost, .clocks = std::move(clocks)});
    ASSERT_TRUE(opened) << opened.error();
    store_ = std::move(*opened);
    ASSERT_TRUE(store_->recover());
    journal_ = store_->make_journal([] {});
  }
  core::CommitNumber append() {
    const std::string payload(1'000, 'x');
    const model::Message message{.destination = model::Destination::topic("a"),
                                 .payload = as_bytes(payload)};
    core::Position position = 0;
    return journal_->retain(message, position);
  }
  core::CommitNumber change() {
    return journal_->change(core::KeepSubscriber{
        .queue = journal_->new_queue(), .name = std::string(1'000, 'n'), .expiry_s = 1});
  }
  // How often that may be done before the store has no room, with a limit.
  template <typename Act>
  std::size_t times(Act&& act) {
    std::size_t count = 0;
    for (; journal_->has_room() && count < 4 * kMost / 1'000; ++count) act();
    return count;
  }

  Duration ahead_{};
  testkit::FaultyDisk disk_{1};
  SeededRng rng_{1};
  NullLog log_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<core::Journal> journal_;
};

TEST_F(StoreRoom, ChangesOfTheMetadataCount) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_NEAR(static_cast<double>(times([this] { change(); })), kMost / 1'200.0, 10);
    journal_->submit(false, 0);
    store_->write_rest();
  }
  EXPECT_TRUE(journal_->has_room());
}

TEST_F(StoreRoom, BothCountTogetherWhileTheDiskIsFull) {
  disk_.set_capacity(disk_.used());
  EXPECT_GT(times([this] { append(); }), 10u);
  store_->write_rest();
  EXPECT_EQ(store_->state(), core::Journal::State::kFull);
  EXPECT_EQ(times([this] { change(); }), 0u);
  disk_.set_capacity(UINT64_MAX);
  store_->write_rest();
  EXPECT_EQ(store_->state(), core::Journal::State::kWell);
  EXPECT_GT(times([this] { change(); }), 10u);
}

// Nothing will be written: nothing is kept for that.
TEST_F(StoreRoom, ASealedStoreHasRoomForEverything) {
  disk_.fail_syncs(EIO);
  append();
  change();
  store_->write_rest();
  ASSERT_EQ(store_->state(), core::Journal::State::kSealed);
  const core::CommitNumber before = journal_->committed();
  const auto limit = 4 * kMost / 1'000;
  EXPECT_EQ(times([this] { EXPECT_GT(append(), journal_->committed()); }), limit);
  EXPECT_EQ(times([this] { EXPECT_GT(change(), journal_->committed()); }), limit);
  disk_.fail_syncs(0, 0);
  journal_->submit(false, 0);
  store_->write_rest();
  EXPECT_EQ(journal_->committed(), before);
}

// The disk is full, and the anchor of the calendar cannot be written: the batch that waits for room
// is not safe.
TEST_F(StoreRoom, WhatWaitsForRoomIsNotCalledSafeWhenTheStoreIsSealed) {
  disk_.set_capacity(disk_.used());
  times([this] { append(); });
  store_->write_rest();
  ASSERT_EQ(store_->state(), core::Journal::State::kFull);
  const core::CommitNumber before = journal_->committed();
  disk_.set_capacity(UINT64_MAX);
  disk_.fail_syncs(EIO);
  ahead_ = std::chrono::hours{1};
  store_->write_rest();
  EXPECT_EQ(store_->state(), core::Journal::State::kSealed);
  EXPECT_EQ(journal_->committed(), before);
}

}  // namespace
}  // namespace hermod::store
