// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/subscribing.hpp"

#include "hermod/model/topic.hpp"

namespace hermod::broker {
namespace {
constexpr core::Stamp kShardMask = (core::Stamp{1} << core::kStampShardBits) - 1;
}

Subscribing::Subscribing(core::Core& core, Outbox& outbox, std::uint16_t self, std::uint16_t shards,
                         Answer answer)
    : core_(core), outbox_(outbox), self_(self), shards_(shards), answer_(std::move(answer)) {}

void Subscribing::start(core::SubscriberIndex subscriber, std::string_view filter,
                        const model::SubscriptionOptions& options, bool retained,
                        session::Ticket ticket, Instant now) {
  auto made = std::make_unique<Read>();
  Read& read = *made;
  read.id = ++last_id_;
  read.connection = core_.subscriber(subscriber).connection;
  read.subscriber = subscriber;
  read.generation = core_.generation(subscriber);
  read.ticket = ticket;
  read.filter = filter;
  read.options = options;
  read.retained = retained;
  read.stamps.assign(shards_, 0);
  read.stamps[self_] = core_.stamp();
  read.unknown = static_cast<std::uint16_t>(shards_ - 1);
  reads_.emplace(read.id, std::move(made));
  by_subscriber_[subscriber].push_back(read.id);
  for (std::uint16_t to = 0; to < shards_; ++to) {
    if (to != self_) outbox_.add(to, Interest{read.filter, true, read.id});
  }
  if (read.unknown == 0) known(read, now);
}

bool Subscribing::alive(const Read& read) {
  return core_.holds(read.subscriber, read.generation) &&
         core_.subscriber(read.subscriber).connection == read.connection;
}

void Subscribing::on_known(const InterestKnown& letter, std::uint16_t from, Instant now) {
  const auto found = reads_.find(letter.request);
  if (found == reads_.end()) return;
  Read& read = *found->second;
  core_.observe(letter.stamp);
  read.stamps[from] = letter.stamp;
  if (--read.unknown == 0) known(read, now);
}

void Subscribing::known(Read& read, Instant now) {
  if (!alive(read)) return finish(read);
  const RequestId id = read.id;
  answer_(
      read.connection,
      {.ticket = read.ticket, .reason = model::Reason::kOk, .granted = read.options.guarantee_max});
  const auto found = reads_.find(id);  // the answer may have ended the connection
  if (found == reads_.end()) return;
  if (!read.retained) return finish(read);
  const bool wild = model::has_wildcard(read.filter);
  read.shard = wild ? 0 : core_.owner_of(read.filter);
  read.shard_end = static_cast<std::uint16_t>(wild ? shards_ : read.shard + 1);
  core_.subscriber(read.subscriber).reading = true;
  step(read, now);
}

void Subscribing::step(Read& read, Instant now) {
  while (true) {
    if (!alive(read) || read.shard == read.shard_end) return finish(read);
    if (core_.subscriber(read.subscriber).queue.waiting() > 0) return;  // go_on() comes back
    if (read.shard != self_) {
      read.asked = true;
      outbox_.add(read.shard, RetainedRequest{read.filter, read.after, read.id});
      return;
    }
    if (page_here(read, now)) ++read.shard;
    core_.pump(read.subscriber);
  }
}

// One page of this shard's own values; true when that was the last.
bool Subscribing::page_here(Read& read, Instant now) {
  read.after = core_.retained().match(read.filter, read.after, kPage, now,
                                      [&](const model::MessageRef& value) {
                                        deliver(read, value);
                                        return true;
                                      });
  return read.after.empty();
}

RetainedPage Subscribing::answer(const RetainedRequest& request, Instant now) const {
  RetainedPage page{.request = request.request};
  page.next = core_.retained().match(request.filter, request.after, kPage, now,
                                     [&](const model::MessageRef& value) {
                                       model::Message view = *value;
                                       view.owner = nullptr;  // a copy for the other shard alone
                                       page.values.push_back(view.own());
                                       return true;
                                     });
  return page;
}

void Subscribing::on_page(RetainedPage& page, Instant now) {
  const auto found = reads_.find(page.request);
  if (found == reads_.end()) return;
  Read& read = *found->second;
  read.asked = false;
  if (alive(read)) {
    for (const model::MessageRef& value : page.values) deliver(read, value);
    core_.pump(read.subscriber);
  }
  read.after = std::move(page.next);
  if (read.after.empty()) ++read.shard;
  step(read, now);
}

void Subscribing::deliver(const Read& read, const model::MessageRef& value) {
  // Published after the interest was known there: it came live.
  if (value->version > read.stamps[value->version & kShardMask]) return;
  if (!live_.empty()) {
    const auto live = live_.find(std::string{value->destination.address});
    if (live != live_.end() && live->second >= value->version) return;
  }
  core_.deliver_retained(read.subscriber, *value, read.options);
}

void Subscribing::go_on(core::SubscriberIndex subscriber, Instant now) {
  const auto found = by_subscriber_.find(subscriber);
  if (found == by_subscriber_.end()) return;
  for (const RequestId id : std::vector<RequestId>{found->second}) {
    const auto read = reads_.find(id);
    if (read == reads_.end() || read->second->unknown > 0 || read->second->asked) continue;
    step(*read->second, now);
  }
}

void Subscribing::finish(Read& read) {
  const core::SubscriberIndex subscriber = read.subscriber;
  const bool there = alive(read);
  const auto found = by_subscriber_.find(subscriber);
  std::erase(found->second, read.id);
  if (found->second.empty()) {
    by_subscriber_.erase(found);
    if (there) core_.subscriber(subscriber).reading = false;
  }
  reads_.erase(read.id);
  if (reads_.empty()) live_.clear();
}

void Subscribing::note_live(const model::Message& message) {
  if (live_.size() >= kLiveTopicsMax) return;
  core::Stamp& stamp = live_[std::string{message.destination.address}];
  stamp = std::max(stamp, message.version);
}

}  // namespace hermod::broker
