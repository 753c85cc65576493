// SPDX-License-Identifier: Apache-2.0
// Observations of the broker's topics: how one begins and ends, and what becomes of deliveries.
//
//   first on a topic: Attach (once) -> Subscribe -> Lookup -> 2.05 with Observe; last: Unsubscribe
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "hermod/coap/session/server_session.hpp"
#include "tickets.hpp"

namespace hermod::coap {
namespace {

// EncodeSlots key of a notification's options and payload: what a listener says of blocks and of
// values without expiry is in it.
std::uint32_t notification_key(const Settings& settings) {
  const std::uint32_t age = settings.observe_max_age_s * 0x9e37'79b9u >> 19;  // 13 bits
  return static_cast<std::uint32_t>(session::ProtocolId::kCoap) << 16 | age << 3 |
         size_exponent_for(settings.block_bytes_max);
}

bool is_cleared(const model::Message& message) {
  return message.retain && message.payload.empty();
}

ObservedValue observed_value(const model::Message& message, const Representation& fitting) {
  return {.payload = fitting.payload,
          .etag = fitting.etag,
          .format = fitting.format,
          .expires_at = message.expires_at,
          .version = message.version,
          .confirm = message.guarantee != model::Guarantee::kAtMostOnce};
}

}  // namespace

// The observer that a registration adds or renews, or 0: then the request is a plain GET.
ObserverId ServerSession::start_observing(const Exchange& exchange, TopicRequest& record,
                                          Instant now, session::Effects& effects) {
  if (!observed_) observed_ = std::make_unique<ObservedTopics>(budget_);
  ObserverId id = endpoint_.find_observer(exchange.token);
  if (id != 0 && observed_->topic((*observed_)[id].topic).name != record.topic) {
    drop(id, now, effects);
    id = 0;
  }
  if (id == 0 && observed_->size() >= settings_.observations_max) return 0;
  id = endpoint_.observe(exchange, now, record.is_filter);
  if (id == 0) return 0;
  Observation& observation =
      observed_->holds(id) ? (*observed_)[id] : observed_->add(id, record.topic);
  observation.accept = record.accept;
  const TopicId topic = observation.topic;
  if (observed_->topic(topic).interest == ObservedTopic::Interest::kNone) {
    if (attachment_ != Attachment::kAttached) {
      if (attachment_ == Attachment::kNone) {
        effects.push(session::Attach{.ticket = make_ticket(Asked::kAttach, 0, 0)});
      }
      attachment_ = Attachment::kAsked;
      record.awaits = Awaits::kAttach;
      return id;
    }
    subscribe(topic, effects);
  } else if (record.is_filter &&
             observed_->topic(topic).interest != ObservedTopic::Interest::kAsked) {
    subscribe(topic, effects);  // once more: the values that are there are for the newcomer too
  }
  if (observed_->topic(topic).interest == ObservedTopic::Interest::kAsked) {
    record.awaits = Awaits::kSubscribe;
    record.observed_topic = topic;
  }
  return id;
}

void ServerSession::subscribe(TopicId topic, session::Effects& effects) {
  const std::uint32_t generation = observed_->ask(topic);
  // The value of one topic comes with the Lookup.
  const auto retained = observed_->topic(topic).is_filter ? model::RetainHandling::kAlways
                                                          : model::RetainHandling::kNever;
  effects.push(session::Subscribe{
      .filter = observed_->topic(topic).name,
      .options = {.guarantee_max = model::Guarantee::kAtMostOnce, .retain_handling = retained},
      .ticket = make_ticket(Asked::kSubscribe, topic, generation)});
}

void ServerSession::on_subscribe_answer(TopicId topic, const session::Answer& answer, Instant now,
                                        session::Effects& effects) {
  const bool granted = answer.reason == model::Reason::kOk;
  ObservedTopic& observed = observed_->topic(topic);
  observed.interest = granted ? ObservedTopic::Interest::kGranted : ObservedTopic::Interest::kNone;
  if (!granted) {
    for_each_awaiting(Awaits::kSubscribe, [&](Exchange&, TopicRequest& record) {
      if (record.observed_topic == topic) record.refused = answer.reason;
    });
    for (std::uint32_t left = observed.observers; left > 0; --left) {
      drop(observed_->topic(topic).first, now, effects);
    }
  }
  for_each_awaiting(Awaits::kSubscribe, [&](Exchange& exchange, TopicRequest& record) {
    if (record.observed_topic == topic) go_on_observing(exchange, record, now, effects);
  });
}

// A declared topic has so many observers as it says: whoever begins to observe it takes a seat
// first, and looks the value up once more then. True when there is nothing to wait for.
bool ServerSession::take_seat(TopicRequest& record, const model::TopicProperties* declared,
                              session::Effects& effects) {
  record.declared = declared != nullptr;
  if (declared == nullptr || record.observer == 0) return true;
  const TopicId id = (*observed_)[record.observer].topic;
  ObservedTopic& observed = observed_->topic(id);
  if (observed.seat == ObservedTopic::Seat::kTaken) {
    set_check(id, *declared);
    return true;
  }
  record.awaits = Awaits::kWatch;
  record.observed_topic = id;
  if (observed.seat == ObservedTopic::Seat::kNone) {
    observed.seat = ObservedTopic::Seat::kAsked;
    effects.push(session::Watch{.ticket = make_ticket(Asked::kWatch, id, observed.generation),
                                .topic = observed.name});
  }
  return false;
}

void ServerSession::on_watch_answer(TopicId topic, const session::Answer& answer, Instant now,
                                    session::Effects& effects) {
  ObservedTopic& observed = observed_->topic(topic);
  const bool was_taken = observed.seat == ObservedTopic::Seat::kTaken;
  if (answer.reason == model::Reason::kOk) {
    observed.seat = ObservedTopic::Seat::kTaken;
    if (answer.declared != nullptr) set_check(topic, *answer.declared);
  } else {
    observed.seat = ObservedTopic::Seat::kNone;
  }
  // pub-sub draft §2.5.3, §2.5.5: who has lost his seat, or his topic, hears 4.04
  if (was_taken && answer.reason != model::Reason::kOk) {
    return end_all(topic, code::kNotFound, now, effects);
  }
  for_each_awaiting(Awaits::kWatch, [&](Exchange& exchange, TopicRequest& record) {
    if (record.observed_topic != topic) return;
    record.awaits = Awaits::kNothing;
    if (answer.reason == model::Reason::kQuotaExceeded && record.observer != 0) {
      drop(record.observer, now, effects);  // RFC 7641 §4.1: a response without Observe
    }
    ask_value(exchange, record, effects);
  });
}

void ServerSession::set_check(TopicId topic, const model::TopicProperties& declared) {
  for (ObserverId id = observed_->topic(topic).first; id != 0;
       id = (*observed_)[id].next_of_topic) {
    endpoint_.set_confirm_every(id, declared.observer_check_s.value_or(0));
  }
}

void ServerSession::end_all(TopicId topic, Code code, Instant now, session::Effects& effects) {
  while (observed_->has(topic) && observed_->topic(topic).first != 0) {
    end(observed_->topic(topic).first, code, now, effects);
  }
}

void ServerSession::on_unsubscribe_answer(TopicId topic) {
  if (!observed_ || !observed_->has(topic)) return;
  ObservedTopic& observed = observed_->topic(topic);
  if (observed.unsubscribes_pending > 0) --observed.unsubscribes_pending;
  observed_->release(topic);
}

// Whether the observation that is being renewed has a newer value: a notification was faster than
// the answer of another shard.
bool ServerSession::is_overtaken(const TopicRequest& record, std::uint64_t version) {
  if (record.observer == 0) return false;
  const Observer& observer = endpoint_.observer(record.observer);
  return observer.state == Observer::State::kActive && observer.value.version > version;
}

// The registration's response is out.
void ServerSession::begin_notifying(ObserverId id, const Response& response, Instant now,
                                    session::Effects& effects) {
  if (!observed_->holds(id)) return;  // it could not be told
  Observation& observation = (*observed_)[id];
  if (observation.ending) return end(id, *observation.ending, now, effects);
  observation.newest = std::max(observation.newest, response.version);
  if (response.content.format) observation.format = response.content.format;
}

// The observer observes nothing any more, whatever becomes of it.
void ServerSession::unobserve(ObserverId id, Instant now, session::Effects& effects) {
  endpoint_.exchanges().for_each_open([&](Exchange& exchange) {
    if (!requests_.holds(exchange.index)) return;
    TopicRequest& record = requests_[exchange.index];
    if (record.observer != id) return;
    record.observer = 0;
    // The topic may go with its last observer, and then nobody is told of the grant or the seat.
    if (record.awaits == Awaits::kSubscribe || record.awaits == Awaits::kWatch) {
      go_on_observing(exchange, record, now, effects);
    }
  });
  const TopicId topic = (*observed_)[id].topic;
  observed_->remove(id);
  ObservedTopic& observed = observed_->topic(topic);
  if (observed.observers == 0 && observed.interest != ObservedTopic::Interest::kNone) {
    // First this: the answer to Unsubscribe may end the name that it borrows.
    if (observed.seat != ObservedTopic::Seat::kNone) {
      observed.seat = ObservedTopic::Seat::kNone;
      effects.push(session::Unwatch{.topic = observed.name});
    }
    effects.push(session::Unsubscribe{.filter = observed.name,
                                      .ticket = make_ticket(Asked::kUnsubscribe, topic, 0)});
    observed.interest = ObservedTopic::Interest::kNone;
    ++observed.unsubscribes_pending;
  }
  observed_->release(topic);
  idle_due_ = std::min(idle_due_, now + settings_.idle);
}

void ServerSession::drop(ObserverId id, Instant now, session::Effects& effects) {
  endpoint_.remove_observer(id);
  unobserve(id, now, effects);
}

void ServerSession::on_observer_gone(ObserverId id, Instant now, session::Effects& effects) {
  unobserve(id, now, effects);
}

void ServerSession::end(ObserverId id, Code code, Instant now, session::Effects& effects) {
  endpoint_.end_observer(id, code, now, effects);
  unobserve(id, now, effects);
}

void ServerSession::on_deliveries(const model::DeliveryBatch& batch, Instant now,
                                  session::Effects& effects) {
  if (!observed_) return;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const std::string_view name = batch.items[i].message->destination.address;
    observed_->for_each_match(name, [&](TopicId topic) { deliver(topic, batch, i, now, effects); });
  }
}

