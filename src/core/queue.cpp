// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/queue.hpp"

#include <algorithm>

#include "hermod/base/assert.hpp"

namespace hermod::core {
namespace {
constexpr std::size_t kFirstRing = 8;
}

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
  if (!state_) state_ = std::make_unique<State>();
  if (state_->count < state_->ring.size()) return;
  std::vector<Entry> bigger(std::max(kFirstRing, state_->ring.size() * 2));
  for (std::size_t i = 0; i < state_->count; ++i) bigger[i] = std::move(at(i));
  state_->ring = std::move(bigger);
  state_->head = 0;
}

Queue::Entry& Queue::append(Entry&& entry) {
  if (!state_ || state_->count == state_->ring.size()) [[unlikely]]
    grow();
  State& s = *state_;
  s.bytes += entry.message.get()->memory();
  Entry& place = at(s.count++);
  place = std::move(entry);
  return place;
}

model::Tag Queue::push(Entry&& entry) {
  append(std::move(entry));
  ++state_->waiting;
  return next_tag_++;
}

model::Tag Queue::push_taken(Entry&& entry) {
  HERMOD_ASSERT(waiting() == 0);
  append(std::move(entry)).delivered = true;
  state_->next = state_->count;
  ++state_->unsettled;
  return next_tag_++;
}

model::Tag Queue::take(std::size_t count_max, std::uint32_t credit,
                       std::vector<model::Delivery>& items) {
  items.clear();
  if (!state_ || !can_take()) return 0;
  while (state_->next < state_->count && at(state_->next).settled) ++state_->next;
  const model::Tag first = head_tag() + state_->next;
  while (items.size() < count_max && state_->next < state_->count) {
    Entry& entry = at(state_->next);
    if (entry.settled) break;
    if (entry.guarantee == model::Guarantee::kAtMostOnce) {
      entry.settled = true;
    } else if (credit-- == 0) {
      break;
    } else {
      ++state_->unsettled;
    }
    items.push_back({.message = &*entry.message,
                     .guarantee = entry.guarantee,
                     .retain = entry.retain,
                     .redelivered = entry.delivered,
                     .subscription_ids = entry.subscription_ids()});
    entry.delivered = true;
    ++state_->next;
  }
  state_->fresh += items.size();
  state_->waiting -= items.size();
  return first;
}

std::size_t Queue::settle(model::Tag first, model::Tag last) {
  if (!state_) return 0;
  const model::Tag head = head_tag();
  const model::Tag end = head + state_->next;  // settled must have been taken
  std::size_t marked = 0;
  for (model::Tag tag = std::max(first, head); tag <= last && tag < end; ++tag) {
    Entry& entry = at(tag - head);
    if (entry.settled) continue;
    entry.settled = true;
    let_go(entry);
    ++marked;
  }
  state_->unsettled -= marked;
  trim();
  return marked;
}

// What is settled holds no message, wherever it stands.
void Queue::let_go(Entry& entry) {
  if (!entry.message) return;
  state_->bytes -= entry.message.get()->memory();
  if (entry.group != 0) state_->freed.push_back(std::exchange(entry.group, 0));
  entry.message = {};
  entry.ids.reset();
}

void Queue::pop() {
  Entry& entry = at(0);
  let_go(entry);
  entry.delivered = entry.settled = false;  // the rest is written with the next one
  state_->head = (state_->head + 1) & (state_->ring.size() - 1);
  --state_->count;
  if (state_->next > 0) --state_->next;
}

void Queue::trim() {
  if (!state_) return;
  for (std::size_t i = state_->next - state_->fresh; i < state_->next; ++i) {
    if (at(i).settled) let_go(at(i));
  }
  state_->fresh = 0;
  while (state_->count > 0 && at(0).settled) pop();
  if (state_->count == 0 && state_->ring.size() > 64) state_->ring = std::vector<Entry>{};
}

void Queue::rewind(bool keep_at_most_once) {
  if (!state_) return;
  state_->waiting = 0;
  for (std::size_t i = 0; i < state_->count; ++i) {
    Entry& entry = at(i);
    if (!keep_at_most_once && entry.guarantee == model::Guarantee::kAtMostOnce)
      entry.settled = true;
    if (entry.settled) {
      let_go(entry);
    } else {
      ++state_->waiting;
    }
  }
  state_->next = state_->fresh = state_->unsettled = 0;
  trim();
  if (state_->count == 0) state_.reset();
}

void Queue::push_front(Entry entry) {
  grow();
  HERMOD_ASSERT(state_->next == 0 && next_tag_ > state_->count + 1);
  state_->bytes += entry.message.get()->memory();
  state_->head = (state_->head + state_->ring.size() - 1) & (state_->ring.size() - 1);
  ++state_->count;
  ++state_->waiting;
  at(0) = std::move(entry);
}

std::size_t Queue::held(std::uint16_t group) const {
  std::size_t count = 0;
  for (std::size_t i = 0; state_ && i < state_->count; ++i) {
    if (!at(i).settled && at(i).group == group) ++count;
  }
  return count;
}

void Queue::clear() {
  state_.reset();
}

}  // namespace hermod::core
