// SPDX-License-Identifier: Apache-2.0
// Observations of a server session: how one begins and ends, and its notifications.
//
//   first on a topic: Attach (once) -> Subscribe -> Lookup -> 2.05 with Observe; last: Unsubscribe
//
// The subscription is "at most once": Observe promises the latest value, not every value, so each
// observation keeps one value and needs no queue in the core.
#include <algorithm>
#include <cstring>

#include "hermod/coap/session/server_session.hpp"
#include "response.hpp"
#include "tickets.hpp"

namespace hermod::coap {
namespace {

// EncodeSlots key of a notification's options and payload. It begins with the Observe option, whose
// three octets are set for each observer.
constexpr std::uint32_t kNotificationKey =
    static_cast<std::uint32_t>(session::ProtocolId::kCoap) << 16 | 1;
constexpr std::uint32_t kSequencePlaceholder = 0x1'0000;
constexpr std::size_t kSequenceAt = 1;

bool is_cleared(const model::Message& message) {
  return message.retain && message.payload.empty();
}

void set_sequence(std::uint8_t* body, std::uint32_t sequence) {
  body[kSequenceAt] = static_cast<std::uint8_t>(sequence >> 16);
  body[kSequenceAt + 1] = static_cast<std::uint8_t>(sequence >> 8);
  body[kSequenceAt + 2] = static_cast<std::uint8_t>(sequence);
}

}  // namespace

Observations& ServerSession::observations() {
  if (!observations_) observations_ = std::make_unique<Observations>();
  return *observations_;
}

// The observation that a registration adds or renews (RFC 7641 §4.1), or 0: then the request is a
// plain GET.
ObservationId ServerSession::start_observing(Request& request, Instant now,
                                             session::Effects& effects) {
  Observations& list = observations();
  ObservationId id = list.find(request.exchange.token);
  if (id != 0 && list.topic(list[id].topic).name != request.topic) {
    drop(id, now, effects);
    id = 0;
  }
  if (id == 0) {
    const std::size_t most =
        proven_ ? settings_.observations_max : settings_.observations_unproven_max;
    if (list.size() >= most || list.topics() >= most) return 0;
    id = list.add(request.exchange.token, request.topic, now);
  }
  list[id].accept = request.accept;
  const TopicId topic = list[id].topic;
  if (list.topic(topic).interest == ObservedTopic::Interest::kNone) {
    if (attachment_ != Attachment::kAttached) {
      if (attachment_ == Attachment::kNone) {
        effects.push(session::Attach{.ticket = make_ticket(Asked::kAttach, 0, 0)});
      }
      attachment_ = Attachment::kAsked;
      request.awaits = Request::kAttach;
      return id;
    }
    subscribe(topic, effects);
  }
  if (list.topic(topic).interest == ObservedTopic::Interest::kAsked) {
    request.awaits = Request::kSubscribe;
    request.observed_topic = topic;
  }
  return id;
}

void ServerSession::subscribe(TopicId topic, session::Effects& effects) {
  const std::uint32_t generation = observations().ask(topic);
  effects.push(session::Subscribe{
      .filter = observations().topic(topic).name,
      .options = {.guarantee_max = model::Guarantee::kAtMostOnce,
                  .retain_handling = model::RetainHandling::kNever},  // the Lookup brings it
      .ticket = make_ticket(Asked::kSubscribe, topic, generation)});
}

void ServerSession::on_subscribe_answer(TopicId topic, const session::Answer& answer, Instant now,
                                        session::Effects& effects) {
  const bool granted = answer.reason == model::Reason::kOk;
  ObservedTopic& observed = observations().topic(topic);
  observed.interest = granted ? ObservedTopic::Interest::kGranted : ObservedTopic::Interest::kNone;
  if (!granted) {
    requests_.for_each_open([&](Request& request) {
      if (request.awaits == Request::kSubscribe && request.observed_topic == topic) {
        request.refused = answer.reason;
      }
    });
    for (std::uint32_t left = observed.observers; left > 0; --left) {
      drop(observations().topic(topic).first, now, effects);
    }
  }
  requests_.for_each_open([&](Request& request) {
    if (request.awaits != Request::kSubscribe || request.observed_topic != topic) return;
    ask_value(request, effects);
  });
}

void ServerSession::on_unsubscribe_answer(TopicId topic) {
  if (!observations_ || !observations_->has_topic(topic)) return;
  ObservedTopic& observed = observations_->topic(topic);
  if (observed.unsubscribes_pending > 0) --observed.unsubscribes_pending;
  observations_->release_topic(topic);
}

// Whether the observation that is being renewed has a newer value: a notification was faster than
// the answer of another shard.
bool ServerSession::is_overtaken(const Request& request, std::uint64_t version) const {
  if (request.observation == 0) return false;
  const Observation& observation = (*observations_)[request.observation];
  return observation.state == Observation::State::kActive && observation.value.version > version;
}

// The registration's response is out: notifications may follow. What was delivered while the
// registration was under way follows at once, unless the response was as new.
void ServerSession::activate(ObservationId id, const Representation& representation,
                             const model::Message* value, Instant now, session::Effects& effects) {
  Observation& observation = observations()[id];
  const bool renewed = observation.state == Observation::State::kActive;
  observation.state = Observation::State::kActive;
  observation.confirmed_at = now;
  observation.sent_at = now;
  confirm_due_ = std::min(confirm_due_, confirm_due(observation, settings_));
  if (observation.ending) {
    end(id, *observation.ending, now, effects);
    return;
  }
  const std::uint64_t version = value == nullptr ? 0 : value->version;
  observation.newest = std::max(observation.newest, version);
  KeptValue& kept = observation.value;
  const bool cleared = renewed && value == nullptr && kept.version != 0;
  if (renewed && observation.told && !cleared && kept.version > version) return;  // it was shown
  if (!observation.told && !cleared && (kept.version == 0 || kept.version > version)) {
    observations().wait(id);
    notify_waiting(now, effects);
    return;
  }
  observation.told = true;
  observation.format = representation.format;
  kept.payload.assign(representation.payload.begin(), representation.payload.end());
  kept.format = representation.format;
  kept.expires_at = value == nullptr ? kNever : value->expires_at;
  kept.version = version;
  kept.guarantee = model::Guarantee::kAtMostOnce;
}

void ServerSession::drop(ObservationId id, Instant now, session::Effects& effects) {
  if (outbox_.subject() == id) outbox_.forget_subject();
  requests_.for_each_open([&](Request& request) {
    if (request.observation != id) return;
    request.observation = 0;
    // The topic may go with its last observer, and then nobody is told of the grant.
    if (request.awaits == Request::kSubscribe) ask_value(request, effects);
  });
  Observations& list = observations();
  const TopicId topic = list[id].topic;
  list.remove(id);
  ObservedTopic& observed = list.topic(topic);
  if (observed.observers == 0 && observed.interest != ObservedTopic::Interest::kNone) {
    effects.push(session::Unsubscribe{.filter = observed.name,
                                      .ticket = make_ticket(Asked::kUnsubscribe, topic, 0)});
    observed.interest = ObservedTopic::Interest::kNone;
    ++observed.unsubscribes_pending;
  }
  list.release_topic(topic);
  if (list.size() == 0) {
    confirm_due_ = kNever;
    idle_due_ = std::min(idle_due_, now + settings_.idle);
  }
}

void ServerSession::drop_all(Instant now, session::Effects& effects) {
  for (ObservationId id = 1; id <= observations_->last_id(); ++id) {
    if ((*observations_)[id].state != Observation::State::kFree) drop(id, now, effects);
  }
}

void ServerSession::on_deliveries(const model::DeliveryBatch& batch, Instant now,
                                  session::Effects& effects) {
  if (!observations_) return;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const model::Message& message = *batch.items[i].message;
    const TopicId topic = observations_->find_topic(message.destination.address);
    if (topic == 0) continue;
    const ObservedTopic& observed = observations_->topic(topic);
    // Before the grant, letters of other shards may still bring what the lookup is going to
    // surpass.
    if (observed.interest != ObservedTopic::Interest::kGranted) continue;
    ObservationId next = observed.first;
    while (next != 0) {
      const ObservationId id = next;
      const Observation& observation = (*observations_)[id];
      next = observation.next_of_topic;
      if (!take_value(id, message, now, effects)) continue;
      if (!outbox_.idle()) {
        observations_->wait(id);
      } else {
        notify(id, observation.accept ? Bytes{} : encode_shared(batch, i, now), now, effects);
      }
    }
  }
}

