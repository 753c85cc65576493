// SPDX-License-Identifier: Apache-2.0
// Many threads append, one writes, and the others read what is committed meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "hermod/testkit/faulty_disk.hpp"
#include "log_fixture.hpp"

namespace hermod::store {
namespace {

constexpr int kShards = 4;
constexpr int kRecordsEach = 2'000;

class Shards {
 public:
  explicit Shards(MessageLog& log) : log_(log) {}

  void run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < kShards; ++i) threads.emplace_back([this, i] { shard(i); });
    std::thread writer([this] { write(); });
    for (auto& thread : threads) thread.join();
    finished_ = true;
    writer.join();
  }

  std::vector<Position> positions_[kShards];
  std::atomic<std::uint64_t> wrong = 0;

 private:
  static std::string body_of(int shard, int record) {
    return std::to_string(shard) + " " + std::to_string(record) +
           std::string(static_cast<std::size_t>(record) % 300, 'b');
  }

  void shard(int shard) {
    LogReader reader(log_);
    for (int record = 0; record < kRecordsEach; ++record) {
      const std::string body = body_of(shard, record);
      const auto appended = log_.append(make_draft(RecordKind::kMessage, as_bytes(body), {}, 2));
      positions_[shard].push_back(appended.position);
      if (record % 64 == 63) {
        // Waits for the event; the writer ends only after this thread.
        for (auto now = committed_.load(); now < appended.batch; now = committed_.load()) {
          committed_.wait(now);
        }
        for (int back = 0; back < 64; ++back) check(reader, shard, record - back);
        log_.let_go(segment_of(appended.position), 1);
        (void)log_.dead();
      }
    }
  }

  void check(LogReader& reader, int shard, int record) {
    const auto read = reader.read(positions_[shard][static_cast<std::size_t>(record)]);
    if (!read || as_text(read->body) != body_of(shard, record)) ++wrong;
  }

  void write() {
    while (true) {
      const bool last = finished_;
      if (const auto number = log_.take_batch()) {
        if (log_.write_batch(true) != WriteResult::kDone) ++wrong;
        committed_ = *number;
        committed_.notify_all();
      } else if (last) {
        return;
      } else {
        std::this_thread::yield();
      }
    }
  }

  MessageLog& log_;
  std::atomic<std::uint64_t> committed_ = 0;
  std::atomic<bool> finished_ = false;
};

class LogThreads : public LogFixture {
 protected:
  LogThreads() : LogFixture({.segment_octets_max = 100'000, .open_files_max = 2}) {}
};

TEST_F(LogThreads, WhatIsCommittedIsRead) {
  open();
  Shards shards(*log_);
  shards.run();
  EXPECT_EQ(shards.wrong, 0u);
  std::uint64_t live = 0;
  std::uint64_t total = 0;
  for (const SegmentUse& use : log_->usage()) {
    live += use.live;
    total += use.total;
  }
  EXPECT_EQ(total, 2u * kShards * kRecordsEach);
  EXPECT_EQ(total - live, static_cast<std::uint64_t>(kShards * (kRecordsEach / 64)));
  EXPECT_GT(log_->usage().size(), 5u);
  open();
  EXPECT_EQ(recovered_.records, static_cast<std::uint64_t>(kShards * kRecordsEach));
  for (const auto& positions : shards.positions_) {
    EXPECT_TRUE(std::ranges::all_of(positions, [&](Position p) { return found_.contains(p); }));
  }
}

}  // namespace
}  // namespace hermod::store
