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
  if (state_->due) {
    auto due = std::make_unique<Due[]>(bigger.size());
    for (std::size_t i = 0; i < state_->count; ++i) due[i] = state_->due[slot(i)];
    state_->due = std::move(due);
  }
  for (std::size_t i = 0; i < state_->count; ++i) bigger[i] = std::move(at(i));
  state_->ring = std::move(bigger);
  state_->head = 0;
}

std::size_t Queue::offset_of(model::Tag tag) const {
  const State& s = *state_;
  if (tag >= next_tag_) return s.count;
  const model::Tag from_end = next_tag_ - tag;  // it is at least 1
  if (from_end <= s.count - s.gap_at) return s.count - from_end;
  const model::Tag from_end_of_front = from_end - (s.count - s.gap_at);
  if (from_end_of_front <= s.gap) return s.gap_at;
  const model::Tag in_front = from_end_of_front - s.gap;
  return in_front < s.gap_at ? s.gap_at - in_front : 0;
}

void Queue::set_due(std::size_t offset, Due due) {
  if (!state_->due) {
    if (due == kNoDue) return;
    state_->due = std::make_unique<Due[]>(state_->ring.size());
  }
  state_->due[slot(offset)] = due;
}

// The place of one more entry, which holds nothing.
inline Queue::Entry& Queue::append(Due due) {
  if (!state_ || state_->count == state_->ring.size()) [[unlikely]]
    grow();
  if (due != kNoDue || state_->due) [[unlikely]]
    set_due(state_->count, due);
  return at(state_->count++);
}

model::Tag Queue::push(Entry&& entry, Due due) {
  Entry& place = append(due);
  add_bytes(&State::bytes, entry.message.get()->memory());
  place = std::move(entry);
  add_waiting(1);
  return next_tag_++;
}

inline void Queue::append(model::MessageRef message, Entry::Marks marks,
                          std::span<const std::uint32_t> subscription_ids, Due due) {
  Entry& place = append(due);
  add_bytes(&State::bytes, message.get()->memory());
  place.message.put(std::move(message));
  place.id = 0;
  place.group = 0;
  place.marks = marks;
  if (!subscription_ids.empty()) place.set_ids(subscription_ids);
}

model::Tag Queue::push(model::MessageRef message, Entry::Marks marks,
                       std::span<const std::uint32_t> subscription_ids, Due due) {
  append(std::move(message), marks, subscription_ids, due);
  add_waiting(1);
  return next_tag_++;
}

model::Tag Queue::push_taken(model::MessageRef message, Entry::Marks marks,
                             std::span<const std::uint32_t> subscription_ids) {
  HERMOD_ASSERT(waiting() == 0);
  marks.delivered = true;
  append(std::move(message), marks, subscription_ids, kNoDue);
  while (state_->next + 1 < state_->count) {  // what was released before a stop
    state_->unsettled += at(state_->next++).marks.settled ? 0 : 1;
  }
  state_->next = state_->count;
  ++state_->unsettled;
  return next_tag_++;
}

