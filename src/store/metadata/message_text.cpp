// SPDX-License-Identifier: Apache-2.0
#include "message_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace hermod::store {
namespace {

namespace json = boost::json;
using model::Message;
using model::Properties;
using model::UserProperty;

constexpr std::array<std::string_view, 3> kKinds{"topic", "exchange", "queue"};

// A floating-point number is written as a text, as JSON has no infinity and Boost.JSON does not
// read the last bit of each.
json::value json_value(const UserProperty::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    return json::object{{"text", json_octets(*text)}};
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return json::object{{"integer", *integer}};
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return json::object{{"number", fmt::format("{}", *number)}};
  }
  if (const auto* boolean = std::get_if<bool>(&value)) {
    return json::object{{"boolean", *boolean}};
  }
  return json::object{{"octets", json_octets(std::get<Bytes>(value))}};
}

double number_of(std::string_view text, Trouble& trouble) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || at != end) trouble.say("number", "must be a number as a text");
  return number;
}

UserProperty::Value value_of(const json::value& value, Trouble& trouble) {
  JsonMembers members(value, "value", trouble);
  const json::object* object = value.if_object();
  std::string_view type;
  if (object != nullptr && !object->empty()) type = object->begin()->key();
  UserProperty::Value read;
  if (type == "integer") {
    read = members.integer<std::int64_t>(type);
  } else if (type == "number") {
    read = number_of(members.text(type), trouble);
  } else if (type == "boolean") {
    read = members.boolean(type);
  } else if (type == "octets") {
    read = members.octets(type);
  } else {
    read = members.text("text");
  }
  members.finish();
  return read;
}

json::value json_properties(const Properties* is) {
  if (is == nullptr) return nullptr;
  json::array user;
  for (const UserProperty& property : is->user) {
    user.push_back(
        json::object{{"name", json_octets(property.name)}, {"value", json_value(property.value)}});
  }
  return json::object{{"content_type", json_octets(is->content_type)},
                      {"reply_to", json_octets(is->reply_to)},
                      {"correlation", json_octets(is->correlation)},
                      {"message_id", json_octets(is->message_id)},
                      {"etag", json_octets(is->etag)},
                      {"timestamp_ms", is->timestamp_ms},
                      {"priority", is->priority},
                      {"text", is->text},
                      {"user", std::move(user)}};
}

void read_properties(const json::value& value, Properties& properties,
                     std::vector<UserProperty>& user, Trouble& trouble) {
  JsonMembers members(value, "properties", trouble);
  properties.content_type = members.text("content_type");
  properties.reply_to = members.text("reply_to");
  properties.correlation = members.octets("correlation");
  properties.message_id = members.text("message_id");
  properties.etag = members.octets("etag");
  properties.timestamp_ms = members.integer<std::int64_t>("timestamp_ms");
  properties.priority = members.integer<std::uint8_t>("priority");
  properties.text = members.boolean("text");
  const json::array* list = members.take("user").if_array();
  members.finish();
  if (list == nullptr) return trouble.say("user", "must be an array");
  for (const json::value& each : *list) {
    JsonMembers property(each, "user", trouble);
    const std::string_view name = property.text("name");
    user.push_back({name, value_of(property.take("value"), trouble)});
    property.finish();
  }
  properties.user = user;
}

model::Destination::Kind kind_of(std::string_view text, Trouble& trouble) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (text == kKinds[i]) return static_cast<model::Destination::Kind>(i);
  }
  trouble.say("kind", "must be topic, exchange or queue");
  return model::Destination::Kind::kTopic;
}

}  // namespace

json::value json_message(const Message& message, const Calendar& calendar) {
  const model::Origin& origin = message.origin;
  return json::object{{"kind", kKinds[std::to_underlying(message.destination.kind)]},
                      {"address", json_octets(message.destination.address)},
                      {"routing_key", json_octets(message.destination.routing_key)},
                      {"payload", json_octets(message.payload)},
                      {"guarantee", std::to_underlying(message.guarantee)},
                      {"retain", message.retain},
                      {"origin",
                       {{"protocol", origin.protocol},
                        {"shard", origin.shard},
                        {"connection", origin.connection},
                        {"client", origin.client},
                        {"exchange", origin.exchange}}},
                      {"version", message.version},
                      {"expires_at_ms", json_time(message.expires_at, calendar)},
                      {"properties", json_properties(message.properties)}};
}

model::MessageRef message_of_json(const json::value& value, std::string_view name,
                                  const Calendar& calendar, Trouble& trouble) {
  Message message;
  Properties properties;
  std::vector<UserProperty> user;
  JsonMembers members(value, name, trouble);
  message.destination.kind = kind_of(members.text("kind"), trouble);
  message.destination.address = members.text("address");
  message.destination.routing_key = members.text("routing_key");
  message.payload = members.octets("payload");
  message.guarantee =
      static_cast<model::Guarantee>(members.integer<std::uint8_t>("guarantee", 0, 2));
  message.retain = members.boolean("retain");
  JsonMembers origin(members.take("origin"), "origin", trouble);
  message.origin.protocol = origin.integer<std::uint8_t>("protocol");
  message.origin.shard = origin.integer<std::uint16_t>("shard");
  message.origin.connection = origin.integer<std::uint32_t>("connection");
  message.origin.client = origin.integer<std::uint32_t>("client");
  message.origin.exchange = origin.integer<std::uint64_t>("exchange");
  origin.finish();
  message.version = members.integer<std::uint64_t>("version");
  message.expires_at = members.time("expires_at_ms", calendar);
  const json::value& carried = members.take("properties");
  if (!carried.is_null()) {
    read_properties(carried, properties, user, trouble);
    message.properties = &properties;
  }
  members.finish();
  return trouble ? model::MessageRef{} : message.own();
}

}  // namespace hermod::store
