// SPDX-License-Identifier: Apache-2.0
// From seeds: a log is appended to, written, synced or not, filled up, compacted, and loses its
// power, in the middle of whatever it does. What a sync has covered comes back as it was, always;
// whatever comes back was appended just there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "hermod/testkit/faulty_disk.hpp"
#include "log_fixture.hpp"

namespace hermod::store {
namespace {

class Life {
 public:
  explicit Life(std::uint64_t seed) : rng_(seed), disk_(seed + 1) {}

  void run() {
    for (std::uint64_t boots = 1 + rng_.below(4); boots > 0 && !failed(); --boots) {
      open();
      for (std::uint64_t steps = rng_.below(40); steps > 0 && !failed(); --steps) step();
      end();
    }
    if (!failed()) open();
  }

  // What happened, so that the test can see that it happens.
  std::uint64_t records = 0;
  std::uint64_t lost = 0;
  std::uint64_t torn = 0;
  std::uint64_t damaged = 0;
  std::uint64_t full = 0;
  std::uint64_t sealed = 0;
  std::uint64_t removed = 0;
  std::uint64_t middle = 0;

 private:
  static bool failed() { return testing::Test::HasFailure(); }

  void open() {
    log_.reset();
    auto log = MessageLog::open(disk_, rng_, limits());
    ASSERT_TRUE(log) << log.error();
    log_ = std::move(*log);
    Bodies found;
    const auto recovered = log_->recover([&](const RecordView& record) {
      found[record.position] = {record.body.begin(), record.body.end()};
    });
    ASSERT_TRUE(recovered) << recovered.error();
    check(found);
    records += found.size();
    lost += appended_.size() - found.size();
    torn += recovered->torn_octets != 0 ? 1 : 0;
    damaged += recovered->damaged;
    // What was found is safe now; what was not may not appear later.
    appended_ = found;
    safe_ = found;
    unsafe_.clear();
  }

  LogLimits limits() {
    return {.segment_octets_max = kRecordsBegin + 500 + rng_.below(20'000),
            .buffer_octets_max = 1u << 20,
            .open_files_max = 1 + rng_.below(3),
            .zeros_octets = rng_.below(2) == 0 ? 0 : rng_.below(30'000)};
  }

  void check(const Bodies& found) {
    for (const auto& [position, body] : safe_) {
      const auto record = found.find(position);
      ASSERT_NE(record, found.end()) << "lost " << std::hex << position;
      ASSERT_EQ(record->second, body) << std::hex << position;
    }
    for (const auto& [position, body] : found) {
      const auto record = appended_.find(position);
      ASSERT_NE(record, appended_.end()) << "never written at " << std::hex << position;
      ASSERT_EQ(record->second, body) << std::hex << position;
    }
  }

  void step() {
    switch (rng_.below(12)) {
      case 0:
        if (!disk_.stopped()) disk_.set_capacity(disk_.used() + rng_.below(10'000));
        break;
      case 1:
        disk_.set_capacity(UINT64_MAX);
        break;
      case 2:
        if (rng_.below(8) == 0) disk_.fail_syncs(EIO);
        break;
      case 3:
        remove_one();
        break;
      case 4:
      case 5:
      case 6:
        write();
        break;
      default:
        append();
    }
  }

  void append() {
    for (std::uint64_t count = 1 + rng_.below(8); count > 0; --count) {
      Octets body(rng_.below(rng_.below(10) == 0 ? 9'000 : 200));
      for (auto& octet : body) octet = static_cast<std::uint8_t>(rng_.next());
      const auto cut = rng_.below(body.size() + 1);
      const Draft draft =
          make_draft(RecordKind::kMessage, Bytes(body).first(cut), Bytes(body).subspan(cut));
      const Position position = log_->append(draft).position;
      appended_[position] = body;
      unsafe_[position] = body;
    }
  }

  void write() {
    if (!waits_) {
      if (!log_->take_batch()) return;
      waits_ = true;
      taken_.swap(unsafe_);
    }
    const bool sync = rng_.below(3) != 0;
    const WriteResult result = log_->write_batch(sync);
    full += result == WriteResult::kFull ? 1 : 0;
    sealed += result == WriteResult::kSealed ? 1 : 0;
    if (result != WriteResult::kDone) return;
    waits_ = false;
    written_.merge(taken_);
    taken_.clear();
    if (!sync && (rng_.below(2) == 0 || log_->sync() != WriteResult::kDone)) return;
    for (const auto& record : written_) safe_.insert(record);
    written_.clear();
  }

  void remove_one() {
    const auto dead = log_->dead();
    if (dead.empty()) return;
    const SegmentNumber number = dead[rng_.below(dead.size())];
    const auto in_it = [number](const auto& record) { return segment_of(record.first) == number; };
    std::erase_if(safe_, in_it);
    std::erase_if(written_, in_it);
    if (log_->remove(number) != 0) return;  // it may be there again
    std::erase_if(appended_, in_it);
    ++removed;
  }

  // In the middle of writing, or between two writes.
  void end() {
    if (rng_.below(2) == 0) {
      disk_.stop_after(rng_.below(6));
      for (int i = 0; i < 6 && !disk_.stopped(); ++i) {
        append();
        write();
      }
      middle += disk_.stopped() ? 1 : 0;
    }
    log_.reset();
    disk_.set_capacity(UINT64_MAX);
    disk_.fail_syncs(0, 0);
    if (rng_.below(4) == 0) {
      disk_.kill();
    } else {
      disk_.power_cut();
    }
    waits_ = false;
    taken_.clear();
    written_.clear();
  }

  SeededRng rng_;
  testkit::FaultyDisk disk_;
  std::unique_ptr<MessageLog> log_;
  Bodies appended_;  // everything
  Bodies unsafe_;    // in the open batch
  Bodies taken_;     // in the batch that is to be written
  Bodies written_;   // but not synced
  Bodies safe_;
  bool waits_ = false;
};

TEST(LogPower, WhatASyncCoveredComesBackAndNothingElse) {
  Life all(0);
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    Life life(seed);
    life.run();
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
    all.records += life.records;
    all.lost += life.lost;
    all.torn += life.torn;
    all.damaged += life.damaged;
    all.full += life.full;
    all.sealed += life.sealed;
    all.removed += life.removed;
    all.middle += life.middle;
  }
  // All of it has happened.
  EXPECT_GT(all.records, 100'000u);
  EXPECT_GT(all.lost, 10'000u);
  EXPECT_GT(all.torn, 100u);
  EXPECT_GT(all.damaged, 100u);
  EXPECT_GT(all.full, 100u);
  EXPECT_GT(all.sealed, 100u);
  EXPECT_GT(all.removed, 100u);
  EXPECT_GT(all.middle, 1'000u);
}

}  // namespace
}  // namespace hermod::store
