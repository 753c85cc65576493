// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/subscribing.hpp"

#include <algorithm>

#include "hermod/base/assert.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::broker {
namespace {
constexpr core::Stamp kShardMask = (core::Stamp{1} << core::kStampShardBits) - 1;
}

Subscribing::Subscribing(core::Core& core, Outbox& outbox, std::uint16_t self, std::uint16_t shards,
                         Answer answer)
    : core_(core), outbox_(outbox), self_(self), shards_(shards), answer_(std::move(answer)) {}

void Subscribing::start(core::ConnectionKey asker, core::SubscriberIndex subscriber,
                        std::string_view filter, const model::SubscriptionOptions& options,
                        bool retained, session::Ticket ticket, Instant now) {
  const RequestId id = ++last_id_;
  Read& read = reads_[id];
  read.asker = asker;
  read.subscriber = subscriber;
  read.ticket = ticket;
  read.filter = filter;
  read.options = options;
  read.began = notes_;
  read.retained = retained;
  read.stamps.assign(shards_, 0);
  read.stamps[self_] = core_.stamp();
  read.unknown = static_cast<std::uint16_t>(shards_ - 1);
  readers_[subscriber].announced.push_back(id);
  for (std::uint16_t to = 0; to < shards_; ++to) {
    if (to != self_) outbox_.add(to, Interest{read.filter, true, id});
  }
  if (read.unknown == 0) known(id, read, now);
}

void Subscribing::on_known(const InterestKnown& letter, std::uint16_t from, Instant now) {
  const auto found = reads_.find(letter.request);
  if (found == reads_.end()) return;
  Read& read = found->second;
  core_.observe(letter.stamp);
  read.stamps[from] = letter.stamp;
  if (--read.unknown == 0) known(letter.request, read, now);
}

void Subscribing::known(RequestId id, Read& read, Instant now) {
  const core::SubscriberIndex subscriber = read.subscriber;
  Reader& reader = readers_[subscriber];
  // Each shard answers in order, so that subscriptions become known in order.
  HERMOD_ASSERT(reader.announced.front() == id);
  reader.announced.pop_front();
  answer_(
      read.asker,
      {.ticket = read.ticket, .reason = model::Reason::kOk, .granted = read.options.guarantee_max});
  if (read.retained) {
    const bool wild = model::has_wildcard(read.filter);
    read.shard = wild ? 0 : core_.owner_of(read.filter);
    read.shard_end = static_cast<std::uint16_t>(wild ? shards_ : read.shard + 1);
    reader.reading.push_back(id);
    core_.subscriber(subscriber).reading = true;
  } else {
    forget(id);
  }
  advance(subscriber, reader, now);
}

// Reads for a subscriber until something holds it up: one filter after the other, so that never
// more than a page is on its way to a queue.
void Subscribing::advance(core::SubscriberIndex subscriber, Reader& reader, Instant now) {
  while (!reader.reading.empty()) {
    if (reader.asked || reader.waits_turn) return;                 // on_page(), turn()
    if (core_.subscriber(subscriber).queue.waiting() > 0) return;  // go_on()
    Read& read = reads_[reader.reading.front()];
    if (read.shard == read.shard_end) {
      forget(reader.reading.front());
      reader.reading.pop_front();
    } else if (read.shard != self_) {
      reader.asked = true;
      outbox_.add(read.shard, RetainedRequest{read.filter, read.after, reader.reading.front()});
    } else if (visits_left_ == 0) {
      reader.waits_turn = true;
      turns_.push_back(subscriber);
    } else {
      visits_left_ -= std::min(visits_left_, model::has_wildcard(read.filter) ? kPage : 1);
      read.after = page(read.filter, read.after, now,
                        [&](const model::MessageRef& value) { deliver(read, value); });
      if (read.after.empty()) ++read.shard;
      core_.pump(subscriber);
    }
  }
  core_.subscriber(subscriber).reading = false;
  if (reader.announced.empty()) readers_.erase(subscriber);
}

