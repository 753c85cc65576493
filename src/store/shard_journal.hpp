// SPDX-License-Identifier: Apache-2.0
// One shard's face of the store.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "hermod/store/store.hpp"
#include "log_reader.hpp"
#include "message_log.hpp"
#include "message_record.hpp"
#include "settlement_records.hpp"
#include "state_record.hpp"

namespace hermod::store {

class ShardJournal final : public core::Journal {
 public:
  ShardJournal(Store& store, std::uint32_t number, std::function<void()> wake);
  ~ShardJournal() override;

  [[nodiscard]] State state() const override { return store_.state(); }
  [[nodiscard]] core::QueueId new_queue() override;
  core::CommitNumber append(const core::Run& run, std::span<core::Position> positions) override;
  core::CommitNumber retain(const model::Message& message, core::Position& position) override;
  void settle(core::QueueId queue, model::Tag first, model::Tag last) override;
  core::CommitNumber take_out(core::QueuePlace place, core::Position& position) override;
  core::CommitNumber release(core::QueueId queue, model::Tag tag) override;
  core::CommitNumber close(std::uint64_t exchange) override;
  core::CommitNumber change(core::Change change) override;
  void let_go(core::Position position) override;
  [[nodiscard]] std::optional<model::MessageRef> read(core::Position position) override;
  [[nodiscard]] std::vector<core::Stale> take_stale(std::size_t count_max) override;
  [[nodiscard]] bool wants_check() override;
  void check(const core::Standing& standing) override;
  void end_check(bool last) override;
  void submit(bool waits, core::CommitNumber heard) override;
  [[nodiscard]] core::CommitNumber committed() const override;
  [[nodiscard]] bool has_room() const override { return store_.messages_->has_room(); }

  // --- the writer ---

  /// Records that may have to be written again.
  void hand_over(const std::vector<core::Stale>& stale);
  [[nodiscard]] bool has_stale() const;
  /// The segment since whose begin the standing of all queues has been said, and that is committed.
  [[nodiscard]] SegmentNumber checked(core::CommitNumber committed) const;
  void wake() { wake_(); }

  /// The writer: something has been committed.
  void on_committed() {
    if (waits_.exchange(false)) wake_();
  }

 private:
  static constexpr std::size_t kSettledMax = 4'096;  // ranges of one record
  core::CommitNumber append(const Draft& draft);
  void write_settled();

  static constexpr std::size_t kCheckOctets = 64u << 10;  // of one record

  Store& store_;
  std::uint32_t number_;  // of the shard
  std::function<void()> wake_;
  Duration to_calendar_;
  RunEncoder encoder_;
  LogReader reader_;
  PropertyStorage properties_;
  std::vector<Settled> settled_;  // not appended yet
  Scratch scratch_;
  std::vector<std::pair<SegmentNumber, std::uint64_t>> let_go_;  // not told to the log yet
  // Since the writer was told.
  bool appended_ = false;
  bool settlements_appended_ = false;
  StateWriter state_writer_;
  SegmentNumber check_began_;  // the last check, in this segment
  mutable std::mutex house_mutex_;
  std::deque<core::Stale> stale_;
  SegmentNumber checked_ = 0;  // as far as check_commit_ is committed
  core::CommitNumber check_commit_ = 0;
  std::atomic<bool> has_stale_ = false;
  std::atomic<bool> waits_ = false;
};

}  // namespace hermod::store
