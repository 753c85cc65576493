// SPDX-License-Identifier: Apache-2.0
#include "segment.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "log_fixture.hpp"

namespace hermod::store {
namespace {

class SegmentTest : public LogFixture {
 protected:
  void SetUp() override { open(); }
  // Where octets that are no record were found.
  [[nodiscard]] std::vector<Damage> damage() const { return recovered_.damage; }
};

class LargeSegmentTest : public SegmentTest {
 protected:
  LargeSegmentTest() { limits_ = {}; }
};

TEST(Segment, NamesAreNumbers) {
  EXPECT_EQ(segment_name(1), "log-0000000000000001");
  EXPECT_EQ(segment_name(0xABCDEF01), "log-00000000abcdef01");
  for (const SegmentNumber number : {1u, 255u, UINT32_MAX}) {
    EXPECT_EQ(segment_number(segment_name(number)), number);
  }
  for (const char* const other :
       {"log-0000000000000000", "log-0000000100000000", "log-00000000ABCDEF01", "log-1", "lock",
        "log-000000000000001", "log-00000000000000001", "log-000000000000001 ",
        "lag-0000000000000001", "log--000000000000001", "metadata"}) {
    EXPECT_FALSE(segment_number(other)) << other;
  }
}

TEST_F(SegmentTest, EitherCopyOfTheHeaderWillDo) {
  fill(1);
  for (const std::size_t copy : {std::size_t{0}, kSecondHeader}) {
    for (std::size_t octet = 0; octet < kHeaderOctets; ++octet) {
      disk_.flip_bit(segment_name(1), copy + octet, octet % 8);
      open();
      EXPECT_EQ(found_, appended_);
      disk_.flip_bit(segment_name(1), copy + octet, octet % 8);
    }
  }
}

TEST_F(SegmentTest, WithoutAHeaderASegmentIsDamagedAsAWhole) {
  fill(2);
  const auto octets = disk_.octets_of(segment_name(1)).size();
  disk_.flip_bit(segment_name(1), 3, 1);
  disk_.flip_bit(segment_name(1), kSecondHeader + 60, 1);
  open();
  EXPECT_EQ(damage(), (std::vector<Damage>{{position_of(1, 0), octets}}));
  EXPECT_EQ(recovered_.damaged, 1u);
  EXPECT_EQ(recovered_.damaged_octets, octets);
  std::erase_if(appended_, [](const auto& record) { return segment_of(record.first) == 1; });
  EXPECT_EQ(found_, appended_);
  EXPECT_EQ(log_->dead().front(), 1u);
  EXPECT_EQ(log_->remove(1), 0);
}

TEST_F(SegmentTest, ASegmentUnderTheNameOfAnotherIsNone) {
  fill(3);
  ASSERT_EQ(disk_.remove(segment_name(3)), 0);
  ASSERT_EQ(disk_.rename(segment_name(2), segment_name(3)), 0);
  open();
  std::erase_if(appended_, [](const auto& record) {
    return segment_of(record.first) == 2 || segment_of(record.first) == 3;
  });
  EXPECT_EQ(found_, appended_);
  EXPECT_EQ(recovered_.damaged, 1u);
}

TEST_F(SegmentTest, ABlankFileIsRemoved) {
  fill(1);
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{100}, kRecordsBegin, std::uint64_t{9'000}}) {
    ASSERT_TRUE(disk_.open(segment_name(9), Disk::Mode::kCreate));
    disk_.overwrite(segment_name(9), 0, Octets(size, 0));
    open();
    EXPECT_EQ(found_, appended_);
    EXPECT_EQ(recovered_.damaged, 0u);
    EXPECT_EQ(disk_.open(segment_name(9), Disk::Mode::kRead).error(), ENOENT);
  }
}

TEST_F(SegmentTest, ALaterFormatIsRefusedInWords) {
  append("a");
  EXPECT_EQ(write(), WriteResult::kDone);
  SegmentHeader later{.format = kFormatVersion + 1, .number = 2, .store_key = 5, .salt = 6};
  ASSERT_TRUE(disk_.open(segment_name(2), Disk::Mode::kCreate));
  disk_.overwrite(segment_name(2), 0, header_octets(later));
  const auto log = MessageLog::open(disk_, rng_, limits_);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error(),
            "log-0000000000000002 has format 2, and this release reads formats up to 1: use the "
            "release that wrote it, or a later one");
}

TEST_F(SegmentTest, AnotherStoresSegmentIsRefusedInWords) {
  append("a");
  EXPECT_EQ(write(), WriteResult::kDone);
  ASSERT_TRUE(disk_.open(segment_name(2), Disk::Mode::kCreate));
  disk_.overwrite(segment_name(2), 0, header_octets({.number = 2, .store_key = 5, .salt = 6}));
  const auto log = MessageLog::open(disk_, rng_, limits_);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error(),
            "log-0000000000000002 is of another store than the segments before it: move it "
            "elsewhere");
}

