// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/subscribe.hpp"

#include "hermod/mqtt/codec/topic.hpp"

namespace hermod::mqtt {

WireResult<SubscribeView> read_subscribe(const FixedHeader& header, Bytes body, Version) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  SubscribeView subscribe;
  subscribe.packet_id = reader.u16();
  if (subscribe.packet_id == 0) return malformed(0, header.header_size, "MQTT-2.3.1-1");
  const Bytes octets = reader.rest();
  std::size_t count = 0;
  while (!reader.at_end()) {
    const std::size_t at = header.header_size + reader.offset();
    const std::string_view filter = as_text(reader.prefixed16());
    const std::uint8_t options = reader.u8();
    if (!reader.ok()) return malformed(0, at, "MQTT 3.1.1 §3.8.3");
    const TopicFault fault = topic_filter_fault(filter);  // [MQTT-3.8.3-1]
    if (fault != TopicFault::kNone) return malformed(0, at + 2, statement(fault));
    if (options > 2) return malformed(0, at + 2 + filter.size(), "MQTT-3-8.3-4");
    ++count;
  }
  if (count == 0) return malformed(0, header.packet_size(), "MQTT-3.8.3-3");
  subscribe.entries = SubscribeEntries(octets, count);
  return subscribe;
}

}  // namespace hermod::mqtt
