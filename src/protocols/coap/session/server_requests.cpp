// SPDX-License-Identifier: Apache-2.0
// Requests on the broker's resources: from options to effects, and from answers to responses.
#include <algorithm>

#include "hermod/coap/session/server_session.hpp"
#include "tickets.hpp"

namespace hermod::coap {
namespace {

// Each failure means that somebody else has published in between.
constexpr std::uint8_t kReplaceAttemptsMax = 16;

// RFC 7252 §5.10.8.
bool holds(const TopicRequest& record, const model::Message* value) {
  if (record.if_none_match && value != nullptr) return false;
  if (record.if_match.empty()) return true;
  if (value == nullptr) return false;
  const EntityTag tag = entity_tag(*value);
  return std::ranges::any_of(
      record.if_match, [&tag](const EntityTag& wanted) { return wanted.empty() || wanted == tag; });
}

// Copies what the query said: it is borrowed from a datagram.
void keep_user_properties(const PublishParameters& parameters, TopicRequest& record) {
  record.user_texts.clear();
  record.user.clear();
  for (const model::UserProperty& property : parameters.user) {
    record.user_texts.emplace_back(property.name);
    record.user_texts.emplace_back(std::get<std::string_view>(property.value));
  }
  for (std::size_t i = 0; i < record.user_texts.size(); i += 2) {
    record.user.push_back(
        {.name = record.user_texts[i], .value = std::string_view{record.user_texts[i + 1]}});
  }
}

}  // namespace

void ServerSession::on_request(const Request& request, Instant now, session::Effects& effects) {
  TopicRequest& record = requests_.begin(request.exchange.index);
  const Target target =
      read_target(request.options.path, limits_.topic_levels_max, record.topic, settings_.aliases);
  record.is_alias = target.is_alias;
  record.is_filter = target.is_filter;
  if (target.refusal) {
    return endpoint_.respond(
        request.exchange, refusal(target.refusal->code, target.refusal->diagnostic), now, effects);
  }
  const bool is_list =
      target.resource == Resource::kDiscovery || target.resource == Resource::kCollection;
  if (settings_.by_multicast && !is_list) {  // asked of a group, this is nobody's business
    return refuse(request, code::kNotFound, now, effects);
  }
  switch (target.resource) {
    case Resource::kNone:
      return refuse(request, code::kNotFound, now, effects);
    case Resource::kDiscovery:
    case Resource::kCollection:
      return serve_links(request, target.resource, now, effects);
    case Resource::kTopic:
      return serve_topic(request, now, effects);
    case Resource::kConfiguration:
      return serve_configuration(request, now, effects);
  }
}

void ServerSession::refuse(const Request& request, Code code, Instant now,
                           session::Effects& effects, std::string_view diagnostic) {
  endpoint_.respond(request.exchange, refusal(code, diagnostic), now, effects);
}

void ServerSession::serve_topic(const Request& request, Instant now, session::Effects& effects) {
  TopicRequest& record = requests_[request.exchange.index];
  const Code method = request.exchange.method;
  if (method == code::kGet) {
    if (!request.options.query.empty() && !record.is_alias) {
      return endpoint_.respond(
          request.exchange, refusal(code::kBadRequest, "no query is defined here"), now, effects);
    }
    return record.is_filter ? observe_filter(request, record, now, effects)
                            : start_get(request, record, now, effects);
  }
  if (record.is_filter) {
    return endpoint_.respond(
        request.exchange, refusal(code::kMethodNotAllowed, "wildcards are observed"), now, effects);
  }
  if (method == code::kPut || method == code::kPost || method == code::kDelete) {
    return start_publish(request, record, now, effects);
  }
  endpoint_.respond(request.exchange, refusal(code::kMethodNotAllowed), now, effects);
}

void ServerSession::start_get(const Request& request, TopicRequest& record, Instant now,
                              session::Effects& effects) {
  const RequestOptions& options = request.options;
  record.accept = options.accept;
  for (const Bytes tag : options.etags) record.etags.emplace_back(tag);
  // RFC 7959 §2.6, §3.4: blocks behind the first are fetched without observing
  record.goes_on = options.block2 && options.block2->number > 0;
  if (options.observe == kObserveRegister && !record.goes_on) {
    record.observer = start_observing(request.exchange, record, now, effects);
  } else if (options.observe == kObserveDeregister) {  // RFC 7641 §4.1
    const ObserverId id = endpoint_.find_observer(request.exchange.token);
    if (id != 0) drop(id, now, effects);
  }
  if (record.awaits == Awaits::kNothing) ask_value(request.exchange, record, effects);
}

// All topics that match: each value is a notification that names its topic, and there is nothing to
// read.
void ServerSession::observe_filter(const Request& request, TopicRequest& record, Instant now,
                                   session::Effects& effects) {
  record.accept = request.options.accept;
  if (request.options.observe == kObserveDeregister) {
    const ObserverId id = endpoint_.find_observer(request.exchange.token);
    if (id != 0) drop(id, now, effects);
    return endpoint_.respond(request.exchange, {.code = code::kContent}, now, effects);
  }
  if (request.options.observe != kObserveRegister) {
    return endpoint_.respond(request.exchange,
                             refusal(code::kBadRequest, "wildcards are observed, not read"), now,
                             effects);
  }
  record.observer = start_observing(request.exchange, record, now, effects);
  if (record.observer == 0) {  // RFC 7641 §4.1 would have this be a GET
    endpoint_.respond(request.exchange, refusal(code::kServiceUnavailable), now, effects);
  }
}

void ServerSession::finish_filter(Exchange& exchange, TopicRequest& record, Instant now,
                                  session::Effects& effects) {
  if (record.refused != model::Reason::kOk || record.observer == 0) {
    const Code code =
        record.refused == model::Reason::kOk ? code::kServiceUnavailable : to_code(record.refused);
    return endpoint_.respond(exchange, refusal(code), now, effects);
  }
  const ObserverId observer = record.observer;
  const Response response{.code = code::kContent,
                          .content = {.max_age_s = settings_.observe_max_age_s},
                          .observer = observer};
  endpoint_.respond(exchange, response, now, effects);
  begin_notifying(observer, response, now, effects);
}

void ServerSession::ask_value(const Exchange& exchange, TopicRequest& record,
                              session::Effects& effects) {
  record.awaits = Awaits::kLookup;
  record.kept_version =
      record.observer == 0 ? 0 : endpoint_.observer(record.observer).value.version;
  effects.push(session::Lookup{record.topic,
                               make_ticket(Asked::kLookup, exchange.index, exchange.generation)});
}

// Reads what is to be published. Whether a PUT creates it, 2.01 or 2.04 (RFC 7252 §5.8.3), and
// whether the conditions hold is seen by the value that is there.
void ServerSession::start_publish(const Request& request, TopicRequest& record, Instant now,
                                  session::Effects& effects) {
  const RequestOptions& options = request.options;
  const Code method = request.exchange.method;
  const PublishParameters parameters = read_parameters(options.query, record.is_alias);
  record.retain = parameters.retain.value_or(method != code::kPost);
  std::optional<Refusal> refused = parameters.refusal;
  if (method == code::kDelete && !options.query.empty() && !record.is_alias) {
    refused = {code::kBadRequest, "no query is defined here"};
  } else if (method != code::kDelete && record.retain && request.payload.empty()) {
    // In the hub an empty retained message clears the value [MQTT-3.3.1-10].
    refused = {code::kBadRequest, "a value is not empty; DELETE removes it"};
  }
  if (refused) {
    return endpoint_.respond(request.exchange, refusal(refused->code, refused->diagnostic), now,
                             effects);
  }
  record.guarantee = parameters.guarantee.value_or(to_guarantee(request.exchange.type));
  record.expiry_s = parameters.expiry_s ? parameters.expiry_s : options.max_age_s;
  for (const Bytes tag : options.if_match) record.if_match.emplace_back(tag);
  record.if_none_match = options.if_none_match;
  record.content_type.reset();
  if (options.content_format) record.content_type.emplace(*options.content_format);
  keep_user_properties(parameters, record);
  record.payload.assign(request.payload.begin(), request.payload.end());
  ask_value(request.exchange, record, effects);
}

// Whether what is to be published suits the topic as it is.
bool ServerSession::fits_topic(Exchange& exchange, TopicRequest& record,
                               const session::Answer& answer, Instant now,
                               session::Effects& effects) {
  if (!holds(record, answer.value)) {
    endpoint_.respond(exchange, refusal(code::kPreconditionFailed), now, effects);
    return false;
  }
  record.seen_version = answer.value == nullptr ? 0 : answer.value->version;
  if (answer.declared == nullptr || answer.declared->content_type.empty() ||
      exchange.method == code::kDelete) {
    return true;
  }
  const auto format = format_of(answer.declared->content_type);
  if (!record.content_type && format) record.content_type.emplace(*format);
  if (record.content_type && record.content_type->text() == answer.declared->content_type) {
    return true;
  }
  // pub-sub draft §3.2.1
  endpoint_.respond(exchange,
                    refusal(code::kUnsupportedContentFormat, "the topic has another format"), now,
                    effects);
  return false;
}

void ServerSession::publish(Exchange& exchange, TopicRequest& record, session::Effects& effects) {
  IncomingValue incoming{.topic = record.topic, .guarantee = record.guarantee};
  if (exchange.method != code::kDelete) {
    incoming.payload = record.payload;
    incoming.retain = record.retain;
    incoming.max_age_s = record.expiry_s;
    incoming.user = record.user;
    if (record.content_type) incoming.content_type = record.content_type->text();
  }
  record.awaits = Awaits::kPublish;
  record.message = to_message(incoming, exchange.received, record.properties);
  const session::Ticket ticket = make_ticket(Asked::kPublish, exchange.index, exchange.generation);
  if (record.if_match.empty() && !record.if_none_match) {
    effects.publish(record.message, ticket);
  } else {
    effects.push(session::Replace{&record.message, record.seen_version, ticket});
  }
}

void ServerSession::on_publish_answer(Exchange& exchange, const session::Answer& answer,
                                      Instant now, session::Effects& effects) {
  TopicRequest& record = requests_[exchange.index];
  record.refused = answer.reason;
  // The value that was seen has been replaced meanwhile: the conditions may hold for that one too.
  if (answer.reason == model::Reason::kOutdated && ++record.attempts < kReplaceAttemptsMax) {
    return ask_value(exchange, record, effects);
  }
  finish_publish(exchange, record, now, effects);
}

void ServerSession::on_attach_answer(const session::Answer& answer, Instant now,
                                     session::Effects& effects) {
  const bool attached = answer.reason == model::Reason::kOk;
  attachment_ = attached ? Attachment::kAttached : Attachment::kNone;
  for_each_awaiting(Awaits::kAttach, [&](Exchange& exchange, TopicRequest& record) {
    if (attached && record.observer != 0) {
      const TopicId topic = (*observed_)[record.observer].topic;
      if (observed_->topic(topic).interest == ObservedTopic::Interest::kNone) {
        subscribe(topic, effects);
      }
      record.observed_topic = topic;
      record.awaits = Awaits::kSubscribe;
      return;
    }
    if (!attached && record.observer != 0) {
      drop(record.observer, now, effects);
      record.refused = answer.reason;
    }
    go_on_observing(exchange, record, now, effects);
  });
}

// The subscription is there, or refused.
void ServerSession::go_on_observing(Exchange& exchange, TopicRequest& record, Instant now,
                                    session::Effects& effects) {
  if (record.is_filter) return finish_filter(exchange, record, now, effects);
  ask_value(exchange, record, effects);
}

void ServerSession::on_lookup_answer(Exchange& exchange, const session::Answer& answer, Instant now,
                                     session::Effects& effects) {
  TopicRequest& record = requests_[exchange.index];
  record.looked_up = answer.reason;
  if (record.resource == Resource::kConfiguration) {
    return on_configuration_lookup(exchange, answer, now, effects);
  }
  if (exchange.method != code::kGet) {
    if (fits_topic(exchange, record, answer, now, effects)) publish(exchange, record, effects);
    return;
  }
  if (!take_seat(record, answer.declared, effects)) return;
  // A value came meanwhile. Where it is kept it has come too, or it was deleted: to be asked again.
  if (answer.value == nullptr && is_overtaken(record, record.kept_version)) {
    return ask_value(exchange, record, effects);
  }
  const model::Message* live = record.goes_on ? live_message(record.topic) : nullptr;
  finish_get(exchange, record, live != nullptr ? live : answer.value, now, effects);
}

// What the peer has been notified of last, where that is nobody else's value of the topic.
const model::Message* ServerSession::live_message(std::string_view name) {
  const model::Message* live = nullptr;
  if (!observed_) return live;
  observed_->for_each_match(name, [&](TopicId topic) {
    const model::MessageRef& kept = observed_->topic(topic).live;
    if (kept && kept->destination.address == name) live = &*kept;
  });
  return live;
}

void ServerSession::finish_publish(Exchange& exchange, TopicRequest& record, Instant now,
                                   session::Effects& effects) {
  if (record.initialize && to_code(record.refused) == code::kChanged) {
    return show_topic(exchange, code::kCreated, &record.properties_wanted, kAllProperties, now,
                      effects);
  }
  Code code = to_code(record.refused);
  if (code == code::kChanged && exchange.method == code::kDelete) {
    code = code::kDeleted;
  } else if (code == code::kChanged && record.retain &&
             record.looked_up == model::Reason::kNotFound) {
    code = code::kCreated;
  }
  endpoint_.respond(exchange, {.code = code}, now, effects);
}

void ServerSession::finish_get(Exchange& exchange, TopicRequest& record,
                               const model::Message* value, Instant now,
                               session::Effects& effects) {
  const auto refuse_with = [&](Code code) {
    if (record.observer != 0) drop(record.observer, now, effects);
    endpoint_.respond(exchange, refusal(code), now, effects);
  };
  using enum model::Reason;
  if (record.refused == kNotAuthorized || record.refused == kBadCredentials) {
    return refuse_with(to_code(record.refused));
  }
  if (record.looked_up != kOk && record.looked_up != kNotFound) {
    return refuse_with(to_code(record.looked_up));
  }
  Response response{.code = code::kContent, .observer = record.observer};
  Representation& content = response.content;
  if (value != nullptr && is_overtaken(record, value->version)) {
    const KeptValue& kept = endpoint_.observer(record.observer).value;
    if (kept.payload.size() < kept.size) return ask_value(exchange, record, effects);
    content = {.etag = kept.etag,
               .format = kept.format,
               .max_age_s = max_age(kept.expires_at, now),
               .payload = kept.payload};
    response.version = kept.version;
    response.expires_at = kept.expires_at;
  } else if (value != nullptr) {
    const auto fitting = represent(*value, record.accept, now);
    if (!fitting) return refuse_with(code::kNotAcceptable);
    content = *fitting;
    response.version = value->version;
    response.expires_at = value->expires_at;
  } else if (record.observer == 0 || record.declared) {
    // an observed topic needs no value, but one that was declared (pub-sub draft §3.1)
    return refuse_with(code::kNotFound);
  }
  if (record.observer != 0 && !content.max_age_s) content.max_age_s = settings_.observe_max_age_s;
  if (!content.etag.empty() &&
      std::ranges::find(record.etags, content.etag) != record.etags.end()) {
    response.code = code::kValid;  // RFC 7252 §5.9.1.3, §5.10.6.2
  }
  const ObserverId observer = record.observer;
  endpoint_.respond(exchange, response, now, effects);
  if (observer != 0) begin_notifying(observer, response, now, effects);
}

}  // namespace hermod::coap