model::Tag Queue::take(std::size_t count_max, std::uint32_t credit,
                       std::vector<model::Delivery>& items, Due now) {
  items.clear();
  if (!state_ || !can_take()) return 0;
  while (state_->next < state_->count && is_passed(at(state_->next))) {
    state_->unsettled += at(state_->next++).marks.settled ? 0 : 1;
  }
  if (!can_take()) return 0;  // those that were dropped count as well
  const model::Tag first = tag_at(state_->next);
  while (items.size() < count_max && state_->next < state_->count) {
    if (state_->next == state_->gap_at && !items.empty()) break;
    Entry& entry = at(state_->next);
    if (is_passed(entry) || !entry.message.in_memory()) break;
    if (state_->due && is_over(state_->due[slot(state_->next)], now) && may_drop(entry)) break;
    if (entry.marks.guarantee == model::Guarantee::kAtMostOnce) {
      entry.marks.settled = true;
    } else if (credit == 0 || waits_for_commit(entry, tag_at(state_->next))) {
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
    if (entry.group != 0) [[unlikely]]
      note_sent(entry);
    entry.marks.delivered = true;
    ++state_->next;
  }
  state_->fresh += items.size();
  add_waiting(-items.size());
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
  if (entry.group == 0) return;
  state_->freed.push_back({.group = entry.group, .tag = tag_of(entry)});
  entry.group = 0;
}

// Nobody else of the group may get it from now on.
void Queue::note_sent(const Entry& entry) {
  if (entry.marks.guarantee != model::Guarantee::kExactlyOnce || entry.marks.kept) return;
  state_->freed.push_back({.group = entry.group, .over = false, .tag = tag_of(entry)});
}

inline void Queue::let_go_of_message(Entry& entry) {
  if (model::OwnedMessage* const message = entry.message.get(); message != nullptr) [[likely]] {
    add_bytes(&State::bytes, -message->memory());
  } else {
    add_bytes(&State::bytes_away, -of_size_code(std::exchange(entry.size_code, 0)));
  }
  entry.message.reset();
}

std::size_t Queue::settle(model::Tag first, model::Tag last) {
  if (!state_) return 0;
  std::size_t marked = 0;
  const std::size_t end = last < next_tag_ ? offset_of(last + 1) : state_->count;
  for (std::size_t i = offset_of(first); i < end; ++i) {
    Entry& entry = at(i);
    const bool taken = i < state_->next;  // it must have been, now or before
    if (entry.marks.settled || (!taken && !entry.marks.released)) continue;
    entry.marks.settled = true;
    drop(entry);
    ++marked;
    if (taken) --state_->unsettled;
  }
  trim();
  return marked;
}

// --- what is kept in the store ---

void Queue::put_away(Entry& entry, model::Position position, std::size_t bytes) {
  entry.message = Content::at(position);
  entry.size_code = to_size_code(bytes);
  add_bytes(&State::bytes_away, of_size_code(entry.size_code));
}

void Queue::put_back(Entry& entry, model::MessageRef message) {
  message.get()->set_position(entry.message.position());
  set_message(entry, std::move(message));
}

void Queue::set_message(Entry& entry, model::MessageRef message) {
  let_go_of_message(entry);
  entry.message = std::move(message);
  add_bytes(&State::bytes, entry.message.memory());
}

bool Queue::release(model::Tag tag) {
  Entry* const entry = find(tag);
  if (entry == nullptr || offset_of(tag) >= state_->next || entry->marks.released) return false;
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
  const std::size_t end = offset_of(first + count);
  for (std::size_t i = std::max(state_->next, offset_of(first)); i < end; ++i) {
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
  const std::size_t offset = offset_of(tag);
  if (offset == state_->count || tag_at(offset) != tag) return nullptr;  // in the gap
  Entry& entry = at(offset);
  return entry.marks.settled ? nullptr : &entry;
}

void Queue::restore(model::Tag tag, Entry&& entry, std::size_t bytes) {
  State& s = state();
  if (s.count == 0) next_tag_ = tag;
  skip_to(tag);  // settled, or at most once and lost
  grow();
  set_due(s.count, kUnknownDue);
  Entry& place = at(s.count++);
  ++next_tag_;
  const model::Position position = entry.message.position();
  place = std::move(entry);
  place.marks.kept = true;
  put_away(place, position, bytes);
  if (!place.marks.released) add_waiting(1);
}

void Queue::restore_next(model::Tag tag) {
  if (state().count > 0) skip_to(tag);
  next_tag_ = std::max(next_tag_, tag);
  state_->safe = next_tag_;
}

// Tags up to this one are settled.
void Queue::skip_to(model::Tag tag) {
  State& s = *state_;
  if (next_tag_ + kHolesMax <= tag && s.gap_at == 0 && s.count > 0) {
    s.gap_at = static_cast<std::uint32_t>(s.count);
    s.gap = tag - next_tag_;
    next_tag_ = tag;
  }
  while (next_tag_ < tag) {
    grow();
    at(s.count++).marks.settled = true;
    ++next_tag_;
  }
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
  if ((state_->oldest | state_->gap_at) == 0) return;
  if (state_->oldest > 0) --state_->oldest;
  if (state_->gap_at > 0) --state_->gap_at;
  if (state_->gap_at == 0) state_->gap = 0;
}

void Queue::trim() {
  if (!state_) return;
  for (std::size_t i = state_->next - state_->fresh; i < state_->next; ++i) {
    if (at(i).marks.settled) drop(at(i));
  }
  state_->fresh = 0;
  while (state_->count > 0 && at(0).marks.settled) pop();
  if (state_->count == 0 && state_->ring.size() > 64) {
    state_->ring = std::vector<Entry>{};
    state_->due.reset();
  }
}

void Queue::rewind(bool keep_at_most_once) {
  if (!state_) return;
  std::size_t waiting = 0;
  for (std::size_t i = 0; i < state_->count; ++i) {
    Entry& entry = at(i);
    if (!keep_at_most_once && entry.marks.guarantee == model::Guarantee::kAtMostOnce) {
      entry.marks.settled = true;
    }
    if (entry.marks.settled) {
      drop(entry);
    } else if (!entry.marks.released) {
      ++waiting;
    }
  }
  add_waiting(waiting - state_->waiting);
  state_->next = state_->fresh = state_->unsettled = 0;
  trim();
  const bool needed = !state_->dead.empty() || state_->usage != nullptr || state_->watched != 0;
  if (state_->count == 0 && !needed) state_.reset();
}

model::Tag Queue::pull(Entry& entry) {
  trim();
  if (!state_ || state_->count == 0) return 0;
  HERMOD_ASSERT(state_->next == 0);
  Entry& first = at(0);
  const model::Tag tag = head_tag();
  if (!first.message.in_memory() || waits_for_commit(first, tag)) return 0;
  add_bytes(&State::bytes, -first.message.memory());
  add_waiting(-std::size_t{1});
  entry = std::move(first);
  first = Entry{};
  pop();
  return tag;
}

std::size_t Queue::held(std::uint16_t group) const {
  std::size_t count = 0;
  for (std::size_t i = 0; state_ && i < state_->count; ++i) {
    if (!at(i).marks.settled && at(i).group == group) ++count;
  }
  return count;
}

void Queue::clear() {
  set_usage(nullptr);
  state_.reset();
}

// --- policies ---

std::size_t Queue::bytes_of(const Entry& entry) {
  return entry.message.in_memory() ? entry.message.memory() : of_size_code(entry.size_code);
}

Queue::Entry* Queue::oldest() {
  if (!state_) return nullptr;
  State& s = *state_;
  s.oldest = std::max(s.oldest, static_cast<std::uint32_t>(s.next));
  while (s.oldest < s.count && !may_drop(at(s.oldest))) ++s.oldest;
  return s.oldest < s.count ? &at(s.oldest) : nullptr;
}

std::size_t Queue::bytes_before_oldest() {
  (void)oldest();
  std::size_t bytes = 0;
  for (std::size_t i = 0; state_ && i < state_->oldest; ++i) bytes += bytes_of(at(i));
  return bytes;
}

model::Tag Queue::drop_oldest() {
  Entry* const entry = oldest();
  if (entry == nullptr || (state_->oldest > 0 && holes() >= kSettledMax)) return 0;
  const model::Tag tag = tag_at(state_->oldest);
  entry->marks.settled = true;
  drop(*entry);
  add_waiting(-std::size_t{1});
  trim();
  if (const std::size_t count = holes(); count > 0 && count % kHolesMax == 0) close_up();
  return tag;
}

// What was dropped in a row before the oldest that waits gives up its places: what stands before it
// moves behind them.
void Queue::close_up() {
  (void)oldest();
  State& s = *state_;
  const std::size_t end = s.oldest;
  std::size_t begin = end;
  while (begin > s.gap_at && at(begin - 1).marks.settled) --begin;
  const std::size_t count = end - begin;
  if (count == 0 || begin == 0 || (s.gap_at != 0 && begin != s.gap_at)) return;
  for (std::size_t i = begin; i-- > 0;) {
    at(i + count) = std::move(at(i));
    if (s.due) s.due[slot(i + count)] = s.due[slot(i)];
  }
  for (std::size_t i = 0; i < count; ++i) at(i) = Entry{};
  s.head = slot(count);
  s.count -= count;
  s.oldest -= static_cast<std::uint32_t>(count);
  s.next = s.next >= end ? s.next - count : std::min(s.next, begin);
  s.gap_at = static_cast<std::uint32_t>(begin);
  s.gap += count;
}

void Queue::set_usage(Usage* usage) {
  if (!state_ && usage == nullptr) return;
  State& s = state();
  if (s.usage != nullptr) {
    s.usage->waiting -= s.waiting;
    s.usage->bytes -= bytes();
  }
  s.usage = usage;
  if (usage == nullptr) return;
  usage->waiting += s.waiting;
  usage->bytes += bytes();
}

}  // namespace hermod::core
