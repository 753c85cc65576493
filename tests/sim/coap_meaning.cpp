// SPDX-License-Identifier: Apache-2.0
// What responses and notifications tell a simulated CoAP client, and what it objects to.
#include <algorithm>

#include "coap_actor.hpp"

namespace hermod::sim {

namespace code = coap::code;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
// How long a shard may take to see what has arrived, in calm weather.
constexpr Duration kTurnMax = seconds{5};
// RFC 7252 §4.8.2
constexpr Duration kMaxTransmitWait = seconds{93};
}  // namespace

void CoapActor::on_response(Exchange& exchange, const CoapMessage& message, bool piggybacked,
                            Instant now) {
  const bool first = !exchange.code;
  if (!piggybacked && exchange.request.confirmable) {
    // An acknowledged request is answered once, however often it was sent (RFC 7252 §5.2.2).
    const bool observes = observations_.contains(exchange.token);
    if (!observes && exchange.separate.value_or(message.id) != message.id) {
      object("two separate responses to message {}", exchange.id);
    }
    exchange.separate = message.id;
  }
  const bool executes = exchange.publication.has_value();
  if (!first) {
    if (exchange.request.aim == Aim::kRegister && *exchange.code != code::kUnauthorized) {
      return on_registered(exchange, message, piggybacked, now);
    }
    // Who executes twice may find something else the second time (RFC 7252 §4.5).
    if (executes && *exchange.code != message.code) {
      object("message {} was answered {}, then {}", exchange.id, to_string(*exchange.code),
             to_string(message.code));
    }
    return;
  }
  exchange.code = message.code;
  ++counts_.answered;
  if (exchange.acknowledged && !piggybacked) ++counts_.separate;
  close(exchange);
  world_.trace().note(now, "answered",
                      {{"client", producer_}, {"id", exchange.id}, {"code", message.code.value}});
  if (on_challenge(exchange, message, now)) return;
  switch (exchange.request.aim) {
    case Aim::kPut:
    case Aim::kDelete:
      return on_put_answer(exchange, message, now);
    case Aim::kGet:
    case Aim::kFetch:
      return on_get_answer(exchange, message, now);
    case Aim::kRegister:
      return on_registered(exchange, message, piggybacked, now);
    case Aim::kCancel:
      return on_cancelled(exchange, message, piggybacked, now);
  }
}

void CoapActor::on_put_answer(Exchange& exchange, const CoapMessage& message, Instant now) {
  const coap::Code code = message.code;
  if (on_block_taken(exchange, message, now)) return;
  const bool put = exchange.request.aim == Aim::kPut;
  const bool done = put ? code == code::kCreated || code == code::kChanged : code == code::kDeleted;
  if (!done) {
    return object("message {} about '{}' was answered {}", exchange.id,
                  ledger_.topics()[exchange.request.topic].name, to_string(code));
  }
  const PublicationId id = *exchange.publication;
  ledger_.accepted(id, world_.moment());
  world_.trace().note(now, "accepted", {{"client", producer_}, {"message", id}});
  jury_.acknowledged(id, shard());
  if (exchange.block) ++counts_.bodies_sent;
  if (!put) return;
  coap_jury_.add({.id = id, .existed = code == code::kChanged, .answered = world_.moment()});
}

std::optional<Value> CoapActor::value_of(TopicId topic, const CoapMessage& message, Instant now) {
  const std::string& name = ledger_.topics()[topic].name;
  if (message.code == code::kNotFound) return Value{};
  if (message.code != code::kContent) {
    object("'{}' was answered {}", name, to_string(message.code));
    return std::nullopt;
  }
  if (message.payload.empty()) return Value{};
  const auto id = find_publication(topic, message);
  if (!id) {
    object("corrupted: {} octets on '{}' that nobody published", message.payload.size(), name);
    return std::nullopt;
  }
  world_.trace().note(now, "value", {{"client", producer_}, {"topic", topic}, {"message", *id}});
  return Value{.kind = Value::Kind::kMessage, .id = *id};
}

