// SPDX-License-Identifier: Apache-2.0
#include "message_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "batch.hpp"
#include "log_fixture.hpp"

namespace hermod::store {
namespace {

class MessageLogTest : public LogFixture {
 protected:
  void SetUp() override { open(); }
};

TEST_F(MessageLogTest, WhatWasWrittenIsFoundAgainInOrder) {
  std::vector<Position> positions;
  for (int i = 0; i < 100; ++i) positions.push_back(append("body " + std::to_string(i)));
  EXPECT_TRUE(std::ranges::is_sorted(positions));
  EXPECT_EQ(write(), WriteResult::kDone);
  open();
  EXPECT_EQ(found_, appended_);
  EXPECT_EQ(recovered_.records, 100u);
  EXPECT_EQ(recovered_.damaged, 0u);
  EXPECT_EQ(recovered_.torn_octets, 0u);
}

TEST_F(MessageLogTest, ABatchIsOneWriteAndOneSync) {
  append("the file is made");
  EXPECT_EQ(write(), WriteResult::kDone);
  const auto before = disk_.counts();
  for (int i = 0; i < 50; ++i) append("more");
  EXPECT_EQ(write(), WriteResult::kDone);
  EXPECT_EQ(disk_.counts().writes - before.writes, 1u);
  EXPECT_EQ(disk_.counts().syncs - before.syncs, 1u);
  EXPECT_EQ(disk_.counts().directory_syncs, before.directory_syncs);
}

TEST_F(MessageLogTest, WithoutSyncNothingIsSyncedUntilItIsAskedFor) {
  append("a");
  EXPECT_EQ(write(false), WriteResult::kDone);
  append("b");
  const auto before = disk_.counts();
  EXPECT_EQ(write(false), WriteResult::kDone);
  EXPECT_EQ(disk_.counts().syncs, before.syncs);
  EXPECT_EQ(log_->sync(), WriteResult::kDone);
  EXPECT_EQ(log_->sync(), WriteResult::kDone);  // there is nothing more
  EXPECT_EQ(disk_.counts().syncs - before.syncs, 1u);
  disk_.power_cut();
  open();
  EXPECT_EQ(found_, appended_);
}

TEST_F(MessageLogTest, BatchesAreNumberedFromOne) {
  EXPECT_EQ(log_->open_batch(), 0u);
  EXPECT_FALSE(log_->take_batch());
  EXPECT_EQ(log_->append(make_draft(RecordKind::kMessage, as_bytes("a"))).batch, 1u);
  EXPECT_EQ(log_->open_batch(), 1u);
  EXPECT_EQ(log_->take_batch(), 1u);
  EXPECT_EQ(log_->open_batch(), 1u);  // nothing is in the second
  EXPECT_EQ(log_->append(make_draft(RecordKind::kMessage, as_bytes("b"))).batch, 2u);
  EXPECT_EQ(log_->open_batch(), 2u);
  EXPECT_EQ(log_->write_batch(true), WriteResult::kDone);
  EXPECT_EQ(log_->take_batch(), 2u);
  EXPECT_EQ(log_->write_batch(true), WriteResult::kDone);
  EXPECT_FALSE(log_->take_batch());
}

TEST_F(MessageLogTest, WhatJoinsABatchMakesItOne) {
  const auto before = disk_.counts();
  EXPECT_EQ(log_->join(1), 1u);
  EXPECT_EQ(log_->open_batch(), 1u);
  EXPECT_EQ(log_->take_batch(), 1u);
  EXPECT_EQ(log_->write_batch(true), WriteResult::kDone);
  EXPECT_EQ(disk_.counts().writes, before.writes);  // the log has no part in it
  EXPECT_FALSE(log_->take_batch());
}

TEST_F(MessageLogTest, DraftsAppendedTogetherAreOfOneBatch) {
  const Draft drafts[] = {make_draft(RecordKind::kMessage, as_bytes("a")),
                          make_draft(RecordKind::kSettled, as_bytes("b"), as_bytes("c"))};
  std::vector<Position> positions(2);
  EXPECT_EQ(log_->append(drafts, positions), 1u);
  EXPECT_EQ(write(), WriteResult::kDone);
  open();
  EXPECT_EQ(found_, (Bodies{{positions[0], octets_of("a")}, {positions[1], octets_of("bc")}}));
}

TEST_F(MessageLogTest, BeginsAnewSegmentWhenOneIsFull) {
  fill(3);
  EXPECT_EQ(log_->usage().size(), 4u);
  for (const SegmentUse& use : log_->usage()) {
    EXPECT_LE(use.octets, limits_.segment_octets_max);
    EXPECT_EQ(use.octets, disk_.octets_of(segment_name(use.number)).size());
    EXPECT_EQ(use.sealed, use.number < 4);
  }
  open();
  EXPECT_EQ(found_, appended_);
}

TEST_F(MessageLogTest, ALargeRecordGetsASegmentOfItsOwn) {
  const std::string large(3 * limits_.segment_octets_max, 'L');
  const Position before = append("before");
  const Position position = append(large);
  const Position after = append("after");
  EXPECT_EQ(segment_of(position), segment_of(before) + 1);
  EXPECT_EQ(offset_of(position), kRecordsBegin);
  EXPECT_EQ(segment_of(after), segment_of(before) + 2);
  EXPECT_EQ(write(), WriteResult::kDone);
  open();
  EXPECT_EQ(found_, appended_);
}

TEST_F(MessageLogTest, AnOldSegmentIsNeverAppendedTo) {
  const Position old = append("old");
  EXPECT_EQ(write(), WriteResult::kDone);
  const auto octets = disk_.octets_of(segment_name(segment_of(old)));
  open();
  EXPECT_EQ(segment_of(append("new")), segment_of(old) + 1);
  EXPECT_EQ(write(), WriteResult::kDone);
  EXPECT_EQ(disk_.octets_of(segment_name(segment_of(old))), octets);
  EXPECT_TRUE(log_->usage()[0].sealed);
}

TEST_F(MessageLogTest, HasNoRoomAboveItsLimitUntilTheBatchIsWritten) {
  const std::string body(limits_.buffer_octets_max / 8, 'b');
  for (int i = 0; i < 7; ++i) append(body);
  EXPECT_TRUE(log_->has_room());
  append(body);
  EXPECT_FALSE(log_->has_room());
  append("nor is this refused");
  EXPECT_TRUE(log_->take_batch());
  EXPECT_FALSE(log_->has_room());
  EXPECT_EQ(log_->write_batch(true), WriteResult::kDone);
  EXPECT_TRUE(log_->has_room());
  open();
  EXPECT_EQ(found_, appended_);
}

TEST_F(MessageLogTest, WhatJoinsABatchCountsUntilItIsWritten) {
  log_->join(limits_.buffer_octets_max - 1);
  EXPECT_TRUE(log_->has_room());
  log_->join(1);
  EXPECT_FALSE(log_->has_room());
  EXPECT_TRUE(log_->take_batch());
  EXPECT_EQ(log_->write_batch(true), WriteResult::kDone);
  EXPECT_TRUE(log_->has_room());
}

TEST(Batch, TheMemoryOfALargeOneIsGivenBack) {
  const Octets body(100'000, 'b');
  const SegmentHeader segment{.number = 1};
  Batch batch;
  for (int times = 0; times < 2; ++times) {
    std::uint64_t offset = kRecordsBegin;
    for (int i = 0; i < 200; ++i) {
      batch.put(segment, offset, make_draft(RecordKind::kValue, body));
      offset += record_octets(body.size());
    }
    EXPECT_GT(batch.memory(), 20'000'000u);
    batch.clear();
    EXPECT_LT(batch.memory(), 3'000'000u);
  }
}

TEST_F(MessageLogTest, AFullDiskIsTriedAgainWithTheSameBatch) {
  append("fits");
  EXPECT_EQ(write(), WriteResult::kDone);
  for (int i = 0; i < 30; ++i) append(std::string(400, static_cast<char>('a' + i)));
  disk_.set_capacity(disk_.used() + 1'000);
  const auto number = log_->take_batch();
  for (int tries = 0; tries < 3; ++tries) {
    EXPECT_EQ(log_->write_batch(true), WriteResult::kFull);
    EXPECT_EQ(log_->write_error(), ENOSPC);
  }
  append("meanwhile");
  // Room for one segment more, then for all.
  disk_.set_capacity(disk_.used() + limits_.segment_octets_max);
  EXPECT_EQ(log_->write_batch(true), WriteResult::kFull);
  disk_.set_capacity(UINT64_MAX);
  EXPECT_EQ(log_->write_batch(true), WriteResult::kDone);
  EXPECT_EQ(number, 2u);
  EXPECT_EQ(write(), WriteResult::kDone);
  disk_.power_cut();
  open();
  EXPECT_EQ(found_, appended_);
  EXPECT_EQ(recovered_.damaged, 0u);
}

class ZerosAhead : public LogFixture {
 protected:
  ZerosAhead() : LogFixture({.segment_octets_max = 200'000, .zeros_octets = 100'000}) { open(); }

  std::size_t size(SegmentNumber number) { return disk_.octets_of(segment_name(number)).size(); }
};

TEST_F(ZerosAhead, KeepTheFileFromGrowingWithEachBatch) {
  append("a");
  EXPECT_EQ(write(), WriteResult::kDone);
  const std::size_t first = size(1);
  EXPECT_GE(first, 64u << 10);
  int batches = 0;
  for (; size(1) == first; ++batches) {
    append(std::string(100, 'b'));
    EXPECT_EQ(write(), WriteResult::kDone);
  }
  EXPECT_GT(batches, 500);
  EXPECT_LE(size(1) - first, 100'000u) << "zeros_octets";
  append(std::string(60'000, 'c'));  // a large batch asks for none
  EXPECT_EQ(write(), WriteResult::kDone);
  EXPECT_LE(size(1), 200'000u);
}

TEST_F(ZerosAhead, AreNoTornEnd) {
  append("a");
  EXPECT_EQ(write(), WriteResult::kDone);
  for (const bool power_cut : {false, true}) {
    power_cut ? disk_.power_cut() : disk_.kill();
    open();
    EXPECT_EQ(found_, appended_);
    EXPECT_EQ(recovered_.torn_octets, 0u);
    EXPECT_EQ(recovered_.damaged, 0u);
    EXPECT_EQ(size(1), kRecordsBegin + record_octets(1)) << "they are cut off";
  }
}

TEST_F(ZerosAhead, AreToldFromATornEnd) {
  append("a");
  EXPECT_EQ(write(), WriteResult::kDone);
  disk_.overwrite(segment_name(1), kRecordsBegin + record_octets(1) + 40, octets_of("torn"));
  open();
  EXPECT_EQ(found_, appended_);
  EXPECT_EQ(recovered_.torn_octets, 44u);
}

TEST_F(ZerosAhead, AreNotInASegmentThatIsFull) {
  std::vector<std::size_t> ends(4);
  while (segment_of(appended_.empty() ? 0 : appended_.rbegin()->first) < 4) {
    const Position position = append(std::string(3'001, 'f'));
    ends[segment_of(position) - 1] = offset_of(position) + record_octets(3'001);
    EXPECT_EQ(write(), WriteResult::kDone);
  }
  for (SegmentNumber number = 1; number < 4; ++number) EXPECT_EQ(size(number), ends[number - 1]);
  disk_.cut_file(segment_name(2), ends[1] - 100);
  disk_.overwrite(segment_name(2), ends[1] - 100, Octets(100));
  open();
  EXPECT_EQ(recovered_.damaged, 1u) << "zeros in the place of a record are damage";
}

TEST_F(ZerosAhead, AskForNoRoomThatRecordsNeed) {
  append("a");
  disk_.set_capacity(30'000);
  EXPECT_EQ(write(), WriteResult::kDone);
  EXPECT_EQ(size(1), kRecordsBegin + record_octets(1)) << "what did not fit is cut off";
  append(std::string(20'000, 'b'));
  EXPECT_EQ(write(), WriteResult::kDone);
  disk_.set_capacity(UINT64_MAX);
  append("c");
  EXPECT_EQ(write(), WriteResult::kDone);
  disk_.power_cut();
  open();
  EXPECT_EQ(found_, appended_);
}

TEST_F(MessageLogTest, AFailedSyncSealsForGood) {
  append("safe");
  EXPECT_EQ(write(), WriteResult::kDone);
  const Bodies safe = appended_;
  append("lost");
  disk_.fail_syncs(EIO);
  EXPECT_EQ(write(), WriteResult::kSealed);
  EXPECT_EQ(log_->write_error(), EIO);
  const auto before = disk_.counts();
  EXPECT_EQ(log_->write_batch(true), WriteResult::kSealed);
  EXPECT_EQ(log_->sync(), WriteResult::kSealed);
  EXPECT_EQ(disk_.counts().writes, before.writes);
  EXPECT_EQ(disk_.counts().syncs, before.syncs);
  disk_.power_cut();
  open();
  EXPECT_EQ(found_, safe);
}

TEST_F(MessageLogTest, AFailedSyncOfTheDirectorySeals) {
  append("in a file whose name may be lost");
  disk_.fail_syncs(EIO);
  EXPECT_EQ(write(), WriteResult::kSealed);
}

TEST_F(MessageLogTest, EvenASyncThatFindsNoRoomSeals) {
  append("a");
  EXPECT_EQ(write(), WriteResult::kDone);
  append("b");
  disk_.fail_syncs(ENOSPC);
  EXPECT_EQ(write(), WriteResult::kSealed);
}

TEST_F(MessageLogTest, AFailedWriteSeals) {
  append("a");
  disk_.fail_writes(EIO);
  EXPECT_EQ(write(), WriteResult::kSealed);
  EXPECT_EQ(log_->write_batch(true), WriteResult::kSealed);
}

TEST_F(MessageLogTest, ASegmentIsSyncedBeforeTheNextIsMade) {
  append("first");
  EXPECT_EQ(write(false), WriteResult::kDone);
  const auto before = disk_.counts();
  fill(2);
  // The first and the second one before their next, the third one at the end.
  EXPECT_EQ(disk_.counts().syncs - before.syncs, 3u);
  EXPECT_EQ(disk_.counts().directory_syncs - before.directory_syncs, 2u);
  EXPECT_EQ(disk_.counts().writes - before.writes, 3u);
}

TEST_F(MessageLogTest, CountsWhatIsReferredTo) {
  const Position first = append("a", 3);
  append("b", 2);
  append("c");
  EXPECT_EQ(log_->usage()[0].live, 5u);
  log_->let_go(segment_of(first), 4);
  EXPECT_EQ(log_->usage()[0].live, 1u);
  EXPECT_EQ(log_->usage()[0].total, 5u);
  log_->let_go(segment_of(first), 1);
  EXPECT_EQ(log_->usage()[0].live, 0u);
  EXPECT_TRUE(log_->dead().empty());  // it is still written to
  EXPECT_FALSE(log_->sparsest());
}

TEST_F(MessageLogTest, KnowsDeadAndSparseSegments) {
  fill(4, 2);
  const auto usage = log_->usage();
  log_->let_go(1, usage[0].live);
  log_->let_go(2, 1);
  log_->let_go(3, 3);
  log_->let_go(5, 1);  // not sealed: it does not count
  EXPECT_EQ(log_->dead(), std::vector<SegmentNumber>{1});
  ASSERT_TRUE(log_->sparsest());
  EXPECT_EQ(log_->sparsest()->number, 3u);
  EXPECT_EQ(log_->sparsest()->live, usage[2].live - 3);
}

TEST_F(MessageLogTest, NothingIsSealedBeforeItIsWritten) {
  const std::string body(500, 'f');
  while (segment_of(append(body)) <= 2) {
  }
  EXPECT_TRUE(log_->dead().empty());
  EXPECT_EQ(write(), WriteResult::kDone);
  EXPECT_EQ(log_->dead(), (std::vector<SegmentNumber>{1, 2}));
}

TEST_F(MessageLogTest, ARecoveredSegmentIsAccountedByWhoKnows) {
  fill(1, 1);
  open();
  EXPECT_EQ(log_->dead(), (std::vector<SegmentNumber>{1, 2}));
  log_->account(1, 2, 10);
  log_->account(2, 1, 2);
  EXPECT_TRUE(log_->dead().empty());
  EXPECT_EQ(log_->sparsest()->number, 1u);
  EXPECT_EQ(log_->sparsest()->total, 10u);
  EXPECT_EQ(log_->sparsest()->octets, disk_.octets_of(segment_name(1)).size());
}

TEST_F(MessageLogTest, ARemovedSegmentIsGoneAlsoAfterAPowerCut) {
  fill(2);
  EXPECT_EQ(log_->remove(1), 0);
  std::erase_if(appended_, [](const auto& record) { return segment_of(record.first) == 1; });
  disk_.power_cut();
  open();
  EXPECT_EQ(found_, appended_);
  EXPECT_EQ(recovered_.segments, 2u);
}

TEST_F(MessageLogTest, ARemovalThatFailsSaysSo) {
  fill(2);
  disk_.fail_syncs(EIO);
  EXPECT_EQ(log_->remove(1), EIO);
}

TEST_F(MessageLogTest, ASealedSegmentCanBeScannedAgain) {
  fill(2);
  Bodies scanned;
  const auto result = log_->scan(2, [&](const RecordView& record) {
    scanned[record.position] = {record.body.begin(), record.body.end()};
  });
  ASSERT_TRUE(result);
  EXPECT_EQ(result->records, scanned.size());
  std::erase_if(appended_, [](const auto& record) { return segment_of(record.first) != 2; });
  EXPECT_EQ(scanned, appended_);
  EXPECT_EQ(log_->scan(9, [](const RecordView&) {}).error(), ENOENT);
}

}  // namespace
}  // namespace hermod::store
