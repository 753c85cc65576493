// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/properties.hpp"

#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/text.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

enum class Type : std::uint8_t { kByte, kTwoBytes, kFourBytes, kVarint, kText, kTextPair, kData };

constexpr int bit(PropertyPlace place) {
  return 1 << static_cast<int>(place);
}

constexpr int kWill = bit(PropertyPlace::kWill);
constexpr int kConnect = bit(PropertyPlace::kConnect);
constexpr int kConnack = bit(PropertyPlace::kConnack);
constexpr int kPublish = bit(PropertyPlace::kPublish);
constexpr int kAcks = bit(PropertyPlace::kPuback) | bit(PropertyPlace::kPubrec) |
                      bit(PropertyPlace::kPubrel) | bit(PropertyPlace::kPubcomp);
constexpr int kSubscribe = bit(PropertyPlace::kSubscribe);
constexpr int kSuback = bit(PropertyPlace::kSuback);
constexpr int kUnsubscribe = bit(PropertyPlace::kUnsubscribe);
constexpr int kUnsuback = bit(PropertyPlace::kUnsuback);
constexpr int kDisconnect = bit(PropertyPlace::kDisconnect);
constexpr int kAuth = bit(PropertyPlace::kAuth);
constexpr int kEverywhere = kWill | kConnect | kConnack | kPublish | kAcks | kSubscribe | kSuback |
                            kUnsubscribe | kUnsuback | kDisconnect | kAuth;

constexpr int kAnswers = kConnack | kAcks | kSuback | kUnsuback | kDisconnect | kAuth;

constexpr std::uint32_t kAny = UINT32_MAX;

struct Row {
  PropertyId id;
  Type type;
  int places;
  int repeats;  // the places where it may stand more than once
  std::uint32_t number_min;
  std::uint32_t number_max;
  const char* section;  // says what its values are, and that it stands there once
};

using enum PropertyId;
using enum Type;

// Table 2-4, and what the sections of the properties add to it.
// clang-format off
constexpr std::array<Row, kPropertyIds.size()> kRows = {{
    {kPayloadFormatIndicator, kByte, kPublish | kWill, 0, 0, 1, "MQTT 5.0 §3.3.2.3.2"},
    {kMessageExpiryInterval, kFourBytes, kPublish | kWill, 0, 0, kAny, "MQTT 5.0 §3.3.2.3.3"},
    {kContentType, kText, kPublish | kWill, 0, 0, kAny, "MQTT 5.0 §3.3.2.3.9"},
    {kResponseTopic, kText, kPublish | kWill, 0, 0, kAny, "MQTT 5.0 §3.3.2.3.5"},
    {kCorrelationData, kData, kPublish | kWill, 0, 0, kAny, "MQTT 5.0 §3.3.2.3.6"},
    {kSubscriptionIdentifier, kVarint, kPublish | kSubscribe, kPublish, 1, kAny,
     "MQTT 5.0 §3.8.2.1.2"},
    {kSessionExpiryInterval, kFourBytes, kConnect | kConnack | kDisconnect, 0, 0, kAny,
     "MQTT 5.0 §3.1.2.11.2"},
    {kAssignedClientIdentifier, kText, kConnack, 0, 0, kAny, "MQTT 5.0 §3.2.2.3.7"},
    {kServerKeepAlive, kTwoBytes, kConnack, 0, 0, kAny, "MQTT 5.0 §3.2.2.3.14"},
    {kAuthenticationMethod, kText, kConnect | kConnack | kAuth, 0, 0, kAny, "MQTT 5.0 §3.1.2.11.9"},
    {kAuthenticationData, kData, kConnect | kConnack | kAuth, 0, 0, kAny, "MQTT 5.0 §3.1.2.11.10"},
    {kRequestProblemInformation, kByte, kConnect, 0, 0, 1, "MQTT 5.0 §3.1.2.11.7"},
    {kWillDelayInterval, kFourBytes, kWill, 0, 0, kAny, "MQTT 5.0 §3.1.3.2.2"},
    {kRequestResponseInformation, kByte, kConnect, 0, 0, 1, "MQTT 5.0 §3.1.2.11.6"},
    {kResponseInformation, kText, kConnack, 0, 0, kAny, "MQTT 5.0 §3.2.2.3.15"},
    {kServerReference, kText, kConnack | kDisconnect, 0, 0, kAny, "MQTT 5.0 §3.2.2.3.16"},
    {kReasonString, kText, kAnswers, 0, 0, kAny, "MQTT 5.0 §3.2.2.3.9"},
    {kReceiveMaximum, kTwoBytes, kConnect | kConnack, 0, 1, kAny, "MQTT 5.0 §3.1.2.11.3"},
    {kTopicAliasMaximum, kTwoBytes, kConnect | kConnack, 0, 0, kAny, "MQTT 5.0 §3.1.2.11.5"},
    {kTopicAlias, kTwoBytes, kPublish, 0, 1, kAny, "MQTT 5.0 §3.3.2.3.4"},
    {kMaximumQos, kByte, kConnack, 0, 0, 1, "MQTT 5.0 §3.2.2.3.4"},
    {kRetainAvailable, kByte, kConnack, 0, 0, 1, "MQTT 5.0 §3.2.2.3.5"},
    {kUserProperty, kTextPair, kEverywhere, kEverywhere, 0, kAny, "MQTT 5.0 §3.1.2.11.8"},
    {kMaximumPacketSize, kFourBytes, kConnect | kConnack, 0, 1, kAny, "MQTT 5.0 §3.1.2.11.4"},
    {kWildcardSubscriptionAvailable, kByte, kConnack, 0, 0, 1, "MQTT 5.0 §3.2.2.3.11"},
    {kSubscriptionIdentifierAvailable, kByte, kConnack, 0, 0, 1, "MQTT 5.0 §3.2.2.3.12"},
    {kSharedSubscriptionAvailable, kByte, kConnack, 0, 0, 1, "MQTT 5.0 §3.2.2.3.13"},
}};
// clang-format on

