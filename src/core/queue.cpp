// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/queue.hpp"

#include <algorithm>
#include <bit>

#include "hermod/base/assert.hpp"

namespace hermod::core {
namespace {
constexpr std::size_t kFirstRing = 8;

// A size in eight bits: an exponent and the three bits behind the first one.
std::uint8_t to_size_code(std::size_t size) {
  if (size < 8) return static_cast<std::uint8_t>(size);
  const auto shift = static_cast<unsigned>(std::bit_width(size)) - 4;
  return static_cast<std::uint8_t>((shift + 1) << 3 | (size >> shift & 7));
}
std::size_t of_size_code(std::uint8_t code) {
  if (code < 8) return code;
  return std::size_t{8u | (code & 7u)} << ((code >> 3) - 1);
}
}  // namespace

void Queue::Entry::set_several(std::span<const std::uint32_t> subscription_ids) {
  ids = std::make_unique<std::uint32_t[]>(subscription_ids.size());
  std::ranges::copy(subscription_ids, ids.get());
  id = static_cast<std::uint32_t>(subscription_ids.size());
}

std::span<const std::uint32_t> Queue::Entry::subscription_ids() const {
  if (ids) return {ids.get(), id};
  return {&id, id == 0 ? 0u : 1u};
}

// Room for one more entry.
void Queue::grow() {
  if (state().count < state_->ring.size()) return;
  std::vector<Entry> bigger(std::max(kFirstRing, state_->ring.size() * 2));
  for (std::size_t i = 0; i < state_->count; ++i) bigger[i] = std::move(at(i));
  state_->ring = std::move(bigger);
  state_->head = 0;
}

// The place of one more entry, which holds nothing.
inline Queue::Entry& Queue::append() {
  if (!state_ || state_->count == state_->ring.size()) [[unlikely]]
    grow();
  return at(state_->count++);
}

model::Tag Queue::push(Entry&& entry) {
  Entry& place = append();
  state_->bytes += entry.message.get()->memory();
  place = std::move(entry);
  ++state_->waiting;
  return next_tag_++;
}

inline void Queue::append(model::MessageRef message, Entry::Marks marks,
                          std::span<const std::uint32_t> subscription_ids) {
  Entry& place = append();
  state_->bytes += message.get()->memory();
  place.message.put(std::move(message));
  place.id = 0;
  place.group = 0;
  place.marks = marks;
  if (!subscription_ids.empty()) place.set_ids(subscription_ids);
}

model::Tag Queue::push(model::MessageRef message, Entry::Marks marks,
                       std::span<const std::uint32_t> subscription_ids) {
  append(std::move(message), marks, subscription_ids);
  ++state_->waiting;
  return next_tag_++;
}

model::Tag Queue::push_taken(model::MessageRef message, Entry::Marks marks,
                             std::span<const std::uint32_t> subscription_ids) {
  HERMOD_ASSERT(waiting() == 0);
  marks.delivered = true;
  append(std::move(message), marks, subscription_ids);
  state_->next = state_->count;
  ++state_->unsettled;
  return next_tag_++;
}

model::Tag Queue::take(std::size_t count_max, std::uint32_t credit,
                       std::vector<model::Delivery>& items) {
  items.clear();
  if (!state_ || !can_take()) return 0;
  while (state_->next < state_->count && is_passed(at(state_->next))) {
    state_->unsettled += at(state_->next++).marks.settled ? 0 : 1;
  }
  const model::Tag first = head_tag() + state_->next;
  while (items.size() < count_max && state_->next < state_->count) {
    Entry& entry = at(state_->next);
    if (is_passed(entry) || !entry.message.in_memory()) break;
    if (entry.marks.guarantee == model::Guarantee::kAtMostOnce) {
      entry.marks.settled = true;
    } else if (credit == 0 || waits_for_commit(entry, head_tag() + state_->next)) {
      break;
    } else {
      --credit;
      ++state_->unsettled;
    }
    items.push_back({.message = &*entry.message,
                     .guarantee = entry.marks.guarantee,
                     .retain = entry.marks.retain,
                     .redelivered = entry.marks.delivered,
                     .recovered = entry.marks.recovered,
                     .subscription_ids = entry.subscription_ids()});
    entry.marks.delivered = true;
    ++state_->next;
  }
  state_->fresh += items.size();
  state_->waiting -= items.size();
  return first;
}

// What is settled holds no message, wherever it stands.
inline void Queue::drop(Entry& entry) {
  if (!entry.message) return;
  if (entry.marks.kept || entry.group != 0) [[unlikely]]
    note_gone(entry);
  let_go_of_message(entry);
  if (entry.ids) entry.ids.reset();
}

void Queue::let_go(Entry& entry) {
  drop(entry);
}

// For those who keep it elsewhere too, or who gave it.
void Queue::note_gone(Entry& entry) {
  if (const model::Position position = place_of(entry); position != 0) {
    state_->dead.push_back(position);
  }
  if (entry.group != 0) state_->freed.push_back(std::exchange(entry.group, 0));
}

inline void Queue::let_go_of_message(Entry& entry) {
  if (model::OwnedMessage* const message = entry.message.get(); message != nullptr) [[likely]] {
    state_->bytes -= message->memory();
  } else {
    state_->bytes_away -= of_size_code(std::exchange(entry.size_code, 0));
  }
  entry.message.reset();
}

std::size_t Queue::settle(model::Tag first, model::Tag last) {
  if (!state_) return 0;
  const model::Tag head = head_tag();
  const model::Tag taken = head + state_->next;  // settled must have been taken, now or before
  const model::Tag end = head + state_->count;
  std::size_t marked = 0;
  for (model::Tag tag = std::max(first, head); tag <= last && tag < end; ++tag) {
    Entry& entry = at(tag - head);
    if (entry.marks.settled || (tag >= taken && !entry.marks.released)) continue;
    entry.marks.settled = true;
    drop(entry);
    ++marked;
    state_->unsettled -= tag < taken ? 1 : 0;
  }
  trim();
  return marked;
}

// --- what is kept in the store ---

void Queue::put_away(Entry& entry, model::Position position, std::size_t bytes) {
  entry.message = Content::at(position);
  entry.size_code = to_size_code(bytes);
  state_->bytes_away += of_size_code(entry.size_code);
}

void Queue::put_back(Entry& entry, model::MessageRef message) {
  message.get()->set_position(entry.message.position());
  let_go_of_message(entry);
  entry.message = std::move(message);
  state_->bytes += entry.message.memory();
}

bool Queue::release(model::Tag tag) {
  Entry* const entry = find(tag);
  if (entry == nullptr || tag >= head_tag() + state_->next || entry->marks.released) return false;
  HERMOD_ASSERT(entry->marks.guarantee == model::Guarantee::kExactlyOnce);
  entry->marks.released = true;
  if (const model::Position position = place_of(*entry);
      position != 0 && entry->message.in_memory()) {
    let_go_of_message(*entry);
    put_away(*entry, position, 0);
  }
  return true;
}

void Queue::page_out(model::Tag first, std::size_t count) {
  if (!state_) return;
  const std::size_t begin =
      std::max<std::size_t>(state_->next, first > head_tag() ? first - head_tag() : 0);
  const std::size_t end = std::min(state_->count, begin + count);
  for (std::size_t i = begin; i < end; ++i) {
    Entry& entry = at(i);
    const model::Position position = place_of(entry);
    if (position == 0 || !entry.message.in_memory()) continue;
    const std::size_t bytes = entry.message.memory();
    let_go_of_message(entry);
    put_away(entry, position, bytes);
  }
}

Queue::Entry* Queue::find(model::Tag tag) {
  if (!state_ || tag < head_tag() || tag >= next_tag_) return nullptr;
  Entry& entry = at(tag - head_tag());
  return entry.marks.settled ? nullptr : &entry;
}

void Queue::restore(model::Tag tag, Entry&& entry, std::size_t bytes) {
  State& s = state();
  if (s.count == 0) next_tag_ = tag;
  while (next_tag_ < tag) {  // settled, or at most once and lost
    grow();
    at(s.count++).marks.settled = true;
    ++next_tag_;
  }
  grow();
  Entry& place = at(s.count++);
  ++next_tag_;
  const model::Position position = entry.message.position();
  place = std::move(entry);
  place.marks.kept = true;
  put_away(place, position, bytes);
  if (!place.marks.released) ++s.waiting;
}

void Queue::restore_next(model::Tag tag) {
  State& s = state();
  while (s.count > 0 && next_tag_ < tag) {
    grow();
    at(s.count++).marks.settled = true;
    ++next_tag_;
  }
  next_tag_ = std::max(next_tag_, tag);
  s.safe = next_tag_;
}

void Queue::pop() {
  Entry& entry = at(0);
  if (entry.message) drop(entry);
  // the rest is written with the next one
  entry.marks.delivered = entry.marks.settled = entry.marks.released = entry.marks.recovered =
      entry.marks.kept = false;
  state_->head = (state_->head + 1) & (state_->ring.size() - 1);
  --state_->count;
  if (state_->next > 0) --state_->next;
}

void Queue::trim() {
  if (!state_) return;
  for (std::size_t i = state_->next - state_->fresh; i < state_->next; ++i) {
    if (at(i).marks.settled) drop(at(i));
  }
  state_->fresh = 0;
  while (state_->count > 0 && at(0).marks.settled) pop();
  if (state_->count == 0 && state_->ring.size() > 64) state_->ring = std::vector<Entry>{};
}

void Queue::rewind(bool keep_at_most_once) {
  if (!state_) return;
  state_->waiting = 0;
  for (std::size_t i = 0; i < state_->count; ++i) {
    Entry& entry = at(i);
    if (!keep_at_most_once && entry.marks.guarantee == model::Guarantee::kAtMostOnce) {
      entry.marks.settled = true;
    }
    if (entry.marks.settled) {
      drop(entry);
    } else if (!entry.marks.released) {
      ++state_->waiting;
    }
  }
  state_->next = state_->fresh = state_->unsettled = 0;
  trim();
  if (state_->count == 0 && state_->dead.empty()) state_.reset();
}

void Queue::push_front(Entry entry) {
  grow();
  HERMOD_ASSERT(state_->next == 0 && next_tag_ > state_->count + 1);
  state_->bytes += entry.message.memory();
  state_->head = (state_->head + state_->ring.size() - 1) & (state_->ring.size() - 1);
  ++state_->count;
  ++state_->waiting;
  at(0) = std::move(entry);
}

std::size_t Queue::held(std::uint16_t group) const {
  std::size_t count = 0;
  for (std::size_t i = 0; state_ && i < state_->count; ++i) {
    if (!at(i).marks.settled && at(i).group == group) ++count;
  }
  return count;
}

void Queue::clear() {
  state_.reset();
}

}  // namespace hermod::core
