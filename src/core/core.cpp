// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/core.hpp"

#include <algorithm>

#include "hermod/base/assert.hpp"
#include "hermod/base/hash.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::core {

using model::Reason;

Core::Core(const Place& place, const Limits& limits, Journal& journal, Outlet& outlet)
    : place_(place),
      limits_(limits),
      tree_(place.hash_key),
      cache_(tree_, place.hash_key),
      users_(place.hash_key),
      subscribers_(place.hash_key),
      retained_(limits, place.hash_key),
      declarations_(limits),
      journal_(journal),
      keeps_(journal.state() != Journal::State::kNothing),
      journal_state_(journal.state()),
      outlet_(outlet),
      router_(limits, subscribers_, cache_, journal, outlet),
      groups_(0, KeyedHash{place.hash_key}) {
  HERMOD_ASSERT(place.shards >= 1 && place.shards <= 64 && place.shard < place.shards);
}

std::uint16_t Core::owner_of(std::string_view name) const {
  if (place_.shards == 1) return 0;
  return static_cast<std::uint16_t>(keyed_hash(name, ~place_.hash_key) % place_.shards);
}

Core::Attached Core::attach(std::string_view client_id, ConnectionKey connection, bool clean_start,
                            std::uint32_t expiry_s, Will will, Instant now,
                            std::unique_ptr<Holder> holder) {
  SubscriberIndex index = client_id.empty() ? Subscribers::kNone : subscribers_.find(client_id);
  HERMOD_ASSERT(index == Subscribers::kNone || !subscribers_[index].attached());
  set_time(now);
  Attached attached;
  if (index != Subscribers::kNone && clean_start) {  // [MQTT-3.1.2-6]
    Will late = take_late_will(index);
    forget(index);  // the store must not know two of this name
    publish_will(std::move(late), now);
    index = Subscribers::kNone;
  }
  const bool present = index != Subscribers::kNone;  // [MQTT-3.2.2-2]
  if (!present) {
    if (subscribers_.size() >= limits_.subscribers_max) return {.reason = Reason::kQuotaExceeded};
    forget_namesake(client_id);
    attached.commit = last_end_;  // else a stop could bring back what was there before
    index = subscribers_.add(client_id);
  }
  Subscriber& subscriber = subscribers_[index];
  subscriber.connection = connection;
  subscriber.expiry_s = std::min(expiry_s, limits_.expiry_s_max);
  subscriber.will = std::move(will);
  subscriber.will.client = Subscribers::mark(client_id);
  subscriber.will_at = kNever;  // MQTT 5 [MQTT-3.1.3-9]
  // One that was being published when the broker stopped will not come again: another may.
  if (const auto* open = subscriber.exchanges.get();
      open != nullptr &&
      std::ranges::find(*open, kWillExchange, &HeldExchange::packet_id) != open->end()) {
    close_exchange(index, kWillExchange);
  }
  subscriber.credit = 0;
  subscriber.open = true;
  subscriber.reading = false;
  leave_user(subscriber);
  subscriber.holder = std::move(holder);
  enter_user(subscriber);
  keep(index);
  resume_groups(index);
  // The session may go on with exchanges at once: what they promise must be true by then.
  if (!subscriber.inflight.empty()) attached.commit = last_commit();
  attached.subscriber = index;
  attached.session_present = present;
  return attached;
}

// The store learns of a subscriber that is to be kept, or how it is now.
void Core::keep(SubscriberIndex index) {
  Subscriber& subscriber = subscribers_[index];
  if (!keeps_ || (subscriber.kept_as == 0 && !subscriber.durable())) return;
  if (subscriber.kept_as == 0) {
    subscriber.kept_as = journal_.new_queue();
    kept_.emplace(subscriber.kept_as, index);
  }
  KeepSubscriber kept{.queue = subscriber.kept_as,
                      .name = subscriber.id,
                      .expiry_s = subscriber.expiry_s,
                      .expires_at = subscriber.expires_at,
                      .away = !subscriber.attached()};
  if (subscriber.holder) {
    kept.user = subscriber.holder->user;
    kept.listener = subscriber.holder->listener;
  }
  if (const Will& will = subscriber.will; will.message) {
    model::Message alone = *will.message;  // no octet of it is another thread's
    alone.owner = nullptr;
    kept.will = KeptWill{.message = alone.own(),
                         .delay_s = will.delay_s,
                         .expiry_s = will.expiry_s,
                         .due = subscriber.will_at};
  }
  note(std::move(kept));
}