// Which publication a payload is, or its first block: the others are compared as they come.
std::optional<PublicationId> CoapActor::find_publication(TopicId topic,
                                                         const CoapMessage& message) const {
  const bool part = message.block2 && message.block2->more;
  const auto label = part ? read_label(message.payload)
                          : read_payload(message.payload, ledger_.topics()[topic].name);
  const auto id = label ? ledger_.find(*label) : std::nullopt;
  if (!id || label->topic != topic || ledger_[*id].positions.empty()) return std::nullopt;
  if (!part) return ledger_[*id].size == message.payload.size() ? id : std::nullopt;
  const Octets whole = ledger_.payload_of(*id);
  const bool begins = message.block2->number == 0 &&
                      message.payload.size() == message.block2->size() &&
                      message.payload.size() < whole.size() &&
                      std::equal(message.payload.begin(), message.payload.end(), whole.begin());
  return begins ? id : std::nullopt;
}

void CoapActor::add_read(const Exchange& exchange, const Value& value) {
  ++counts_.reads;
  coap_jury_.add({.topic = exchange.request.topic,
                  .value = value,
                  .begun = exchange.begun,
                  .answered = world_.moment(),
                  .who = producer_});
}

void CoapActor::on_get_answer(Exchange& exchange, const CoapMessage& message, Instant now) {
  if (on_part(exchange, message, now)) return;
  const TopicId topic = exchange.request.topic;
  std::optional<Value> value;
  if (message.code == code::kValid) {  // RFC 7252 §5.9.1.3
    const auto known =
        message.etags.empty() ? exchange.etags.end() : exchange.etags.find(message.etags.front());
    if (known == exchange.etags.end()) return object("2.03 with an ETag that was not offered");
    value = known->second;
    ++counts_.valid;
  } else {
    value = value_of(topic, message, now);
    if (!value) return;
    if (!message.etags.empty() && value->kind == Value::Kind::kMessage) {
      etags_.insert_or_assign(topic, std::pair{message.etags.front(), *value});
    }
  }
  if (value->kind == Value::Kind::kMessage && !ledger_[value->id].retain) {
    return object("GET brought what is not retained: {}", describe(ledger_, *value));
  }
  add_read(exchange, *value);
  found_[topic] = *value;
}

// --- observations ---

void CoapActor::keep_fresh(Observation& observation, const CoapMessage& message, Instant now) {
  const std::uint32_t age_s = message.max_age_s.value_or(coap::kMaxAgeDefaultS);
  observation.fresh_until = now + seconds{age_s} + between(rng_, seconds{1}, seconds{10});
}

// RFC 7641 §3.3.1: who has heard nothing for Max-Age asks again.
void CoapActor::renew_stale(Instant now) {
  for (auto& [token, observation] : observations_) {
    if (observation.state != Observation::State::kActive || observation.fresh_until > now) continue;
    observation.fresh_until = kNever;
    observation.disturbed = true;
    ++counts_.renewed;
    plan({.aim = Aim::kRegister, .topic = observation.observer.topic(), .token = token});
  }
}

void CoapActor::on_registered(Exchange& exchange, const CoapMessage& message, bool piggybacked,
                              Instant now) {
  Observation& observation = observations_.at(exchange.token);
  using State = Observation::State;
  if (observation.state != State::kRegistering && observation.state != State::kActive) return;
  if (!message.observe) {
    // Not observed: there is no room, or it cannot be (RFC 7641 §3.1). Or a notification that ends
    // it, which looks the same.
    const auto value = value_of(exchange.request.topic, message, now);
    if (value && piggybacked) add_read(exchange, *value);
    observation.state = State::kEnded;
    return;
  }
  const auto value = value_of(exchange.request.topic, message, now);
  if (!value) return;
  if (piggybacked && (value->kind != Value::Kind::kMessage || ledger_[value->id].retain)) {
    add_read(exchange, *value);
  }
  observation.state = State::kActive;
  observation.registered = world_.moment();
  keep_fresh(observation, message, now);
  if (!observation.observer.told(*message.observe, *value, now)) {
    ++counts_.overtaken;
    return;
  }
  hold(exchange.token, observation, message);
}

void CoapActor::on_cancelled(Exchange& exchange, const CoapMessage& message, bool piggybacked,
                             Instant now) {
  if (message.observe) {
    return object("GET with Observe 1 was answered with Observe {}", *message.observe);
  }
  const auto value = value_of(exchange.request.topic, message, now);
  if (value && piggybacked) add_read(exchange, *value);
  // A notification that was lost before the weather turned may be repeated until then.
  if (!calm_ || exchange.begun < calm_at_ + kMaxTransmitWait) return;
  observations_.at(exchange.token).rejected = now;
  saboteur_.cancelled(exchange.token);
}

