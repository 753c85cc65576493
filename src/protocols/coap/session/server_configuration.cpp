// SPDX-License-Identifier: Apache-2.0
// Lists of topics, and topics' configurations: the collection and its topic resources of
// draft-ietf-core-coap-pubsub-21.
//
//   GET /.well-known/core, GET and FETCH /ps   List, page by page    2.05
//   POST /ps                                   Declare (-> Publish)  2.01
//   GET, FETCH /ps/conf/<topic>                Lookup                2.05, 4.04
//   POST, iPATCH                               Lookup -> Declare     2.04, 4.04
//   DELETE                                     Undeclare             2.02, 4.04
#include <utility>

#include "hermod/coap/session/server_session.hpp"
#include "hermod/coap/session/topic_convert.hpp"
#include "hermod/model/topic.hpp"
#include "tickets.hpp"

namespace hermod::coap {
namespace {

constexpr std::uint32_t kTopicsAtOnce = 128;

// Whether a body is in one of the formats that are read here; nothing said is taken as that.
bool reads(const RequestOptions& options, ContentFormat format) {
  return options.content_format.value_or(format) == format;
}

bool accepts(const RequestOptions& options, ContentFormat format) {
  return options.accept.value_or(format) == format;
}

std::string_view content_type_of(const model::Message* value) {
  return value == nullptr || value->properties == nullptr ? std::string_view{}
                                                          : value->properties->content_type;
}

}  // namespace

// --- lists ---

void ServerSession::serve_links(const Request& request, Resource resource, Instant now,
                                session::Effects& effects) {
  const Code method = request.exchange.method;
  const bool filters = resource == Resource::kCollection && method == code::kFetch;
  if (resource == Resource::kCollection && method == code::kPost) {
    return create_topic(request, now, effects);
  }
  if (method != code::kGet && !filters)
    return refuse(request, code::kMethodNotAllowed, now, effects);
  if (!accepts(request.options, ContentFormat::kLinkFormat)) {
    return refuse(request, code::kNotAcceptable, now, effects);
  }
  TopicRequest& record = requests_[request.exchange.index];
  record.links =
      std::make_unique<TopicLinks>(resource == Resource::kDiscovery ? TopicLinks::Kind::kDiscovery
                                                                    : TopicLinks::Kind::kCollection,
                                   request.options.query);
  if (const auto& refused = record.links->refusal()) {
    return refuse(request, refused->code, now, effects, refused->diagnostic);
  }
  if (filters) {
    if (!reads(request.options, ContentFormat::kPubSub)) {
      return refuse(request, code::kUnsupportedContentFormat, now, effects);
    }
    const auto wanted = read_properties(request.payload);
    if (!wanted) return refuse(request, code::kBadRequest, now, effects, wanted.error().reason);
    record.links->require(request.payload);
  }
  endpoint_.will_keep(request.exchange, request.message);
  ask_list(request.exchange, record, effects);
}

void ServerSession::ask_list(const Exchange& exchange, TopicRequest& record,
                             session::Effects& effects) {
  record.awaits = Awaits::kList;
  effects.push(
      session::List{.ticket = make_ticket(Asked::kList, exchange.index, exchange.generation),
                    .filter = "#",
                    .after = record.links->after,
                    .count_max = kTopicsAtOnce,
                    .selection = model::TopicSelection::kAny});
}

void ServerSession::on_list_answer(Exchange& exchange, const session::Answer& answer, Instant now,
                                   session::Effects& effects) {
  TopicRequest& record = requests_[exchange.index];
  if (answer.reason != model::Reason::kOk || answer.page == nullptr) {
    return endpoint_.respond(exchange, refusal(to_code(answer.reason)), now, effects);
  }
  TopicLinks& links = *record.links;
  const bool more = links.add(answer.page->topics) && !answer.page->next.empty();
  if (more) {
    links.after = answer.page->next;
    return ask_list(exchange, record, effects);
  }
  Response response{.code = code::kContent, .keep = true};
  response.content = {.format = ContentFormat::kLinkFormat, .payload = as_bytes(links.text())};
  endpoint_.respond(exchange, response, now, effects);
}

// --- a topic's configuration ---

void ServerSession::create_topic(const Request& request, Instant now, session::Effects& effects) {
  if (!reads(request.options, ContentFormat::kPubSub)) {
    return refuse(request, code::kUnsupportedContentFormat, now, effects);
  }
  const auto properties = read_properties(request.payload);
  if (!properties)
    return refuse(request, code::kBadRequest, now, effects, properties.error().reason);
  if (const auto wrong = check_new(*properties, limits_.topic_levels_max)) {
    return refuse(request, wrong->code, now, effects, wrong->diagnostic);
  }
  endpoint_.will_keep(request.exchange, request.message);
  TopicRequest& record = requests_[request.exchange.index];
  record.topic = *properties->topic_name;
  record.properties_wanted = to_topic_properties(*properties);
  record.initialize = properties->initialize.has_value() && !properties->initialize->empty();
  if (record.initialize) {
    const Bytes value = *properties->initialize;
    record.payload.assign(value.begin(), value.end());
    record.content_type.emplace(*properties->topic_content_format);
    record.guarantee = to_guarantee(request.exchange.type);
    record.retain = true;
    record.expiry_s.reset();
    record.user.clear();
  }
  record.awaits = Awaits::kDeclare;
  effects.push(session::Declare{
      .ticket = make_ticket(Asked::kDeclare, request.exchange.index, request.exchange.generation),
      .topic = record.topic,
      .properties = &record.properties_wanted,
      .mode = model::DeclareMode::kCreate});
}

void ServerSession::serve_configuration(const Request& request, Instant now,
                                        session::Effects& effects) {
  TopicRequest& record = requests_[request.exchange.index];
  const RequestOptions& options = request.options;
  const Code method = request.exchange.method;
  if (method == code::kDelete) {
    record.awaits = Awaits::kUndeclare;
    effects.push(session::Undeclare{.ticket = make_ticket(Asked::kUndeclare, request.exchange.index,
                                                          request.exchange.generation),
                                    .topic = record.topic});
    return;
  }
  if (method != code::kGet && method != code::kFetch && method != code::kPost &&
      method != code::kIPatch) {
    return refuse(request, code::kMethodNotAllowed, now, effects);
  }
  if (!accepts(options, ContentFormat::kPubSub)) {
    return refuse(request, code::kNotAcceptable, now, effects);
  }
  if (method == code::kFetch) {
    if (!reads(options, ContentFormat::kCbor)) {
      return refuse(request, code::kUnsupportedContentFormat, now, effects);
    }
    const auto keys = read_property_keys(request.payload);
    if (!keys) return refuse(request, code::kBadRequest, now, effects, keys.error().reason);
  } else if (method != code::kGet) {
    if (!reads(options, ContentFormat::kPubSub)) {
      return refuse(request, code::kUnsupportedContentFormat, now, effects);
    }
    const auto properties = read_properties(request.payload);
    if (!properties) {
      return refuse(request, code::kBadRequest, now, effects, properties.error().reason);
    }
  }
  endpoint_.will_keep(request.exchange, request.message);
  record.resource = Resource::kConfiguration;
  record.payload.assign(request.payload.begin(), request.payload.end());
  ask_value(request.exchange, record, effects);
}

void ServerSession::on_configuration_lookup(Exchange& exchange, const session::Answer& answer,
                                            Instant now, session::Effects& effects) {
  TopicRequest& record = requests_[exchange.index];
  using enum model::Reason;
  if (answer.reason != kOk && answer.reason != kNotFound) {
    return endpoint_.respond(exchange, refusal(to_code(answer.reason)), now, effects);
  }
  if (answer.declared == nullptr && answer.value == nullptr) {
    return endpoint_.respond(exchange, refusal(code::kNotFound), now, effects);
  }
  record.content_type_text = content_type_of(answer.value);
  if (exchange.method == code::kGet) {
    return show_topic(exchange, code::kContent, answer.declared, kAllProperties, now, effects);
  }
  if (exchange.method == code::kFetch) {
    return show_topic(exchange, code::kContent, answer.declared,
                      read_property_keys(record.payload).value_or(0), now, effects);
  }
  const PropertySet properties = read_properties(record.payload).value_or(PropertySet{});
  const model::TopicProperties undeclared;
  const model::TopicProperties& before = answer.declared == nullptr ? undeclared : *answer.declared;
  if (const auto wrong = check_change(properties, record.topic, before)) {
    return endpoint_.respond(exchange, refusal(wrong->code, wrong->diagnostic), now, effects);
  }
  record.properties_wanted = to_topic_properties(properties);
  record.properties_wanted.resource_type = before.resource_type;
  const bool replaces = exchange.method == code::kPost;
  record.awaits = Awaits::kDeclare;
  effects.push(
      session::Declare{.ticket = make_ticket(Asked::kDeclare, exchange.index, exchange.generation),
                       .topic = record.topic,
                       .properties = &record.properties_wanted,
                       .mode = replaces ? model::DeclareMode::kReplace : model::DeclareMode::kPatch,
                       .members = members_of(properties)});
}

void ServerSession::on_declare_answer(Exchange& exchange, const session::Answer& answer,
                                      Instant now, session::Effects& effects) {
  TopicRequest& record = requests_[exchange.index];
  if (answer.reason == model::Reason::kAlreadyExists) {
    return endpoint_.respond(exchange, refusal(code::kBadRequest, "the topic-name is in use"), now,
                             effects);
  }
  if (answer.reason != model::Reason::kOk) {
    return endpoint_.respond(exchange, refusal(to_code(answer.reason)), now, effects);
  }
  if (answer.declared != nullptr) record.properties_wanted = *answer.declared;
  if (record.resource == Resource::kConfiguration) {
    return show_topic(exchange, code::kChanged, &record.properties_wanted, kAllProperties, now,
                      effects);
  }
  if (record.initialize) return publish(exchange, record, effects);
  show_topic(exchange, code::kCreated, &record.properties_wanted, kAllProperties, now, effects);
}

void ServerSession::show_topic(Exchange& exchange, Code code,
                               const model::TopicProperties* declared, PropertyKeys keys,
                               Instant now, session::Effects& effects) {
  const TopicRequest& record = requests_[exchange.index];
  const std::string topic_data = topic_data_of(record.topic);
  std::vector<std::uint8_t> body;
  cbor::Writer writer(body);
  write_properties(
      writer, to_property_set(record.topic, topic_data, declared, record.content_type_text), keys);
  Response response{.code = code, .keep = exchange.method != code::kGet};
  response.content = {.format = ContentFormat::kPubSub, .payload = body};
  std::vector<std::string_view> location;
  if (code == code::kCreated) {
    location = {"ps", "conf"};
    model::Levels levels(record.topic);
    do {
      location.push_back(levels.next());
    } while (!levels.done());
    response.location_path = location;
  }
  endpoint_.respond(exchange, response, now, effects);
}

}  // namespace hermod::coap
