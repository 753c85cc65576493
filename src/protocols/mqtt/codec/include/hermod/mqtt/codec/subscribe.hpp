// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE (MQTT 3.1.1 §3.8). The list is checked once, when the packet is read, and then walked
// in place: for (const SubscribeEntry entry : subscribe.entries) ...
//
//   packet identifier | 2 octets |
//   payload, at least once:
//     topic filter    | 2 octets length | UTF-8 |
//     requested QoS   | 000000 | QoS (2) |
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
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

struct SubscribeEntry {
  std::string_view filter;
  std::uint8_t qos = 0;  ///< the highest QoS that is asked for, 0 to 2

  friend bool operator==(const SubscribeEntry&, const SubscribeEntry&) = default;
};

/// One entry of the payload.
[[nodiscard]] inline SubscribeEntry read_subscribe_entry(Reader& reader) {
  const std::string_view filter = as_text(reader.prefixed16());
  return {filter, reader.u8()};
}

/// The entries of a SUBSCRIBE that read_subscribe() has checked.
using SubscribeEntries = Entries<read_subscribe_entry>;

struct SubscribeView {
  std::uint16_t packet_id = 0;
  SubscribeEntries entries;  ///< never empty; borrowed from the read buffer
};

/// Reads the body of a SUBSCRIBE and checks all of it. Malformed: identifier 0 or missing, no entry
/// [MQTT-3.8.3-3], an entry cut short, a topic filter that is none, reserved bits or QoS 3
/// [MQTT-3-8.3-4].
[[nodiscard]] WireResult<SubscribeView> read_subscribe(const FixedHeader& header, Bytes body,
                                                       Version version);

/// A sequence of entries to write: an array, a vector, or the entries of a packet that was read.
template <typename Range>
concept SubscribeEntryRange =
    std::ranges::forward_range<const Range> &&
    std::convertible_to<std::ranges::range_value_t<const Range>, SubscribeEntry>;

/// Octets behind the fixed header of a SUBSCRIBE with these entries.
template <SubscribeEntryRange Range>
[[nodiscard]] std::size_t subscribe_remaining_length(const Range& entries) {
  std::size_t length = 2;
  for (const SubscribeEntry& entry : entries) length += 2 + entry.filter.size() + 1;
  return length;
}

/// Octets that write_subscribe() will write; 0 when MQTT cannot say it. A filter is the caller's
/// business: is_topic_filter(), which includes its 65,535 octets.
template <SubscribeEntryRange Range>
[[nodiscard]] std::size_t subscribe_size(const Range& entries, Version) {
  return size_with_fixed_header(subscribe_remaining_length(entries));
}

/// Writes the whole packet and returns the place behind it.
template <SubscribeEntryRange Range>
std::uint8_t* write_subscribe(std::uint8_t* out, std::uint16_t packet_id, const Range& entries,
                              Version) {
  Writer writer(write_fixed_header(out, PacketType::kSubscribe, fixed_flags(PacketType::kSubscribe),
                                   subscribe_remaining_length(entries)));
  writer.u16(packet_id);
  for (const SubscribeEntry& entry : entries) {
    writer.prefixed16(as_bytes(entry.filter));
    writer.u8(entry.qos);
  }
  return writer.position();
}

}  // namespace hermod::mqtt
