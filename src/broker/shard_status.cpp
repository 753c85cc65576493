// SPDX-License-Identifier: Apache-2.0
// The broker's statistics: the first shard asks the others for their counts by letter, adds its
// own, and publishes what has changed on $SYS/broker/#. Each shard walks its subscribers for that,
// a part of them in a turn.
#include <fmt/format.h>

#include "hermod/model/topic.hpp"
#include "shard_session.hpp"

namespace hermod::broker {

void Shard::begin_status() {
  status_at_ = now_ + std::chrono::seconds{settings_.sys_interval_s};
  if (round_.missing > 0) return;  // somebody has not answered the last time: the next one counts
  round_.sum = {};
  round_.missing = parts_.mailroom.shards();
  for (std::uint16_t to = 0; to < parts_.mailroom.shards(); ++to) {
    if (to != parts_.self) outbox_.add(to, CountsRequest{});
  }
  begin_census(parts_.self);
}

void Shard::begin_census(std::uint16_t asker) {
  walk_ = {.asker = asker, .open = true};
}

void Shard::go_on_with_census() {
  if (!walk_.open || !core_.take_census(walk_.place, kCensusPerTurn, walk_.census)) return;
  walk_.open = false;
  core_.flush();
  auto counts = std::make_unique<Counts>(take_counts());
  if (walk_.asker == parts_.self) return add_counts(*counts);
  outbox_.add(walk_.asker, CountsReply{std::move(counts)});
}

Counts Shard::take_counts() const {
  const core::RouterCounters& routed = core_.counters();
  const core::CoreCounters& own = core_.own_counters();
  const core::Retained& retained = core_.retained();
  const core::Census& census = walk_.census;
  const std::size_t connected = streams_ - unattached_;
  return {
      .bytes_received = counters_.bytes_received,
      .bytes_sent = counters_.bytes_sent,
      .messages_received = counters_.packets_received + counters_.datagrams,
      .messages_sent = counters_.packets_sent + counters_.datagrams_sent,
      .publishes_received =
          routed.published - own.own_published + own.refused + counters_.writes_denied,
      .publishes_sent = routed.delivered - counters_.reads_denied,
      .publish_bytes_received = routed.published_bytes - own.own_bytes,
      .publish_bytes_sent = routed.delivered_bytes,
      .publishes_dropped = routed.dropped_full() + routed.expired + routed.damaged,
      .dropped_length = routed.dropped_length,
      .dropped_bytes = routed.dropped_bytes,
      .dropped_user = routed.dropped_user,
      .dropped_head = routed.dropped_head,
      .dropped_away = routed.dropped_away,
      .dropped_expired = routed.expired,
      .dropped_damaged = routed.damaged,
      .publishes_refused = own.refused_full,
      .sockets = counters_.accepted + counters_.refused,
      .connects = counters_.connects,
      .refused = counters_.refused,
      .clients_expired = own.expired,
      .clients_connected = connected,
      .clients_total = core_.clients(),
      .unauthenticated = unattached_,
      .subscriptions = core_.subscriptions(),
      .shared_subscriptions = census.memberships,
      .retained = retained.size(),
      .declared = core_.declarations().size(),
      .stored = retained.size() + census.waiting + census.unsettled,
      .stored_bytes = retained.bytes() + census.bytes,
      .inflight = census.unsettled,
      .store_batches = parts_.self == 0 ? parts_.journal.committed() : 0,
      .by_listener = open_,
  };
}

void Shard::open(CountsRequest&, std::uint16_t from) {
  begin_census(from);
}

void Shard::open(CountsReply& letter, std::uint16_t) {
  add_counts(*letter.counts);
}

void Shard::add_counts(const Counts& counts) {
  round_.sum += counts;
  if (--round_.missing > 0) return;
  std::optional<std::uint64_t> heap;
  if (parts_.heap_bytes) heap = parts_.heap_bytes();
  status_->update(round_.sum, heap, now_, [this](std::string_view topic, std::string_view text) {
    const std::string name = fmt::format("{}/broker/{}", model::kOwnTopics, topic);
    model::Message message{
        .destination = model::Destination::topic(name), .payload = as_bytes(text), .retain = true};
    (void)core_.publish_own(message, parts_.clock.now());
    core_.flush();  // the run borrows what ends here
  });
}

}  // namespace hermod::broker