SubscriberIndex Core::restore(Restored restored) {
  const SubscriberIndex index = subscribers_.add(restored.name);
  Subscriber& subscriber = subscribers_[index];
  subscriber.kept_as = restored.kept_as;
  kept_.emplace(restored.kept_as, index);
  if (!restored.exchanges.empty()) {
    subscriber.exchanges = std::make_unique<std::vector<HeldExchange>>();
    for (const OpenExchange& open : restored.exchanges) {
      using enum HeldExchange::State;
      subscriber.exchanges->push_back({open.packet_id, open.complete ? kComplete : kCutOff});
    }
  }
  subscriber.expiry_s = restored.expiry_s;
  subscriber.expires_at = restored.expires_at;
  subscriber.will = std::move(restored.will);
  subscriber.will.client = Subscribers::mark(restored.name);
  subscriber.will_at = restored.will_at;
  subscriber.queue = std::move(restored.queue);
  subscriber.inflight = std::move(restored.inflight);
  subscriber.holder = std::move(restored.holder);
  enter_user(subscriber);
  router_.watch(subscriber);
  return index;
}

// --- users ---

void Core::enter_user(Subscriber& subscriber) {
  if (!limits_.has_user_limits() || !subscriber.holder || !subscriber.holder->user) return;
  subscriber.usage = &users_.enter(*subscriber.holder->user);
  subscriber.queue.set_usage(subscriber.usage);
}

void Core::leave_user(Subscriber& subscriber) {
  if (std::exchange(subscriber.usage, nullptr) == nullptr) return;
  subscriber.queue.set_usage(nullptr);
  users_.leave(*subscriber.holder->user);
}

void Core::restore(const model::Message& value, Position position) {
  Retained::Change change;
  observe(value.version);
  (void)retained_.store(value, &change);
  if (change.value != nullptr) change.value->set_position(position);
}

void Core::hear_journal() {
  if (!keeps_) return;
  journal_state_ = journal_.state();
  const CommitNumber committed = journal_.committed();
  finish_moves(committed);
  for (const SubscriberIndex index : router_.committed(committed)) tell_groups(index);
}

Instant Core::detach(SubscriberIndex index, model::Inflight inflight, bool discard_will,
                     Instant now) {
  set_time(now);
  router_.flush();
  Subscriber& subscriber = subscribers_[index];
  subscriber.connection = 0;
  subscriber.open = false;
  Will will = std::exchange(subscriber.will, {});
  if (discard_will) will = {};
  if (!subscriber.durable()) {
    subscriber.inflight = std::move(inflight);
    forget_after_will(index, std::move(will), now);  // [MQTT-3.1.2-8]
    return kNever;
  }
  return_groups(index, inflight, false);
  forget_unheard(subscriber, inflight);
  subscriber.inflight = std::move(inflight);
  subscriber.inflight.shrink();
  subscriber.queue.rewind(limits_.queue_at_most_once_offline);
  subscriber.expires_at =
      subscriber.expiry_s == UINT32_MAX ? kNever : now + std::chrono::seconds{subscriber.expiry_s};
  router_.let_go_of_dead(subscriber);
  router_.page_out_later(index);
  router_.watch(subscriber);
  const Instant expires_at = subscriber.expires_at;
  if (will.message && will.delay_s > 0) {
    subscriber.will_at = now + std::chrono::seconds{will.delay_s};
    subscriber.will = std::move(will);
    keep(index);
    return std::min(subscriber.will_at, expires_at);
  }
  keep_after_will(index, std::move(will), now);
  return expires_at;
}

