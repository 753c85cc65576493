// SPDX-License-Identifier: Apache-2.0
// How a store gets rid of what is over: segments that nothing refers to are deleted, and the shards
// write again what little others still hold.
#include <algorithm>
#include <cstring>

#include "hermod/store/store.hpp"
#include "message_log.hpp"
#include "message_record.hpp"
#include "shard_journal.hpp"

namespace hermod::store {

void Store::clean(Instant now) {
  if (now < clean_at_) return;
  clean_at_ = now + settings_.clean_every;
  worth_cleaning_ = false;
  if (messages_->current() == 1) return;
  if (told_ != messages_->current()) {  // all shards say how their queues stand
    told_ = messages_->current();
    for (ShardJournal* journal : journals_) journal->wake();
  }
  remove_condemned();
  let_go_of_clears();
  condemn_dead();
  evacuate();
  // Each goes on in steps, some of them when shards have done their part.
  worth_cleaning_ = !condemned_.empty() || !evacuated_.empty() || !messages_->dead().empty();
}

// A segment may go when nothing refers to it, and what it says of queues has been said again.
void Store::condemn_dead() {
  SegmentNumber checked = journals_.empty() ? 0 : messages_->current();
  for (const ShardJournal* journal : journals_) {
    checked = std::min(checked, journal->checked(committed()));
  }
  const core::CommitNumber commit = messages_->open_batch();
  for (const SegmentNumber segment : messages_->dead()) {
    if (segment >= checked) break;
    const bool known =
        std::ranges::find(condemned_, segment, &Condemned::segment) != condemned_.end();
    if (!known) condemned_.push_back({segment, commit});
  }
}

void Store::remove_condemned() {
  std::erase_if(condemned_, [this](const Condemned& one) {
    if (one.commit > committed()) return false;
    if (const int error = messages_->remove(one.segment); error != 0) {
      log_.print(LogLevel::kWarning, "{}: {} cannot be removed: {}.", settings_.folder,
                 segment_name(one.segment), std::strerror(error));
    }
    ++counters_.removed;
    evacuated_.erase(one.segment);
    return true;
  });
}

void Store::note_clear(SegmentNumber segment) {
  const std::lock_guard lock{clears_mutex_};
  ++clears_[segment];
}

// The clear of a value is needed while an older value of its topic may lie in the log: not in the
// oldest segment.
void Store::let_go_of_clears() {
  const std::vector<SegmentUse> usage = messages_->usage();
  if (usage.empty() || !usage.front().sealed) return;
  if (const std::uint64_t clears = take_clears(usage.front().number); clears > 0) {
    messages_->let_go(usage.front().number, clears);
  }
}

std::uint64_t Store::take_clears(SegmentNumber segment) {
  const std::lock_guard lock{clears_mutex_};
  const auto found = clears_.find(segment);
  if (found == clears_.end()) return 0;
  const std::uint64_t count = found->second;
  clears_.erase(found);
  return count;
}

// One segment at a time: its records go to all shards, which know what of them is left.
void Store::evacuate() {
  const auto busy = [](const ShardJournal* journal) { return journal->has_stale(); };
  if (std::ranges::any_of(journals_, busy)) return;
  const std::optional<SegmentUse> sparsest = messages_->sparsest(evacuated_);
  if (!sparsest || sparsest->live * 2 > sparsest->total) return;
  evacuated_.insert(sparsest->number);
  ++counters_.evacuated;
  std::vector<core::Stale> stale;
  PropertyStorage properties;
  const std::uint64_t clears = take_clears(sparsest->number);
  const auto visit = [&](const RecordView& record) {
    if (record.kind == RecordKind::kMessage) {
      auto message = decode_message(record);
      while (message && message->recipients.next()) {
        const RecipientView& recipient = message->recipients.recipient();
        stale.push_back(
            {.position = record.position, .queue = recipient.queue, .tag = recipient.tag});
      }
    } else if (record.kind == RecordKind::kValue) {
      const auto value = decode_value(record, Duration{}, properties);
      if (!value) return;
      if (!value->payload.empty()) {
        stale.push_back(
            {.position = record.position, .topic = std::string{value->destination.address}});
        return;
      }
      if (clears == 0) return;  // they are not needed any more
      const auto again = messages_->append(make_draft(RecordKind::kValue, record.body, {}, 1));
      note_clear(segment_of(again.position));
    }
  };
  if (const auto scanned = messages_->scan(sparsest->number, visit); !scanned) {
    log_.print(LogLevel::kWarning, "{}: {} cannot be read: {}.", settings_.folder,
               segment_name(sparsest->number), std::strerror(scanned.error()));
    return;
  }
  if (clears > 0) messages_->let_go(sparsest->number, clears);
  for (ShardJournal* journal : journals_) {
    journal->hand_over(stale);
    journal->wake();
  }
}

}  // namespace hermod::store
