// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/unsubscribe.hpp"

#include "hermod/mqtt/codec/topic.hpp"
#include "rule.hpp"

namespace hermod::mqtt {

WireResult<UnsubscribeView> read_unsubscribe(const FixedHeader& header, Bytes body,
                                             Version version) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  UnsubscribeView unsubscribe;
  unsubscribe.packet_id = reader.u16();
  if (unsubscribe.packet_id == 0) {
    return breaks_packet_id(reader, {"MQTT-2.3.1-1", "MQTT-2.2.1-3"}, header.header_size, version);
  }
  if (version == Version::kV5) {
    const auto properties =
        read_properties(reader, PropertyPlace::kUnsubscribe, header.header_size);
    if (!properties) return std::unexpected(properties.error());
    unsubscribe.properties = *properties;
  }
  const Bytes octets = reader.rest();
  std::size_t count = 0;
  for (; !reader.at_end(); ++count) {
    const std::size_t at = header.header_size + reader.offset();
    const std::string_view filter = as_text(reader.prefixed16());
    if (!reader.ok()) return breaks({"MQTT-3.10.3-1", "MQTT-3.10.3-1"}, at, version);
    const TopicFault fault = topic_filter_fault(filter, version);  // [MQTT-3.10.3-1]
    if (fault != TopicFault::kNone) return breaks(fault, at + 2, version);
  }
  if (count == 0) {
    return breaks({"MQTT-3.10.3-2", "MQTT-3.10.3-2", ReasonCode::kProtocolError},
                  header.packet_size(), version);
  }
  unsubscribe.filters = UnsubscribeFilters(octets, count);
  return unsubscribe;
}

}  // namespace hermod::mqtt