// What was refused has not been heard, whether its publisher was told so or not: its packet id may
// come again. Nor has what a stop has cut off, unless it has come again.
void Core::forget_unheard(const Subscriber& subscriber, model::Inflight& inflight) {
  if (subscriber.kept_as == 0 || inflight.incoming() == 0) return;
  std::vector<std::uint16_t> heard;
  if (subscriber.exchanges) {
    for (const HeldExchange& open : *subscriber.exchanges) {
      if (open.state != HeldExchange::State::kCutOff) heard.push_back(open.packet_id);
    }
  }
  inflight.keep_incoming(heard);
}

void Core::publish_will(Will will, Instant now, std::uint64_t exchange) {
  if (!will.message) return;
  model::Message message = *will.message;
  message.origin.client = will.client;
  message.origin.exchange = exchange;
  message.owner = nullptr;  // the copy made before says neither whose it is nor when it ends
  if (will.expiry_s) message.expires_at = now + std::chrono::seconds{*will.expiry_s};
  publish_own(message, now);
  router_.flush();
}

// The store forgets that a will is to be published once it is safe with those who get it. After a
// stop in between it comes again, for the others: it is an exchange until then.
void Core::keep_after_will(SubscriberIndex index, Will will, Instant now) {
  const QueueId queue = subscribers_[index].kept_as;
  if (!will.message || queue == 0) {
    publish_will(std::move(will), now);
    return keep(index);
  }
  note_exchange(index, kWillExchange);
  wills_.push_back(exchange_of(queue, kWillExchange));
  publish_will(std::move(will), now, wills_.back());
}

void Core::complete_will(QueueId queue) {
  if (ending_.erase(queue) > 0) return note_end(queue);
  const auto found = kept_.find(queue);
  if (found == kept_.end()) return;
  const SubscriberIndex index = found->second;
  keep(index);
  close_exchange(index, kWillExchange);
}

// The store never knows two of one name: it learns of the end of the one before, whose will may
// then be lost, before it learns of the other.
void Core::forget_namesake(std::string_view name) {
  erase_if(ending_, [&](const auto& one) {
    if (one.second != name) return false;
    note_end(one.first);
    return true;
  });
}

void Core::note_end(QueueId queue) {
  last_end_ = journal_.change(ForgetSubscriber{queue});
  router_.note_commit(last_end_);
}

Will Core::take_late_will(SubscriberIndex index) {
  Will will = std::exchange(subscribers_[index].will, {});
  if (!will.message || !late_will_) return will;
  return late_will_(index, will.message->destination.address) ? std::move(will) : Will{};
}

// Its subscriptions get no will any more. The store forgets the session once that is safe.
void Core::forget_after_will(SubscriberIndex index, Will will, Instant now) {
  const QueueId queue = subscribers_[index].kept_as;
  if (!will.message || queue == 0) {
    forget(index);
    return publish_will(std::move(will), now);
  }
  ending_.emplace(queue, subscribers_[index].id);
  forget_but_for_the_store(index);
  wills_.push_back(exchange_of(queue, kWillExchange));
  publish_will(std::move(will), now, wills_.back());
}

void Core::forget(SubscriberIndex index) {
  const QueueId queue = subscribers_[index].kept_as;
  forget_but_for_the_store(index);
  if (queue != 0) note_end(queue);
}

void Core::forget_but_for_the_store(SubscriberIndex index) {
  router_.flush();
  return_groups(index, subscribers_[index].inflight, true);
  drop_subscriptions(index);
  if (Subscriber& subscriber = subscribers_[index]; subscriber.kept_as != 0) {
    kept_.erase(subscriber.kept_as);
    erase_if(under_way_, [&](std::uint64_t name) { return name >> 16 == subscriber.kept_as; });
    router_.let_go_of_dead(subscriber);
    const auto let_go = [this](model::Tag, Queue::Entry& entry) {
      if (const Position position = Queue::place_of(entry); position != 0) {
        journal_.let_go(position);
      }
    };
    subscriber.queue.for_each(let_go);
    if (subscriber.group) subscriber.group->for_each_lent(let_go);
  }
  leave_user(subscribers_[index]);
  subscribers_.remove(index);
}

