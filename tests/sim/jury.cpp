// SPDX-License-Identifier: Apache-2.0
#include "jury.hpp"

#include <algorithm>

namespace hermod::sim {

using model::Guarantee;
using Will = Publication::Will;

std::string Jury::describe(PublicationId id) const {
  const Publication& p = ledger_[id];
  return fmt::format("message {} of producer {} on '{}' (level {})", p.label.sequence,
                     p.label.producer, ledger_.topics()[p.label.topic].name,
                     static_cast<unsigned>(p.guarantee));
}

// Whether an accepted message must reach the reader: it was subscribed from before the message was
// sent until after it was accepted, and its session has lasted (or its connection, for what has no
// guarantee).
bool Jury::must_have(const Reader& reader, const Publication& publication) const {
  const std::string& topic = ledger_.topics()[publication.label.topic].name;
  const Instant until = reader.worked_off(publication.accepted);
  const bool connected = reader.online() && reader.connected_at() <= publication.begun;
  for (const Grant& grant : reader.grants()) {
    if (!filter_matches(grant.filter, topic)) continue;
    const auto promised = reader.promised(grant, publication.begun, until);
    if (!promised) continue;
    const Guarantee level = std::min(*promised, publication.guarantee);
    if (connected || (reader.lasting() && level != Guarantee::kAtMostOnce)) return true;
  }
  return false;
}

// An acknowledgement is sent once the message is safe for the lasting subscribers of its shard.
void Jury::acknowledged(PublicationId id, std::uint16_t shard) {
  if (on_acknowledged_) on_acknowledged_(id);
  if (world_.kept() != nullptr) return;  // whether it is there, the next life shows
  const Publication& publication = ledger_[id];
  if (publication.clears || publication.guarantee == Guarantee::kAtMostOnce) return;
  if (world_.settings().core.expiry_s_max != UINT32_MAX) return;  // who is still lasting?
  if (dropped(shard) > 0) return;                                 // it may have been one of those
  const std::string& topic = ledger_.topics()[publication.label.topic].name;
  for (const Reader* reader : readers_) {
    if (!reader->lasting() || world_.owner_of(reader->name()) != shard) continue;
    const bool asked = std::ranges::any_of(reader->grants(), [&](const Grant& grant) {
      if (!filter_matches(grant.filter, topic)) return false;
      const auto promised = reader->promised(grant, publication.begun, world_.moment());
      return promised && *promised != Guarantee::kAtMostOnce;
    });
    if (asked && !world_.journal().keeps(publication.label)) {
      return world_.trace().violation(world_.now(), "acknowledged and not safe: {} for {}",
                                      describe(id), reader->name());
    }
  }
}

void Jury::forgive() {
  ++forgiven_;
  for (Reader* reader : readers_) reader->forgive();
}

std::uint64_t Jury::dropped(std::uint16_t shard) {
  return world_.shard(shard).core().counters().dropped_full();
}

void Jury::check_deliveries() {
  std::vector<std::uint64_t> missing(world_.shards());
  std::vector<std::string> first(world_.shards());
  std::set<PublicationId> forgiven;
  for (const Reader* reader : readers_) {
    const std::uint16_t shard = world_.owner_of(reader->name());
    for (PublicationId id = 0; id < ledger_.size(); ++id) {
      const Publication& publication = ledger_[id];
      if (publication.accepted == kNever || publication.clears) continue;
      if (publication.will != Will::kNone && publication.will != Will::kDue) continue;
      const Reader::Seen seen = reader->seen(id);
      if (seen.live + seen.redelivered > 0 || !must_have(*reader, publication)) continue;
      if (forgiven.size() < forgiven_) forgiven.insert(id);
      if (forgiven.contains(id)) continue;
      if (missing[shard]++ == 0)
        first[shard] = fmt::format("{} for {}", describe(id), reader->name());
    }
  }
  for (std::uint16_t shard = 0; shard < world_.shards(); ++shard) {
    if (missing[shard] <= dropped(shard)) continue;
    world_.trace().violation(
        world_.now(),
        "lost: {} accepted messages are missing on shard {}, {} were dropped; first: {}",
        missing[shard], shard, dropped(shard), first[shard]);
  }
}

// Who subscribes gets the value that stands, or a newer one.
void Jury::check_new_subscription(const Reader& reader, const Grant& grant, TopicId topic) {
  const Topic& about = ledger_.topics()[topic];
  bool any_value = false;
  bool any_clear = false;
  bool anything_since = false;
  for (LaneId id = 0; id < ledger_.lanes().size(); ++id) {
    const Lane& lane = ledger_.lane(id);
    if (lane.topic != topic) continue;
    std::optional<std::size_t> last;
    for (const PublicationId sent : lane.transmissions) {
      const Publication& publication = ledger_[sent];
      any_clear = any_clear || publication.clears;
      if (publication.accepted < grant.asked && !publication.forgettable) {
        last = std::max(last.value_or(0), publication.processed);
      }
    }
    const Reader::Place place = reader.place(id);
    anything_since = anything_since || (place.next > 0 && place.last_at >= grant.asked);
    if (!last) continue;
    any_value = true;
    if (about.writers > 1 || any_clear) continue;
    // Which of its transmissions a value came from cannot be told.
    const std::size_t since = ledger_[lane.transmissions[*last]].positions.front();
    if (place.next > since && place.last_at >= grant.asked) continue;
    return world_.trace().violation(world_.now(),
                                    "{} subscribed to '{}' and missed the retained value of '{}'",
                                    reader.name(), grant.filter, about.name);
  }
  if (any_value && !any_clear && !anything_since) {
    world_.trace().violation(world_.now(), "{} subscribed to '{}' and got nothing of '{}'",
                             reader.name(), grant.filter, about.name);
  }
}

void Jury::check_new_subscriptions() {
  if (forgiven_ > 0) return;
  for (const Reader* reader : readers_) {
    if (!reader->online() || dropped(world_.owner_of(reader->name())) > 0) continue;
    for (const Grant& grant : reader->grants()) {
      if (grant.connection != reader->connection() || grant.granted == kNever) continue;
      if (grant.leaving != kNever) continue;
      for (TopicId topic = 0; topic < ledger_.topics().size(); ++topic) {
        const Topic& about = ledger_.topics()[topic];
        if (about.kind != Topic::Kind::kState || !filter_matches(grant.filter, about.name))
          continue;
        check_new_subscription(*reader, grant, topic);
      }
    }
  }
}

// Whether wills that are due have come is seen by check_deliveries(); here: no others came.
void Jury::check_wills() {
  for (PublicationId id = 0; id < ledger_.size(); ++id) {
    const Will will = ledger_[id].will;
    if (will != Will::kForbidden && will != Will::kArmed) continue;
    for (const Reader* reader : readers_) {
      const Reader::Seen seen = reader->seen(id);
      if (seen.live + seen.redelivered + seen.retained == 0) continue;
      world_.trace().violation(
          world_.now(), "will {}: {} came to {}",
          will == Will::kForbidden ? "after DISCONNECT" : "of a connection that stands",
          describe(id), reader->name());
    }
  }
}

void Jury::check_queues_empty() {
  for (const Reader* reader : readers_) {
    const std::uint16_t shard = world_.owner_of(reader->name());
    core::Core& core = world_.shard(shard).core();
    const core::SubscriberIndex index = core.find(reader->name());
    if (index == core::Subscribers::kNone) continue;
    const core::Queue& queue = core.subscriber(index).queue;
    if (queue.waiting() == 0 && queue.unsettled() == 0) continue;
    world_.trace().violation(world_.now(), "left for {}: {} messages wait, {} are not settled",
                             reader->name(), queue.waiting(), queue.unsettled());
  }
}

// A lane's value is the last that was surely worked off, or one after it. Between lanes the clock
// decides: what was begun after another was accepted comes after it.
Jury::Candidates Jury::candidates(TopicId topic) const {
  std::vector<PublicationId> possible;
  Candidates out;
  for (const Lane& lane : ledger_.lanes()) {
    if (lane.topic != topic) continue;
    std::optional<std::size_t> sure;
    for (const PublicationId id : lane.transmissions) {
      if (!ledger_[id].retain || ledger_[id].forgettable) continue;
      if (ledger_[id].accepted != kNever && ledger_[id].will == Will::kNone) {
        sure = std::max(sure.value_or(0), ledger_[id].processed);
      }
      if (ledger_[id].will == Will::kDue) sure = ledger_[id].positions.back();
    }
    if (sure) out.none = false;
    for (const PublicationId id : lane.transmissions) {
      const Publication& publication = ledger_[id];
      if (!publication.retain) continue;
      if (publication.will == Will::kForbidden || publication.will == Will::kArmed) continue;
      // Connections begun at once may be taken in any order.
      const bool unclear = publication.will == Will::kUnclear;
      if (publication.positions.back() >= sure.value_or(0) || unclear) possible.push_back(id);
    }
  }
  for (const PublicationId id : possible) {
    const bool replaced = std::ranges::any_of(possible, [&](PublicationId other) {
      return ledger_[other].accepted != kNever && !ledger_[other].forgettable &&
             ledger_[other].lane != ledger_[id].lane && ledger_[other].begun > ledger_[id].accepted;
    });
    if (replaced) continue;
    if (ledger_[id].clears) {
      out.none = true;
    } else {
      out.values.insert(id);
    }
  }
  return out;
}

void Jury::check_retained(const std::string& who, const std::map<TopicId, PublicationId>& values,
                          bool dropped) {
  std::size_t forgiven = 0;
  for (TopicId topic = 0; topic < ledger_.topics().size(); ++topic) {
    const auto found = values.find(topic);
    const std::string& name = ledger_.topics()[topic].name;
    const Candidates allowed = candidates(topic);
    if (ledger_.topics()[topic].kind == Topic::Kind::kEvent) continue;
    if (found == values.end()) {
      if (allowed.none || dropped || ++forgiven <= forgiven_) continue;
      world_.trace().violation(world_.now(), "{} finds no retained value on '{}', expected {}", who,
                               name,
                               allowed.values.empty() ? "one" : describe(*allowed.values.rbegin()));
    } else if (!allowed.values.contains(found->second) && ++forgiven > forgiven_) {
      world_.trace().violation(
          world_.now(), "{} finds a retained value that is not the last: {}; expected {}", who,
          describe(found->second),
          allowed.values.empty() ? "none" : describe(*allowed.values.rbegin()));
    }
  }
}

// --- limits ---

// Octets of the largest message with what is told beside its payload.
std::size_t Jury::message_max() const {
  constexpr std::size_t kBeside = 3'192;
  const Options& options = world_.options();
  const std::size_t body_max = options.coap_clients > 0 ? options.big_body_max : 0;
  return std::max(options.big_payload_max, body_max) + kBeside;
}

void Jury::check_queue(std::uint16_t shard, const Reader& reader) {
  core::Core& core = world_.shard(shard).core();
  const core::SubscriberIndex index = core.find(reader.name());
  if (index == core::Subscribers::kNone) return;
  const core::Queue& queue = core.subscriber(index).queue;
  const core::Limits& limits = world_.settings().core;
  const bool tight = world_.options().sabotage == Sabotage::kTightLimits;
  const std::size_t inflight = world_.options().session.inflight_max;
  // What was in flight when the connection ended waits beside what waited.
  // What a group has given it is limited by the group's window.
  const std::size_t window = reader.shares() ? core::Core::kGroupWindow : 0;
  const std::size_t waiting_max = tight ? 0 : limits.queue_messages_max + inflight + window;
  const std::size_t bytes_max = limits.queue_bytes_max + (inflight + window + 1) * message_max();
  if (queue.waiting() > waiting_max || queue.bytes() > bytes_max) {
    world_.trace().violation(world_.now(),
                             "limit: {} messages with {} octets wait for {}, allowed are {} and {}",
                             queue.waiting(), queue.bytes(), reader.name(), waiting_max, bytes_max);
  }
}

// Publishers wait once a mailbox is full; what one of them had sent at once (what is read in one go
// and what waited from before) may still go in, and letters that are no publications: among them
// what groups send to their members, a window for each.
void Jury::check_mailboxes(std::uint16_t shard) {
  constexpr std::size_t kPublishMin = 30;
  constexpr std::size_t kOtherLetters = 64;
  constexpr std::size_t kParkedMax = 16'384;
  const Options& options = world_.options();
  // A datagram brings the last block of a body, and with it the whole: one of each client at once.
  const std::size_t bodies = options.coap_clients * options.big_body_max;
  const std::size_t burst = options.network.stream_buffer_bytes + kParkedMax;
  const auto members = static_cast<std::size_t>(
      std::ranges::count_if(readers_, [](const Reader* reader) { return reader->shares(); }));
  const std::size_t window = members * core::Core::kGroupWindow;
  const broker::MailLimits& limits = world_.settings().mail;
  for (std::uint16_t to = 0; to < world_.shards(); ++to) {
    if (to == shard) continue;
    const broker::Mailbox& box = world_.mailroom().between(shard, to);
    const std::size_t letters_max =
        limits.letters_max + burst / kPublishMin + kOtherLetters + window;
    const std::size_t bytes_max = limits.bytes_max + burst + bodies + window * message_max();
    if (box.letters() <= letters_max && box.bytes() <= bytes_max) continue;
    world_.trace().violation(
        world_.now(), "limit: {} letters with {} octets from shard {} to {}, allowed are {} and {}",
        box.letters(), box.bytes(), shard, to, letters_max, bytes_max);
  }
}

void Jury::check_limits(std::uint16_t shard) {
  for (const Reader* reader : readers_) {
    if (world_.owner_of(reader->name()) == shard) check_queue(shard, *reader);
  }
  check_mailboxes(shard);
  const std::size_t connections = world_.shard(shard).connections();
  const broker::ConnectionLimits& limits = world_.settings().connections;
  if (connections > limits.connections_max + limits.peers_max) {
    world_.trace().violation(world_.now(), "limit: {} connections on shard {}", connections, shard);
  }
}

void Jury::check_leftovers() {
  const auto left = [&](std::uint16_t shard, std::string_view what, std::size_t count) {
    if (count == 0) return;
    world_.trace().violation(world_.now(), "left on shard {}: {} {}", shard, count, what);
  };
  for (std::uint16_t shard = 0; shard < world_.shards(); ++shard) {
    broker::Shard& it = world_.shard(shard);
    core::Core& core = it.core();
    left(shard, "connections", it.connections());
    left(shard, "subscribers", core.subscribers());
    left(shard, "subscriptions", core.tree().subscriptions());
    left(shard, "retained values", core.retained().size());
    left(shard, "retained octets", core.retained().bytes());
    left(shard, "lent payloads", it.outbox().lent());
    if (forgiven_ == 0) left(shard, "damaged messages", core.counters().damaged);
    left(shard, "unsafe records", world_.journal().idle() ? 0 : 1);
    core::MatchSet set;
    for (const Topic& topic : ledger_.topics()) {
      core.tree().match(topic.name, set);
      left(shard, "shards with interest in " + topic.name, set.shards == 0 ? 0 : 1);
    }
    for (std::uint16_t to = 0; to < world_.shards(); ++to) {
      left(shard, "letters under way", world_.mailroom().between(shard, to).letters());
      left(shard, "octets under way", world_.mailroom().between(shard, to).bytes());
    }
  }
}

}  // namespace hermod::sim
