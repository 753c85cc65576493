// SPDX-License-Identifier: Apache-2.0
// The properties of a topic on the wire: the CBOR map of application/core-pubsub+cbor, and the
// array of keys that asks for some of them (draft-ietf-core-coap-pubsub-21, "Topic Properties" and
// "Encoding of PubSub Topic Properties"). Knows no topic and no request: which properties a request
// needs and which may change is up to the resource.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/cbor/writer.hpp"
#include "hermod/coap/codec/content_format.hpp"

namespace hermod::coap {

/// A property; the value is its CBOR key.
enum class Property : std::uint8_t {
  kTopicName = 0,
  kTopicData = 1,
  kResourceType = 2,
  kTopicContentFormat = 3,
  kTopicType = 4,
  kExpirationDate = 5,
  kMaxSubscribers = 6,
  kObserverCheck = 7,
  kInitialize = 8,
};

/// Its name, as "topic-name".
[[nodiscard]] std::string_view to_string(Property property);

/// Some properties, joined by `|`.
using PropertyKeys = std::uint16_t;
[[nodiscard]] constexpr PropertyKeys key_of(Property property) {
  return static_cast<PropertyKeys>(1u << static_cast<unsigned>(property));
}
inline constexpr PropertyKeys kAllProperties = 0x1ff;

/// The properties that a map has. Texts and octets borrow, when it was read from its octets.
struct PropertySet {
  std::optional<std::string_view> topic_name;
  std::optional<std::string_view> topic_data;  ///< URI reference of the topic-data resource
  std::optional<std::string_view> resource_type;
  std::optional<ContentFormat> topic_content_format;
  std::optional<std::string_view> topic_type;
  /// expiration-date: seconds since 1970-01-01T00:00Z; of a date with a fraction the whole seconds.
  std::optional<std::int64_t> expires_at_s;
  std::optional<std::uint64_t> max_subscribers;
  std::optional<std::uint64_t> observer_check_s;  ///< above 0
  std::optional<Bytes> initialize;                ///< with topic_content_format

  /// Which ones it has.
  [[nodiscard]] PropertyKeys keys() const;
  /// Whether it has every property that `filter` has, with the same value ("Getting Topics by Topic
  /// Properties").
  [[nodiscard]] bool has_all(const PropertySet& filter) const;
};

/// Why a body was refused: for a person, and it names the property.
struct PropertyError {
  std::size_t offset = 0;  ///< octet of the body
  std::string reason;
};

/// Reads a map of properties. Refused are a key that is unknown or stands twice, a value of another
/// type than the draft's, an observer-check of 0, an initialize without topic-content-format, a
/// string in chunks, and octets behind the map.
[[nodiscard]] std::expected<PropertySet, PropertyError> read_properties(Bytes body);

/// Reads the array of keys of a FETCH ("Getting part of a topic"). Keys that are unknown count for
/// nothing: no topic has them.
[[nodiscard]] std::expected<PropertyKeys, PropertyError> read_property_keys(Bytes body);

/// Writes a map of the properties that are set and are among `which`, in ascending order.
void write_properties(cbor::Writer& out, const PropertySet& properties,
                      PropertyKeys which = kAllProperties);

/// Writes the array of keys of a FETCH.
void write_property_keys(cbor::Writer& out, PropertyKeys which);

}  // namespace hermod::coap