void Core::drop_subscriptions(SubscriberIndex index) {
  for (TopicTree::Node* node : std::exchange(subscribers_[index].subscriptions, {})) {
    remove_subscription(node, index);
  }
}

void Core::remove_subscription(TopicTree::Node* node, SubscriberIndex index) {
  if (place_.shards == 1) {
    tree_.remove(node, index);
    return;
  }
  const std::string filter = tree_.filter_of(node);
  if (tree_.remove(node, index) && interest_lost_) interest_lost_(filter);
}

void Core::expire_messages(Instant now) {
  router_.flush();
  set_time(now);
  for (const SubscriberIndex index : router_.expire()) tell_groups(index);
}

Instant Core::expire(Instant now) {
  set_time(now);
  Instant next = kNever;
  for (SubscriberIndex index = 0; index < subscribers_.places(); ++index) {
    if (!subscribers_.holds(index) || subscribers_[index].attached()) continue;
    if (subscribers_[index].expires_at <= now) {
      ++counters_.expired;
      forget_after_will(index, take_late_will(index), now);  // MQTT 5 §3.1.3.2.2
      continue;
    }
    if (subscribers_[index].will_at <= now) {
      subscribers_[index].will_at = kNever;
      keep_after_will(index, take_late_will(index), now);
    }
    next = std::min({next, subscribers_[index].expires_at, subscribers_[index].will_at});
  }
  return next;
}

Core::Subscribed Core::subscribe(SubscriberIndex index, std::string_view filter,
                                 const model::SubscriptionOptions& options) {
  const Subscribed subscribed = add_subscription(index, filter, options);
  const QueueId queue = subscribers_[index].kept_as;
  if (queue != 0 && subscribed.reason == Reason::kOk) {
    note(KeepSubscription{queue, std::string{filter}, options});
  }
  return subscribed;
}

Core::Subscribed Core::add_subscription(SubscriberIndex index, std::string_view filter,
                                        const model::SubscriptionOptions& options) {
  router_.flush();
  Subscriber& subscriber = subscribers_[index];
  const TopicTree::Node* node = tree_.find(filter);
  const bool held = node != nullptr && TopicTree::holds(node, index);
  if (!held && subscriber.subscriptions.size() >= limits_.subscriptions_max) {
    return {.reason = Reason::kQuotaExceeded};
  }
  const TopicTree::Added added = tree_.add(filter, index, options);
  if (!added.replaced) {
    if (subscriber.subscriptions.empty()) subscriber.subscriptions.reserve(1);
    subscriber.subscriptions.push_back(added.node);
  }
  return {.replaced = added.replaced};
}

Reason Core::unsubscribe(SubscriberIndex index, std::string_view filter) {
  router_.flush();
  if (is_group(filter)) return leave_group(index, filter);
  TopicTree::Node* node = tree_.find(filter);
  if (node == nullptr || !TopicTree::holds(node, index)) return Reason::kNotFound;
  std::erase(subscribers_[index].subscriptions, node);
  if (const QueueId queue = subscribers_[index].kept_as; queue != 0) {
    note(ForgetSubscription{queue, std::string{filter}});
  }
  remove_subscription(node, index);
  return Reason::kOk;
}

void Core::set_interest(std::string_view filter, std::uint16_t shard, bool interested) {
  router_.flush();
  tree_.set_shard(filter, shard, interested);
}

// While nothing can be kept, what would have to be is refused, before anybody gets it.
bool Core::is_refused(const model::Message& message) const {
  return journal_state_ > Journal::State::kWell && router_.must_keep(message);
}