TEST_F(SegmentTest, AfterDamageItGoesOnAtTheNextWholeRecord) {
  std::vector<Position> positions;
  for (int i = 0; i < 10; ++i) positions.push_back(append(std::string(100, 'a')));
  positions.push_back(append("last"));
  EXPECT_EQ(write(), WriteResult::kDone);
  // A frame's length, a body, and two neighbours.
  disk_.flip_bit(segment_name(1), offset_of(positions[1]), 0);
  disk_.flip_bit(segment_name(1), offset_of(positions[4]) + 50, 5);
  disk_.flip_bit(segment_name(1), offset_of(positions[7]) + 8, 5);
  disk_.flip_bit(segment_name(1), offset_of(positions[8]) + 4, 5);
  open();
  for (const int hit : {1, 4, 7, 8}) appended_.erase(positions[hit]);
  EXPECT_EQ(found_, appended_);
  const std::uint64_t octets = record_octets(100);
  EXPECT_EQ(damage(),
            (std::vector<Damage>{
                {positions[1], octets}, {positions[4], octets}, {positions[7], 2 * octets}}));
  EXPECT_EQ(recovered_.damaged, 3u);
  EXPECT_EQ(recovered_.damaged_octets, 4 * octets);
}

TEST_F(LargeSegmentTest, AllDamageIsCountedAndSomeOfItListed) {
  std::vector<Position> positions;
  for (int i = 0; i < 500; ++i) positions.push_back(append("record"));
  EXPECT_EQ(write(), WriteResult::kDone);
  for (int i = 0; i < 300; i += 2) {
    disk_.flip_bit(segment_name(1), offset_of(positions[i]) + 16, 0);
  }
  open();
  EXPECT_EQ(recovered_.damaged, 150u);
  EXPECT_EQ(damage().size(), kDamageListedMax);
  EXPECT_EQ(recovered_.records, 350u);
}

TEST_F(SegmentTest, TheTornEndIsCutOnlyFromTheLast) {
  fill(1);
  const auto whole = disk_.octets_of(segment_name(1)).size();
  const auto last = disk_.octets_of(segment_name(2)).size();
  disk_.overwrite(segment_name(1), whole, Octets(30, 1));
  disk_.overwrite(segment_name(2), last, Octets(50, 1));
  open();
  EXPECT_EQ(found_, appended_);
  EXPECT_EQ(damage(), (std::vector<Damage>{{position_of(1, whole), 30}}));
  EXPECT_EQ(recovered_.torn_octets, 50u);
  EXPECT_EQ(disk_.octets_of(segment_name(1)).size(), whole + 30);
  EXPECT_EQ(disk_.octets_of(segment_name(2)).size(), last);
  open();
  EXPECT_EQ(recovered_.torn_octets, 0u);
}

TEST_F(SegmentTest, TheCutOfTheTornEndIsSafe) {
  fill(0);
  const auto size = disk_.octets_of(segment_name(1)).size();
  for (int round = 0; round < 20; ++round) {
    disk_.overwrite(segment_name(1), size, Octets(40, 1));
    open();
    disk_.power_cut();
    EXPECT_EQ(disk_.octets_of(segment_name(1)).size(), size);
  }
}

// Files that were removed without the directory being synced must not come back later.
TEST_F(SegmentTest, NamesAreSafeAfterTheStart) {
  fill(2);
  disk_.fail_syncs(EIO);
  ASSERT_EQ(log_->remove(1), EIO);
  std::erase_if(appended_, [](const auto& record) { return segment_of(record.first) == 1; });
  disk_.kill();
  const auto before = disk_.counts().directory_syncs;
  open();
  EXPECT_EQ(disk_.counts().directory_syncs - before, 1u);
  disk_.power_cut();
  open();
  EXPECT_EQ(found_, appended_);
}

