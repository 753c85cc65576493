// SPDX-License-Identifier: Apache-2.0
#include "shard_journal.hpp"

#include <algorithm>

namespace hermod::store {

ShardJournal::ShardJournal(Store& store, std::function<void()> wake)
    : store_(store),
      wake_(std::move(wake)),
      to_calendar_(std::chrono::milliseconds{store.calendar_->to_calendar(Instant{})}),
      reader_(*store.messages_) {}

ShardJournal::~ShardJournal() {
  std::erase(store_.journals_, this);
}

core::QueueId ShardJournal::new_queue() {
  return store_.next_queue_.fetch_add(1, std::memory_order_relaxed);
}

core::CommitNumber ShardJournal::append(const core::Run& run,
                                        std::span<core::Position> positions) {
  appended_ = true;
  return store_.messages_->append(encoder_.encode(run, to_calendar_), positions);
}

core::CommitNumber ShardJournal::append(const Draft& draft) {
  appended_ = true;
  return store_.messages_->append(draft).batch;
}

core::CommitNumber ShardJournal::retain(const model::Message& message, core::Position& position) {
  appended_ = true;
  const MessageLog::Appended appended =
      store_.messages_->append(encoder_.encode_value(message, to_calendar_));
  position = message.payload.empty() ? 0 : appended.position;
  return appended.batch;
}

void ShardJournal::settle(core::QueueId queue, model::Tag first, model::Tag last) {
  if (!settled_.empty() && settled_.back().queue == queue && settled_.back().last + 1 == first) {
    settled_.back().last = last;
    return;
  }
  if (settled_.size() == kSettledMax) write_settled();
  settled_.push_back({queue, first, last});
}

void ShardJournal::write_settled() {
  if (settled_.empty()) return;
  std::ranges::sort(settled_, {}, [](const Settled& one) { return std::pair{one.queue, one.first}; });
  scratch_.clear();
  (void)append(draft_settled(settled_, scratch_));
  settled_.clear();
}

core::CommitNumber ShardJournal::release(core::QueueId queue, model::Tag tag) {
  const Released released{queue, tag};
  scratch_.clear();
  return append(draft_released({&released, 1}, scratch_));
}

core::CommitNumber ShardJournal::close(std::uint64_t exchange) {
  const Closed closed{exchange};
  scratch_.clear();
  return append(draft_closed({&closed, 1}, scratch_));
}

core::CommitNumber ShardJournal::change(core::Change change) {
  appended_ = true;
  return store_.hand_over(std::move(change));
}

void ShardJournal::let_go(core::Position position) {
  const SegmentNumber segment = segment_of(position);
  if (!let_go_.empty() && let_go_.back().first == segment) {
    ++let_go_.back().second;
  } else {
    let_go_.emplace_back(segment, 1);
  }
}

model::MessageRef ShardJournal::read(core::Position position) {
  if (const auto record = reader_.read(position)) {
    Bytes content = record->body;
    if (record->kind == RecordKind::kMessage) {
      const auto message = decode_message(*record);
      content = message ? message->content : Bytes{};
    }
    if (const auto message = decode_content(content, to_calendar_, properties_)) {
      return message->own();
    }
  }
  store_.note_damage(position);
  return {};
}

void ShardJournal::submit(bool waits) {
  write_settled();
  for (const auto& [segment, count] : let_go_) store_.messages_->let_go(segment, count);
  let_go_.clear();
  if (std::exchange(appended_, false)) store_.notify();
  if (!waits) return;
  waits_.store(true);
  // What has been committed since this shard looked, it is not woken for.
  if (store_.committed() != seen_) on_committed();
}

core::CommitNumber ShardJournal::committed() const {
  return seen_ = store_.committed();
}

}  // namespace hermod::store
