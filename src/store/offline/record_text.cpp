// SPDX-License-Identifier: Apache-2.0
#include "offline/record_text.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <utility>

#include "metadata/json_members.hpp"
#include "offline/metadata_copy.hpp"
#include "settlement_records.hpp"
#include "state_record.hpp"
#include "varint.hpp"

namespace hermod::store {
namespace {

constexpr std::string_view kStrange = "cannot be understood";

// In quotes, with what a terminal would obey taken apart.
std::string quoted(Bytes octets) {
  return boost::json::serialize(json_octets(octets));
}
std::string quoted(std::string_view text) {
  return quoted(as_bytes(text));
}

std::string_view text_of(model::Guarantee guarantee) {
  constexpr std::array<std::string_view, 3> kTexts{"at most once", "at least once", "exactly once"};
  return kTexts[std::to_underlying(guarantee)];
}

// Milliseconds of the store's calendar, as the files have it.
std::string time_text(Instant at) {
  if (at == kNever) return "never";
  return fmt::format("at {} ms", at_rest_calendar().to_calendar(at));
}

std::string text_of_exchange(std::uint64_t exchange) {
  return fmt::format("{}/{}", exchange >> 16, exchange & 0xFFFF);
}

std::string range(model::Tag first, model::Tag last) {
  return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
}

std::string text_of(const RecipientView& recipient) {
  std::string text =
      fmt::format(" for {} as {} {}", recipient.queue, recipient.tag, text_of(recipient.guarantee));
  if (recipient.retain_as_published) text += " retain-as-published";
  if (recipient.id_count == 0) return text;
  std::vector<std::uint32_t> ids;
  recipient.subscription_ids(ids);
  text += " ids";
  for (const std::uint32_t id : ids) text += fmt::format(" {}", id);
  return text;
}

// Each item behind a blank; "" for what cannot be read.
template <typename Item, typename Write>
std::string items(std::string_view kind, const RecordView& record, Write write) {
  std::string text{kind};
  ItemReader<Item> reader(record);
  while (reader.next()) text.append(" ").append(write(reader.item()));
  return reader.ok() ? text : fmt::format("{} {}", text, kStrange);
}

std::string state(const RecordView& record) {
  StateReader reader(record);
  const Checkpoint& checkpoint = reader.checkpoint();
  std::string text =
      fmt::format("state of shard {} at segment {}, boot {}{}", checkpoint.shard,
                  checkpoint.segment, checkpoint.boot, checkpoint.complete ? ", complete" : "");
  while (reader.next()) {
    const core::Standing& queue = reader.standing();
    text += fmt::format("; {}: floor {} next {}", queue.queue, queue.floor, queue.next);
    for (const core::TagRange& is : queue.settled)
      text.append(" settled ").append(range(is.first, is.last));
    for (const model::Tag tag : queue.released) text += fmt::format(" released {}", tag);
    for (const core::OpenExchange& open : queue.exchanges) {
      text += fmt::format(" open {}{}", open.packet_id, open.complete ? "" : " at");
      for (const core::QueueId at : open.queues) text += fmt::format(" {}", at);
    }
  }
  return reader.ok() ? text : fmt::format("{} {}", text, kStrange);
}

std::string metadata(const RecordView& record) {
  Cursor cursor(record.body);
  const std::uint64_t generation = cursor.varint();
  if (!cursor.ok()) return fmt::format("metadata {}", kStrange);
  return fmt::format("metadata generation {}", generation);
}

// --- rows of the metadata ---

std::string text_of(const core::KeepSubscription& is) {
  std::string text = fmt::format("subscription of {} to {}, {}", is.queue, quoted(is.filter),
                                 text_of(is.options.guarantee_max));
  if (is.options.subscription_id != 0) text += fmt::format(", id {}", is.options.subscription_id);
  if (is.options.no_local) text += ", no-local";
  if (is.options.retain_as_published) text += ", retain-as-published";
  constexpr std::array<std::string_view, 3> kRetained{"", ", retained if new", ", retained never"};
  text += kRetained[std::to_underlying(is.options.retain_handling)];
  return text;
}

std::string text_of(const core::KeepDeclaration& is) {
  std::string text = fmt::format("declaration of {}", quoted(is.topic));
  const std::array<std::pair<std::string_view, const std::string*>, 3> texts{
      {{"resource type", &is.properties.resource_type},
       {"content type", &is.properties.content_type},
       {"topic type", &is.properties.topic_type}}};
  for (const auto& [name, value] : texts) {
    if (!value->empty()) text += fmt::format(", {} {}", name, quoted(*value));
  }
  if (is.properties.expires_at_s) text += fmt::format(", expires {}", *is.properties.expires_at_s);
  if (is.properties.subscribers_max) {
    text += fmt::format(", at most {} subscribers", *is.properties.subscribers_max);
  }
  if (is.properties.observer_check_s) {
    text += fmt::format(", observers checked each {} s", *is.properties.observer_check_s);
  }
  return text;
}

}  // namespace

std::string text_of(Position position) {
  return fmt::format("{}:{}", segment_of(position), offset_of(position));
}

std::string RecordText::write(const RecordView& record) {
  return fmt::format("{} {}", store::text_of(record.position), body_of(record));
}

std::string RecordText::body_of(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::kMessage:
      return message(record);
    case RecordKind::kValue:
      return value(record);
    case RecordKind::kSettled:
      return items<Settled>("settled", record, [](const Settled& item) {
        return fmt::format("{}:{}", item.queue, range(item.first, item.last));
      });
    case RecordKind::kReleased:
      return items<Released>("released", record, [](const Released& item) {
        return fmt::format("{}:{}", item.queue, item.tag);
      });
    case RecordKind::kClosed:
      return items<Closed>("closed", record,
                           [](const Closed& item) { return text_of_exchange(item.exchange); });
    case RecordKind::kState:
      return state(record);
    case RecordKind::kMetadata:
      return metadata(record);
  }
  return fmt::format("record of kind {}, which a later release knows, {} octets",
                     std::to_underlying(record.kind), record.body.size());
}