static_assert([] {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].id != kPropertyIds[i]) return false;
  }
  return true;
}());

// The row of an identifier; nullptr when there is none.
const Row* row_of(std::uint32_t id) {
  if (id > 0xFF || properties_detail::kIndices[id] == properties_detail::kNone) return nullptr;
  return &kRows[properties_detail::kIndices[id]];
}

Property read_value(Reader& reader, const Row& row) {
  Property property{.id = row.id};
  switch (row.type) {
    case Type::kByte:
      property.number = reader.u8();
      break;
    case Type::kTwoBytes:
      property.number = reader.u16();
      break;
    case Type::kFourBytes:
      property.number = reader.u32();
      break;
    case Type::kVarint:
      property.number = read_varint(reader);
      break;
    case Type::kText:
      property.text = as_text(reader.prefixed16());
      break;
    case Type::kTextPair:
      property.text = as_text(reader.prefixed16());
      property.value = as_text(reader.prefixed16());
      break;
    case Type::kData:
      property.data = reader.prefixed16();
      break;
  }
  return property;
}

// What is wrong with a number that was read whole and stands at `offset`.
std::optional<WireError> number_fault(const Property& property, const Row& row,
                                      std::size_t offset) {
  if (row.type == Type::kVarint && property.number == kNoVarint) {
    return breaks(ReasonCode::kMalformedPacket, offset, "MQTT-1.5.5-1").error();
  }
  if (property.number >= row.number_min && property.number <= row.number_max) return {};
  if (row.id == PropertyId::kTopicAlias) {
    return breaks(ReasonCode::kTopicAliasInvalid, offset, "MQTT-3.3.2-8").error();
  }
  return breaks(ReasonCode::kProtocolError, offset, row.section).error();
}

// The same for one or two texts.
std::optional<WireError> texts_fault(const Property& property, const Row& row, std::size_t offset) {
  const char* broken = text_fault(as_bytes(property.text), Version::kV5);
  if (row.type == Type::kTextPair) {
    if (broken == nullptr) broken = text_fault(as_bytes(property.value), Version::kV5);
    if (broken != nullptr) broken = "MQTT-1.5.7-1";
  }
  if (broken != nullptr) return breaks(ReasonCode::kMalformedPacket, offset, broken).error();
  if (row.id == PropertyId::kResponseTopic) {
    const TopicFault fault = topic_name_fault(property.text);
    if (fault == TopicFault::kWildcard) {
      return breaks(ReasonCode::kProtocolError, offset, "MQTT-3.3.2-14").error();
    }
    if (fault != TopicFault::kNone) return breaks(fault, offset, Version::kV5).error();
  }
  return {};
}

std::optional<WireError> value_fault(const Property& property, const Row& row, std::size_t offset) {
  if (row.type == Type::kText || row.type == Type::kTextPair) {
    return texts_fault(property, row, offset);
  }
  return number_fault(property, row, offset);
}

// What a block as a whole must have.
std::optional<WireError> block_fault(std::uint32_t ids, PropertyPlace place, std::size_t offset) {
  const bool method = (ids & properties_detail::bit(PropertyId::kAuthenticationMethod)) != 0;
  const bool data = (ids & properties_detail::bit(PropertyId::kAuthenticationData)) != 0;
  if (place == PropertyPlace::kConnect && data && !method) {
    return breaks(ReasonCode::kProtocolError, offset, "MQTT 5.0 §3.1.2.11.10").error();
  }
  if (place == PropertyPlace::kAuth && !method) {
    return breaks(ReasonCode::kProtocolError, offset, "MQTT 5.0 §3.15.2.2.2").error();
  }
  return {};
}

}  // namespace