void CoapActor::on_notification(Observation& observation, const CoapMessage& message, Instant now) {
  if (!message.code.is_success()) return end_observation(observation, message);
  if (!message.observe) return object("a notification without a sequence number");
  const auto value = value_of(observation.observer.topic(), message, now);
  if (!value) return;
  observation.state = Observation::State::kActive;
  if (observation.registered == kNever) observation.registered = world_.moment();
  keep_fresh(observation, message, now);
  ++counts_.notified;
  check_no_deletion(observation, *value);
  if (!observation.observer.told(*message.observe, *value, now)) {
    ++counts_.overtaken;
    return;
  }
  hold(message.token, observation, message);
}

// RFC 7641 §3.2: a deletion ends the observation with an error, it does not empty it. Who may have
// registered anew unnoticed, and found nothing, cannot tell.
void CoapActor::check_no_deletion(const Observation& observation, const Value& value) {
  const std::optional<Value>& before = observation.observer.value();
  const transport::MemoryOptions& network = world_.options().network;
  if (value.kind != Value::Kind::kNone || observation.disturbed || !before) return;
  if (before->kind != Value::Kind::kMessage || network.loss_permille > 0) return;
  if (network.reorder_permille > 0 || network.duplicate_permille > 0) return;
  if (!ledger_[before->id].retain) return;
  object("a notification says that '{}' has no value any more",
         ledger_.topics()[observation.observer.topic()].name);
}

// RFC 7641 §3.2: an error says that there will be no more. The reasons that a broker can have:
// somebody cleared the topic.
void CoapActor::end_observation(Observation& observation, const CoapMessage& message) {
  observation.state = Observation::State::kEnded;
  ++counts_.ended;
  const TopicId topic = observation.observer.topic();
  const bool cleared = std::ranges::any_of(ledger_.lanes(), [&](const Lane& lane) {
    return lane.topic == topic && std::ranges::any_of(lane.transmissions, [&](PublicationId id) {
             return ledger_[id].clears;
           });
  });
  if (cleared && message.code == code::kNotFound) return;
  object("the observation of '{}' was ended with {} for no reason", ledger_.topics()[topic].name,
         to_string(message.code));
}

// Whether nothing that was sent before the broker knew can arrive any more.
bool CoapActor::is_late(const Observation& observation, Instant now) const {
  if (observation.rejected == kNever) return false;
  const transport::MemoryOptions& network = world_.options().network;
  return now >
         observation.rejected + (network.datagram_delay_max + network.reorder_delay) * 2 + kTurnMax;
}

// Something for an observation that is over. What was under way may come, and what the broker sends
// until it has heard that nobody listens; a Reset names the last notification or nothing, so that a
// burst ends with its confirmable one.
void CoapActor::on_stray(Observation& observation, const CoapMessage& message, Instant now) {
  world_.trace().note(now, "stray", {{"client", producer_}, {"id", message.id}});
  ++counts_.strays;
  if (!calm_ || now < calm_at_ + kMaxTransmitWait) return;
  if (!message.observe) return;  // an error may have waited for its turn (NSTART)
  const unsigned burst_max = world_.options().coap.unconfirmed_max + 1u;
  if (is_late(observation, now) || ++observation.strays > burst_max) {
    object("a {} message for an observation of '{}' that is over", to_string(message.code),
           ledger_.topics()[observation.observer.topic()].name);
  }
  observation.rejected = now;
}

std::size_t CoapActor::observing() const {
  return static_cast<std::size_t>(std::ranges::count_if(observations_, [](const auto& entry) {
    return entry.second.state == Observation::State::kActive;
  }));
}

void CoapActor::check_observations(bool undisturbed_only) {
  for (const auto& [token, observation] : observations_) {
    if (observation.state != Observation::State::kActive) continue;
    const Topic& topic = ledger_.topics()[observation.observer.topic()];
    if (undisturbed_only && (observation.disturbed || topic.kind == Topic::Kind::kWill)) continue;
    const std::optional<Value>& value = observation.observer.value();
    // What is not retained can be fetched for a while, as long as there is room for it.
    const bool retained =
        value && value->kind == Value::Kind::kMessage && ledger_[value->id].retain;
    if (retained && !observation.whole) {
      object("has only seen a block of {}", describe(ledger_, *value));
    }
    coap_jury_.check_observer(observation.observer, observation.registered);
  }
}

}  // namespace hermod::sim
