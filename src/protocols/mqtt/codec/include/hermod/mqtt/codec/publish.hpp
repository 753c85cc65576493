// SPDX-License-Identifier: Apache-2.0
// PUBLISH (MQTT 3.1.1 §3.3, MQTT 5.0 §3.3), the hot path: reading copies and allocates nothing.
//
//   fixed header flags | DUP | QoS | QoS | RETAIN |
//   topic name         | 2 octets length | UTF-8 |
//   packet identifier  | 2 octets | only when QoS > 0
//   properties         | property length | properties | only MQTT 5
//   payload            | what is left of the remaining length |
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// A PUBLISH whose topic and payload lie in somebody else's memory: the read buffer when it was
/// read.
struct PublishView {
  std::string_view topic;  ///< empty only in MQTT 5 with a topic alias
  Bytes payload;
  std::uint16_t packet_id = 0;  ///< 0 exactly when qos is 0
  std::uint8_t qos = 0;         ///< 0, 1 or 2
  bool retain = false;
  bool dup = false;
  PropertyBlock properties;  ///< left out before MQTT 5
};

/// Reads the body of a PUBLISH whose fixed header came from read_fixed_header(), which has checked
/// QoS and DUP. `body` starts behind the fixed header; offsets of errors count from the packet's
/// start. Malformed: topic cut short, empty, ill-formed or with wildcards; packet identifier
/// missing or 0; properties, see read_properties(). In MQTT 5 the topic may be empty beside a topic
/// alias (MQTT 5.0 §3.3.2.1). Incomplete when the body is shorter than the remaining length.
[[nodiscard]] WireResult<PublishView> read_publish(const FixedHeader& header, Bytes body,
                                                   Version version);

/// Octets that write_publish() will write; 0 when MQTT cannot say it (a topic above 65,535 octets,
/// or a packet above kRemainingLengthMax). The contents are the caller's business: is_topic_name().
[[nodiscard]] std::size_t publish_size(const PublishView& publish, Version version);

/// Octets in front of the payload, for payloads that are sent by reference; 0 as publish_size().
[[nodiscard]] std::size_t publish_header_size(const PublishView& publish, Version version);

/// Writes publish_size() octets to `out` and returns the place behind them.
std::uint8_t* write_publish(std::uint8_t* out, const PublishView& publish, Version version);

/// Writes publish_header_size() octets: all but the payload, of which only the size is used.
std::uint8_t* write_publish_header(std::uint8_t* out, const PublishView& publish, Version version);

/// Where the packet identifier stands in an encoded PUBLISH of QoS 1 or 2, counted from its first
/// octet. For a cache of encodings: `encoded` comes from write_publish() or write_publish_header().
[[nodiscard]] std::size_t publish_packet_id_offset(Bytes encoded);

/// Makes an encoded PUBLISH of QoS 1 or 2 another delivery of the same message: sets its packet
/// identifier and its DUP flag, which depends on this delivery alone [MQTT-3.3.1-3].
inline void patch_publish(std::uint8_t* encoded, std::size_t packet_id_offset,
                          std::uint16_t packet_id, bool dup) {
  encoded[0] = static_cast<std::uint8_t>((encoded[0] & ~kPublishDup) | (dup ? kPublishDup : 0));
  encoded[packet_id_offset] = static_cast<std::uint8_t>(packet_id >> 8);
  encoded[packet_id_offset + 1] = static_cast<std::uint8_t>(packet_id);
}

}  // namespace hermod::mqtt
