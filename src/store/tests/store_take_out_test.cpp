// SPDX-License-Identifier: Apache-2.0
// What is taken out of a queue before anybody acts on it: safe once it is committed, and its record
// stays as long as whoever took it out needs it.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "hermod/base/log.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/store/store.hpp"
#include "hermod/testkit/faulty_disk.hpp"
#include "segment.hpp"

namespace hermod::store {
namespace {

class StoreTakeOut : public testing::Test {
 protected:
  static constexpr std::uint64_t kSegment = 16'384;

  RecoveredState open() {
    auto opened = Store::open(disk_, rng_, log_,
                              {.segment_octets_max = kSegment, .clean_every = Duration::zero()});
    EXPECT_TRUE(opened) << opened.error();
    store_ = std::move(*opened);
    auto state = store_->recover();
    EXPECT_TRUE(state) << state.error();
    journal_ = store_->make_journal([] {});
    return std::move(*state);
  }
  void close() {
    journal_.reset();
    store_.reset();
    disk_.power_cut();
  }
  void write() {
    journal_->submit(false, 0);
    store_->write_rest();
  }
  [[nodiscard]] bool has(SegmentNumber segment) {
    const auto names = disk_.list().value();
    return std::ranges::find(names, segment_name(segment)) != names.end();
  }
  core::Position append(model::Tag tag, const std::string& payload) {
    const model::Message message{.destination = model::Destination::topic("a"),
                                 .payload = as_bytes(payload),
                                 .guarantee = model::Guarantee::kExactlyOnce};
    const model::Message* const only = &message;
    const core::Recipient recipient{
        .queue = group_, .tag = tag, .count = 1, .guarantee = message.guarantee};
    core::Position position = 0;
    journal_->append({.messages = {&only, 1}, .recipients = {&recipient, 1}}, {&position, 1});
    return position;
  }
  // Messages that are over at once, until the log has a segment more, and all that is said of
  // queues has been said again.
  void fill_segment(model::Tag& next) {
    for (std::uint64_t octets = 0; octets < kSegment; octets += 600) {
      const core::Position position = append(next, std::string(600, 'x'));
      journal_->settle(group_, next, next);
      journal_->let_go(position);
      ++next;
      write();
    }
    if (!journal_->wants_check()) return;
    // The group has not heard yet that its first message has been taken out.
    journal_->check({.queue = group_, .floor = 1, .next = next, .settled = {{2, next - 1}}});
    journal_->end_check(true);
    write();
  }

  testkit::FaultyDisk disk_{1};
  SeededRng rng_{1};
  NullLog log_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<core::Journal> journal_;
  core::QueueId group_ = 0;
};

TEST_F(StoreTakeOut, ItIsSafeOnceCommittedAndItsRecordStaysUntilItIsLetGo) {
  (void)open();
  group_ = journal_->new_queue();
  journal_->change(
      core::KeepSubscriber{.queue = group_, .name = "$share/g/a", .group = true, .expiry_s = 1});
  const core::Position message = append(1, "1");
  write();
  core::Position taken_out = 0;
  const core::CommitNumber commit = journal_->take_out({group_, 1}, taken_out);
  EXPECT_GT(commit, journal_->committed());
  EXPECT_NE(taken_out, 0u);
  write();
  EXPECT_GE(journal_->committed(), commit);
  journal_->let_go(message);

  model::Tag next = 2;
  for (int i = 0; i < 4; ++i) fill_segment(next);
  EXPECT_GT(store_->counters().removed, 0u) << "of other segments";
  EXPECT_TRUE(has(1));
  close();
  const RecoveredState state = open();
  ASSERT_EQ(state.queues.size(), 1u);
  EXPECT_EQ(state.messages, 0u);
}

TEST_F(StoreTakeOut, ItsSegmentGoesWhenItHasBeenSaidAgain) {
  (void)open();
  group_ = journal_->new_queue();
  core::Position taken_out = 0;
  journal_->take_out({group_, 1}, taken_out);
  write();
  model::Tag next = 2;
  for (int i = 0; i < 4; ++i) fill_segment(next);
  EXPECT_TRUE(has(1));
  journal_->settle(group_, 1, 1);
  journal_->let_go(taken_out);
  fill_segment(next);
  EXPECT_FALSE(has(1));
  close();
}

}  // namespace
}  // namespace hermod::store