// Keeps the value for an observation. False when it is not to be sent now: the observation is
// registering, this message ends it, or it was overtaken by a newer value on another shard's way.
bool ServerSession::take_value(ObservationId id, const model::Message& message, Instant now,
                               session::Effects& effects) {
  Observation& observation = observations()[id];
  if (message.version != 0) {
    if (message.version <= observation.newest) return false;
    observation.newest = message.version;
  }
  const bool registering = observation.state == Observation::State::kRegistering;
  std::optional<Code> ending;
  const auto fitting = represent(message, observation.accept, now);
  if (is_cleared(message)) {
    ending = code::kNotFound;  // RFC 7641 §3.2
  } else if (!fitting ||
             (observation.format && fitting->format && observation.format != fitting->format)) {
    // RFC 7641 §4.2: the format of the first notification that named one, to the end. A value that
    // names none does not contradict it.
    ending = code::kNotAcceptable;
  } else if (head_size(observation.token.size()) + representation_size_max(*fitting) >
             settings_.datagram_bytes_max) {
    ending = code::kNotImplemented;
  }
  if (registering) observation.ending = ending;
  if (ending) {
    if (!registering) end(id, *ending, now, effects);
    return false;
  }
  if (fitting->format) observation.format = fitting->format;
  observation.told = false;
  KeptValue& kept = observation.value;
  kept.payload.assign(message.payload.begin(), message.payload.end());
  kept.format = fitting->format;
  kept.expires_at = message.expires_at;
  kept.version = message.version;
  kept.guarantee = message.guarantee;
  return !registering;
}

