// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/subscribe.hpp"

#include <optional>

#include "hermod/mqtt/codec/topic.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

// What is wrong with an options octet that stands at `at` behind its filter.
std::optional<WireError> options_fault(std::uint8_t options, std::string_view filter,
                                       std::size_t at, Version version) {
  if (version != Version::kV5) {
    if (options > 2) return malformed(0, at, "MQTT-3-8.3-4").error();
    return {};
  }
  if ((options & 0xC0) != 0) {
    return breaks(ReasonCode::kMalformedPacket, at, "MQTT-3.8.3-5").error();
  }
  if ((options & 0x03) == 3 || (options & 0x30) == 0x30) {
    return breaks(ReasonCode::kProtocolError, at, "MQTT 5.0 §3.8.3.1").error();
  }
  if ((options & 0x04) != 0 && is_shared_filter(filter)) {
    return breaks(ReasonCode::kProtocolError, at, "MQTT-3.8.3-4").error();
  }
  return {};
}

// Checks the entry at the reader's place; `offset` is the reader's start within the packet.
std::optional<WireError> entry_fault(Reader& reader, std::size_t offset, Version version) {
  const std::size_t at = offset + reader.offset();
  const std::string_view filter = as_text(reader.prefixed16());
  const std::uint8_t options = reader.u8();
  if (!reader.ok()) return breaks({"MQTT 3.1.1 §3.8.3", "MQTT 5.0 §3.8.3"}, at, version).error();
  const TopicFault fault = topic_filter_fault(filter, version);  // [MQTT-3.8.3-1]
  if (fault != TopicFault::kNone) return breaks(fault, at + 2, version).error();
  return options_fault(options, filter, at + 2 + filter.size(), version);
}

}  // namespace

WireResult<SubscribeView> read_subscribe(const FixedHeader& header, Bytes body, Version version) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  SubscribeView subscribe;
  subscribe.packet_id = reader.u16();
  if (subscribe.packet_id == 0) {
    return breaks_packet_id(reader, {"MQTT-2.3.1-1", "MQTT-2.2.1-3"}, header.header_size, version);
  }
  if (version == Version::kV5) {
    const auto properties = read_properties(reader, PropertyPlace::kSubscribe, header.header_size);
    if (!properties) return std::unexpected(properties.error());
    subscribe.properties = *properties;
  }
  const Bytes octets = reader.rest();
  std::size_t count = 0;
  for (; !reader.at_end(); ++count) {
    if (const auto wrong = entry_fault(reader, header.header_size, version)) {
      return std::unexpected(*wrong);
    }
  }
  if (count == 0) {
    return breaks({"MQTT-3.8.3-3", "MQTT-3.8.3-2", ReasonCode::kProtocolError},
                  header.packet_size(), version);
  }
  subscribe.entries = SubscribeEntries(octets, count);
  return subscribe;
}

}  // namespace hermod::mqtt
