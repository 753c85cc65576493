// SPDX-License-Identifier: Apache-2.0
#include "log_reader.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "hermod/testkit/allocations.hpp"
#include "log_fixture.hpp"

namespace hermod::store {
namespace {

class LogReaderTest : public LogFixture {
 protected:
  void SetUp() override { open(); }

  void expect_all(LogReader& reader) {
    for (const auto& [position, body] : appended_) {
      const auto record = reader.read(position);
      ASSERT_TRUE(record) << position;
      EXPECT_EQ(record->position, position);
      EXPECT_EQ(record->kind, RecordKind::kMessage);
      EXPECT_EQ(Octets(record->body.begin(), record->body.end()), body);
    }
  }
};

class LargeLogReaderTest : public LogReaderTest {
 protected:
  LargeLogReaderTest() { limits_ = {}; }
};

TEST_F(LogReaderTest, ReadsWhatWasWritten) {
  fill(5);
  LogReader reader(*log_);
  expect_all(reader);
  open();
  LogReader again(*log_);
  expect_all(again);
}

TEST_F(LargeLogReaderTest, NeighboursCostFewReads) {
  for (int i = 0; i < 20'000; ++i) append("message " + std::to_string(i));
  EXPECT_EQ(write(), WriteResult::kDone);
  LogReader reader(*log_);
  const auto before = disk_.counts().reads;
  expect_all(reader);
  EXPECT_LE(disk_.counts().reads - before, 20u);
}

TEST_F(LargeLogReaderTest, SeesWhatWasWrittenBehindWhatItHasRead) {
  LogReader reader(*log_);
  for (int i = 0; i < 50; ++i) {
    append("one by one " + std::to_string(i));
    EXPECT_EQ(write(), WriteResult::kDone);
    expect_all(reader);
  }
}

// The reader's window holds octets that were being written when it read their neighbours.
TEST_F(LargeLogReaderTest, IsNotMisledByWhatWasNotYetWritten) {
  append("first");
  const Position second = append("second");
  EXPECT_EQ(write(), WriteResult::kDone);
  const Octets whole = disk_.octets_of(segment_name(1));
  const Octets nothing(whole.size() - offset_of(second), 0);
  disk_.overwrite(segment_name(1), offset_of(second), nothing);
  LogReader reader(*log_);
  ASSERT_TRUE(reader.read(appended_.begin()->first));
  disk_.overwrite(segment_name(1), 0, whole);
  expect_all(reader);
}

TEST_F(LargeLogReaderTest, LargeRecordsAreReadAndTheirMemoryGivenBack) {
  append(std::string(1'000'000, 'L'));
  const Position small = append("small");
  append(std::string(300'000, 'M'));
  EXPECT_EQ(write(), WriteResult::kDone);
  const std::size_t before = testkit::allocated_octets();
  LogReader reader(*log_);
  expect_all(reader);
  expect_all(reader);
  ASSERT_TRUE(reader.read(small));
  EXPECT_LT(testkit::allocated_octets() - before, 300'000u);
}

TEST_F(LargeLogReaderTest, ALengthBehindTheEndAsksForNoMemory) {
  const Position position = append(std::string(10'000, 'b'));
  EXPECT_EQ(write(), WriteResult::kDone);
  Octets frame(kFrameOctets);
  const auto file = disk_.open(segment_name(1), Disk::Mode::kRead);
  write_frame(frame.data(), {.body_octets = 1u << 29, .kind = 1, .version = kBodyVersion},
              read_header(**file, 1)->record_key(), position, 0);
  disk_.overwrite(segment_name(1), offset_of(position), frame);
  const std::size_t before = testkit::allocated_octets();
  LogReader reader(*log_);
  EXPECT_EQ(reader.read(position).error(), ReadError::kDamaged);
  EXPECT_LT(testkit::allocated_octets() - before, 100'000u);
  open();
  EXPECT_EQ(recovered_.records, 0u);
}

TEST_F(LogReaderTest, DamageIsToldAndHidesNothingElse) {
  fill(1);
  const Position hit = std::next(appended_.begin(), 2)->first;
  disk_.flip_bit(segment_name(1), offset_of(hit) + 100, 3);
  LogReader reader(*log_);
  EXPECT_EQ(reader.read(hit).error(), ReadError::kDamaged);
  appended_.erase(hit);
  expect_all(reader);
}

TEST_F(LogReaderTest, NoPlaceButARecordsIsOne) {
  fill(1);
  LogReader reader(*log_);
  for (std::uint64_t offset = 0; offset < limits_.segment_octets_max + 100; ++offset) {
    const Position position = position_of(1, offset);
    EXPECT_EQ(reader.read(position).has_value(), appended_.contains(position)) << offset;
  }
  EXPECT_EQ(reader.read(0).error(), ReadError::kGone);
  EXPECT_EQ(reader.read(position_of(77, kRecordsBegin)).error(), ReadError::kGone);
}

TEST_F(LogReaderTest, ARemovedSegmentIsGoneForWhoHasItOpen) {
  fill(2);
  LogReader reader(*log_);
  const Position position = appended_.begin()->first;
  ASSERT_TRUE(reader.read(position));
  EXPECT_EQ(log_->remove(1), 0);
  EXPECT_EQ(reader.read(position).error(), ReadError::kGone);
  EXPECT_EQ(LogReader(*log_).read(position).error(), ReadError::kGone);
}

TEST_F(LogReaderTest, FewFilesAreOpen) {
  fill(12);
  const std::size_t written = 1;
  LogReader reader(*log_);
  for (int round = 0; round < 3; ++round) {
    expect_all(reader);
    EXPECT_LE(disk_.open_files(), limits_.open_files_max + written);
  }
}

TEST_F(LogReaderTest, WhatTheSystemCannotReadIsNotDamage) {
  fill(1);
  LogReader reader(*log_);
  disk_.fail_reads(EIO);
  EXPECT_EQ(reader.read(appended_.begin()->first).error(), ReadError::kDisk);
  EXPECT_TRUE(reader.read(appended_.begin()->first));
  disk_.set_open_max(0);
  EXPECT_EQ(LogReader(*log_).read(position_of(2, kRecordsBegin)).error(), ReadError::kDisk);
}

}  // namespace
}  // namespace hermod::store