// The kept value as a notification shows it. ETag would cost more than it tells here.
Representation ServerSession::kept(const Observation& observation, Instant now) const {
  const KeptValue& value = observation.value;
  return {.format = value.format,
          .max_age_s = max_age(value.expires_at, now).value_or(settings_.observe_max_age_s),
          .payload = value.payload};
}

// Options and payload of the notification of one delivery, encoded by the first session that needs
// them; empty when it has to be encoded alone.
Bytes ServerSession::encode_shared(const model::DeliveryBatch& batch, std::size_t index,
                                   Instant now) const {
  if (batch.slots == nullptr) return {};
  const model::EncodeSlots::Slot* slot = batch.slots->find(kNotificationKey);
  if (slot == nullptr) {
    model::EncodeSlots::Slot& fresh = batch.slots->make(kNotificationKey);
    for (const model::Delivery& delivery : batch.items) {
      fresh.offsets.push_back(static_cast<std::uint32_t>(fresh.bytes.size()));
      auto representation = represent(*delivery.message, std::nullopt, now);
      if (!representation) continue;
      representation->etag = {};
      if (!representation->max_age_s) representation->max_age_s = settings_.observe_max_age_s;
      const std::size_t size_max = representation_size_max(*representation);
      // a longer token than none is counted for each observer
      if (head_size(0) + size_max > settings_.datagram_bytes_max) continue;
      const std::size_t begin = fresh.bytes.size();
      fresh.bytes.resize(begin + size_max);
      BodyWriter body(fresh.bytes.data() + begin);
      write_representation(body, *representation, kSequencePlaceholder);
      fresh.bytes.resize(static_cast<std::size_t>(body.position() - fresh.bytes.data()));
    }
    slot = &fresh;
  }
  const std::size_t begin = slot->offsets[index];
  const std::size_t end =
      index + 1 < slot->offsets.size() ? slot->offsets[index + 1] : slot->bytes.size();
  return Bytes{slot->bytes}.subspan(begin, end - begin);
}

