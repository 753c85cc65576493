// SPDX-License-Identifier: Apache-2.0
// What the router does with messages for which there is no room, and with those whose time is over:
// docs/decisions/0011-queue-policies.md.
#include <algorithm>

#include "hermod/base/assert.hpp"
#include "hermod/core/router.hpp"

namespace hermod::core {

using model::Guarantee;

// --- room ---

Router::Reason Router::what_is_full(const Subscriber& subscriber, std::size_t octets) const {
  const Queue& queue = subscriber.queue;
  if (queue.bytes() + octets > limits_.queue_bytes_max) return &RouterCounters::dropped_bytes;
  if (queue.waiting() >= limits_.queue_messages_max) return &RouterCounters::dropped_length;
  if (const Usage* const usage = subscriber.usage) {
    if (usage->bytes + octets > limits_.user_bytes_max ||
        usage->waiting + usage->claimed >= limits_.user_messages_max) {
      return &RouterCounters::dropped_user;
    }
  }
  return nullptr;
}

// With drop-head the oldest messages of the same queue go, as long as that helps.
bool Router::make_room(Subscriber& subscriber, std::size_t octets) {
  Reason full = what_is_full(subscriber, octets);
  if (full == nullptr) return true;
  const bool may_help =
      limits_.queue_overflow == Overflow::kDropHead && can_make_room(subscriber, octets, full);
  while (full != nullptr && may_help && drop_oldest(subscriber)) {
    ++counters_.dropped_head;
    full = what_is_full(subscriber, octets);
  }
  if (full == nullptr) return true;
  ++(counters_.*full);
  return false;
}

// Whether octets suffice when everything goes that may go. Nothing is dropped for one that is too
// large anyway.
bool Router::can_make_room(Subscriber& subscriber, std::size_t octets, Reason full) const {
  if (full == &RouterCounters::dropped_length) return true;
  const std::size_t stays = subscriber.queue.bytes_before_oldest() + octets;
  if (stays > limits_.queue_bytes_max) return false;
  const Usage* const usage = subscriber.usage;
  return usage == nullptr ||
         usage->bytes - subscriber.queue.bytes() + stays <= limits_.user_bytes_max;
}

bool Router::lacks_room(const model::Message& message) {
  std::vector<Usage*> claims;
  bool lacks = false;
  for (const Match& match : cache_.find(message.destination.address).matches) {
    Subscriber& subscriber = subscribers_[match.subscriber];
    const Guarantee guarantee = std::min(message.guarantee, match.guarantee_max);
    if (guarantee == Guarantee::kAtMostOnce ||
        goes_direct(subscriber, guarantee, run_.size() + 1) ||
        (match.no_local && is_publisher(subscriber, message.origin))) {
      continue;
    }
    if (run_set_ != nullptr) {  // what is under way takes its room first
      flush();
      return lacks_room(message);
    }
    lacks = what_is_full(subscriber, message.payload.size()) != nullptr;
    if (lacks) break;
    if (subscriber.usage == nullptr) continue;
    ++subscriber.usage->claimed;
    claims.push_back(subscriber.usage);
  }
  for (Usage* const usage : claims) usage->claimed = 0;
  return lacks;
}

// What is dropped in the run that brought it is not written yet: the store hears of it afterwards.
bool Router::drop_oldest(Subscriber& subscriber) {
  const Queue::Entry* const entry = subscriber.queue.oldest();
  if (entry == nullptr) return false;
  const bool kept = entry->marks.kept;
  model::MessageRef unwritten;
  if (kept && Queue::place_of(*entry) == 0) unwritten = entry->message.ref();
  const model::Tag tag = subscriber.queue.drop_oldest();
  if (tag == 0) return false;
  if (unwritten) {
    unwritten_.push_back({std::move(unwritten), subscriber.kept_as, tag});
  } else if (kept) {
    journal_.settle(subscriber.kept_as, tag, tag);
    let_go_of_dead(subscriber);
  }
  return true;
}

void Router::let_go_of_unwritten() {
  for (const Unwritten& one : unwritten_) {
    journal_.settle(one.queue, one.tag, one.tag);
    journal_.let_go(one.message.get()->position());
  }
  unwritten_.clear();
}

void Router::let_go_of_dead(Subscriber& subscriber) {
  if (!subscriber.queue.has_dead()) return;
  for (const Position position : subscriber.queue.take_dead()) journal_.let_go(position);
}

// --- time ---

void Router::set_time(Instant now) {
  if (now_ == Instant{}) restored_due_ = latest_due(now, Guarantee::kAtLeastOnce);
  now_ = now;
  now_due_ = due_at(now);
}

Due Router::latest_due(Instant now, Guarantee guarantee) const {
  if (limits_.queue_ttl == Duration::zero() || guarantee == Guarantee::kAtMostOnce) return kNoDue;
  return to_due(now + limits_.queue_ttl);
}

Due Router::due_of(const model::Message& message, Guarantee guarantee) const {
  return earlier(to_due(message.expires_at), latest_due(now_, guarantee));
}

void Router::drop_overdue(Subscriber& subscriber) {
  while (subscriber.queue.oldest() != nullptr && is_over(subscriber.queue.oldest_due(), now_due_) &&
         drop_oldest(subscriber)) {
    ++counters_.expired;
  }
}

void Router::watch(Subscriber& subscriber) {
  if (!subscriber.queue.may_expire() || subscriber.queue.oldest() == nullptr) return;
  const Due due = subscriber.queue.oldest_due();
  if (due != kNoDue) watch(subscriber, due);
}

void Router::watch(Subscriber& subscriber, Due due) {
  const Due watched = subscriber.queue.watched();
  if (watched != kNoDue && watched <= due) return;
  subscriber.queue.set_watched(due);
  if (watches_.size() >= kWatchesSpare + 2 * subscribers_.size()) forget_old_watches();
  watches_.push_back({.due = due,
                      .subscriber = subscriber.index,
                      .generation = subscribers_.generation(subscriber.index)});
  std::ranges::push_heap(watches_, std::greater{}, &Watch::due);
}

bool Router::is_current(const Watch& watch) const {
  return subscribers_.holds(watch.subscriber) &&
         subscribers_.generation(watch.subscriber) == watch.generation &&
         subscribers_[watch.subscriber].queue.watched() == watch.due;
}

// Those that an earlier one has replaced, or whose subscriber has gone.
void Router::forget_old_watches() {
  std::erase_if(watches_, [this](const Watch& watch) { return !is_current(watch); });
  std::ranges::make_heap(watches_, std::greater{}, &Watch::due);
}

std::vector<SubscriberIndex> Router::expire() {
  std::vector<SubscriberIndex> freed;
  Work work;
  while (!watches_.empty() && watches_.front().due <= now_due_ && work.looks-- > 0 &&
         work.drops > 0 && work.reads > 0) {
    std::ranges::pop_heap(watches_, std::greater{}, &Watch::due);
    const Watch due = watches_.back();
    watches_.pop_back();
    if (!is_current(due)) continue;
    Subscriber& subscriber = subscribers_[due.subscriber];
    subscriber.queue.set_watched(kNoDue);
    look_at(subscriber, work);
    if (subscriber.queue.has_freed()) freed.push_back(due.subscriber);
  }
  return freed;
}

// Drops what is over at the front of one queue, and watches what is there then.
void Router::look_at(Subscriber& subscriber, Work& work) {
  while (subscriber.queue.oldest() != nullptr) {
    if (subscriber.queue.oldest_due() == kUnknownDue && work.reads > 0) {
      --work.reads;
      if (!read_due(subscriber)) return watch(subscriber, now_due_ + kLater);
      continue;
    }
    if (!is_over(subscriber.queue.oldest_due(), now_due_) || work.drops == 0) break;
    if (!drop_oldest(subscriber)) return watch(subscriber, now_due_ + kLater);
    ++counters_.expired;
    --work.drops;
  }
  watch(subscriber);
}

// An entry of an earlier run: its message says when it is over. False when it cannot be read now.
bool Router::read_due(Subscriber& subscriber) {
  const Queue::Entry* const entry = subscriber.queue.oldest();
  const std::optional<model::MessageRef> message =
      entry->message.in_memory() ? entry->message.ref() : journal_.read(entry->message.position());
  if (!message) return false;
  if (*message) {
    const Due due = to_due((*message)->expires_at);
    subscriber.queue.set_oldest_due(earlier(due, restored_due_));
    return true;
  }
  if (!drop_oldest(subscriber)) return false;
  ++counters_.damaged;
  return true;
}

}  // namespace hermod::core