Reason Core::keep_value(const model::Message& message) {
  if (!keeps_ || model::is_own_topic(message.destination.address)) {
    return retained_.store(message);
  }
  // What nobody waits for would fill the memory while it cannot be written. Another shard that has
  // not heard of that waits for the rest.
  const bool well = journal_state_ <= Journal::State::kWell;
  if (!well && message.guarantee == model::Guarantee::kAtMostOnce) return Reason::kOk;
  // A copy of its own: the one that queues share lies elsewhere in the store. Whoever gets it later
  // has no part in the exchange that it came with.
  model::Message value = message;
  value.origin.exchange = 0;
  const model::MessageRef alone = model::OwnedMessage::copy_of(value);
  Retained::Change change;
  const Reason kept = retained_.store(*alone, &change);
  if (!change.made) return kept;
  Position position = 0;
  router_.note_commit(journal_.retain(message, position));
  if (change.value != nullptr) change.value->set_position(position);
  if (change.before != 0) journal_.let_go(change.before);
  return kept;
}

Reason Core::publish(model::Message& message, Instant now) {
  if (journal_state_ > Journal::State::kWell && is_refused(message)) [[unlikely]] {
    ++counters_.refused;
    return journal_state_ == Journal::State::kFull ? Reason::kNoRoom : Reason::kUnavailable;
  }
  if (limits_.queue_overflow == Overflow::kReject &&
      message.guarantee != model::Guarantee::kAtMostOnce && router_.lacks_room(message)) {
    ++counters_.refused;
    ++counters_.refused_full;
    return Reason::kQuotaExceeded;
  }
  return route(message, now);
}

Reason Core::route(model::Message& message, Instant now) {
  ShardSet remote_owner = 0;
  if (message.retain) {
    message.version = next_stamp(now);
    message.owner = nullptr;  // a copy made before does not carry the stamp
    const std::uint16_t owner = owner_of(message.destination.address);
    if (owner == place_.shard) {
      const Reason kept = keep_value(message);
      if (kept != Reason::kOk) {
        ++counters_.refused;
        return kept;
      }
    } else {
      remote_owner = ShardSet{1} << owner;
    }
  }
  const bool wanted = deliver(message, true, remote_owner);
  return wanted || message.retain ? Reason::kOk : Reason::kNoMatch;
}

Reason Core::replace(model::Message& message, std::uint64_t instead_of, Instant now) {
  HERMOD_ASSERT(owner_of(message.destination.address) == place_.shard);
  const model::Message* value = retained_.find(message.destination.address, now);
  if ((value == nullptr ? 0 : value->version) != instead_of) return Reason::kOutdated;
  return publish(message, now);
}

Reason Core::publish_own(model::Message& message, Instant now) {
  ++counters_.own_published;
  counters_.own_bytes += message.payload.size();
  return route(message, now);
}

void Core::receive(const model::Message& message, bool for_subscribers, bool for_retained) {
  observe(message.version);
  // The publisher has moved on: a full table is counted where it is, and the live copies arrive.
  if (for_retained) (void)keep_value(message);
  if (for_subscribers) (void)deliver(message, false, 0);
}

// What is published again after a stop is for those who have not got it.
bool Core::deliver(const model::Message& message, bool everywhere, ShardSet retained_owner) {
  if (!recovered_exchanges_.empty() && message.origin.exchange != 0) [[unlikely]] {
    const auto found = recovered_exchanges_.find(message.origin.exchange);
    if (found != recovered_exchanges_.end()) {
      return router_.publish_except(found->second, message, everywhere, retained_owner);
    }
  }
  return router_.publish(message, everywhere, retained_owner);
}

Stamp Core::next_stamp(Instant now) {
  const auto time = std::max<std::int64_t>(now.time_since_epoch().count(), 0);
  clock_ = std::max(clock_ + 1, static_cast<std::uint64_t>(time) >> kStampShardBits);
  return stamp();
}

void Core::observe(Stamp seen) {
  clock_ = std::max(clock_, seen >> kStampShardBits);
}

void Core::credit(SubscriberIndex index, std::uint32_t count) {
  router_.flush();
  subscribers_[index].credit += count;
  pump(index);
}

void Core::pump(SubscriberIndex index) {
  router_.pump(subscribers_[index]);
  if (subscribers_[index].queue.has_freed()) tell_groups(index);
}