std::string RecordText::message(const RecordView& record) {
  auto is = decode_message(record);
  if (!is) return fmt::format("message {}", kStrange);
  const auto decoded = decode_content(is->content, Duration{}, properties_);
  std::string text = fmt::format("message {}", decoded ? content(*decoded) : std::string{kStrange});
  if (is->exchange != 0) text.append(", exchange ").append(text_of_exchange(is->exchange));
  if (is->moved_from.queue != 0) {
    text += fmt::format(", moved from {}:{}", is->moved_from.queue, is->moved_from.tag);
  }
  while (is->recipients.next()) text.append(",").append(text_of(is->recipients.recipient()));
  return is->recipients.ok() ? text : fmt::format("{} {}", text, kStrange);
}

std::string RecordText::value(const RecordView& record) {
  const auto decoded = decode_value(record, Duration{}, properties_);
  if (!decoded) return fmt::format("value {}", kStrange);
  if (decoded->payload.empty()) {
    return fmt::format("value {} cleared", quoted(decoded->destination.address));
  }
  return fmt::format("value {}, version {}", content(*decoded), decoded->version);
}

std::string RecordText::content(const model::Message& message) const {
  std::string text = quoted(message.destination.address);
  if (message.destination.routing_key.data() != nullptr &&
      message.destination.kind == model::Destination::Kind::kExchange) {
    text.append(" ").append(quoted(message.destination.routing_key));
  }
  text += fmt::format(" {}, {} octets", text_of(message.guarantee), message.payload.size());
  if (payloads_) text.append(" ").append(quoted(message.payload));
  if (message.retain) text += ", retain";
  if (message.expires_at != kNever) text.append(", expires ").append(time_text(message.expires_at));
  if (message.properties == nullptr) return text;
  if (!message.properties->content_type.empty()) {
    text.append(", content type ").append(quoted(message.properties->content_type));
  }
  for (const model::UserProperty& property : message.properties->user) {
    text.append(", property ").append(quoted(property.name));
  }
  return text;
}

std::string RecordText::write(const core::Change& change) const {
  if (const auto* is = std::get_if<core::KeepSubscription>(&change)) return text_of(*is);
  if (const auto* is = std::get_if<core::KeepDeclaration>(&change)) return text_of(*is);
  const auto* is = std::get_if<core::KeepSubscriber>(&change);
  if (is == nullptr) return {};
  std::string text =
      fmt::format("{} {} {}", is->group ? "group" : "subscriber", is->queue, quoted(is->name));
  if (is->user) text.append(", of user ").append(quoted(*is->user));
  text += is->away ? ", away" : ", connected";
  text +=
      is->expiry_s == UINT32_MAX ? ", stays for ever" : fmt::format(", stays {} s", is->expiry_s);
  if (is->expires_at != kNever) text.append(", ends ").append(time_text(is->expires_at));
  if (!is->will) return text;
  return text + fmt::format(", will {} after {} s, due {}", content(*is->will->message),
                            is->will->delay_s, time_text(is->will->due));
}

}  // namespace hermod::store
