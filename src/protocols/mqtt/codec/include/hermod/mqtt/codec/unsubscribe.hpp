// SPDX-License-Identifier: Apache-2.0
// UNSUBSCRIBE (MQTT 3.1.1 §3.10, MQTT 5.0 §3.10). Checked once, then walked in place:
// for (const std::string_view filter : unsubscribe.filters) ...
//
//   packet identifier | 2 octets |
//   properties        | property length | properties | only MQTT 5
//   payload, at least once:
//     topic filter    | 2 octets length | UTF-8 |
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

/// One filter of the payload.
[[nodiscard]] inline std::string_view read_unsubscribe_filter(Reader& reader) {
  return as_text(reader.prefixed16());
}

/// The filters of an UNSUBSCRIBE that read_unsubscribe() has checked.
using UnsubscribeFilters = Entries<read_unsubscribe_filter>;

struct UnsubscribeView {
  std::uint16_t packet_id = 0;
  UnsubscribeFilters filters;  ///< never empty; borrowed from the read buffer
  PropertyBlock properties;
};

/// Reads the body of an UNSUBSCRIBE and checks all of it. Malformed: identifier 0 or missing, no
/// filter [MQTT-3.10.3-2], a filter cut short, a text that is no topic filter; its properties, see
/// read_properties().
[[nodiscard]] WireResult<UnsubscribeView> read_unsubscribe(const FixedHeader& header, Bytes body,
                                                           Version version);

/// A sequence of filters to write: an array, a vector, or the filters of a packet that was read.
template <typename Range>
concept FilterRange =
    std::ranges::forward_range<const Range> &&
    std::convertible_to<std::ranges::range_value_t<const Range>, std::string_view>;

/// Octets behind the fixed header of an UNSUBSCRIBE with these filters.
template <FilterRange Range>
[[nodiscard]] std::size_t unsubscribe_remaining_length(const Range& filters, Version version,
                                                       const PropertyBlock& properties) {
  std::size_t length = 2 + block_size(properties, version);
  for (const std::string_view filter : filters) length += 2 + filter.size();
  return length;
}

/// Octets that write_unsubscribe() will write; 0 when MQTT cannot say it. A filter is the caller's
/// business: is_topic_filter(), which includes its 65,535 octets.
template <FilterRange Range>
[[nodiscard]] std::size_t unsubscribe_size(const Range& filters, Version version,
                                           const PropertyBlock& properties = {}) {
  return size_with_fixed_header(unsubscribe_remaining_length(filters, version, properties));
}

/// Writes the whole packet and returns the place behind it. Before MQTT 5 properties are left out.
template <FilterRange Range>
std::uint8_t* write_unsubscribe(std::uint8_t* out, std::uint16_t packet_id, const Range& filters,
                                Version version, const PropertyBlock& properties = {}) {
  Writer writer(write_fixed_header(out, PacketType::kUnsubscribe,
                                   fixed_flags(PacketType::kUnsubscribe),
                                   unsubscribe_remaining_length(filters, version, properties)));
  writer.u16(packet_id);
  Writer payload(write_block(writer.position(), properties, version));
  for (const std::string_view filter : filters) payload.prefixed16(as_bytes(filter));
  return payload.position();
}

}  // namespace hermod::mqtt