void Core::settle(SubscriberIndex index, model::Tag first, model::Tag last, model::Outcome outcome,
                  std::uint32_t credit) {
  // The MQTT and CoAP sessions only accept; the other outcomes come with queues of several
  // consumers.
  HERMOD_ASSERT(outcome == model::Outcome::kAccept);
  router_.flush();
  Subscriber& subscriber = subscribers_[index];
  subscriber.queue.settle(first, last);
  if (subscriber.kept_as != 0) {
    journal_.settle(subscriber.kept_as, first, last);
    router_.let_go_of_dead(subscriber);
  }
  subscriber.credit += credit;
  pump(index);
}

void Core::release(SubscriberIndex index, model::Tag tag) {
  router_.flush();
  Subscriber& subscriber = subscribers_[index];
  if (subscriber.queue.release(tag)) {
    router_.note_commit(journal_.release(subscriber.kept_as, tag));
  }
}

void Core::note_exchange(SubscriberIndex index, std::uint16_t packet_id) {
  Subscriber& subscriber = subscribers_[index];
  if (!subscriber.exchanges) subscriber.exchanges = std::make_unique<std::vector<HeldExchange>>();
  const auto open = std::ranges::find(*subscriber.exchanges, packet_id, &HeldExchange::packet_id);
  if (open == subscriber.exchanges->end()) {
    subscriber.exchanges->push_back({packet_id, HeldExchange::State::kUnderWay});
  } else {
    open->state = HeldExchange::State::kUnderWay;
  }
}

void Core::complete_exchange(std::uint64_t name) {
  under_way_.erase(name);
  const auto packet_id = static_cast<std::uint16_t>(name);
  if (packet_id == kWillExchange) return complete_will(name >> 16);
  const auto found = kept_.find(name >> 16);
  if (found == kept_.end()) return;
  const auto& exchanges = subscribers_[found->second].exchanges;
  const auto open = std::ranges::find(*exchanges, packet_id, &HeldExchange::packet_id);
  if (open != exchanges->end()) open->state = HeldExchange::State::kComplete;
}

void Core::close_exchange(SubscriberIndex index, std::uint16_t packet_id) {
  router_.flush();
  if (subscribers_[index].exchanges) {
    std::erase_if(*subscribers_[index].exchanges,
                  [packet_id](const HeldExchange& open) { return open.packet_id == packet_id; });
  }
  const std::uint64_t name = exchange_of(subscribers_[index].kept_as, packet_id);
  router_.note_commit(journal_.close(name));
  under_way_.erase(name);
  if (recovered_exchanges_.erase(name) > 0 && exchange_over_) exchange_over_(name);
}

void Core::set_open(SubscriberIndex index, bool open) {
  Subscriber& subscriber = subscribers_[index];
  subscriber.open = open;
  if (open) {
    router_.flush();
    pump(index);
  }
}

bool Core::take_census(SubscriberIndex& place, std::size_t visits_max, Census& census) const {
  const std::size_t end = std::min<std::size_t>(subscribers_.places(), place + visits_max);
  for (; place < end; ++place) {
    if (!subscribers_.holds(place)) continue;
    const Subscriber& subscriber = subscribers_[place];
    census.waiting += subscriber.queue.waiting();
    if (subscriber.group) census.waiting += subscriber.group->returned();
    census.unsettled += subscriber.queue.unsettled();
    census.bytes += subscriber.queue.bytes();
    if (!subscriber.memberships) continue;
    for (const Membership& membership : *subscriber.memberships) {
      census.memberships += membership.name.empty() ? 0 : 1;
    }
  }
  return place >= subscribers_.places();
}

void Core::deliver_retained(SubscriberIndex index, const model::Message& message,
                            const model::SubscriptionOptions& options) {
  if (options.no_local && message.origin.client != 0 &&
      message.origin.client == Subscribers::mark(subscribers_[index].id)) {
    return;  // the client's own [MQTT-3.8.3-3]
  }
  const model::Guarantee guarantee = std::min(message.guarantee, options.guarantee_max);
  router_.enqueue_alone(index, message, guarantee, true,
                        {&options.subscription_id, options.subscription_id == 0 ? 0u : 1u});
}

}  // namespace hermod::core
