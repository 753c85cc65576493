// SPDX-License-Identifier: Apache-2.0
// From seeds: a log that was written well is damaged on the disk: bits flip, files are cut, units
// of the disk are lost, mixed up or filled with something else. Every record that was not hit comes
// back as it was, and no other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "hermod/testkit/faulty_disk.hpp"
#include "log_fixture.hpp"

namespace hermod::store {
namespace {

class Damaged {
 public:
  explicit Damaged(std::uint64_t seed) : rng_(seed), disk_(seed) {}

  void run() {
    write();
    for (std::uint64_t times = 1 + rng_.below(4); times > 0; --times) damage();
    // Readers come before the start, too: what lies on the disk changes while the broker runs.
    read_all(*log_);
    for (const auto& [name, octets] : before_) after_[name] = disk_.octets_of(name);
    const std::vector<Position> expected = expected_positions();
    reopen();
    for (const Position position : expected) {
      EXPECT_TRUE(found_.contains(position)) << "lost " << std::hex << position;
    }
    for (const auto& [position, body] : found_) {
      const auto record = appended_.find(position);
      ASSERT_NE(record, appended_.end()) << "forged at " << std::hex << position;
      EXPECT_EQ(record->second, body);
    }
    hits = appended_.size() - expected.size();
    read_all(*log_);
  }

  std::uint64_t hits = 0;
  std::uint64_t reported = 0;

 private:
  void write() {
    const LogLimits limits{.segment_octets_max = kRecordsBegin + 2'000 + rng_.below(15'000)};
    log_ = std::move(*MessageLog::open(disk_, rng_, limits));
    ASSERT_TRUE(log_->recover([](const RecordView&) {}));
    for (std::uint64_t count = 20 + rng_.below(200); count > 0; --count) {
      Octets body(rng_.below(rng_.below(10) == 0 ? 6'000 : 150));
      for (auto& octet : body) octet = static_cast<std::uint8_t>(rng_.next());
      appended_[log_->append(make_draft(RecordKind::kMessage, body)).position] = body;
    }
    ASSERT_TRUE(log_->take_batch());
    ASSERT_EQ(log_->write_batch(true), WriteResult::kDone);
    const auto names = disk_.list();
    for (const std::string& name : *names) before_[name] = disk_.octets_of(name);
  }

  void damage() {
    auto segment = before_.begin();
    std::advance(segment, rng_.below(before_.size()));
    const std::string& name = segment->first;
    const std::uint64_t size = disk_.octets_of(name).size();
    if (size == 0) return;
    const std::uint64_t unit = rng_.below(2) == 0 ? 512 : 4'096;
    const std::uint64_t at = rng_.below(size) / unit * unit;
    const std::uint64_t count = std::min(unit, size - at);
    Octets octets(count);
    switch (rng_.below(6)) {
      case 0: {
        const std::uint64_t octet = rng_.below(size);
        disk_.flip_bit(name, octet, static_cast<unsigned>(rng_.below(8)));
        return;
      }
      case 1:
        disk_.cut_file(name, rng_.below(size));
        return;
      case 2:  // lost: zeros
        break;
      case 3:  // another's octets
        for (auto& octet : octets) octet = static_cast<std::uint8_t>(rng_.next());
        break;
      case 4:  // a unit of the log that belongs elsewhere
        copy_unit(octets, unit);
        break;
      default: {  // torn
        const auto written = disk_.octets_of(name);
        const std::uint64_t half = rng_.below(count);
        std::memcpy(octets.data(), written.data() + at, half);
      }
    }
    disk_.overwrite(name, at, octets);
  }

  void copy_unit(Octets& octets, std::uint64_t unit) {
    auto from = before_.begin();
    std::advance(from, rng_.below(before_.size()));
    const std::uint64_t at = rng_.below(from->second.size()) / unit * unit;
    const std::size_t count = std::min<std::size_t>(octets.size(), from->second.size() - at);
    std::memcpy(octets.data(), from->second.data() + at, count);
  }

  // Whether octets of a file are as they were written.
  [[nodiscard]] bool as_written(const std::string& name, std::uint64_t at,
                                std::uint64_t count) const {
    const Octets& now = after_.at(name);
    const Octets& then = before_.at(name);
    return at + count <= now.size() && std::memcmp(now.data() + at, then.data() + at, count) == 0;
  }

  [[nodiscard]] bool has_header(const std::string& name) const {
    return as_written(name, 0, kHeaderOctets) || as_written(name, kSecondHeader, kHeaderOctets);
  }

  // Those that were not hit.
  [[nodiscard]] std::vector<Position> expected_positions() const {
    std::vector<Position> expected;
    for (const auto& [position, body] : appended_) {
      const std::string name = segment_name(segment_of(position));
      const std::uint64_t octets = kFrameOctets + body.size();
      if (has_header(name) && as_written(name, offset_of(position), octets)) {
        expected.push_back(position);
      }
    }
    return expected;
  }

  void reopen() {
    log_.reset();
    auto log = MessageLog::open(disk_, rng_, {});
    ASSERT_TRUE(log) << log.error();
    log_ = std::move(*log);
    const auto recovered = log_->recover([&](const RecordView& record) {
      found_[record.position] = {record.body.begin(), record.body.end()};
    });
    ASSERT_TRUE(recovered) << recovered.error();
    reported = recovered->damaged_octets + recovered->torn_octets;
  }

  // What is read is what was written, or nothing.
  void read_all(MessageLog& log) {
    LogReader reader(log);
    for (const auto& [position, body] : appended_) {
      const auto record = reader.read(position);
      const std::string name = segment_name(segment_of(position));
      if (record) {
        EXPECT_EQ(Octets(record->body.begin(), record->body.end()), body);
      } else if (&log == log_.get() && found_.contains(position)) {
        ADD_FAILURE() << "found, but not read: " << std::hex << position;
      }
    }
  }

  SeededRng rng_;
  testkit::FaultyDisk disk_;
  std::unique_ptr<MessageLog> log_;
  Bodies appended_;
  Bodies found_;
  std::map<std::string, Octets> before_;
  std::map<std::string, Octets> after_;  // the damage
};

TEST(LogDamage, OnlyWhatWasHitIsLostAndNothingIsMadeUp) {
  std::uint64_t hits = 0;
  std::uint64_t seeds_hit = 0;
  std::uint64_t reported = 0;
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    Damaged log(seed);
    log.run();
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
    hits += log.hits;
    seeds_hit += log.hits != 0 ? 1 : 0;
    reported += log.reported != 0 ? 1 : 0;
  }
  EXPECT_GT(hits, 20'000u);
  EXPECT_GT(seeds_hit, 3'000u);
  EXPECT_GT(reported, 2'000u);
}

}  // namespace
}  // namespace hermod::store