template <typename Take>
std::string Subscribing::page(std::string_view filter, std::string_view after, Instant now,
                              Take&& take) const {
  const std::size_t values_max = core_.limits().queue_messages_max;
  std::size_t values = 0;
  std::size_t bytes = 0;
  return core_.retained().match(filter, after, kPage, now, [&](const model::MessageRef& value) {
    take(value);
    bytes += value.get()->memory();
    return ++values < values_max && bytes < kPageBytes;
  });
}

RetainedPage Subscribing::answer(const RetainedRequest& request, Instant now) const {
  RetainedPage reply{.request = request.request};
  reply.next = page(request.filter, request.after, now, [&](const model::MessageRef& value) {
    model::Message view = *value;
    view.owner = nullptr;  // a copy for the other shard alone
    reply.values.push_back(view.own());
  });
  return reply;
}

void Subscribing::on_page(RetainedPage& page, Instant now) {
  const auto found = reads_.find(page.request);
  if (found == reads_.end()) return;
  Read& read = found->second;
  const core::SubscriberIndex subscriber = read.subscriber;
  Reader& reader = readers_[subscriber];
  reader.asked = false;
  for (const model::MessageRef& value : page.values) deliver(read, value);
  core_.pump(subscriber);
  read.after = std::move(page.next);
  if (read.after.empty()) ++read.shard;
  advance(subscriber, reader, now);
}

void Subscribing::deliver(const Read& read, const model::MessageRef& value) {
  // Published after the interest was known there: it came live. What another shard has published,
  // one that this run of the broker does not have, is older than that.
  const std::size_t shard = value->version & kShardMask;
  if (shard < read.stamps.size() && value->version > read.stamps[shard]) return;
  if (!live_.empty()) {
    const auto live = live_.find(std::string{value->destination.address});
    if (live != live_.end() && live->second.noted > read.began &&
        live->second.version >= value->version) {
      return;
    }
  }
  core_.deliver_retained(read.subscriber, *value, read.options);
}

void Subscribing::go_on(core::SubscriberIndex subscriber, Instant now) {
  const auto found = readers_.find(subscriber);
  if (found != readers_.end()) advance(subscriber, found->second, now);
}

void Subscribing::turn(Instant now) {
  visits_left_ = kVisitsPerTurn;
  for (std::size_t count = turns_.size(); count > 0 && visits_left_ > 0; --count) {
    const core::SubscriberIndex subscriber = turns_.front();
    turns_.pop_front();
    const auto found = readers_.find(subscriber);
    if (found == readers_.end()) continue;  // stopped meanwhile
    found->second.waits_turn = false;
    advance(subscriber, found->second, now);
  }
}

void Subscribing::withdraw(core::SubscriberIndex subscriber, std::string_view filter, Instant now) {
  const auto found = readers_.find(subscriber);
  if (found == readers_.end()) return;
  Reader& reader = found->second;
  for (const RequestId id : reader.announced) {
    Read& read = reads_[id];
    if (read.filter == filter) read.retained = false;
  }
  if (reader.reading.empty()) return;
  const RequestId first = reader.reading.front();
  std::erase_if(reader.reading, [&](RequestId id) {
    if (reads_[id].filter != filter) return false;
    if (id == first) reader.asked = false;
    forget(id);
    return true;
  });
  advance(subscriber, reader, now);
}

void Subscribing::stop(core::SubscriberIndex subscriber) {
  const auto found = readers_.find(subscriber);
  if (found == readers_.end()) return;
  for (const RequestId id : found->second.announced) forget(id);
  for (const RequestId id : found->second.reading) forget(id);
  readers_.erase(found);
}

void Subscribing::forget(RequestId id) {
  reads_.erase(id);
  if (reads_.empty()) live_.clear();
}

void Subscribing::note_live(const model::Message& message) {
  const std::string topic{message.destination.address};
  if (live_.size() >= kLiveTopicsMax && !live_.contains(topic)) return;
  Live& live = live_[topic];
  if (message.version >= live.version) live = {message.version, ++notes_};
}

}  // namespace hermod::broker
