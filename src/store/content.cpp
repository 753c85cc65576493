// SPDX-License-Identifier: Apache-2.0
// Writes and reads the content of a message, docs/formats/log.md "Content".
#include "content.hpp"

#include <bit>
#include <variant>

#include "hermod/base/assert.hpp"
#include "message_record.hpp"
#include "varint.hpp"

namespace hermod::store {
namespace {

using model::Destination;
using model::Message;
using model::Properties;
using model::UserProperty;

constexpr std::uint8_t kGuaranteeBits = 0x03;
constexpr std::uint8_t kRetain = 0x04;
constexpr unsigned kDestinationShift = 3;  // two bits
constexpr std::uint8_t kExpires = 0x20;
constexpr std::uint8_t kHasProperties = 0x40;
constexpr std::uint8_t kHasVersion = 0x80;

enum PropertyBit : std::uint32_t {
  kContentType = 0x001,
  kReplyTo = 0x002,
  kCorrelation = 0x004,
  kMessageId = 0x008,
  kEtag = 0x010,
  kTimestamp = 0x020,
  kPriority = 0x040,
  kText = 0x080,
  kUser = 0x100,
  kAllProperties = 0x1FF,
};

enum class ValueType : std::uint8_t {
  kText = 0,
  kInteger = 1,
  kDouble = 2,
  kFalse = 3,
  kTrue = 4,
  kOctets = 5,
  kAbsentText = 6,
  kAbsentOctets = 7,
};

constexpr std::int64_t kNanosPerMilli = 1'000'000;

// Up, so that nothing expires before its time.
std::int64_t calendar_ms(Instant at, Duration to_calendar) {
  std::int64_t nanos = 0;
  if (__builtin_add_overflow(at.time_since_epoch().count(), to_calendar.count(), &nanos)) {
    nanos = to_calendar.count() < 0 ? INT64_MIN : INT64_MAX;
  }
  const std::int64_t down = nanos / kNanosPerMilli;
  return nanos % kNanosPerMilli > 0 ? down + 1 : down;
}

Instant instant_of(std::int64_t ms, Duration to_calendar) {
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(ms, kNanosPerMilli, &nanos) ||
      __builtin_sub_overflow(nanos, to_calendar.count(), &nanos)) {
    return ms < 0 ? Instant::min() : kNever;
  }
  return Instant{Duration{nanos}};
}

std::uint32_t property_bits(const Properties& p) {
  std::uint32_t bits = 0;
  if (p.content_type.data() != nullptr) bits |= kContentType;
  if (p.reply_to.data() != nullptr) bits |= kReplyTo;
  if (p.correlation.data() != nullptr) bits |= kCorrelation;
  if (p.message_id.data() != nullptr) bits |= kMessageId;
  if (p.etag.data() != nullptr) bits |= kEtag;
  if (p.timestamp_ms != 0) bits |= kTimestamp;
  if (p.priority != 0) bits |= kPriority;
  if (p.text) bits |= kText;
  if (!p.user.empty()) bits |= kUser;
  return bits;
}

std::uint8_t* put_type(std::uint8_t* out, ValueType type) {
  *out = static_cast<std::uint8_t>(type);
  return out + 1;
}

std::uint8_t* put_value(std::uint8_t* out, const UserProperty::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (text->data() == nullptr) return put_type(out, ValueType::kAbsentText);
    return put_prefixed(put_type(out, ValueType::kText), as_bytes(*text));
  }
  if (const auto* octets = std::get_if<Bytes>(&value)) {
    if (octets->data() == nullptr) return put_type(out, ValueType::kAbsentOctets);
    return put_prefixed(put_type(out, ValueType::kOctets), *octets);
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return put_varint(put_type(out, ValueType::kInteger), zigzag(*integer));
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return put_fixed(put_type(out, ValueType::kDouble), std::bit_cast<std::uint64_t>(*real));
  }
  return put_type(out, std::get<bool>(value) ? ValueType::kTrue : ValueType::kFalse);
}

std::uint8_t* put_properties(std::uint8_t* out, const Properties& p) {
  const std::uint32_t bits = property_bits(p);
  out = put_varint(out, bits);
  if ((bits & kContentType) != 0) out = put_prefixed(out, as_bytes(p.content_type));
  if ((bits & kReplyTo) != 0) out = put_prefixed(out, as_bytes(p.reply_to));
  if ((bits & kCorrelation) != 0) out = put_prefixed(out, p.correlation);
  if ((bits & kMessageId) != 0) out = put_prefixed(out, as_bytes(p.message_id));
  if ((bits & kEtag) != 0) out = put_prefixed(out, p.etag);
  if ((bits & kTimestamp) != 0) out = put_varint(out, zigzag(p.timestamp_ms));
  if ((bits & kPriority) != 0) *out++ = p.priority;
  if ((bits & kUser) != 0) {
    out = put_varint(out, p.user.size());
    for (const UserProperty& property : p.user) {
      out = put_prefixed(out, as_bytes(property.name));
      out = put_value(out, property.value);
    }
  }
  return out;
}

