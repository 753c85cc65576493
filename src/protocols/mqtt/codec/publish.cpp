// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/publish.hpp"

#include <utility>

#include "hermod/base/writer.hpp"
#include "hermod/mqtt/codec/topic.hpp"

namespace hermod::mqtt {
namespace {

std::uint16_t u16_at(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::size_t variable_header_size(const PublishView& publish) {
  return 2 + publish.topic.size() + (publish.qos > 0 ? 2 : 0);
}

std::uint8_t flags_of(const PublishView& publish) {
  return static_cast<std::uint8_t>((publish.dup ? kPublishDup : 0) | publish.qos << 1 |
                                   (publish.retain ? kPublishRetain : 0));
}

}  // namespace

// The view is made in one go from values in registers: filled field by field, it would be copied
// out of memory that was written a moment ago in smaller pieces, which stalls.
WireResult<PublishView> read_publish(const FixedHeader& header, Bytes body, Version) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  body = body.first(header.remaining_length);
  const std::size_t topic_end = body.size() < 2 ? 2 : 2 + std::size_t{u16_at(body, 0)};
  if (body.size() < topic_end) return malformed(0, header.header_size, "MQTT-3.3.2-1");

  const std::string_view topic = as_text(body.subspan(2, topic_end - 2));
  const TopicFault fault = topic_name_fault(topic);
  if (fault != TopicFault::kNone) [[unlikely]] {
    return malformed(0, header.header_size + std::size_t{2},
                     fault == TopicFault::kWildcard ? "MQTT-3.3.2-2" : statement(fault));
  }
  const std::uint8_t qos = header.flags >> 1 & 3;
  std::size_t payload_at = topic_end;
  std::uint16_t packet_id = 0;
  if (qos > 0) {  // without a packet identifier at QoS 0 [MQTT-2.3.1-5]
    payload_at += 2;
    if (body.size() >= payload_at) packet_id = u16_at(body, topic_end);
    if (packet_id == 0) return malformed(0, header.header_size + topic_end, "MQTT-2.3.1-1");
  }
  return WireResult<PublishView>(std::in_place, topic, body.subspan(payload_at), packet_id, qos,
                                 (header.flags & kPublishRetain) != 0,
                                 (header.flags & kPublishDup) != 0);
}

std::size_t publish_size(const PublishView& publish, Version) {
  if (publish.topic.size() > kFieldBytesMax) return 0;  // [MQTT-4.7.3-3]
  return size_with_fixed_header(variable_header_size(publish) + publish.payload.size());
}

std::size_t publish_header_size(const PublishView& publish, Version version) {
  const std::size_t whole = publish_size(publish, version);
  return whole == 0 ? 0 : whole - publish.payload.size();
}

std::uint8_t* write_publish_header(std::uint8_t* out, const PublishView& publish, Version) {
  Writer writer(write_fixed_header(out, PacketType::kPublish, flags_of(publish),
                                   variable_header_size(publish) + publish.payload.size()));
  writer.prefixed16(as_bytes(publish.topic));
  if (publish.qos > 0) writer.u16(publish.packet_id);
  return writer.position();
}

std::uint8_t* write_publish(std::uint8_t* out, const PublishView& publish, Version version) {
  Writer writer(write_publish_header(out, publish, version));
  writer.bytes(publish.payload);
  return writer.position();
}

std::size_t publish_packet_id_offset(Bytes encoded) {
  std::size_t topic_at = 1;
  while (encoded[topic_at++] >= 0x80) {
  }
  return topic_at + 2 + u16_at(encoded, topic_at);
}

}  // namespace hermod::mqtt
