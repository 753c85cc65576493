// SPDX-License-Identifier: Apache-2.0
#include "coap_jury.hpp"

#include <algorithm>

namespace hermod::sim {

using Kind = Value::Kind;

CoapJury::History CoapJury::history_of(TopicId topic) const {
  History out;
  for (const Lane& lane : ledger_.lanes()) {
    if (lane.topic != topic) continue;
    for (std::size_t at = 0; at < lane.transmissions.size(); ++at) {
      const PublicationId id = lane.transmissions[at];
      const Publication& p = ledger_[id];
      if (!p.retain || p.positions.front() != at) continue;
      const bool again =
          p.renewed || (p.positions.size() > 1 && p.guarantee != model::Guarantee::kExactlyOnce);
      (p.clears ? out.clears : out.values)
          .push_back({.id = id, .first_end = p.accepted, .last_begin = p.begun, .again = again});
    }
  }
  for (const Read& read : reads_) {
    if (read.topic != topic) continue;
    if (read.value.kind == Kind::kNone) out.empty.push_back(&read);
    if (read.value.kind != Kind::kMessage) continue;
    const auto zone = std::ranges::find(out.values, read.value.id, &Zone::id);
    if (zone == out.values.end()) continue;  // objected to when it came
    zone->first_end = std::min(zone->first_end, read.answered);
    zone->last_begin = std::max(zone->last_begin, read.begun);
  }
  return out;
}

void CoapJury::check_reads() {
  const auto topics = static_cast<TopicId>(ledger_.topics().size());
  for (TopicId topic = 0; topic < topics; ++topic) {
    if (ledger_.topics()[topic].kind == Topic::Kind::kState) check_topic(topic);
  }
  for (const Put& put : puts_) check_put(put);
}

void CoapJury::check_topic(TopicId topic) {
  const History history = history_of(topic);
  check_values(history);
  for (const Read* read : history.empty) check_empty(history, *read);
}

// While a value stands, no other one can have come or gone.
void CoapJury::check_values(const History& history) {
  for (const Zone& zone : history.values) {
    if (!zone.stood()) continue;
    const auto inside = [&](const Zone& other) {
      if (other.id == zone.id) return false;
      if (other.stood()) {
        return other.first_end < zone.last_begin && zone.first_end < other.last_begin;
      }
      const Instant begun = other.again ? ledger_[other.id].begun : other.last_begin;
      return zone.first_end < begun && other.first_end < zone.last_begin;
    };
    for (const std::vector<Zone>* others : {&history.values, &history.clears}) {
      const auto other = std::ranges::find_if(*others, inside);
      if (other == others->end()) continue;
      return object("not linearizable: {} was read after {} (or its deletion) had taken its place",
                    describe(ledger_, zone.id), describe(ledger_, other->id));
    }
  }
}

// Whether the topic can have had no value at some instant in between.
bool CoapJury::may_be_empty(const History& history, Instant from, Instant until) const {
  const auto filled_since = [&](Instant cleared) {
    return std::ranges::any_of(history.values, [&](const Zone& zone) {
      return ledger_[zone.id].begun > cleared && zone.first_end < from;
    });
  };
  if (!filled_since(Instant{})) return true;
  return std::ranges::any_of(history.clears, [&](const Zone& clear) {
    return ledger_[clear.id].begun < until && !filled_since(clear.first_end);
  });
}

void CoapJury::check_empty(const History& history, const Read& read) {
  const bool within = std::ranges::any_of(history.values, [&](const Zone& zone) {
    return zone.stood() && zone.first_end < read.begun && read.answered < zone.last_begin;
  });
  if (!within && may_be_empty(history, read.begun, read.answered)) return;
  object("not linearizable: producer {} found '{}' without a value", read.who,
         ledger_.topics()[read.topic].name);
}

// RFC 7252 §5.8.3: 2.01 for a new resource, 2.04 for one that was there.
void CoapJury::check_put(const Put& put) {
  const Publication& p = ledger_[put.id];
  const History history = history_of(p.label.topic);
  if (!put.existed) {
    if (may_be_empty(history, p.begun, put.answered)) return;
    return object("{} was answered 2.01, and there was a value before", describe(ledger_, put.id));
  }
  const bool possible = std::ranges::any_of(history.values, [&](const Zone& zone) {
    if (zone.id == put.id || ledger_[zone.id].begun > put.answered) return false;
    return zone.again || std::ranges::none_of(history.clears, [&](const Zone& clear) {
             return ledger_.precedes(zone.id, clear.id) && clear.first_end < p.begun;
           });
  });
  if (possible) return;
  object("{} was answered 2.04, and there was no value before", describe(ledger_, put.id));
}

void CoapJury::check_observer(const Observer& observer, Instant registered) {
  if (!observer.value()) {
    return object("{}: registered, and was told nothing", observer.name());
  }
  if (!is_retained(observer.topic())) return check_event_observer(observer, registered);
  const Jury::Candidates allowed = jury_.candidates(observer.topic());
  const Value& value = *observer.value();
  if (value.kind == Kind::kNone ? allowed.none : allowed.values.contains(value.id)) return;
  object("{} holds {}, expected {}", observer.name(), describe(ledger_, value),
         allowed.values.empty() ? "none" : describe(ledger_, *allowed.values.rbegin()));
}

bool CoapJury::is_retained(TopicId topic) const {
  return std::ranges::any_of(ledger_.lanes(), [&](const Lane& lane) {
    return lane.topic == topic && std::ranges::any_of(lane.transmissions, [&](PublicationId id) {
             return ledger_[id].retain;
           });
  });
}

// Nothing is retained, and publishers are not ordered among each other: the last of a lane.
void CoapJury::check_event_observer(const Observer& observer, Instant registered) {
  const Value& value = *observer.value();
  for (const Lane& lane : ledger_.lanes()) {
    if (lane.topic != observer.topic()) continue;
    for (const PublicationId id : lane.transmissions) {
      const Publication& p = ledger_[id];
      if (p.accepted == kNever || p.begun < registered) continue;
      if (p.positions.size() > 1) continue;
      const bool later = value.kind == Kind::kNone ||
                         (ledger_[value.id].lane == p.lane && ledger_.precedes(value.id, id));
      if (!later) continue;
      return object("{} holds {}, and {} came later", observer.name(), describe(ledger_, value),
                    describe(ledger_, id));
    }
  }
}

}  // namespace hermod::sim
