// SPDX-License-Identifier: Apache-2.0
// The properties of MQTT 5.0 (§2.2.2). A block is checked once, when its packet is read, and then
// walked in place: for (const Property property : publish.properties) ...
//
//   property length | Variable Byte Integer: octets behind it |
//   each property   | identifier, 1 octet | value, its layout depends on the identifier |
//
// Every packet holds its properties in one shape, whether it was read or will be written: the
// octets of the block, already encoded, and which identifiers are in it. So a packet that was read
// can be written again, writing is a copy, and a block that many packets carry is encoded once. The
// price is that whoever makes properties encodes them into memory of his own, by
// encode_properties().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/reader.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/base/writer.hpp"
#include "hermod/mqtt/codec/entries.hpp"
#include "hermod/mqtt/codec/packet_type.hpp"
#include "hermod/mqtt/codec/varint.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// MQTT 5.0 table 2-4.
enum class PropertyId : std::uint8_t {
  kPayloadFormatIndicator = 0x01,
  kMessageExpiryInterval = 0x02,
  kContentType = 0x03,
  kResponseTopic = 0x08,
  kCorrelationData = 0x09,
  kSubscriptionIdentifier = 0x0B,
  kSessionExpiryInterval = 0x11,
  kAssignedClientIdentifier = 0x12,
  kServerKeepAlive = 0x13,
  kAuthenticationMethod = 0x15,
  kAuthenticationData = 0x16,
  kRequestProblemInformation = 0x17,
  kWillDelayInterval = 0x18,
  kRequestResponseInformation = 0x19,
  kResponseInformation = 0x1A,
  kServerReference = 0x1C,
  kReasonString = 0x1F,
  kReceiveMaximum = 0x21,
  kTopicAliasMaximum = 0x22,
  kTopicAlias = 0x23,
  kMaximumQos = 0x24,
  kRetainAvailable = 0x25,
  kUserProperty = 0x26,
  kMaximumPacketSize = 0x27,
  kWildcardSubscriptionAvailable = 0x28,
  kSubscriptionIdentifierAvailable = 0x29,
  kSharedSubscriptionAvailable = 0x2A,
};

/// One property. What its type does not use keeps its default.
struct Property {
  PropertyId id = PropertyId::kUserProperty;
  std::uint32_t number = 0;  ///< of a Byte, Two or Four Byte Integer, Variable Byte Integer
  std::string_view text;     ///< a UTF-8 Encoded String; the name of a user property
  std::string_view value;    ///< the value of a user property
  Bytes data;                ///< Binary Data

  friend bool operator==(const Property& a, const Property& b) {
    return a.id == b.id && a.number == b.number && a.text == b.text && a.value == b.value &&
           as_text(a.data) == as_text(b.data);
  }
};

/// Where a block of properties stands: the packet's type, or the will inside CONNECT.
enum class PropertyPlace : std::uint8_t {
  kWill = 0,
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kPubrec = 5,
  kPubrel = 6,
  kPubcomp = 7,
  kSubscribe = 8,
  kSuback = 9,
  kUnsubscribe = 10,
  kUnsuback = 11,
  kDisconnect = 14,
  kAuth = 15,
};

/// The place in a packet of this type; it is none of PINGREQ and PINGRESP.
[[nodiscard]] constexpr PropertyPlace place_of(PacketType type) {
  return static_cast<PropertyPlace>(type);
}

/// All identifiers, ascending.
inline constexpr std::array kPropertyIds = {
    PropertyId::kPayloadFormatIndicator,
    PropertyId::kMessageExpiryInterval,
    PropertyId::kContentType,
    PropertyId::kResponseTopic,
    PropertyId::kCorrelationData,
    PropertyId::kSubscriptionIdentifier,
    PropertyId::kSessionExpiryInterval,
    PropertyId::kAssignedClientIdentifier,
    PropertyId::kServerKeepAlive,
    PropertyId::kAuthenticationMethod,
    PropertyId::kAuthenticationData,
    PropertyId::kRequestProblemInformation,
    PropertyId::kWillDelayInterval,
    PropertyId::kRequestResponseInformation,
    PropertyId::kResponseInformation,
    PropertyId::kServerReference,
    PropertyId::kReasonString,
    PropertyId::kReceiveMaximum,
    PropertyId::kTopicAliasMaximum,
    PropertyId::kTopicAlias,
    PropertyId::kMaximumQos,
    PropertyId::kRetainAvailable,
    PropertyId::kUserProperty,
    PropertyId::kMaximumPacketSize,
    PropertyId::kWildcardSubscriptionAvailable,
    PropertyId::kSubscriptionIdentifierAvailable,
    PropertyId::kSharedSubscriptionAvailable,
};