std::size_t value_octets(const UserProperty::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return text->size();
  if (const auto* octets = std::get_if<Bytes>(&value)) return octets->size();
  return 0;
}

std::string_view read_text(Cursor& in) {
  return as_text(in.prefixed());
}

UserProperty::Value read_value(Cursor& in) {
  switch (static_cast<ValueType>(in.u8())) {
    case ValueType::kText:
      return read_text(in);
    case ValueType::kInteger:
      return unzigzag(in.varint());
    case ValueType::kDouble:
      return std::bit_cast<double>(in.fixed<std::uint64_t>());
    case ValueType::kFalse:
      return false;
    case ValueType::kTrue:
      return true;
    case ValueType::kOctets:
      return in.prefixed();
    case ValueType::kAbsentText:
      return std::string_view{};
    case ValueType::kAbsentOctets:
      return Bytes{};
  }
  in.fail();
  return false;
}

void read_properties(Cursor& in, PropertyStorage& storage) {
  const auto bits = static_cast<std::uint32_t>(in.varint_to(kAllProperties));
  Properties& p = storage.properties;
  p = {};
  storage.user.clear();
  if ((bits & kContentType) != 0) p.content_type = read_text(in);
  if ((bits & kReplyTo) != 0) p.reply_to = read_text(in);
  if ((bits & kCorrelation) != 0) p.correlation = in.prefixed();
  if ((bits & kMessageId) != 0) p.message_id = read_text(in);
  if ((bits & kEtag) != 0) p.etag = in.prefixed();
  if ((bits & kTimestamp) != 0) p.timestamp_ms = unzigzag(in.varint());
  if ((bits & kPriority) != 0) p.priority = in.u8();
  p.text = (bits & kText) != 0;
  // Grows with what is read, whatever number is declared.
  for (std::uint64_t left = (bits & kUser) != 0 ? in.varint() : 0; left > 0 && in.ok(); --left) {
    const std::string_view name = read_text(in);
    const UserProperty::Value value = read_value(in);
    if (in.ok()) storage.user.push_back({name, value});
  }
  p.user = storage.user;
}

}  // namespace

std::size_t content_octets_max(const Message& message) {
  std::size_t octets = 2 + 5 * kVarintMax + message.destination.address.size() +
                       message.destination.routing_key.size();
  if (message.properties == nullptr) return octets;
  const Properties& p = *message.properties;
  octets += 9 * kVarintMax + p.content_type.size() + p.reply_to.size() + p.correlation.size() +
            p.message_id.size() + p.etag.size();
  for (const UserProperty& property : p.user) {
    octets += 1 + 2 * kVarintMax + property.name.size() + value_octets(property.value);
  }
  return octets;
}

std::uint8_t* put_content(std::uint8_t* out, const Message& message, Duration to_calendar) {
  const Destination& to = message.destination;
  std::uint8_t flags = static_cast<std::uint8_t>(message.guarantee);
  if (message.retain) flags |= kRetain;
  flags |= static_cast<std::uint8_t>(static_cast<unsigned>(to.kind) << kDestinationShift);
  if (message.expires_at != kNever) flags |= kExpires;
  if (message.properties != nullptr) flags |= kHasProperties;
  if (message.version != 0) flags |= kHasVersion;
  *out++ = flags;
  *out++ = message.origin.protocol;
  out = put_varint(out, message.origin.client);
  if (message.version != 0) out = put_varint(out, message.version);
  if (message.expires_at != kNever) {
    out = put_varint(out, zigzag(calendar_ms(message.expires_at, to_calendar)));
  }
  out = put_prefixed(out, as_bytes(to.address));
  if (to.kind == Destination::Kind::kExchange) out = put_prefixed(out, as_bytes(to.routing_key));
  if (message.properties != nullptr) out = put_properties(out, *message.properties);
  return out;
}

WireResult<Message> decode_content(Bytes content, Duration to_calendar, PropertyStorage& storage) {
  Cursor in(content);
  Message message;
  const std::uint8_t flags = in.u8();
  const unsigned guarantee = flags & kGuaranteeBits;
  const unsigned kind = flags >> kDestinationShift & 3;
  if (guarantee > 2 || kind > 2) return malformed(0, 0, "docs/formats/log.md: content flags");
  message.guarantee = static_cast<model::Guarantee>(guarantee);
  message.retain = (flags & kRetain) != 0;
  message.destination.kind = static_cast<Destination::Kind>(kind);
  message.origin.protocol = in.u8();
  message.origin.client = static_cast<std::uint32_t>(in.varint_to(UINT32_MAX));
  if ((flags & kHasVersion) != 0) message.version = in.varint();
  if ((flags & kExpires) != 0) {
    message.expires_at = instant_of(unzigzag(in.varint()), to_calendar);
  }
  message.destination.address = read_text(in);
  if (message.destination.kind == Destination::Kind::kExchange) {
    message.destination.routing_key = read_text(in);
  }
  if ((flags & kHasProperties) != 0) {
    read_properties(in, storage);
    message.properties = &storage.properties;
  }
  if (!in.ok()) return malformed(0, in.offset(), "docs/formats/log.md: content");
  message.payload = in.rest();
  return message;
}

}  // namespace hermod::store