void ServerSession::deliver(TopicId topic, const model::DeliveryBatch& batch, std::size_t index,
                            Instant now, session::Effects& effects) {
  const model::Message& message = *batch.items[index].message;
  const ObservedTopic& observed = observed_->topic(topic);
  // Before the grant, letters of other shards may still bring what the lookup is going to surpass.
  if (observed.interest != ObservedTopic::Interest::kGranted && !observed.is_filter) return;
  bool cut = false;  // some observer gets the first block alone
  ObserverId next = observed.first;
  while (next != 0) {
    const ObserverId id = next;
    const Observation& observation = (*observed_)[id];
    next = observation.next_of_topic;
    ObservedValue value;
    std::string location;
    if (observed.is_filter) {
      if (!take_any_value(id, message, value, now)) continue;
      location = fmt::format("{}{}", kDataPath, message.destination.address);
      value.location = location;
      endpoint_.offer(id, value, {}, now, effects);
    } else {
      if (!take_value(id, message, value, now, effects)) continue;
      const Bytes shared = observation.accept ? Bytes{} : encode_shared(batch, index, now);
      endpoint_.offer(id, value, shared, now, effects);
    }
    cut = cut || is_cut(endpoint_.observer(id), message.payload);
  }
  if (!observed_->has(topic)) return;
  if (cut && !message.retain) {
    observed_->keep_live(topic, message, now + settings_.transmission.exchange_lifetime());
  } else if (observed_->topic(topic).live) {
    observed_->forget_live(topic);
  }
}