namespace properties_detail {

inline constexpr std::uint8_t kNone = 0xFF;

// The index in kPropertyIds for each identifier.
inline constexpr std::array<std::uint8_t, 256> kIndices = [] {
  std::array<std::uint8_t, 256> indices{};
  indices.fill(kNone);
  for (std::size_t i = 0; i < kPropertyIds.size(); ++i) {
    indices[static_cast<std::uint8_t>(kPropertyIds[i])] = static_cast<std::uint8_t>(i);
  }
  return indices;
}();

[[nodiscard]] constexpr std::uint32_t bit(PropertyId id) {
  return std::uint32_t{1} << kIndices[static_cast<std::uint8_t>(id)];
}

}  // namespace properties_detail

/// Reads the property at the reader's place, in octets that were checked.
[[nodiscard]] Property read_property(Reader& reader);

/// A block of properties that was read and checked, or encoded: a forward range of Property in wire
/// order. Borrows its octets. Small, since PUBLISH carries one in every version.
class PropertyBlock {
 public:
  using Iterator = Entries<read_property>::Iterator;

  /// No properties.
  PropertyBlock() = default;

  [[nodiscard]] Iterator begin() const { return Iterator(octets()); }
  [[nodiscard]] Iterator end() const { return Iterator(octets().last(0)); }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// The encoded properties, without the length in front of them.
  [[nodiscard]] Bytes octets() const { return {data_, size_}; }

  [[nodiscard]] bool has(PropertyId id) const { return (ids_ & properties_detail::bit(id)) != 0; }
  /// The first property with this identifier.
  [[nodiscard]] std::optional<Property> find(PropertyId id) const;
  /// The number of a property, or what the specification takes when it is absent.
  [[nodiscard]] std::uint32_t number_or(PropertyId id, std::uint32_t absent) const {
    return has(id) ? find(id)->number : absent;
  }

  /// The same octets.
  friend bool operator==(const PropertyBlock& a, const PropertyBlock& b) {
    return as_text(a.octets()) == as_text(b.octets());
  }

 private:
  friend WireResult<PropertyBlock> check_properties(Bytes octets, PropertyPlace place,
                                                    std::size_t offset);
  friend PropertyBlock encode_properties(std::uint8_t* out, std::span<const Property> properties);

  PropertyBlock(Bytes octets, std::uint32_t ids)
      : data_(octets.data()), size_(static_cast<std::uint32_t>(octets.size())), ids_(ids) {}

  const std::uint8_t* data_ = nullptr;
  std::uint32_t size_ = 0;  // at most kVarintMax
  std::uint32_t ids_ = 0;   // bit i: kPropertyIds[i] is there
};

/// Reads a property length and its block, and checks all that MQTT 5.0 asks of a block at this
/// place. `offset` is the reader's start within the packet. Malformed, with the reason code to send
/// in `code`:
///   0x81  a length that is missing, not shortest or beyond the packet, a property cut short, an
///         identifier that is unknown or not allowed here (§2.2.2.2), ill-formed text
///   0x82  a property twice, a value out of its range, a response topic that is no topic name
///         [MQTT-3.3.2-14], authentication data without method in CONNECT, no method in AUTH
///   0x94  topic alias 0 [MQTT-3.3.2-8]
/// What depends on the sender's role is not known here: [MQTT-3.3.4-6], [MQTT-3.14.2-2].
[[nodiscard]] WireResult<PropertyBlock> read_properties(Reader& reader, PropertyPlace place,
                                                        std::size_t offset);

/// The same for a block without its length that stands at `offset` of a packet.
[[nodiscard]] WireResult<PropertyBlock> check_properties(Bytes octets, PropertyPlace place,
                                                         std::size_t offset = 0);

/// Octets of one property, its identifier included; 0 when MQTT cannot say it: a text or data above
/// 65,535 octets, a number above its type. Everything else is the caller's business.
[[nodiscard]] std::size_t property_size(const Property& property);

/// Writes property_size() octets and returns the place behind them.
std::uint8_t* write_property(std::uint8_t* out, const Property& property);

/// Octets of a block without its length; nothing when MQTT cannot say it.
[[nodiscard]] std::optional<std::size_t> properties_size(std::span<const Property> properties);

/// Writes properties_size() octets to `out`, and answers the block that lies there then.
PropertyBlock encode_properties(std::uint8_t* out, std::span<const Property> properties);

/// Octets of a block with its length in a packet of this version; 0 before MQTT 5, which cannot say
/// properties.
[[nodiscard]] inline std::size_t block_size(const PropertyBlock& block, Version version) {
  if (version != Version::kV5) return 0;
  return varint_size(block.octets().size()) + block.octets().size();
}

/// Writes block_size() octets and returns the place behind them.
inline std::uint8_t* write_block(std::uint8_t* out, const PropertyBlock& block, Version version) {
  if (version != Version::kV5) return out;
  if (block.empty()) [[likely]] {
    *out = 0;
    return out + 1;
  }
  Writer writer(write_varint(out, block.octets().size()));
  writer.bytes(block.octets());
  return writer.position();
}

}  // namespace hermod::mqtt
