// SPDX-License-Identifier: Apache-2.0
#include "message_blob.hpp"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <utility>

#include "hermod/cbor/reader.hpp"
#include "hermod/cbor/writer.hpp"

namespace hermod::store {
namespace {

using model::Message;
using model::Properties;
using model::UserProperty;

constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kMembers = 11;
constexpr std::uint64_t kOriginMembers = 5;
constexpr std::uint64_t kPropertiesMembers = 8;  // and two for each user property

// The type of a user property's value, in the order of the variant.
enum class ValueType : std::uint8_t { kText, kInteger, kNumber, kBoolean, kBytes };

// --- writing ---

void write_octets(cbor::Writer& writer, Bytes octets) {
  if (octets.data() == nullptr) {
    writer.null();
  } else {
    writer.bytes(octets);
  }
}
void write_octets(cbor::Writer& writer, std::string_view text) {
  write_octets(writer, as_bytes(text));
}

void write_value(cbor::Writer& writer, const UserProperty::Value& value) {
  writer.array(2);
  writer.unsigned_integer(value.index());
  switch (static_cast<ValueType>(value.index())) {
    case ValueType::kText:
      return write_octets(writer, std::get<std::string_view>(value));
    case ValueType::kInteger:
      return writer.integer(std::get<std::int64_t>(value));
    case ValueType::kNumber:
      return writer.number(std::get<double>(value));
    case ValueType::kBoolean:
      return writer.boolean(std::get<bool>(value));
    case ValueType::kBytes:
      return write_octets(writer, std::get<Bytes>(value));
  }
}

void write_properties(cbor::Writer& writer, const Properties& properties) {
  writer.array(kPropertiesMembers + properties.user.size() * 2);
  write_octets(writer, properties.content_type);
  write_octets(writer, properties.reply_to);
  write_octets(writer, properties.correlation);
  write_octets(writer, properties.message_id);
  write_octets(writer, properties.etag);
  writer.integer(properties.timestamp_ms);
  writer.unsigned_integer(properties.priority);
  writer.boolean(properties.text);
  for (const UserProperty& property : properties.user) {
    write_octets(writer, property.name);
    write_value(writer, property.value);
  }
}

// --- reading ---

// Reads one thing after the other; after the first that is wrong all are nothing, and `wrong` says
// what it was.
class BlobReader {
 public:
  explicit BlobReader(Bytes octets) : reader_(octets) {}

  cbor::Item item() {
    if (!wrong_.empty()) return {};
    const auto next = reader_.next();
    if (next) return *next;
    fail(next.error().offset, next.error().reason);
    return {};
  }
  // The members of an array.
  std::uint64_t array() {
    const cbor::Item it = item();
    if (it.kind == cbor::Kind::kArray && !it.indefinite) return it.value;
    return fail(it.offset, "no array where one must be"), 0;
  }
  void array_of(std::uint64_t members) {
    if (array() != members) fail(0, "an array has another length");
  }
  void end() {
    const cbor::Item it = item();
    if (it.kind != cbor::Kind::kEnd) fail(it.offset, "an array has too many members");
  }
  Bytes octets() {
    const cbor::Item it = item();
    if (it.kind == cbor::Kind::kBytes && !it.indefinite) return it.bytes;
    if (!it.is_simple(cbor::kNull)) fail(it.offset, "no octets where they must be");
    return {};
  }
  std::string_view text() { return as_text(octets()); }
  std::int64_t integer() { return signed_of(item()); }
  std::uint64_t unsigned_integer(std::uint64_t max) {
    const cbor::Item it = item();
    if (it.kind == cbor::Kind::kUnsigned && it.value <= max) return it.value;
    return fail(it.offset, "no number, or one that is too large"), 0;
  }
  template <typename Number>
  Number number_up_to(Number max = std::numeric_limits<Number>::max()) {
    return static_cast<Number>(unsigned_integer(max));
  }
  bool boolean() {
    const cbor::Item it = item();
    if (!it.is_simple(cbor::kTrue) && !it.is_simple(cbor::kFalse)) {
      fail(it.offset, "neither true nor false");
    }
    return it.is_simple(cbor::kTrue);
  }
  double number() {
    const cbor::Item it = item();
    if (it.kind != cbor::Kind::kFloat) fail(it.offset, "no floating-point number");
    return it.number;
  }
  Instant expiry(const Calendar& calendar) {
    const cbor::Item it = item();
    return it.is_simple(cbor::kNull) ? kNever : calendar.to_instant(signed_of(it));
  }
  // Nothing: there are none. Otherwise the members of their array.
  std::optional<std::uint64_t> properties() {
    const cbor::Item it = item();
    if (it.is_simple(cbor::kNull)) return std::nullopt;
    if (it.kind == cbor::Kind::kArray && !it.indefinite && it.value >= kPropertiesMembers &&
        it.value % 2 == 0) {
      return it.value;
    }
    fail(it.offset, "no properties where they must be");
    return std::nullopt;
  }
  void finish() {
    if (!wrong_.empty()) return;
    const auto finished = reader_.finish();
    if (!finished) fail(finished.error().offset, finished.error().reason);
  }
  void fail(std::size_t offset, std::string_view reason) {
    if (wrong_.empty()) wrong_ = fmt::format("octet {}: {}", offset, reason);
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  std::int64_t signed_of(const cbor::Item& it) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (it.value <= kMax && it.kind == cbor::Kind::kUnsigned) {
      return static_cast<std::int64_t>(it.value);
    }
    if (it.value <= kMax && it.kind == cbor::Kind::kNegative) {
      return -1 - static_cast<std::int64_t>(it.value);
    }
    return fail(it.offset, "no integer of 64 bits"), 0;
  }