// Sends the kept value; `encoded` is its shared encoding, if there is one. Nothing confirmable is
// in flight.
void ServerSession::notify(ObservationId id, Bytes encoded, Instant now,
                           session::Effects& effects) {
  Observation& observation = observations()[id];
  const bool confirm = must_confirm(observation, settings_, now);
  const std::uint16_t message_id = message_ids_.next();
  // A repetition has the same number: who has seen it need not look at it again.
  const std::uint32_t sequence =
      observation.told ? current_sequence(observation) : next_sequence(observation, now);
  observation.message_id = message_id;
  observation.told = true;
  observation.sent_at = now;

  const Representation representation = kept(observation, now);
  session::DatagramSink& sink = effects.datagrams();
  const std::size_t body_max =
      encoded.empty() ? representation_size_max(representation) : encoded.size();
  std::uint8_t* out = sink.reserve(head_size(observation.token.size()) + body_max);
  std::uint8_t* at = write_head(out, confirm ? Type::kCon : Type::kNon, code::kContent, message_id,
                                observation.token.bytes());
  if (encoded.empty()) {
    BodyWriter body(at);
    write_representation(body, representation, sequence);
    at = body.position();
  } else {
    std::memcpy(at, encoded.data(), encoded.size());
    set_sequence(at, sequence);
    at += encoded.size();
  }
  if (confirm) {
    outbox_.sent(message_id, {out, at}, id, settings_.transmission, rng_, now);
  } else {
    ++observation.unconfirmed;
    confirm_due_ = std::min(confirm_due_, confirm_due(observation, settings_));
  }
  sink.commit(static_cast<std::size_t>(at - out));
}

void ServerSession::notify_waiting(Instant now, session::Effects& effects) {
  while (observations_ && outbox_.idle()) {
    const ObservationId id = observations_->next_waiting();
    if (id == 0) return;
    notify(id, {}, now, effects);
  }
}

// RFC 7641 §3.2: the last notification is the error, without Observe.
void ServerSession::end(ObservationId id, Code code, Instant now, session::Effects& effects) {
  const Exchange exchange{
      .type = Type::kCon, .token = observations()[id].token, .acknowledged = true};
  drop(id, now, effects);
  respond(exchange, {.code = code}, now, effects);
}

// RFC 7641 §4.5.2: the notification in flight has timed out and there is a newer value: that one is
// sent, as the next attempt. Without one the repetition carries the same sequence number, which is
// still current.
void ServerSession::supersede(ObservationId id, Instant now) {
  Observation& observation = observations()[id];
  if (observation.told) return;
  const Representation representation = kept(observation, now);
  observation.message_id = message_ids_.next();
  std::vector<std::uint8_t> datagram(head_size(observation.token.size()) +
                                     representation_size_max(representation));
  BodyWriter body(write_head(datagram.data(), Type::kCon, code::kContent, observation.message_id,
                             observation.token.bytes()));
  write_representation(body, representation, next_sequence(observation, now));
  outbox_.replace(observation.message_id, {datagram.data(), body.position()});
  observation.told = true;
  observation.waiting = false;
}

// RFC 7641 §4.5: who may have missed the last value, or has not confirmed anything for long, is
// sent its value confirmably.
void ServerSession::confirm_observers(Instant now, session::Effects& effects) {
  confirm_due_ = kNever;
  for (ObservationId id = 1; observations_ && id <= observations_->last_id(); ++id) {
    Observation& observation = (*observations_)[id];
    if (observation.state != Observation::State::kActive || outbox_.subject() == id) continue;
    if (now < confirm_due(observation, settings_)) {
      confirm_due_ = std::min(confirm_due_, confirm_due(observation, settings_));
      continue;
    }
    observation.unconfirmed = settings_.unconfirmed_max;  // makes it confirmable
    if (outbox_.idle()) {
      notify(id, {}, now, effects);
    } else {
      observations_->wait(id);
    }
  }
}

}  // namespace hermod::coap