// For who observes all topics that match: no value ends that. One that does not suit him is not
// told; one that was cleared is told empty.
bool ServerSession::take_any_value(ObserverId id, const model::Message& message,
                                   ObservedValue& value, Instant now) {
  const auto fitting = represent(message, (*observed_)[id].accept, now);
  if (!fitting) return false;
  value = observed_value(message, *fitting);
  return true;
}

// False when there is nothing to tell: this message ends the observation, or it was overtaken by a
// newer value on another shard's way.
bool ServerSession::take_value(ObserverId id, const model::Message& message, ObservedValue& value,
                               Instant now, session::Effects& effects) {
  Observation& observation = (*observed_)[id];
  if (message.version != 0) {
    if (message.version <= observation.newest) return false;
    observation.newest = message.version;
  }
  std::optional<Code> ending;
  const auto fitting = represent(message, observation.accept, now);
  if (is_cleared(message)) {
    ending = code::kNotFound;  // RFC 7641 §3.2
  } else if (!fitting ||
             (observation.format && fitting->format && observation.format != fitting->format)) {
    // RFC 7641 §4.2: the format of the first notification that named one, to the end. A value that
    // names none does not contradict it.
    ending = code::kNotAcceptable;
  }
  const bool registering = endpoint_.observer(id).state == Observer::State::kRegistering;
  if (registering) observation.ending = ending;
  if (ending) {
    if (!registering) end(id, *ending, now, effects);
    return false;
  }
  if (fitting->format) observation.format = fitting->format;
  value = observed_value(message, *fitting);
  return true;
}

// Options and payload of the notification of one delivery, encoded by the first session that needs
// them; empty when it has to be encoded alone.
Bytes ServerSession::encode_shared(const model::DeliveryBatch& batch, std::size_t index,
                                   Instant now) const {
  if (batch.slots == nullptr) return {};
  const std::uint32_t key = notification_key(settings_);
  const model::EncodeSlots::Slot* slot = batch.slots->find(key);
  if (slot == nullptr) {
    model::EncodeSlots::Slot& fresh = batch.slots->make(key);
    for (const model::Delivery& delivery : batch.items) {
      fresh.offsets.push_back(static_cast<std::uint32_t>(fresh.bytes.size()));
      const auto fitting = represent(*delivery.message, std::nullopt, now);
      if (!fitting) continue;
      ServerEndpoint::write_notification(observed_value(*delivery.message, *fitting), settings_,
                                         now, fresh.bytes);
    }
    slot = &fresh;
  }
  const std::size_t begin = slot->offsets[index];
  const std::size_t end =
      index + 1 < slot->offsets.size() ? slot->offsets[index + 1] : slot->bytes.size();
  return Bytes{slot->bytes}.subspan(begin, end - begin);
}

}  // namespace hermod::coap