  cbor::Reader reader_;
  std::string wrong_;
};

UserProperty::Value read_value(BlobReader& reader) {
  reader.array_of(2);
  const auto type = static_cast<ValueType>(
      reader.number_up_to<std::uint8_t>(std::variant_size_v<UserProperty::Value> - 1));
  UserProperty::Value value;
  switch (type) {
    case ValueType::kText:
      value = reader.text();
      break;
    case ValueType::kInteger:
      value = reader.integer();
      break;
    case ValueType::kNumber:
      value = reader.number();
      break;
    case ValueType::kBoolean:
      value = reader.boolean();
      break;
    case ValueType::kBytes:
      value = reader.octets();
      break;
  }
  reader.end();
  return value;
}

void read_properties(BlobReader& reader, std::uint64_t members, Properties& properties,
                     std::vector<UserProperty>& user) {
  properties.content_type = reader.text();
  properties.reply_to = reader.text();
  properties.correlation = reader.octets();
  properties.message_id = reader.text();
  properties.etag = reader.octets();
  properties.timestamp_ms = reader.integer();
  properties.priority = reader.number_up_to<std::uint8_t>();
  properties.text = reader.boolean();
  // Not reserved: the length may be wrong, and then what must follow it is not there.
  for (std::uint64_t i = kPropertiesMembers; i < members && reader.wrong().empty(); i += 2) {
    const std::string_view name = reader.text();
    user.push_back({name, read_value(reader)});
  }
  properties.user = user;
  reader.end();
}

}  // namespace

void encode_message(const Message& message, const Calendar& calendar,
                    std::vector<std::uint8_t>& out) {
  cbor::Writer writer(out);
  writer.array(kMembers);
  writer.unsigned_integer(kFormat);
  writer.unsigned_integer(static_cast<std::uint64_t>(message.destination.kind));
  write_octets(writer, message.destination.address);
  write_octets(writer, message.destination.routing_key);
  write_octets(writer, message.payload);
  writer.unsigned_integer(static_cast<std::uint64_t>(message.guarantee));
  writer.boolean(message.retain);
  writer.array(kOriginMembers);
  writer.unsigned_integer(message.origin.protocol);
  writer.unsigned_integer(message.origin.shard);
  writer.unsigned_integer(message.origin.connection);
  writer.unsigned_integer(message.origin.client);
  writer.unsigned_integer(message.origin.exchange);
  writer.unsigned_integer(message.version);
  if (message.expires_at == kNever) {
    writer.null();
  } else {
    writer.integer(calendar.to_calendar(message.expires_at));
  }
  if (message.properties == nullptr) {
    writer.null();
  } else {
    write_properties(writer, *message.properties);
  }
}

std::expected<model::MessageRef, std::string> decode_message(Bytes octets,
                                                             const Calendar& calendar) {
  BlobReader reader(octets);
  Message message;
  Properties properties;
  std::vector<UserProperty> user;
  reader.array_of(kMembers);
  if (reader.unsigned_integer(std::numeric_limits<std::uint64_t>::max()) != kFormat) {
    reader.fail(1, "a format that this version does not know");
  }
  message.destination.kind = static_cast<model::Destination::Kind>(
      reader.number_up_to(std::to_underlying(model::Destination::Kind::kQueue)));
  message.destination.address = reader.text();
  message.destination.routing_key = reader.text();
  message.payload = reader.octets();
  message.guarantee = static_cast<model::Guarantee>(
      reader.number_up_to(std::to_underlying(model::Guarantee::kExactlyOnce)));
  message.retain = reader.boolean();
  reader.array_of(kOriginMembers);
  message.origin.protocol = reader.number_up_to<std::uint8_t>();
  message.origin.shard = reader.number_up_to<std::uint16_t>();
  message.origin.connection = reader.number_up_to<std::uint32_t>();
  message.origin.client = reader.number_up_to<std::uint32_t>();
  message.origin.exchange = reader.number_up_to<std::uint64_t>();
  reader.end();
  message.version = reader.number_up_to<std::uint64_t>();
  message.expires_at = reader.expiry(calendar);
  if (const auto members = reader.properties()) {
    read_properties(reader, *members, properties, user);
    message.properties = &properties;
  }
  reader.end();
  reader.finish();
  if (!reader.wrong().empty()) return std::unexpected(reader.wrong());
  return message.own();
}

}  // namespace hermod::store
