// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/unsubscribe.hpp"

#include "hermod/mqtt/codec/topic.hpp"

namespace hermod::mqtt {

WireResult<UnsubscribeView> read_unsubscribe(const FixedHeader& header, Bytes body, Version) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  UnsubscribeView unsubscribe;
  unsubscribe.packet_id = reader.u16();
  if (unsubscribe.packet_id == 0) return malformed(0, header.header_size, "MQTT-2.3.1-1");
  const Bytes octets = reader.rest();
  std::size_t count = 0;
  while (!reader.at_end()) {
    const std::size_t at = header.header_size + reader.offset();
    const std::string_view filter = as_text(reader.prefixed16());
    if (!reader.ok()) return malformed(0, at, "MQTT-3.10.3-1");
    const TopicFault fault = topic_filter_fault(filter);  // [MQTT-3.10.3-1]
    if (fault != TopicFault::kNone) return malformed(0, at + 2, statement(fault));
    ++count;
  }
  if (count == 0) return malformed(0, header.packet_size(), "MQTT-3.10.3-2");
  unsubscribe.filters = UnsubscribeFilters(octets, count);
  return unsubscribe;
}

}  // namespace hermod::mqtt
