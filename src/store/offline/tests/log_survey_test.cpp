// SPDX-License-Identifier: Apache-2.0
#include "offline/log_survey.hpp"

#include <algorithm>
#include <cerrno>

#include "metadata/tests/put_octets.hpp"
#include "tests/log_fixture.hpp"

namespace hermod::store {
namespace {

class LogSurveyTest : public LogFixture {
 protected:
  // A log of three full segments and a fourth that has some.
  void SetUp() override {
    open();
    fill(3);
    log_.reset();
  }
  LogFindings survey() {
    seen_.clear();
    auto survey = LogSurvey::open(disk_);
    EXPECT_TRUE(survey);
    return survey->read([this](const RecordView& record) {
      seen_[record.position] = {record.body.begin(), record.body.end()};
    });
  }
  [[nodiscard]] std::size_t size_of(SegmentNumber number) const {
    return disk_.octets_of(segment_name(number)).size();
  }
  [[nodiscard]] std::size_t seen_in(SegmentNumber number) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        seen_, [number](const auto& one) { return segment_of(one.first) == number; }));
  }

  Bodies seen_;
};

TEST_F(LogSurveyTest, SeesWhatAStartSeesAndWritesNothing) {
  const auto before = disk_.counts();
  const LogFindings found = survey();
  EXPECT_EQ(found.segments, 4u);
  EXPECT_EQ(found.records, appended_.size());
  EXPECT_EQ(found.damaged, 0u);
  EXPECT_EQ(found.torn.octets, 0u);
  EXPECT_TRUE(found.unread.empty());
  EXPECT_EQ(seen_, appended_);
  EXPECT_EQ(disk_.counts().writes, before.writes);
  EXPECT_EQ(disk_.counts().syncs, before.syncs);
  open();
  EXPECT_EQ(found_, seen_);
  EXPECT_EQ(recovered_.octets, found.octets);
}

TEST_F(LogSurveyTest, TellsTheTornEndOfTheLastSegmentFromDamageInOthers) {
  const Octets torn(50, 7);
  const std::size_t first = size_of(1);
  const std::size_t last = size_of(4);
  disk_.overwrite(segment_name(4), last, torn);
  LogFindings found = survey();
  EXPECT_EQ(found.torn, (Damage{position_of(4, last), 50}));
  EXPECT_EQ(found.damaged, 0u);
  disk_.overwrite(segment_name(1), first, torn);
  found = survey();
  EXPECT_EQ(found.torn.octets, 50u);
  EXPECT_EQ(found.damaged, 1u);
  EXPECT_EQ(found.damage, (std::vector<Damage>{{position_of(1, first), 50}}));
  EXPECT_EQ(found.damaged_octets, 50u);
  EXPECT_EQ(seen_, appended_);
  EXPECT_EQ(size_of(4), last + 50) << "it has not been cut";
}

TEST_F(LogSurveyTest, AHeaderThatIsDamagedTwiceHidesItsSegment) {
  disk_.flip_bit(segment_name(2), 20, 1);
  EXPECT_EQ(survey().damaged, 0u) << "there is another copy";
  disk_.flip_bit(segment_name(2), kSecondHeader + 20, 1);
  const LogFindings found = survey();
  EXPECT_EQ(found.damage, (std::vector<Damage>{{position_of(2, 0), size_of(2)}}));
  EXPECT_EQ(seen_in(2), 0u);
  EXPECT_GT(seen_in(3), 0u);
}

TEST_F(LogSurveyTest, BlankFilesStay) {
  put_octets(disk_, segment_name(5), Octets(100, 0));
  const LogFindings found = survey();
  EXPECT_EQ(found.blank, 1u);
  EXPECT_EQ(found.segments, 4u);
  EXPECT_EQ(size_of(5), 100u);
}

TEST_F(LogSurveyTest, SegmentsThatAreNotOfThisStoreOrReleaseAreNamedAndSkipped) {
  SegmentHeader header{.format = kFormatVersion + 1, .number = 2, .store_key = 1, .salt = 2};
  disk_.overwrite(segment_name(2), 0, header_octets(header));
  header = {.number = 3, .store_key = 1, .salt = 2};
  disk_.overwrite(segment_name(3), 0, header_octets(header));
  const LogFindings found = survey();
  ASSERT_EQ(found.unread.size(), 2u);
  EXPECT_TRUE(found.unread[0].contains("has format 2")) << found.unread[0];
  EXPECT_TRUE(found.unread[1].contains("is of another store")) << found.unread[1];
  EXPECT_GT(seen_in(1), 0u);
  EXPECT_EQ(seen_in(2) + seen_in(3), 0u);
  EXPECT_GT(seen_in(4), 0u);
}

TEST_F(LogSurveyTest, WhatTheDiskDoesNotGiveIsNamedAndTheRestIsRead) {
  disk_.fail_reads(EIO);
  const LogFindings found = survey();
  ASSERT_EQ(found.unread.size(), 1u);
  EXPECT_EQ(found.unread[0], segment_name(1) + " cannot be read: Input/output error");
  EXPECT_EQ(seen_in(1), 0u);
  EXPECT_GT(seen_in(2), 0u);
}

}  // namespace
}  // namespace hermod::store
