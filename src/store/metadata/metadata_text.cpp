// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/metadata_text.hpp"

#include <fmt/format.h>

#include <utility>

#include "hermod/store/metadata.hpp"
#include "json_members.hpp"
#include "message_text.hpp"

namespace hermod::store {
namespace {

namespace json = boost::json;

template <typename Number>
json::value json_optional(const std::optional<Number>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

std::string line(std::string_view name, json::value holds) {
  return json::serialize(json::object{{name, std::move(holds)}});
}

// --- writing ---

std::string line_of(const core::KeepSubscriber& is, const Calendar& calendar) {
  json::value will;
  if (is.will) {
    will = {{"message", json_message(*is.will->message, calendar)},
            {"delay_s", is.will->delay_s},
            {"expiry_s", json_optional(is.will->expiry_s)},
            {"due_ms", json_time(is.will->due, calendar)}};
  }
  return line("subscriber",
              json::object{{"queue", is.queue},
                           {"name", json_octets(std::string_view{is.name})},
                           {"group", is.group},
                           {"expiry_s", is.expiry_s},
                           {"expires_at_ms", json_time(is.expires_at, calendar)},
                           {"away", is.away},
                           {"user", is.user ? json_octets(std::string_view{*is.user}) : nullptr},
                           {"listener", json_octets(std::string_view{is.listener})},
                           {"will", std::move(will)}});
}

std::string line_of(const core::KeepSubscription& is, const Calendar&) {
  return line("subscription",
              json::object{{"queue", is.queue},
                           {"filter", json_octets(std::string_view{is.filter})},
                           {"guarantee_max", std::to_underlying(is.options.guarantee_max)},
                           {"retain_handling", std::to_underlying(is.options.retain_handling)},
                           {"no_local", is.options.no_local},
                           {"retain_as_published", is.options.retain_as_published},
                           {"subscription_id", is.options.subscription_id}});
}

std::string line_of(const core::KeepDeclaration& is, const Calendar&) {
  const model::TopicProperties& has = is.properties;
  return line("declaration",
              json::object{{"topic", json_octets(std::string_view{is.topic})},
                           {"resource_type", json_octets(std::string_view{has.resource_type})},
                           {"content_type", json_octets(std::string_view{has.content_type})},
                           {"topic_type", json_octets(std::string_view{has.topic_type})},
                           {"expires_at_s", json_optional(has.expires_at_s)},
                           {"subscribers_max", json_optional(has.subscribers_max)},
                           {"observer_check_s", json_optional(has.observer_check_s)}});
}

// --- reading ---

core::QueueId queue_of(JsonMembers& members) {
  return members.integer<core::QueueId>("queue", 1, Metadata::kQueueMax);
}

core::KeptWill will_of(const json::value& value, const Calendar& calendar, Trouble& trouble) {
  JsonMembers members(value, "will", trouble);
  core::KeptWill will{
      .message = message_of_json(members.take("message"), "message", calendar, trouble),
      .delay_s = members.integer<std::uint32_t>("delay_s"),
      .expiry_s = members.maybe_integer<std::uint32_t>("expiry_s"),
      .due = members.time("due_ms", calendar)};
  members.finish();
  return will;
}

core::Change subscriber_of(JsonMembers& members, const Calendar& calendar, Trouble& trouble) {
  core::KeepSubscriber is{.queue = queue_of(members),
                          .name = members.string("name"),
                          .group = members.boolean("group"),
                          .expiry_s = members.integer<std::uint32_t>("expiry_s"),
                          .expires_at = members.time("expires_at_ms", calendar),
                          .away = members.boolean("away")};
  const Bytes user = members.octets("user");
  if (user.data() != nullptr) is.user = std::string{as_text(user)};
  is.listener = members.string("listener");
  const json::value& will = members.take("will");
  if (!will.is_null()) is.will = will_of(will, calendar, trouble);
  return is;
}

core::Change subscription_of(JsonMembers& members) {
  return core::KeepSubscription{
      .queue = queue_of(members),
      .filter = members.string("filter"),
      .options = {.guarantee_max = static_cast<model::Guarantee>(
                      members.integer<std::uint8_t>("guarantee_max", 0, 2)),
                  .retain_handling = static_cast<model::RetainHandling>(
                      members.integer<std::uint8_t>("retain_handling", 0, 2)),
                  .no_local = members.boolean("no_local"),
                  .retain_as_published = members.boolean("retain_as_published"),
                  .subscription_id = members.integer<std::uint32_t>("subscription_id")}};
}

core::Change declaration_of(JsonMembers& members) {
  return core::KeepDeclaration{
      .topic = members.string("topic"),
      .properties = {.resource_type = members.string("resource_type"),
                     .content_type = members.string("content_type"),
                     .topic_type = members.string("topic_type"),
                     .expires_at_s = members.maybe_integer<std::int64_t>("expires_at_s"),
                     .subscribers_max = members.maybe_integer<std::uint32_t>("subscribers_max"),
                     .observer_check_s = members.maybe_integer<std::uint32_t>("observer_check_s")}};
}

Anchor anchor_of(JsonMembers& members) {
  return {.calendar_ms = members.integer<CalendarMs>("calendar_ms"),
          .wall_ms = members.integer<std::int64_t>("wall_ms"),
          .since_boot = Duration{members.integer<std::int64_t>("since_boot_ns")},
          .boot_id = members.string("boot_id")};
}

// The value of a line; what is wrong with its grammar.
std::expected<json::value, std::string> parse(std::string_view text) {
  if (text.size() > MetadataText::kLineMax) return std::unexpected("the line is too long");
  boost::system::error_code wrong;
  json::value value = json::parse(json::string_view{text.data(), text.size()}, wrong);
  if (wrong) return std::unexpected("no JSON: " + wrong.message());
  return value;
}

}  // namespace

std::string MetadataText::write(const core::Change& change) const {
  if (const auto* is = std::get_if<core::KeepSubscriber>(&change)) return line_of(*is, calendar_);
  if (const auto* is = std::get_if<core::KeepSubscription>(&change)) return line_of(*is, calendar_);
  if (const auto* is = std::get_if<core::KeepDeclaration>(&change)) return line_of(*is, calendar_);
  return {};
}

std::string MetadataText::write(const model::Message& message) const {
  return line("message", json_message(message, calendar_));
}

std::string MetadataText::write(const Anchor& anchor) {
  return line("anchor", json::object{{"calendar_ms", anchor.calendar_ms},
                                     {"wall_ms", anchor.wall_ms},
                                     {"since_boot_ns", anchor.since_boot.count()},
                                     {"boot_id", json_octets(std::string_view{anchor.boot_id})}});
}

std::expected<MetadataText::Line, std::string> MetadataText::read(std::string_view text) const {
  const auto value = parse(text);
  if (!value) return std::unexpected(value.error());
  const json::object* object = value->if_object();
  if (object == nullptr || object->size() != 1) {
    return std::unexpected("a line must be an object with one member");
  }
  const auto& [name, holds] = *object->begin();
  Trouble trouble;
  JsonMembers members(holds, name, trouble);
  Line read;
  if (name == "anchor") {
    read = anchor_of(members);
  } else if (name == "subscriber") {
    read = subscriber_of(members, calendar_, trouble);
  } else if (name == "subscription") {
    read = subscription_of(members);
  } else if (name == "declaration") {
    read = declaration_of(members);
  } else {
    trouble.say(name, "is nothing that the metadata has");
  }
  members.finish();
  if (trouble) return std::unexpected(trouble.what);
  return read;
}

std::expected<model::MessageRef, std::string> MetadataText::read_message(
    std::string_view text) const {
  const auto value = parse(text);
  if (!value) return std::unexpected(value.error());
  Trouble trouble;
  JsonMembers members(*value, "line", trouble);
  model::MessageRef message =
      message_of_json(members.take("message"), "message", calendar_, trouble);
  members.finish();
  if (trouble) return std::unexpected(trouble.what);
  return message;
}

}  // namespace hermod::store
