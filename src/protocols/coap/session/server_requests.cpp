// SPDX-License-Identifier: Apache-2.0
// Requests of a server session: from options to effects, and from answers to responses.
//
//   GET              Lookup                         2.05, 2.03, 4.04, 4.06
//   GET, Observe 0   Attach -> Subscribe -> Lookup  2.05 with Observe, also without a value
//   PUT              Lookup -> Publish (retained)   2.01, 2.04
//   DELETE           Lookup -> Publish (empty)      2.02
//
// An arrow is an answer that is awaited. An observer's value is looked up once its subscription is
// known everywhere: what is published before that is in the response, what comes after is
// delivered. A PUT looks whether the value is new before it publishes; a DELETE goes the same way,
// so that it does not overtake a PUT.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "hermod/coap/session/server_session.hpp"
#include "response.hpp"
#include "tickets.hpp"

namespace hermod::coap {
namespace {

bool is_known_method(Code code) {
  return code == code::kGet || code == code::kPost || code == code::kPut || code == code::kDelete;
}

bool serves(Resource resource, Code method) {
  if (method == code::kGet) return true;
  return resource == Resource::kTopic && (method == code::kPut || method == code::kDelete);
}

}  // namespace

void ServerSession::on_request(const MessageView& message, Bytes datagram, Instant now,
                               session::Effects& effects) {
  const Exchange exchange{
      .type = message.type, .message_id = message.message_id, .token = Token{message.token}};
  const std::uint64_t fingerprint = Deduplicator::fingerprint(datagram);
  if (answer_seen(exchange, fingerprint, now, effects)) return;
  Request* request = requests_.take(settings_.requests_max);
  if (request == nullptr) {
    respond(exchange, {.code = code::kServiceUnavailable}, now, effects);
    return;
  }
  const RequestView view = read_request(message, limits_.topic_levels_max, request->topic);
  if (refuse(message, view, exchange, now, effects)) {
    requests_.give(*request);
    return;
  }
  if (view.resource != Resource::kTopic) {
    serve_links(view, exchange, now, effects);
    requests_.give(*request);
    return;
  }
  request->exchange = exchange;
  request->method = message.code;
  request->fingerprint = fingerprint;
  request->received = now;
  const TransmissionParameters& times = settings_.transmission;
  seen_.open(message.message_id, fingerprint, now,
             now + (message.type == Type::kCon ? times.exchange_lifetime() : times.non_lifetime()));
  if (message.type == Type::kCon) {
    acknowledge_due_ = std::min(acknowledge_due_, now + settings_.ack_delay);
  }
  if (message.code == code::kGet) {
    start_get(*request, view, now, effects);
  } else {
    start_publish(*request, message, view, effects);
  }
}

// RFC 7252 §4.5: a duplicate is answered like the original, or, Non-confirmable, not at all.
bool ServerSession::answer_seen(const Exchange& exchange, std::uint64_t fingerprint, Instant now,
                                session::Effects& effects) {
  const Deduplicator::Seen seen = seen_.look_up(exchange.message_id, fingerprint, now);
  if (seen.verdict == Deduplicator::Verdict::kNew) return false;
  if (exchange.type != Type::kCon) return true;
  if (seen.verdict == Deduplicator::Verdict::kAnswered) {
    respond(exchange, {.code = seen.code}, now, effects);
  } else if (seen.verdict == Deduplicator::Verdict::kAcknowledged) {  // RFC 7252 §5.2.2
    std::array<std::uint8_t, kHeaderSize> empty{};
    (void)write_head(empty.data(), Type::kAck, code::kEmpty, exchange.message_id, {});
    transmit(effects.datagrams(), empty);
  }
  return true;
}

bool ServerSession::refuse(const MessageView& message, const RequestView& view,
                           const Exchange& exchange, Instant now, session::Effects& effects) {
  std::array<char, 40> words{};
  Reply reply;
  if (view.bad_option) {
    if (message.type == Type::kNon) {  // RFC 7252 §5.4.1
      reject(Type::kNon, message.message_id, effects);
      return true;
    }
    const auto written =
        fmt::format_to_n(words.data(), words.size(), "option {} is not supported here",
                         static_cast<unsigned>(*view.bad_option));
    reply = {.code = code::kBadOption, .diagnostic = {words.data(), written.size}};
  } else if (!is_known_method(message.code)) {  // RFC 7252 §5.8
    reply = {.code = code::kMethodNotAllowed};
  } else if (view.refusal) {
    reply = {.code = view.refusal->code, .diagnostic = view.refusal->diagnostic};
  } else if (view.resource == Resource::kNone) {
    reply = {.code = code::kNotFound};
  } else if (!serves(view.resource, message.code)) {
    reply = {.code = code::kMethodNotAllowed};
  } else if (message.code == code::kPut && message.payload.empty()) {
    // In the hub an empty retained message clears the value [MQTT-3.3.1-10].
    reply = {.code = code::kBadRequest, .diagnostic = "a value is not empty; DELETE removes it"};
  } else if (message.payload.size() > limits_.packet_bytes_max) {  // RFC 7252 §5.9.2.9
    reply = {.code = code::kRequestEntityTooLarge, .size1 = limits_.packet_bytes_max};
  } else {
    return false;
  }
  respond(exchange, reply, now, effects);
  return true;
}

void ServerSession::serve_links(const RequestView& view, const Exchange& exchange, Instant now,
                                session::Effects& effects) {
  if (view.accept && *view.accept != ContentFormat::kLinkFormat) {
    respond(exchange, {.code = code::kNotAcceptable}, now, effects);
    return;
  }
  const std::string_view links =
      view.resource == Resource::kDiscovery ? kDiscoveryLinks : kCollectionLinks;
  const Representation representation{.format = ContentFormat::kLinkFormat,
                                      .payload = as_bytes(links)};
  respond(exchange, {.code = code::kContent, .representation = &representation}, now, effects);
}

void ServerSession::start_get(Request& request, const RequestView& view, Instant now,
                              session::Effects& effects) {
  request.accept = view.accept;
  for (std::size_t i = 0; i < view.etags.size(); ++i) {
    request.etags[i] = EntityTag{view.etags[i]};
  }
  if (view.observe == kObserveRegister) {
    request.observation = start_observing(request, now, effects);
  } else if (view.observe == kObserveDeregister && observations_) {  // RFC 7641 §4.1
    const ObservationId id = observations_->find(request.exchange.token);
    if (id != 0) drop(id, now, effects);
  }
  if (request.awaits == Request::kNothing) ask_value(request, effects);
}

void ServerSession::ask_value(Request& request, session::Effects& effects) {
  request.awaits = Request::kLookup;
  request.kept_version =
      request.observation == 0 ? 0 : observations()[request.observation].value.version;
  effects.push(session::Lookup{request.topic,
                               make_ticket(Asked::kLookup, request.index, request.generation)});
}

void ServerSession::start_publish(Request& request, const MessageView& message,
                                  const RequestView& view, session::Effects& effects) {
  if (message.code == code::kPut) {
    request.payload.assign(message.payload.begin(), message.payload.end());
    request.max_age_s = view.max_age_s;
    request.content_type.reset();
    if (view.content_format) request.content_type.emplace(*view.content_format);
  }
  ask_value(request, effects);  // whether a PUT creates it: 2.01 or 2.04 (RFC 7252 §5.8.3)
}

void ServerSession::publish(Request& request, session::Effects& effects) {
  IncomingValue value{.topic = request.topic, .type = request.exchange.type};
  if (request.method == code::kPut) {
    value.payload = request.payload;
    value.max_age_s = request.max_age_s;
    if (request.content_type) value.content_type = request.content_type->text();
  }
  request.awaits = Request::kPublish;
  effects.publish(to_message(value, request.received, request.properties),
                  make_ticket(Asked::kPublish, request.index, request.generation));
}

void ServerSession::on_answers(std::span<const session::Answer> answers, Instant now,
                               session::Effects& effects) {
  for (const session::Answer& answer : answers) {
    const std::uint32_t index = index_of(answer.ticket);
    const std::uint32_t generation = generation_of(answer.ticket);
    switch (asked_of(answer.ticket)) {
      case Asked::kAttach:
        on_attach_answer(answer, now, effects);
        break;
      case Asked::kLookup:
        if (Request* request = requests_.find(index, generation)) {
          on_lookup_answer(*request, answer, now, effects);
        }
        break;
      case Asked::kPublish:
        if (Request* request = requests_.find(index, generation)) {
          request->refused = answer.reason;
          finish_publish(*request, now, effects);
          requests_.give(*request);
        }
        break;
      case Asked::kSubscribe:
        if (observations_ && observations_->current_topic(index, generation) != nullptr) {
          on_subscribe_answer(index, answer, now, effects);
        }
        break;
      case Asked::kUnsubscribe:
        on_unsubscribe_answer(index);
        break;
    }
  }
}

void ServerSession::on_attach_answer(const session::Answer& answer, Instant now,
                                     session::Effects& effects) {
  const bool attached = answer.reason == model::Reason::kOk;
  attachment_ = attached ? Attachment::kAttached : Attachment::kNone;
  requests_.for_each_open([&](Request& request) {
    if (request.awaits != Request::kAttach) return;
    if (attached && request.observation != 0) {
      const TopicId topic = observations()[request.observation].topic;
      if (observations().topic(topic).interest == ObservedTopic::Interest::kNone) {
        subscribe(topic, effects);
      }
      request.observed_topic = topic;
      request.awaits = Request::kSubscribe;
      return;
    }
    if (!attached && request.observation != 0) {
      drop(request.observation, now, effects);
      request.refused = answer.reason;
    }
    ask_value(request, effects);
  });
}

void ServerSession::on_lookup_answer(Request& request, const session::Answer& answer, Instant now,
                                     session::Effects& effects) {
  request.looked_up = answer.reason;
  if (request.method != code::kGet) return publish(request, effects);
  // A value came meanwhile. Where it is kept it has come too, or it was deleted: to be asked again.
  if (answer.value == nullptr && is_overtaken(request, request.kept_version)) {
    ask_value(request, effects);
    return;
  }
  finish_get(request, answer.value, now, effects);
  requests_.give(request);
}

void ServerSession::finish_publish(Request& request, Instant now, session::Effects& effects) {
  Code code = to_code(request.refused);
  if (code == code::kChanged && request.method == code::kDelete) code = code::kDeleted;
  if (code == code::kChanged && request.looked_up == model::Reason::kNotFound) {
    code = code::kCreated;
  }
  respond(request.exchange, {.code = code}, now, effects);
  seen_.answer(request.exchange.message_id, request.fingerprint, code);
}

void ServerSession::finish_get(Request& request, const model::Message* value, Instant now,
                               session::Effects& effects) {
  seen_.forget(request.exchange.message_id, request.fingerprint);
  const auto refuse_with = [&](Code code, std::string_view diagnostic = {}) {
    if (request.observation != 0) drop(request.observation, now, effects);
    respond(request.exchange, {.code = code, .diagnostic = diagnostic}, now, effects);
  };
  using enum model::Reason;
  if (request.refused == kNotAuthorized || request.refused == kBadCredentials) {
    return refuse_with(to_code(request.refused));
  }
  if (request.looked_up != kOk && request.looked_up != kNotFound) {
    return refuse_with(to_code(request.looked_up));
  }
  Representation representation;
  if (value != nullptr && is_overtaken(request, value->version)) {
    representation = kept(observations()[request.observation], now);
  } else if (value != nullptr) {
    const auto fitting = represent(*value, request.accept, now);
    if (!fitting) return refuse_with(code::kNotAcceptable);
    representation = *fitting;
  } else if (request.observation == 0) {  // an observed topic needs no value
    return refuse_with(code::kNotFound);
  }
  if (head_size(request.exchange.token.size()) + representation_size_max(representation) >
      settings_.datagram_bytes_max) {
    return refuse_with(code::kNotImplemented, "the value needs block-wise transfer");
  }
  Reply reply{.code = code::kContent, .representation = &representation};
  const ObservationId observation = request.observation;
  if (observation != 0) {
    if (!representation.max_age_s) representation.max_age_s = settings_.observe_max_age_s;
    reply.observe = next_sequence(observations()[observation], now);
  }
  const Representation whole = representation;
  if (!representation.etag.empty() &&
      std::ranges::find(request.etags, representation.etag) != request.etags.end()) {
    reply.code = code::kValid;  // RFC 7252 §5.9.1.3, §5.10.6.2
    representation.format.reset();
    representation.payload = {};
  }
  const auto message_id = respond(request.exchange, reply, now, effects);
  if (observation == 0) return;
  if (message_id) observations()[observation].message_id = *message_id;
  activate(observation, whole, value, now, effects);
}

}  // namespace hermod::coap
