// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE (MQTT 3.1.1 §3.8, MQTT 5.0 §3.8). The list is checked once, when the packet is read,
// and then walked in place: for (const SubscribeEntry entry : subscribe.entries) ...
//
//   packet identifier | 2 octets |
//   properties        | property length | properties | only MQTT 5
//   payload, at least once:
//     topic filter    | 2 octets length | UTF-8 |
//     options         | 00 | retain handling (2) | retain as published | no local | QoS (2) |
//                     | before MQTT 5: 000000 | QoS (2) |
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/reader.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/base/writer.hpp"
#include "hermod/mqtt/codec/entries.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// Which retained messages a new subscription is sent (MQTT 5.0 §3.8.3.1).
enum class RetainHandling : std::uint8_t {
  kSend = 0,       ///< all; the only way before MQTT 5
  kSendIfNew = 1,  ///< all, but none when the subscription exists already
  kDoNotSend = 2,
};

struct SubscribeEntry {
  std::string_view filter;
  std::uint8_t qos = 0;              ///< the highest QoS that is asked for, 0 to 2
  bool no_local = false;             ///< MQTT 5; not with a shared filter [MQTT-3.8.3-4]
  bool retain_as_published = false;  ///< MQTT 5
  RetainHandling retain_handling = RetainHandling::kSend;  ///< MQTT 5

  friend bool operator==(const SubscribeEntry&, const SubscribeEntry&) = default;
};

/// One entry of the payload. Before MQTT 5 the bits of its options are 0.
[[nodiscard]] inline SubscribeEntry read_subscribe_entry(Reader& reader) {
  const std::string_view filter = as_text(reader.prefixed16());
  const std::uint8_t options = reader.u8();
  return {.filter = filter,
          .qos = static_cast<std::uint8_t>(options & 3),
          .no_local = (options & 0x04) != 0,
          .retain_as_published = (options & 0x08) != 0,
          .retain_handling = static_cast<RetainHandling>(options >> 4 & 3)};
}

/// The options octet of an entry; before MQTT 5 its QoS alone.
[[nodiscard]] constexpr std::uint8_t subscribe_options(const SubscribeEntry& entry,
                                                       Version version) {
  if (version != Version::kV5) return entry.qos;
  return static_cast<std::uint8_t>(entry.qos | (entry.no_local ? 0x04 : 0) |
                                   (entry.retain_as_published ? 0x08 : 0) |
                                   static_cast<int>(entry.retain_handling) << 4);
}

/// The entries of a SUBSCRIBE that read_subscribe() has checked.
using SubscribeEntries = Entries<read_subscribe_entry>;

struct SubscribeView {
  std::uint16_t packet_id = 0;
  SubscribeEntries entries;  ///< never empty; borrowed from the read buffer
  PropertyBlock properties;
};

/// Reads the body of a SUBSCRIBE and checks all of it. Malformed: identifier 0 or missing, no entry
/// [MQTT-3.8.3-3], an entry cut short, a topic filter that is none, reserved bits or QoS 3
/// [MQTT-3-8.3-4]. In MQTT 5 also: retain handling 3, no local with a shared filter [MQTT-3.8.3-4],
/// its properties, see read_properties().
[[nodiscard]] WireResult<SubscribeView> read_subscribe(const FixedHeader& header, Bytes body,
                                                       Version version);

/// A sequence of entries to write: an array, a vector, or the entries of a packet that was read.
template <typename Range>
concept SubscribeEntryRange =
    std::ranges::forward_range<const Range> &&
    std::convertible_to<std::ranges::range_value_t<const Range>, SubscribeEntry>;

/// Octets behind the fixed header of a SUBSCRIBE with these entries.
template <SubscribeEntryRange Range>
[[nodiscard]] std::size_t subscribe_remaining_length(const Range& entries, Version version,
                                                     const PropertyBlock& properties) {
  std::size_t length = 2 + block_size(properties, version);
  for (const SubscribeEntry& entry : entries) length += 2 + entry.filter.size() + 1;
  return length;
}

/// Octets that write_subscribe() will write; 0 when MQTT cannot say it. A filter is the caller's
/// business: is_topic_filter(), which includes its 65,535 octets.
template <SubscribeEntryRange Range>
[[nodiscard]] std::size_t subscribe_size(const Range& entries, Version version,
                                         const PropertyBlock& properties = {}) {
  return size_with_fixed_header(subscribe_remaining_length(entries, version, properties));
}

/// Writes the whole packet and returns the place behind it. Before MQTT 5 properties and options
/// are left out.
template <SubscribeEntryRange Range>
std::uint8_t* write_subscribe(std::uint8_t* out, std::uint16_t packet_id, const Range& entries,
                              Version version, const PropertyBlock& properties = {}) {
  Writer writer(write_fixed_header(out, PacketType::kSubscribe, fixed_flags(PacketType::kSubscribe),
                                   subscribe_remaining_length(entries, version, properties)));
  writer.u16(packet_id);
  Writer payload(write_block(writer.position(), properties, version));
  for (const SubscribeEntry& entry : entries) {
    payload.prefixed16(as_bytes(entry.filter));
    payload.u8(subscribe_options(entry, version));
  }
  return payload.position();
}

}  // namespace hermod::mqtt