Property read_property(Reader& reader) {
  return read_value(reader, kRows[properties_detail::kIndices[reader.u8()]]);
}

std::optional<Property> PropertyBlock::find(PropertyId id) const {
  if (!has(id)) return {};
  Iterator at = begin();
  while ((*at).id != id) ++at;
  return *at;
}

WireResult<PropertyBlock> read_properties(Reader& reader, PropertyPlace place, std::size_t offset) {
  const std::size_t length_at = offset + reader.offset();
  const std::uint32_t length = read_varint(reader);
  if (!reader.ok()) return breaks(ReasonCode::kMalformedPacket, length_at, "MQTT-2.2.2-1");
  if (length == kNoVarint) return breaks(ReasonCode::kMalformedPacket, length_at, "MQTT-1.5.5-1");
  if (length > reader.remaining()) {
    return breaks(ReasonCode::kMalformedPacket, length_at, "MQTT 5.0 §2.2.2.1");
  }
  const std::size_t block_at = offset + reader.offset();
  return check_properties(reader.bytes(length), place, block_at);
}

WireResult<PropertyBlock> check_properties(Bytes octets, PropertyPlace place, std::size_t offset) {
  Reader reader(octets);
  std::uint32_t ids = 0;
  while (!reader.at_end()) {
    const std::size_t at = offset + reader.offset();
    const std::uint32_t id = read_varint(reader);
    if (id == kNoVarint && reader.ok()) {
      return breaks(ReasonCode::kMalformedPacket, at, "MQTT-1.5.5-1");
    }
    const Row* const row = row_of(id);
    if (row == nullptr || (row->places & bit(place)) == 0) {
      return breaks(ReasonCode::kMalformedPacket, at, "MQTT 5.0 §2.2.2.2");
    }
    if ((ids & properties_detail::bit(row->id)) != 0 && (row->repeats & bit(place)) == 0) {
      return breaks(ReasonCode::kProtocolError, at, row->section);
    }
    ids |= properties_detail::bit(row->id);
    const std::size_t value_at = offset + reader.offset();
    const Property property = read_value(reader, *row);
    if (!reader.ok()) return breaks(ReasonCode::kMalformedPacket, at, "MQTT 5.0 §2.2.2.2");
    if (const auto wrong = value_fault(property, *row, value_at)) return std::unexpected(*wrong);
  }
  if (const auto wrong = block_fault(ids, place, offset)) return std::unexpected(*wrong);
  return PropertyBlock(octets, ids);
}

std::size_t property_size(const Property& property) {
  const auto fits = [](auto field) { return field.size() <= kFieldBytesMax; };
  switch (row_of(static_cast<std::uint8_t>(property.id))->type) {
    case Type::kByte:
      return property.number <= 0xFF ? 2 : 0;
    case Type::kTwoBytes:
      return property.number <= 0xFFFF ? 3 : 0;
    case Type::kFourBytes:
      return 5;
    case Type::kVarint:
      return property.number <= kVarintMax ? 1 + varint_size(property.number) : 0;
    case Type::kText:
      return fits(property.text) ? 3 + property.text.size() : 0;
    case Type::kTextPair:
      if (!fits(property.text) || !fits(property.value)) return 0;
      return 5 + property.text.size() + property.value.size();
    case Type::kData:
      return fits(property.data) ? 3 + property.data.size() : 0;
  }
  return 0;
}

std::optional<std::size_t> properties_size(std::span<const Property> properties) {
  std::size_t total = 0;
  for (const Property& property : properties) {
    const std::size_t size = property_size(property);
    if (size == 0) return {};
    total += size;
  }
  if (total > kVarintMax) return {};
  return total;
}

std::uint8_t* write_property(std::uint8_t* out, const Property& property) {
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(property.id));
  switch (row_of(static_cast<std::uint8_t>(property.id))->type) {
    case Type::kByte:
      writer.u8(static_cast<std::uint8_t>(property.number));
      break;
    case Type::kTwoBytes:
      writer.u16(static_cast<std::uint16_t>(property.number));
      break;
    case Type::kFourBytes:
      writer.u32(property.number);
      break;
    case Type::kVarint:
      return write_varint(writer.position(), property.number);
    case Type::kText:
      writer.prefixed16(as_bytes(property.text));
      break;
    case Type::kTextPair:
      writer.prefixed16(as_bytes(property.text));
      writer.prefixed16(as_bytes(property.value));
      break;
    case Type::kData:
      writer.prefixed16(property.data);
      break;
  }
  return writer.position();
}

PropertyBlock encode_properties(std::uint8_t* out, std::span<const Property> properties) {
  std::uint8_t* at = out;
  std::uint32_t ids = 0;
  for (const Property& property : properties) {
    at = write_property(at, property);
    ids |= properties_detail::bit(property.id);
  }
  return PropertyBlock({out, static_cast<std::size_t>(at - out)}, ids);
}

}  // namespace hermod::mqtt
