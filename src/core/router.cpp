// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/router.hpp"

#include <algorithm>

#include "hermod/base/assert.hpp"
#include "hermod/base/output.hpp"

namespace hermod::core {

using model::Guarantee;

namespace {

// Whether a run for this audience may go on with other topics: it is cheap to copy and to compare,
// and nobody in it may be the publisher, who is asked by topic.
bool is_simple(const MatchSet& set, std::size_t most) {
  return set.matches.size() <= most && set.ids.size() <= most &&
         std::ranges::none_of(set.matches, &Match::some_no_local);
}

bool alike(const MatchSet& a, const MatchSet& b) {
  return a.shards == b.shards && a.matches == b.matches && a.ids == b.ids;
}

}  // namespace

bool Router::joins_run(const model::Message& message, bool everywhere) {
  if (run_set_ == nullptr || run_.size() == kBatchMax || run_everywhere_ != everywhere) {
    return false;
  }
  const model::Message& first = *run_.front();
  if (first.guarantee != message.guarantee ||
      first.origin.connection != message.origin.connection) {
    return false;
  }
  const std::string_view topic = message.destination.address;
  return first.destination.address == topic ||
         (run_set_ == &few_ && alike(few_, cache_.find(topic)));
}

void Router::open_run(std::string_view topic, bool everywhere) {
  run_set_ = &cache_.find(topic);
  run_everywhere_ = everywhere;
  if (!is_simple(*run_set_, kAlikeMax)) return;
  few_ = *run_set_;
  run_set_ = &few_;
}

bool Router::publish(const model::Message& message, bool everywhere, ShardSet retained_owner) {
  if (!joins_run(message, everywhere)) {
    flush();
    open_run(message.destination.address, everywhere);
  }
  run_.push_back(&message);
  const ShardSet interested = everywhere ? run_set_->shards : 0;
  if ((interested | retained_owner) != 0) outlet_.forward(message, interested, retained_owner);
  return interested != 0 || !run_set_->matches.empty();
}

bool Router::publish_except(std::span<const QueueId> queues, const model::Message& message,
                            bool everywhere, ShardSet retained_owner) {
  flush();
  except_ = queues;
  const bool wanted = publish(message, everywhere, retained_owner);
  flush();
  except_ = {};
  return wanted;
}

void Router::flush() {
  if (run_set_ == nullptr) return;
  // Payloads that outputs will refer to are copied once, for all.
  std::size_t bytes = 0;
  for (const model::Message* message : run_) {
    bytes += message->payload.size();
    if (message->payload.size() >= Output::kShareFrom && !run_set_->matches.empty()) {
      keep(*message);
    }
  }
  std::size_t direct = 0;  // subscribers that took the run; counted once for all, not for each
  for (const Match& match : run_set_->matches) direct += deliver_run(match) ? 1 : 0;
  counters_.delivered += direct * run_.size();
  counters_.delivered_bytes += direct * bytes;
  if (run_everywhere_) {
    counters_.published += run_.size();
    counters_.published_bytes += bytes;
  }
  if (!recipients_.empty() || !alone_.empty()) record_kept();
  if (!unwritten_.empty()) let_go_of_unwritten();
  for (const Kept& kept : kept_) kept.view->owner = nullptr;
  kept_.clear();
  run_.clear();
  run_set_ = nullptr;
  for (Variant* variant : filled_) {
    variant->items.clear();
    variant->slots.clear();
  }
  filled_.clear();
}

void Router::keep(const model::Message& message) {
  if (message.owner != nullptr) return;
  kept_.push_back({&message, message.own()});
  message.owner = kept_.back().copy.get();
}

// One record for each message and all its queues. What refers to the message learns where it lies.
void Router::record_kept() {
  if (!recipients_.empty()) record_run();
  for (const Alone& alone : alone_) record(alone);
  alone_.clear();
}

void Router::record_run() {
  const std::size_t count = std::ranges::max(recipients_, {}, &Recipient::count).count;
  const std::span<const model::Message* const> taken{run_.data(), count};
  positions_.assign(count, 0);
  note_commit(journal_.append({.messages = taken, .recipients = recipients_}, positions_));
  for (std::size_t i = 0; i < count; ++i) run_[i]->owner->set_position(positions_[i]);
  for (std::size_t i = 0; i < recipients_.size(); ++i) {
    wait_for_commit(recipients_are_[i], recipients_[i]);
  }
  recipients_.clear();
  recipients_are_.clear();
}

// Where something happens to the recipient's new entries once they are committed.
void Router::wait_for_commit(SubscriberIndex index, const Recipient& recipient) {
  const Subscriber& subscriber = subscribers_[index];
  if (recipient.guarantee != Guarantee::kExactlyOnce && !subscriber.away() &&
      subscriber.queue.waiting() <= kResidentMax) {
    return;
  }
  waiting_.push_back({.commit = last_commit_,
                      .subscriber = index,
                      .generation = subscribers_.generation(index),
                      .first = recipient.tag,
                      .count = recipient.count});
}

void Router::page_out_later(SubscriberIndex index) {
  const Queue& queue = subscribers_[index].queue;
  const model::Tag first = queue.head_tag();
  if (first == queue.next_tag()) return;
  waiting_.push_back({.commit = last_commit_,
                      .subscriber = index,
                      .generation = subscribers_.generation(index),
                      .first = first,
                      .count = static_cast<std::uint32_t>(queue.next_tag() - first)});
}

std::vector<SubscriberIndex> Router::committed(CommitNumber number) {
  std::vector<SubscriberIndex> freed;
  finish_adoptions(number);
  while (!waiting_.empty() && waiting_.front().commit <= number) {
    const Waiting waiting = waiting_.front();
    waiting_.pop_front();
    if (!subscribers_.holds(waiting.subscriber) ||
        subscribers_.generation(waiting.subscriber) != waiting.generation) {
      continue;
    }
    Subscriber& subscriber = subscribers_[waiting.subscriber];
    if (subscriber.kept_as == 0 && !subscriber.queue.adopts()) continue;
    subscriber.queue.set_safe(waiting.first + waiting.count);
    if (subscriber.away() || subscriber.queue.waiting() > kResidentMax) {
      subscriber.queue.page_out(waiting.first, waiting.count);
    }
    pump(subscriber);
    if (subscriber.queue.has_freed()) freed.push_back(waiting.subscriber);
  }
  return freed;
}

bool Router::must_keep(const model::Message& message) const {
  if (message.guarantee == Guarantee::kAtMostOnce) return false;
  if (message.retain) return true;
  const MatchSet& set = cache_.find(message.destination.address);
  return set.shards != 0 || std::ranges::any_of(set.matches, [&](const Match& match) {
           return match.guarantee_max != Guarantee::kAtMostOnce &&
                  subscribers_[match.subscriber].kept_as != 0;
         });
}

Router::Variant& Router::variant(Guarantee guarantee, bool retain_as_published) {
  Variant& v = variants_[static_cast<std::size_t>(guarantee) * 2 + (retain_as_published ? 1 : 0)];
  if (!v.items.empty()) return v;
  filled_.push_back(&v);
  for (const model::Message* message : run_) {
    v.items.push_back({.message = message,
                       .guarantee = guarantee,
                       .retain = retain_as_published && message->retain});
  }
  return v;
}

// What came from another shard was not published by a client of this one.
bool Router::deliver_run(const Match& match) {
  if (!except_.empty() && std::ranges::find(except_, subscribers_[match.subscriber].kept_as) !=
                              except_.end()) [[unlikely]] {
    return false;
  }
  if (match.some_no_local && run_everywhere_ &&
      is_publisher(subscribers_[match.subscriber], run_.front()->origin)) [[unlikely]] {
    return deliver_to_publisher(match);
  }
  return deliver_to(match, {run_set_->ids.data() + match.ids_begin, match.ids_count});
}

bool Router::is_publisher(const Subscriber& subscriber, const model::Origin& origin) {
  if (subscriber.attached() && origin.connection != 0 &&
      static_cast<std::uint32_t>(subscriber.connection) == origin.connection) {
    return true;
  }
  return origin.client != 0 && origin.client == Subscribers::mark(subscriber.id);
}

// Of the publisher's own subscriptions those without No Local count alone [MQTT-3.8.3-3]. Who mixes
// them pays for a walk of the tree.
bool Router::deliver_to_publisher(const Match& match) {
  if (match.no_local) return false;
  own_ = {};
  cache_.tree().match_own(run_.front()->destination.address, match.subscriber, own_);
  return deliver_to(own_.matches.front(), own_.ids);
}

bool Router::goes_direct(const Subscriber& subscriber, Guarantee guarantee,
                         std::size_t count) const {
  return subscriber.attached() && subscriber.open && subscriber.queue.waiting() == 0 &&
         !(guarantee == Guarantee::kExactlyOnce && subscriber.kept_as != 0) &&
         (guarantee == Guarantee::kAtMostOnce ||
          (subscriber.credit >= count && subscriber.queue.can_take()));
}

bool Router::deliver_to(const Match& match, std::span<const std::uint32_t> ids) {
  Subscriber& subscriber = subscribers_[match.subscriber];
  const model::Message& first = *run_.front();
  const Guarantee guarantee = std::min(first.guarantee, match.guarantee_max);
  const bool kept = guarantee != Guarantee::kAtMostOnce && subscriber.kept_as != 0;
  if (goes_direct(subscriber, guarantee, run_.size())) {
    if (kept) {
      note_recipient(match, subscriber, guarantee, ids, subscriber.queue.next_tag(),
                     static_cast<std::uint32_t>(run_.size()));
    }
    deliver_direct(subscriber, match, guarantee, ids);
    return true;
  }
  const model::Tag tag = subscriber.queue.next_tag();
  const std::uint32_t taken = enqueue_run(match, guarantee, ids);
  if (kept && taken > 0) note_recipient(match, subscriber, guarantee, ids, tag, taken);
  pump(subscriber);
  return false;
}

void Router::note_recipient(const Match& match, const Subscriber& subscriber, Guarantee guarantee,
                            std::span<const std::uint32_t> ids, model::Tag tag,
                            std::uint32_t count) {
  recipients_are_.push_back(match.subscriber);
  recipients_.push_back({.queue = subscriber.kept_as,
                         .tag = tag,
                         .count = count,
                         .guarantee = guarantee,
                         .retain_as_published = match.retain_as_published,
                         .subscription_ids = ids});
}

// How many of the run's messages were taken, from its begin: what follows one that was not is
// written alone.
std::uint32_t Router::enqueue_run(const Match& match, Guarantee guarantee,
                                  std::span<const std::uint32_t> ids) {
  Subscriber& subscriber = subscribers_[match.subscriber];
  const bool kept = guarantee != Guarantee::kAtMostOnce && subscriber.kept_as != 0;
  std::uint32_t taken = 0;
  bool all = true;
  for (const model::Message* message : run_) {
    const bool retain = match.retain_as_published && message->retain;
    if (kept && !all) {
      if (auto alone = enqueue_copy(match.subscriber, *message, guarantee, retain, ids)) {
        alone_.push_back(std::move(*alone));
      }
    } else if (enqueue(subscriber, *message, guarantee, retain, ids)) {
      ++taken;
    } else {
      all = false;
    }
  }
  return taken;
}

void Router::deliver_direct(Subscriber& subscriber, const Match& match, Guarantee guarantee,
                            std::span<const std::uint32_t> ids) {
  Variant& shared = variant(guarantee, match.retain_as_published);
  model::DeliveryBatch batch{.items = shared.items, .slots = &shared.slots};
  if (!ids.empty()) {  // nobody else gets the very same deliveries
    scratch_ = shared.items;
    for (model::Delivery& delivery : scratch_) delivery.subscription_ids = ids;
    batch.items = scratch_;
    batch.slots = nullptr;
  }
  if (guarantee != Guarantee::kAtMostOnce) {
    batch.first_tag = subscriber.queue.next_tag();
    for (const model::Delivery& delivery : batch.items) {
      keep(*delivery.message);
      const Queue::Entry::Marks marks{
          .guarantee = guarantee, .retain = delivery.retain, .kept = subscriber.kept_as != 0};
      subscriber.queue.push_taken(delivery.message->own(), marks, ids);
    }
    subscriber.credit -= static_cast<std::uint32_t>(batch.items.size());
  }
  outlet_.deliver(subscriber.connection, batch);
}

bool Router::enqueue(Subscriber& subscriber, const model::Message& message, Guarantee guarantee,
                     bool retain, std::span<const std::uint32_t> subscription_ids) {
  const bool counted = guarantee != Guarantee::kAtMostOnce;
  if (subscriber.away() && !counted && !limits_.queue_at_most_once_offline) {
    ++counters_.dropped_away;
    return false;
  }
  if (!has_room(subscriber, message.payload.size())) [[unlikely]] {
    if (!make_room(subscriber, message.payload.size())) return false;
  }
  if (run_set_ != nullptr) keep(message);
  const Queue::Entry::Marks marks{
      .guarantee = guarantee, .retain = retain, .kept = counted && subscriber.kept_as != 0};
  const bool ends = message.expires_at != kNever || limits_.queue_ttl != Duration::zero();
  subscriber.queue.push(message.own(), marks, subscription_ids,
                        ends ? due_of(message, guarantee) : kNoDue);
  if (ends) [[unlikely]] {
    watch(subscriber);
  }
  ++counters_.queued;
  return true;
}

void Router::enqueue_alone(SubscriberIndex index, const model::Message& message,
                           Guarantee guarantee, bool retain,
                           std::span<const std::uint32_t> subscription_ids) {
  if (guarantee == Guarantee::kAtMostOnce || subscribers_[index].kept_as == 0) {
    (void)enqueue(subscribers_[index], message, guarantee, retain, subscription_ids);
  } else if (const auto alone = enqueue_copy(index, message, guarantee, retain, subscription_ids)) {
    record(*alone);
  }
}

// A copy of its own, as one that others have lies elsewhere in the store, or nowhere.
std::optional<Router::Alone> Router::enqueue_copy(SubscriberIndex index,
                                                  const model::Message& message,
                                                  Guarantee guarantee, bool retain,
                                                  std::span<const std::uint32_t> ids) {
  Subscriber& subscriber = subscribers_[index];
  Alone alone{.message = model::OwnedMessage::copy_of(message),
              .subscriber = index,
              .recipient = {.queue = subscriber.kept_as,
                            .tag = subscriber.queue.next_tag(),
                            .count = 1,
                            .guarantee = guarantee,
                            .retain_as_published = retain,
                            .subscription_ids = ids}};
  if (!enqueue(subscriber, *alone.message, guarantee, retain, ids)) return std::nullopt;
  return alone;
}

void Router::record(const Alone& alone) {
  const model::Message* const only = &*alone.message;
  Position position = 0;
  note_commit(journal_.append({.messages = {&only, 1}, .recipients = {&alone.recipient, 1}},
                              {&position, 1}));
  alone.message.get()->set_position(position);
  wait_for_commit(alone.subscriber, alone.recipient);
}

void Router::enqueue_from_group(Subscriber& subscriber, std::uint16_t membership, model::Tag tag,
                                const model::Delivery& delivery) {
  Membership& with = (*subscriber.memberships)[membership];
  const model::SubscriptionOptions& options = with.options;
  Queue::Entry entry{.message = delivery.message->own(),
                     .id = options.subscription_id,
                     .group = static_cast<std::uint16_t>(membership + 1),
                     .marks = {.guarantee = std::min(delivery.message->guarantee,
                                                     options.guarantee_max),  // [MQTT-4.8.2-3]
                               .retain = options.retain_as_published && delivery.message->retain,
                               .delivered = delivery.redelivered}};
  if (subscriber.kept_as != 0 || with.queue != 0) subscriber.queue.set_adopts();
  with.lent.emplace(subscriber.queue.push(std::move(entry), to_due(delivery.message->expires_at)),
                    tag);
  ++counters_.queued;
}

// From a group's queue to its members, which are lent it.
void Router::pump_group(Subscriber& subscriber) {
  Group& group = *subscriber.group;
  while (true) {
    if (subscriber.queue.may_expire()) drop_overdue(subscriber);
    if (!group.has_credit()) break;
    Group::Lent lent = group.lend_again();
    if (lent.entry == nullptr) {
      if (subscriber.kept_as != 0) load(subscriber, 1);
      Queue::Entry entry;
      const model::Tag tag = subscriber.queue.pull(entry);
      if (tag == 0) break;
      lent = group.lend(tag, std::move(entry));
    }
    const Queue::Entry::Marks marks = lent.entry->marks;
    outlet_.to_member(
        group.next(), group.key(), {subscriber.kept_as, lent.tag},
        {.message = &*lent.entry->message, .redelivered = marks.delivered || marks.recovered});
  }
  if (subscriber.queue.may_expire()) watch(subscriber);
}

void Router::adopt(Subscriber& subscriber, model::Tag tag, Queue::Entry& entry) {
  const std::size_t number = entry.group - 1u;
  Membership& membership = (*subscriber.memberships)[number];
  const auto lent = membership.lent.find(tag);
  HERMOD_ASSERT(lent != membership.lent.end());
  Adopted adopted{.member = {.membership = static_cast<std::uint16_t>(number),
                             .subscriber = subscriber.index,
                             .generation = subscribers_.generation(subscriber.index)},
                  .owner = membership.owner,
                  .group = membership.key,
                  .from = {membership.queue, lent->second},
                  .tag = tag};
  membership.lent.erase(lent);
  model::Message view = *entry.message;
  view.origin.exchange = 0;  // it has been written with the group's
  subscriber.queue.set_message(entry, model::OwnedMessage::copy_of(view));
  if (subscriber.kept_as != 0) {
    adopted.position = append_adopted(subscriber, tag, entry, adopted.from);
  } else if (adopted.from.queue != 0) {  // it ends with this connection, and so does the message
    note_commit(journal_.take_out(adopted.from, adopted.position));
  } else {  // nobody keeps it
    entry.marks.kept = true;
    outlet_.grant(adopted.owner, adopted.group, adopted.member, 0, {adopted.from.tag});
    return;
  }
  adopted.commit = last_commit_;
  adopted_.push_back(adopted);
}

// One record appends it here and settles it in the group's queue.
Position Router::append_adopted(const Subscriber& subscriber, model::Tag tag,
                                const Queue::Entry& entry, const QueuePlace& from) {
  const model::Message* const only = &*entry.message;
  const Recipient recipient{.queue = subscriber.kept_as,
                            .tag = tag,
                            .count = 1,
                            .guarantee = entry.marks.guarantee,
                            .retain_as_published = entry.marks.retain,
                            .subscription_ids = entry.subscription_ids()};
  Position position = 0;
  note_commit(journal_.append(
      {.messages = {&only, 1}, .recipients = {&recipient, 1}, .moved_from = from}, {&position, 1}));
  entry.message.get()->set_position(position);
  return position;
}

// The group's entry is settled by now. Who has gone meanwhile takes it along, as it was to get it.
void Router::finish_adoptions(CommitNumber number) {
  while (!adopted_.empty() && adopted_.front().commit <= number) {
    const Adopted adopted = adopted_.front();
    adopted_.pop_front();
    if (adopted.from.queue != 0) {
      journal_.settle(adopted.from.queue, adopted.from.tag, adopted.from.tag);
    }
    outlet_.grant(adopted.owner, adopted.group, adopted.member, 0, {adopted.from.tag});
    const SubscriberIndex index = adopted.member.subscriber;
    const bool there =
        subscribers_.holds(index) && subscribers_.generation(index) == adopted.member.generation;
    Subscriber* const subscriber = there ? &subscribers_[index] : nullptr;
    Queue::Entry* const entry = there ? subscriber->queue.find(adopted.tag) : nullptr;
    if (entry == nullptr || subscriber->kept_as == 0) journal_.let_go(adopted.position);
    if (entry == nullptr) continue;
    entry->marks.kept = true;
    if (entry->group != 0 &&
        (*subscriber->memberships)[adopted.member.membership].key != adopted.group) {
      entry->group = 0;  // has left it meanwhile
    }
    waiting_.push_front({.commit = adopted.commit,
                         .subscriber = index,
                         .generation = adopted.member.generation,
                         .first = adopted.tag,
                         .count = 1});
  }
}

void Router::pump(Subscriber& subscriber) {
  if (subscriber.group) return pump_group(subscriber);
  while (subscriber.attached() && subscriber.open && subscriber.queue.waiting() > 0) {
    if (subscriber.queue.may_expire()) drop_overdue(subscriber);
    if (subscriber.kept_as != 0) load(subscriber, subscriber.credit);
    if (subscriber.queue.adopts()) {
      subscriber.queue.adopt(subscriber.credit, [&](model::Tag tag, Queue::Entry& entry) {
        adopt(subscriber, tag, entry);
      });
    }
    const model::Tag first =
        subscriber.queue.take(kBatchMax, subscriber.credit, scratch_, now_due_);
    if (scratch_.empty()) break;
    std::uint32_t counted = 0;
    std::size_t bytes = 0;
    for (const model::Delivery& delivery : scratch_) {
      counted += delivery.guarantee != Guarantee::kAtMostOnce ? 1 : 0;
      bytes += delivery.message->payload.size();
    }
    subscriber.credit -= counted;
    counters_.delivered += scratch_.size();
    counters_.delivered_bytes += bytes;
    outlet_.deliver(subscriber.connection, {.items = scratch_, .first_tag = first});
    subscriber.queue.trim();
  }
  if (subscriber.queue.may_expire()) watch(subscriber);
}

// What comes next is brought into memory, as far as it may go out now.
void Router::load(Subscriber& subscriber, std::uint32_t credit) {
  if (credit == 0) return;
  const std::vector<model::Tag> damaged =
      subscriber.queue.load(std::min<std::size_t>(credit, kBatchMax), kLoadBytes, restored_due_,
                            [this](Position position) { return journal_.read(position); });
  for (const model::Tag tag : damaged) {
    ++counters_.damaged;
    journal_.settle(subscriber.kept_as, tag, tag);
  }
  let_go_of_dead(subscriber);
}

}  // namespace hermod::core
