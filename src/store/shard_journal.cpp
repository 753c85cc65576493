// SPDX-License-Identifier: Apache-2.0
#include "shard_journal.hpp"

#include <algorithm>

namespace hermod::store {

ShardJournal::ShardJournal(Store& store, std::uint32_t number, std::function<void()> wake)
    : store_(store),
      number_(number),
      wake_(std::move(wake)),
      to_calendar_(std::chrono::milliseconds{store.calendar_->to_calendar(Instant{})}),
      reader_(*store.messages_),
      check_began_(1) {}  // before the second segment there is nothing to forget

ShardJournal::~ShardJournal() {
  std::erase(store_.journals_, this);
}

core::QueueId ShardJournal::new_queue() {
  return store_.next_queue_.fetch_add(1, std::memory_order_relaxed);
}

core::CommitNumber ShardJournal::append(const core::Run& run, std::span<core::Position> positions) {
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
  position = appended.position;
  if (message.payload.empty()) {  // nobody refers to it but the store
    position = 0;
    store_.note_clear(segment_of(appended.position));
  }
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
  std::ranges::sort(settled_, {},
                    [](const Settled& one) { return std::pair{one.queue, one.first}; });
  scratch_.clear();
  (void)store_.messages_->append(draft_settled(settled_, scratch_));
  settled_.clear();
  settlements_appended_ = true;
}

core::CommitNumber ShardJournal::take_out(core::QueuePlace place, core::Position& position) {
  const Settled settled{place.queue, place.tag, place.tag};
  scratch_.clear();
  Draft draft = draft_settled({&settled, 1}, scratch_);
  draft.references = 1;
  appended_ = true;
  const MessageLog::Appended appended = store_.messages_->append(draft);
  position = appended.position;
  return appended.batch;
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

std::optional<model::MessageRef> ShardJournal::read(core::Position position) {
  const auto record = reader_.read(position);
  if (!record && record.error() == ReadError::kDisk) return std::nullopt;
  if (record) {
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
  return model::MessageRef{};
}

// --- housekeeping ---

void ShardJournal::hand_over(const std::vector<core::Stale>& stale) {
  const std::lock_guard lock{house_mutex_};
  stale_.insert(stale_.end(), stale.begin(), stale.end());
  has_stale_.store(true);
}

bool ShardJournal::has_stale() const {
  return has_stale_.load();
}

std::vector<core::Stale> ShardJournal::take_stale(std::size_t count_max) {
  if (!has_stale_.load(std::memory_order_relaxed)) return {};
  const std::lock_guard lock{house_mutex_};
  std::size_t count = std::min(count_max, stale_.size());
  // those of one record stay together
  while (count < stale_.size() && count > 0 &&
         stale_[count].position == stale_[count - 1].position) {
    ++count;
  }
  const auto end = stale_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<core::Stale> taken(std::make_move_iterator(stale_.begin()),
                                 std::make_move_iterator(end));
  stale_.erase(stale_.begin(), end);
  has_stale_.store(!stale_.empty());
  return taken;
}

bool ShardJournal::wants_check() {
  const SegmentNumber current = store_.messages_->current();
  if (current == check_began_) return false;
  check_began_ = current;
  state_writer_.begin({.shard = number_, .boot = store_.boot(), .segment = check_began_});
  return true;
}

void ShardJournal::check(const core::Standing& standing) {
  state_writer_.add(standing);
  if (state_writer_.octets() < kCheckOctets) return;
  (void)append(state_writer_.draft(false));
  state_writer_.begin({.shard = number_, .boot = store_.boot(), .segment = check_began_});
}

void ShardJournal::end_check(bool last) {
  const core::CommitNumber commit = append(state_writer_.draft(last));
  state_writer_.begin({.shard = number_, .boot = store_.boot(), .segment = check_began_});
  if (!last) return;
  const std::lock_guard lock{house_mutex_};
  checked_ = check_began_;
  check_commit_ = commit;
}

SegmentNumber ShardJournal::checked(core::CommitNumber committed) const {
  const std::lock_guard lock{house_mutex_};
  return check_commit_ <= committed ? checked_ : 0;
}

void ShardJournal::submit(bool waits, core::CommitNumber heard) {
  write_settled();
  for (const auto& [segment, count] : let_go_) store_.messages_->let_go(segment, count);
  let_go_.clear();
  const bool settlements = std::exchange(settlements_appended_, false);
  if (std::exchange(appended_, false)) {
    store_.notify();
  } else if (settlements) {
    store_.notify_of_settlements();
  }
  if (!waits) return;
  waits_.store(true);
  // For what has been committed since this shard looked, nobody else wakes it.
  if (store_.committed() != heard) on_committed();
}

core::CommitNumber ShardJournal::committed() const {
  return store_.committed();
}

}  // namespace hermod::store
