// SPDX-License-Identifier: Apache-2.0
// One shard's face of the store.
#pragma once

#include <atomic>
#include <functional>
#include <utility>
#include <vector>

#include "hermod/store/store.hpp"
#include "log_reader.hpp"
#include "message_log.hpp"
#include "message_record.hpp"
#include "settlement_records.hpp"

namespace hermod::store {

class ShardJournal final : public core::Journal {
 public:
  ShardJournal(Store& store, std::function<void()> wake);
  ~ShardJournal() override;

  [[nodiscard]] State state() const override { return store_.state(); }
  [[nodiscard]] core::QueueId new_queue() override;
  core::CommitNumber append(const core::Run& run, std::span<core::Position> positions) override;
  core::CommitNumber retain(const model::Message& message, core::Position& position) override;
  void settle(core::QueueId queue, model::Tag first, model::Tag last) override;
  core::CommitNumber release(core::QueueId queue, model::Tag tag) override;
  core::CommitNumber close(std::uint64_t exchange) override;
  core::CommitNumber change(core::Change change) override;
  void let_go(core::Position position) override;
  [[nodiscard]] model::MessageRef read(core::Position position) override;
  void submit(bool waits) override;
  [[nodiscard]] core::CommitNumber committed() const override;
  [[nodiscard]] bool has_room() const override { return store_.messages_->has_room(); }

  /// The writer: something has been committed.
  void on_committed() {
    if (waits_.exchange(false)) wake_();
  }

 private:
  static constexpr std::size_t kSettledMax = 4'096;  // ranges of one record
  core::CommitNumber append(const Draft& draft);
  void write_settled();

  Store& store_;
  std::function<void()> wake_;
  Duration to_calendar_;
  RunEncoder encoder_;
  LogReader reader_;
  PropertyStorage properties_;
  std::vector<Settled> settled_;  // not appended yet
  Scratch scratch_;
  std::vector<std::pair<SegmentNumber, std::uint64_t>> let_go_;  // not told to the log yet
  bool appended_ = false;  // since the writer was told
  mutable core::CommitNumber seen_ = 0;
  std::atomic<bool> waits_ = false;
};

}  // namespace hermod::store
