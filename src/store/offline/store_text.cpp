// SPDX-License-Identifier: Apache-2.0
#include "offline/store_text.hpp"

#include <boost/json.hpp>
#include <limits>
#include <utility>

#include "hermod/store/metadata.hpp"
#include "metadata/json_members.hpp"
#include "metadata/message_text.hpp"
#include "offline/metadata_copy.hpp"

namespace hermod::store {
namespace {

namespace json = boost::json;

std::string line(std::string_view name, json::value holds) {
  return json::serialize(json::object{{name, std::move(holds)}});
}

template <typename Number>
json::array array_of(const std::vector<Number>& numbers) {
  return json::array(numbers.begin(), numbers.end());
}

json::object object_of(const ExportedRecipient& is) {
  return {{"queue", is.queue},
          {"tag", is.tag},
          {"guarantee", std::to_underlying(is.guarantee)},
          {"retain_as_published", is.retain_as_published},
          {"released", is.released},
          {"subscription_ids", array_of(is.subscription_ids)}};
}

json::object object_of(const core::OpenExchange& is) {
  return {{"packet_id", is.packet_id}, {"complete", is.complete}, {"queues", array_of(is.queues)}};
}

// --- reading ---

core::QueueId queue_of(JsonMembers& members) {
  return members.integer<core::QueueId>("queue", 1, Metadata::kQueueMax);
}

template <typename Number>
std::vector<Number> numbers_of(const json::value& value, std::string_view member, Number min,
                               Number max, Trouble& trouble) {
  std::vector<Number> numbers;
  const json::array* list = value.if_array();
  if (list == nullptr) {
    trouble.say(member, "must be an array");
    return numbers;
  }
  for (const json::value& each : *list) {
    boost::system::error_code wrong;
    const auto number = each.to_number<Number>(wrong);
    if (wrong || each.is_double() || number < min || number > max) {
      trouble.say(member, "must hold whole numbers within their range");
      break;
    }
    numbers.push_back(number);
  }
  return numbers;
}

ExportBegin begin_of(JsonMembers& members) {
  return {.format = members.integer<std::uint32_t>("format")};
}

core::OpenExchange exchange_of_json(const json::value& value, Trouble& trouble) {
  JsonMembers members(value, "exchanges", trouble);
  core::OpenExchange is{.packet_id = members.integer<std::uint16_t>("packet_id"),
                        .complete = members.boolean("complete"),
                        .queues = numbers_of<core::QueueId>(members.take("queues"), "queues", 1,
                                                            Metadata::kQueueMax, trouble)};
  members.finish();
  if (is.complete && !is.queues.empty()) trouble.say("queues", "are of those not complete");
  return is;
}

ExportedQueue queue_line_of(JsonMembers& members, Trouble& trouble) {
  ExportedQueue is{.queue = queue_of(members),
                   .next = members.integer<model::Tag>("next_tag", 1, StoreText::kTagMax)};
  const json::array* list = members.take("exchanges").if_array();
  if (list == nullptr) {
    trouble.say("exchanges", "must be an array");
    return is;
  }
  for (const json::value& each : *list) is.exchanges.push_back(exchange_of_json(each, trouble));
  return is;
}

ExportedRecipient recipient_of(const json::value& value, Trouble& trouble) {
  JsonMembers members(value, "recipients", trouble);
  ExportedRecipient is{
      .queue = queue_of(members),
      .tag = members.integer<model::Tag>("tag", 1, StoreText::kTagMax - 1),
      .guarantee = static_cast<model::Guarantee>(members.integer<std::uint8_t>("guarantee", 0, 2)),
      .retain_as_published = members.boolean("retain_as_published"),
      .released = members.boolean("released"),
      .subscription_ids =
          numbers_of<std::uint32_t>(members.take("subscription_ids"), "subscription_ids", 0,
                                    std::numeric_limits<std::uint32_t>::max(), trouble)};
  members.finish();
  if (is.released && is.guarantee != model::Guarantee::kExactlyOnce) {
    trouble.say("released", "is for guarantee 2");
  }
  return is;
}

ExportedMessage message_of(JsonMembers& members, Trouble& trouble) {
  ExportedMessage is;
  const json::array* list = members.take("recipients").if_array();
  if (list == nullptr || list->empty()) {
    trouble.say("recipients", "must be an array of at least one");
  } else {
    for (const json::value& each : *list) is.recipients.push_back(recipient_of(each, trouble));
  }
  is.message = message_of_json(members.take("message"), "message", at_rest_calendar(), trouble);
  return is;
}

ExportEnd end_of(JsonMembers& members) {
  return {.lines = members.integer<std::uint64_t>("lines"),
          .complete = members.boolean("complete")};
}

}  // namespace

const Calendar& StoreText::at_rest() {
  return at_rest_calendar();
}

std::string StoreText::write(const ExportBegin& is) {
  return line("export", json::object{{"format", is.format}});
}

std::string StoreText::write(const ExportedQueue& is) {
  json::array list;
  for (const core::OpenExchange& open : is.exchanges) list.push_back(object_of(open));
  return line(
      "queue",
      json::object{{"queue", is.queue}, {"next_tag", is.next}, {"exchanges", std::move(list)}});
}

std::string StoreText::write(std::span<const ExportedRecipient> recipients,
                             const model::Message& message) {
  json::array list;
  for (const ExportedRecipient& recipient : recipients) list.push_back(object_of(recipient));
  return line("queued", json::object{{"recipients", std::move(list)},
                                     {"message", json_message(message, at_rest_calendar())}});
}

std::string StoreText::write_value(const model::Message& message) {
  return line("value", json_message(message, at_rest_calendar()));
}

std::string StoreText::write(const ExportEnd& is) {
  return line("end", json::object{{"lines", is.lines}, {"complete", is.complete}});
}

std::expected<StoreText::Line, std::string> StoreText::read(std::string_view text) const {
  boost::system::error_code wrong;
  const json::value value = json::parse(json::string_view{text.data(), text.size()}, wrong);
  if (wrong) return std::unexpected("no JSON: " + wrong.message());
  const json::object* object = value.if_object();
  if (object == nullptr || object->size() != 1) {
    return std::unexpected("a line must be an object with one member");
  }
  const auto& [name, holds] = *object->begin();
  Trouble trouble;
  if (name == "value") {
    ExportedValue is{message_of_json(holds, "value", at_rest_calendar(), trouble)};
    if (!trouble && is.message->payload.empty()) trouble.say("payload", "must not be empty");
    if (trouble) return std::unexpected(trouble.what);
    return is;
  }
  if (name != "export" && name != "queue" && name != "queued" && name != "end") {
    auto read = metadata_.read(text);
    if (!read) return std::unexpected(read.error());
    if (auto* anchor = std::get_if<Anchor>(&*read)) return std::move(*anchor);
    return std::move(std::get<core::Change>(*read));
  }
  JsonMembers members(holds, name, trouble);
  Line read;
  if (name == "export") {
    read = begin_of(members);
  } else if (name == "queue") {
    read = queue_line_of(members, trouble);
  } else if (name == "queued") {
    read = message_of(members, trouble);
  } else {
    read = end_of(members);
  }
  members.finish();
  if (trouble) return std::unexpected(trouble.what);
  return read;
}

}  // namespace hermod::store