// A segment was lost by a power cut, another got its number, and the disk gives it octets of the
// lost one, at the very same place.
TEST_F(SegmentTest, OctetsOfAnEarlierLifeAreNoRecords) {
  append("keeps the key of the store");
  EXPECT_EQ(write(), WriteResult::kDone);
  open();
  const Bodies kept = appended_;
  append("first of the lost");
  const std::string second = "second of the lost";
  const Position place = append(second);
  EXPECT_EQ(write(), WriteResult::kDone);
  const Octets lost = disk_.octets_of(segment_name(2));
  ASSERT_EQ(disk_.remove(segment_name(2)), 0);
  appended_ = kept;
  open();
  ASSERT_EQ(segment_of(append("first of the new!")), 2u);
  EXPECT_EQ(write(), WriteResult::kDone);
  disk_.overwrite(segment_name(2), offset_of(place), Bytes(lost).subspan(offset_of(place)));
  open();
  EXPECT_EQ(found_, appended_);
  EXPECT_EQ(recovered_.torn_octets, kFrameOctets + second.size());
}

// What is found after a kill was perhaps never synced; what rests on it would be wrong after a
// power cut.
TEST_F(SegmentTest, WhatIsRecoveredIsSafe) {
  for (int i = 0; i < 30; ++i) append("written, not synced");
  EXPECT_EQ(write(false), WriteResult::kDone);
  disk_.kill();
  open();
  disk_.power_cut();
  open();
  EXPECT_EQ(found_, appended_);
}

// After a restart of the program alone, what could not be synced still looks written.
TEST_F(SegmentTest, WhatCouldNotBeSyncedIsNotRecovered) {
  append("safe");
  EXPECT_EQ(write(), WriteResult::kDone);
  const Bodies safe = appended_;
  append("in memory only");
  disk_.fail_syncs(EIO);
  EXPECT_EQ(write(), WriteResult::kSealed);
  disk_.kill();
  open();
  EXPECT_EQ(found_, safe);
}

TEST_F(SegmentTest, WhatCannotBeReadOrMadeSafeStopsTheStart) {
  fill(1);
  const auto fails = [&](const std::string& sentence) {
    auto log = MessageLog::open(disk_, rng_, limits_);
    ASSERT_TRUE(log) << log.error();
    if (sentence.find("read") != std::string::npos) disk_.fail_reads(EIO);
    if (sentence.find("sync") != std::string::npos) disk_.fail_syncs(EIO);
    const auto recovered = (*log)->recover([](const RecordView&) {});
    ASSERT_FALSE(recovered);
    EXPECT_EQ(recovered.error(), sentence);
  };
  fails("cannot read log-0000000000000001: Input/output error");
  fails("cannot sync log-0000000000000002: Input/output error");
  disk_.fail_reads(EIO);
  EXPECT_EQ(MessageLog::open(disk_, rng_, limits_).error(),
            "cannot read log-0000000000000001: Input/output error");
}

// A payload that holds all octets of a segment, from each offset modulo 8, and records made under a
// guessed key for each place they may lie at.
TEST_F(LargeSegmentTest, APayloadIsNeverTakenForRecords) {
  fill(0);
  append(std::string(300, 'x'));
  EXPECT_EQ(write(), WriteResult::kDone);
  const Octets segment = disk_.octets_of(segment_name(1));
  for (std::size_t shift = 0; shift < 8; ++shift) {
    std::string payload(shift, ' ');
    payload.append(segment.begin(), segment.end());
    append(payload);
  }
  std::string forged;
  for (std::uint64_t place = 0; place < 4'000; ++place) {
    std::string record(kFrameOctets + 8, 'f');
    write_frame(reinterpret_cast<std::uint8_t*>(record.data()),
                {.body_octets = 8, .kind = 1, .version = kBodyVersion},
                SegmentHeader{.number = 1, .store_key = 1, .salt = 1}.record_key(),
                position_of(1, 0) + 8 * place, hash_of(as_bytes("ffffffff")));
    forged += record;
  }
  append(forged);
  EXPECT_EQ(write(), WriteResult::kDone);
  // With each record's own frame damaged, its body is searched for records.
  std::vector<Position> positions;
  for (const auto& [position, body] : appended_) positions.push_back(position);
  for (const Position position : positions) {
    if (appended_.at(position).size() < 1'000) continue;
    disk_.flip_bit(segment_name(1), offset_of(position) + 7, 0);
    appended_.erase(position);
  }
  const Position end = append("behind");
  EXPECT_EQ(write(), WriteResult::kDone);
  open();
  EXPECT_EQ(found_, appended_);
  EXPECT_TRUE(found_.contains(end));
  EXPECT_EQ(recovered_.damaged, 1u);
}

}  // namespace
}  // namespace hermod::store
