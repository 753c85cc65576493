// SPDX-License-Identifier: Apache-2.0
#include "reader.hpp"

#include <algorithm>

namespace hermod::sim {

using model::Guarantee;

namespace {

unsigned level(Guarantee guarantee) {
  return static_cast<unsigned>(guarantee);
}

}  // namespace

void Reader::opened(bool lasting, bool fresh, std::uint32_t connection, Instant now) {
  online_ = true;
  lasting_ = lasting;
  connection_ = connection;
  connected_at_ = now;
  if (fresh) {
    ++session_;
    first_connection_ = connection;
  }
  for (auto& [lane, place] : places_) place.again = 0;
}

std::size_t Reader::asked(std::string filter, Guarantee guarantee, Instant now) {
  grants_.push_back({.filter = std::move(filter),
                     .guarantee = guarantee,
                     .asked = now,
                     .session = session_,
                     .connection = connection_});
  return grants_.size() - 1;
}

void Reader::granted(std::size_t index, Guarantee guarantee, Instant now) {
  Grant& grant = grants_[index];
  if (grant.guarantee != guarantee) {
    object(now, "asked for '{}' at level {}, was granted {}", grant.filter, level(grant.guarantee),
           level(guarantee));
  }
  grant.granted = now;
  for (std::size_t i = 0; i < index; ++i) {
    Grant& older = grants_[i];
    if (older.session == session_ && older.filter == grant.filter) {
      older.over = std::min(older.over, now);
    }
  }
}

void Reader::refused(std::size_t index, Instant now) {
  grants_[index].over = now;
  grants_[index].leaving = now;
}

std::size_t Reader::leaving(std::string_view filter, Instant now) {
  for (Grant& grant : grants_) {
    if (grant.session == session_ && grant.filter == filter) {
      grant.leaving = std::min(grant.leaving, now);
    }
  }
  return grants_.size();
}

void Reader::left(std::string_view filter, std::size_t before, Instant now) {
  for (std::size_t i = 0; i < before; ++i) {
    Grant& grant = grants_[i];
    if (grant.session == session_ && grant.filter == filter) grant.over = std::min(grant.over, now);
  }
}

Instant Reader::worked_off(Instant accepted) const {
  if (shards_ == 1 || accepted >= kNever - hop_max_) return accepted;
  return accepted + hop_max_;
}

std::optional<Guarantee> Reader::promised(const Grant& grant, Instant from, Instant until) const {
  if (grant.session != session_ || grant.granted > from || grant.leaving <= until) return {};
  if (grant.granted <= doubted_at_) return {};
  Guarantee least = grant.guarantee;
  for (const Grant& other : grants_) {  // a later SUBSCRIBE may have replaced it
    if (other.session != session_ || other.filter != grant.filter) continue;
    if (other.asked <= until && other.over >= from) least = std::min(least, other.guarantee);
  }
  return least;
}

Reader::Seen Reader::seen(PublicationId id) const {
  const auto found = seen_.find(id);
  if (found == seen_.end() || found->second.session != session_) return {.session = session_};
  return found->second;
}

Reader::Place Reader::place(LaneId lane) const {
  const auto found = places_.find(lane);
  return found == places_.end() ? Place{} : found->second;
}

void Reader::received(const Arrival& arrival, Instant now) {
  const auto topic = ledger_.find_topic(arrival.topic);
  if (!topic) return object(now, "corrupted: a message on '{}', which nobody uses", arrival.topic);
  if (arrival.payload.empty()) return received_clear(arrival, *topic, now);
  const auto label = read_payload(arrival.payload, arrival.topic);
  const auto id = label ? ledger_.find(*label) : std::nullopt;
  if (!id || ledger_[*id].size != arrival.payload.size() || ledger_[*id].positions.empty()) {
    return object(now, "corrupted: {} octets on '{}' that nobody published", arrival.payload.size(),
                  arrival.topic);
  }
  const Publication& publication = ledger_[*id];
  trace_.note(now, "received",
              {{"client", connection_},
               {"producer", publication.label.producer},
               {"topic", publication.label.topic},
               {"sequence", publication.label.sequence},
               {"level", level(arrival.guarantee)},
               {"retain", arrival.retain},
               {"dup", arrival.dup}});
  if (publication.will == Publication::Will::kForbidden) {
    object(now, "will after DISCONNECT: {}", describe(ledger_, *id));
  }
  if (arrival.dup && connection_ == first_connection_ && !shares_) {
    object(now, "a repetition on the session's first connection: {}", describe(ledger_, *id));
  }
  check_mark(arrival, *id, now);
  if (!wanted(arrival, publication, now)) return;
  if (seen_[*id].session != session_) seen_[*id] = {.session = session_};
  if (shares_) {
    received_shared(arrival, *id, now);
  } else if (arrival.retain) {
    received_retained(arrival, *id, now);
  } else if (arrival.dup) {
    received_again(arrival, *id, now);
  } else {
    received_live(arrival, *id, now);
  }
  places_[publication.lane].last_at = now;
}

// An empty payload says nothing but that somebody has cleared the topic.
void Reader::received_clear(const Arrival& arrival, TopicId topic, Instant now) {
  trace_.note(now, "cleared", {{"client", connection_}, {"topic", topic}});
  if (arrival.retain) return object(now, "an empty retained value on '{}'", arrival.topic);
  const bool several = ledger_.topics()[topic].writers > 1;
  for (LaneId id = 0; id < ledger_.lanes().size(); ++id) {
    const Lane& lane = ledger_.lane(id);
    if (lane.topic != topic) continue;
    Place& place = places_[id];
    // A member of a group may get again, and as new, what went back to the group in between.
    const bool again = arrival.dup || several || shares_;
    for (std::size_t at = again ? 0 : place.next; at < lane.transmissions.size(); ++at) {
      if (!ledger_[lane.transmissions[at]].clears) continue;
      if (several) return;
      place.next = std::max(place.next, at + 1);
      place.last_at = now;
      return;
    }
  }
  object(now, "out of order or twice: '{}' is cleared and nobody has cleared it", arrival.topic);
}

// Properties go with their message [MQTT-3.3.2-17], and with no other.
void Reader::check_mark(const Arrival& arrival, PublicationId id, Instant now) {
  if (!arrival.mark) return;
  const Publication& publication = ledger_[id];
  const std::string expected =
      publication.marked ? fmt::to_string(publication.label.sequence) : std::string{};
  if (*arrival.mark == expected) return;
  object(now, "a message with the properties '{}' instead of '{}': {}", *arrival.mark, expected,
         describe(ledger_, id));
}

// Whether a subscription can be the reason for this message, and at this level.
bool Reader::wanted(const Arrival& arrival, const Publication& publication, Instant now) {
  const Instant accepted = std::min(publication.accepted, now);
  bool found = false;
  unsigned most = 0;   // what the subscriptions that may have been in force allow
  unsigned least = 0;  // what those that were in force all the time promise
  for (const Grant& grant : grants_) {
    if (grant.session != session_) continue;
    if (!filter_matches(without_share(grant.filter), arrival.topic)) continue;
    // What is acknowledged before the SUBSCRIBE is sent comes as retained value or not at all.
    // Not so for a group's, which may have waited for a member.
    const bool late = !arrival.retain && !shares_ && shards_ == 1 && accepted < grant.asked;
    if (publication.begun > grant.over || late) continue;
    found = true;
    most = std::max(most, level(grant.guarantee));
    const auto promise = promised(grant, publication.begun, worked_off(accepted));
    if (promise && !arrival.retain && !shares_) least = std::max(least, level(*promise));
  }
  const std::string text = describe(ledger_, *ledger_.find(publication.label));
  if (!found) {
    object(now, "not subscribed to: {}", text);
    return false;
  }
  const unsigned published = level(publication.guarantee);
  const unsigned came = level(arrival.guarantee);
  if (came > std::min(published, most) || came < std::min(published, least)) {
    object(now, "came at level {}, allowed are {} to {}: {}", came, std::min(published, least),
           std::min(published, most), text);
  }
  return true;
}

// Two connections that were begun at once may be taken in any order, and so may their wills.
bool Reader::is_unclear(const Publication& publication) {
  return publication.will == Publication::Will::kUnclear;
}

// Whether exactly once is broken by one more arrival. What is delivered at a lower level goes out
// before it is kept: a stop may let it come anew, and at another level.
bool Reader::breaks_once(const Arrival& arrival, const Publication& publication,
                         const Seen& seen) const {
  if (publication.renewed || forgives_ || seen.live + seen.redelivered == 0) return false;
  if (outlives_) return arrival.guarantee == Guarantee::kExactlyOnce && seen.exactly_once;
  return arrival.guarantee == Guarantee::kExactlyOnce ||
         (publication.guarantee == Guarantee::kExactlyOnce && !arrival.dup);
}

void Reader::received_live(const Arrival& arrival, PublicationId id, Instant now) {
  const Publication& publication = ledger_[id];
  Place& place = places_[publication.lane];
  Seen& seen = seen_[id];
  const auto at = ledger_.lane(publication.lane).find(id, place.next);
  if (!at && is_unclear(publication) && seen.live == 0) {
    ++seen.live;
    return;
  }
  if (!at && forgives_) return;
  if (!at) {
    return object(now, "{}: {}", seen.live > 0 ? "twice" : "out of order", describe(ledger_, id));
  }
  if (breaks_once(arrival, publication, seen)) {
    object(now, "not exactly once: {}", describe(ledger_, id));
  }
  ++seen.live;
  seen.exactly_once = seen.exactly_once || arrival.guarantee == Guarantee::kExactlyOnce;
  place.next = *at + 1;
  place.again = place.next;  // a redelivery after something new would be out of order
}

void Reader::received_shared(const Arrival& arrival, PublicationId id, Instant now) {
  if (arrival.retain) object(now, "a retained value for a group: {}", describe(ledger_, id));
  ++seen_[id].live;
  shared_[id].push_back({.at = now, .connection = connection_, .guarantee = arrival.guarantee});
}

const std::vector<Reader::Shared>& Reader::shared(PublicationId id) const {
  static const std::vector<Shared> kNone;
  const auto found = shared_.find(id);
  return found == shared_.end() ? kNone : found->second;
}

// A repetition says that the message was sent on an earlier connection, not that it arrived there.
void Reader::received_again(const Arrival& arrival, PublicationId id, Instant now) {
  const Publication& publication = ledger_[id];
  Place& place = places_[publication.lane];
  Seen& seen = seen_[id];
  const bool known = seen.live + seen.redelivered > 0;
  const auto at = ledger_.lane(publication.lane)
                      .find(id, known ? place.again : std::max(place.again, place.next));
  if (!at && (is_unclear(publication) || forgives_)) return;
  if (!at) return object(now, "redelivered out of order: {}", describe(ledger_, id));
  if (breaks_once(arrival, publication, seen)) {
    object(now, "not exactly once, redelivered: {}", describe(ledger_, id));
  }
  ++seen.redelivered;
  seen.exactly_once = seen.exactly_once || arrival.guarantee == Guarantee::kExactlyOnce;
  place.again = *at + 1;
  place.next = std::max(place.next, place.again);
}

void Reader::received_retained(const Arrival& arrival, PublicationId id, Instant now) {
  const Publication& publication = ledger_[id];
  if (!publication.retain) {
    return object(now, "a retained value that is none: {}", describe(ledger_, id));
  }
  Place& place = places_[publication.lane];
  ++seen_[id].retained;
  if (is_unclear(publication)) return;
  if (arrival.dup) return;  // sent on an earlier connection: what is newer may have come since
  const std::size_t from = place.next > 0 && !outlives_ ? place.next - 1 : 0;
  const auto at = ledger_.lane(publication.lane).find(id, from);
  if (!at) {
    return object(now, "stale retained value after a newer message: {}", describe(ledger_, id));
  }
  Instant first_asked = kNever;
  for (const Grant& grant : grants_) {
    if (grant.session != session_ || !filter_matches(grant.filter, arrival.topic)) continue;
    first_asked = std::min(first_asked, grant.asked);
  }
  if (!forgives_ && superseded(id, first_asked)) {
    object(now, "stale retained value, replaced before the SUBSCRIBE: {}", describe(ledger_, id));
  }
  place.next = std::max(place.next, *at + 1);
}

// Whether another value of the topic had taken the place of `id` before `before`, whatever happened
// on the way.
bool Reader::superseded(PublicationId id, Instant before) const {
  const Publication& old = ledger_[id];
  for (const Lane& lane : ledger_.lanes()) {
    if (lane.topic != old.label.topic) continue;
    for (const PublicationId other : lane.transmissions) {
      const Publication& newer = ledger_[other];
      if (other == id || newer.accepted >= before || newer.accepted == kNever) continue;
      if (newer.forgettable) continue;
      if (newer.lane == old.lane ? newer.processed > old.positions.back()
                                 : newer.begun > old.accepted) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace hermod::sim
