// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/publish.hpp"

#include <utility>

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

std::uint16_t u16_at(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

// PUBLISH is laid out in two ways: with properties, and as it was before MQTT 5. Which one is asked
// once for each packet, so that the older one pays no more than that for the newer.
enum class Layout : std::uint8_t { kPlain, kWithProperties };

template <Layout layout>
std::size_t remaining_length(const PublishView& publish) {
  const std::size_t plain =
      2 + publish.topic.size() + (publish.qos > 0 ? 2 : 0) + publish.payload.size();
  if (layout == Layout::kPlain) return plain;
  return plain + (publish.properties.empty() ? 1 : block_size(publish.properties, Version::kV5));
}

std::uint8_t flags_of(const PublishView& publish) {
  return static_cast<std::uint8_t>((publish.dup ? kPublishDup : 0) | publish.qos << 1 |
                                   (publish.retain ? kPublishRetain : 0));
}

std::unexpected<WireError> topic_error(TopicFault fault, const FixedHeader& header,
                                       Version version) {
  const std::size_t at = header.header_size + std::size_t{2};
  if (fault == TopicFault::kWildcard) {
    return breaks({"MQTT-3.3.2-2", "MQTT-3.3.2-2", ReasonCode::kProtocolError}, at, version);
  }
  return breaks(fault, at, version);
}

std::unexpected<WireError> packet_id_error(bool missing, std::size_t at, Version version) {
  const ReasonCode reason = missing ? ReasonCode::kMalformedPacket : ReasonCode::kProtocolError;
  return breaks({"MQTT-2.3.1-1", "MQTT-2.2.1-3", reason}, at, version);
}

// The properties that begin at `at` of the body; `at` moves behind them.
WireResult<PropertyBlock> properties_at(std::size_t& at, Bytes body, std::string_view topic,
                                        const FixedHeader& header) {
  Reader reader(body.subspan(at));
  const auto properties = read_properties(reader, PropertyPlace::kPublish, header.header_size + at);
  if (!properties) return std::unexpected(properties.error());
  if (topic.empty() && !properties->has(PropertyId::kTopicAlias)) {
    return breaks(ReasonCode::kProtocolError, header.header_size + std::size_t{2},
                  "MQTT 5.0 §3.3.2.1");
  }
  at += reader.offset();
  return properties;
}

// The view is made in one go from values in registers: filled field by field, it would be copied
// out of memory that was written a moment ago in smaller pieces, which stalls.
template <Layout layout>
WireResult<PublishView> read(const FixedHeader& header, Bytes body) {
  // 3.1 breaks the rules of 3.1.1.
  constexpr Version kVersion = layout == Layout::kPlain ? Version::kV311 : Version::kV5;
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  body = body.first(header.remaining_length);
  const std::size_t topic_end = body.size() < 2 ? 2 : 2 + std::size_t{u16_at(body, 0)};
  if (body.size() < topic_end) {
    return breaks({"MQTT-3.3.2-1", "MQTT-3.3.2-1"}, header.header_size, kVersion);
  }
  const std::string_view topic = as_text(body.subspan(2, topic_end - 2));
  const TopicFault fault = topic_name_fault(topic);
  if (fault != TopicFault::kNone) [[unlikely]] {
    const bool may_have_alias = layout == Layout::kWithProperties && fault == TopicFault::kEmpty;
    if (!may_have_alias) return topic_error(fault, header, kVersion);
  }
  const std::uint8_t qos = header.flags >> 1 & 3;
  std::size_t payload_at = topic_end;
  std::uint16_t packet_id = 0;
  if (qos > 0) {  // without a packet identifier at QoS 0 [MQTT-2.3.1-5], [MQTT-2.2.1-2]
    payload_at += 2;
    if (body.size() >= payload_at) packet_id = u16_at(body, topic_end);
    if (packet_id == 0) {
      return packet_id_error(body.size() < payload_at, header.header_size + topic_end, kVersion);
    }
  }
  PropertyBlock properties;
  if constexpr (layout == Layout::kWithProperties) {
    const bool none = payload_at < body.size() && body[payload_at] == 0 && !topic.empty();
    if (none) {
      ++payload_at;
    } else {
      const auto block = properties_at(payload_at, body, topic, header);
      if (!block) return std::unexpected(block.error());
      properties = *block;
    }
  }
  return WireResult<PublishView>(std::in_place, topic, body.subspan(payload_at), packet_id, qos,
                                 (header.flags & kPublishRetain) != 0,
                                 (header.flags & kPublishDup) != 0, properties);
}

template <Layout layout>
std::size_t size(const PublishView& publish) {
  if (publish.topic.size() > kFieldBytesMax) return 0;  // [MQTT-4.7.3-3]
  return size_with_fixed_header(remaining_length<layout>(publish));
}

enum class Part : std::uint8_t { kHeader, kWhole };

template <Layout layout, Part part>
std::uint8_t* write(std::uint8_t* out, const PublishView& publish) {
  Writer writer(write_fixed_header(out, PacketType::kPublish, flags_of(publish),
                                   remaining_length<layout>(publish)));
  writer.prefixed16(as_bytes(publish.topic));
  if (publish.qos > 0) writer.u16(publish.packet_id);
  if constexpr (layout == Layout::kWithProperties) {
    writer = Writer(write_block(writer.position(), publish.properties, Version::kV5));
  }
  if constexpr (part == Part::kWhole) writer.bytes(publish.payload);
  return writer.position();
}

}  // namespace

WireResult<PublishView> read_publish(const FixedHeader& header, Bytes body, Version version) {
  return version == Version::kV5 ? read<Layout::kWithProperties>(header, body)
                                 : read<Layout::kPlain>(header, body);
}

std::size_t publish_size(const PublishView& publish, Version version) {
  return version == Version::kV5 ? size<Layout::kWithProperties>(publish)
                                 : size<Layout::kPlain>(publish);
}

std::size_t publish_header_size(const PublishView& publish, Version version) {
  const std::size_t whole = publish_size(publish, version);
  return whole == 0 ? 0 : whole - publish.payload.size();
}

std::uint8_t* write_publish_header(std::uint8_t* out, const PublishView& publish, Version version) {
  return version == Version::kV5 ? write<Layout::kWithProperties, Part::kHeader>(out, publish)
                                 : write<Layout::kPlain, Part::kHeader>(out, publish);
}

std::uint8_t* write_publish(std::uint8_t* out, const PublishView& publish, Version version) {
  return version == Version::kV5 ? write<Layout::kWithProperties, Part::kWhole>(out, publish)
                                 : write<Layout::kPlain, Part::kWhole>(out, publish);
}

std::size_t publish_packet_id_offset(Bytes encoded) {
  std::size_t topic_at = 1;
  while (encoded[topic_at++] >= 0x80) {
  }
  return topic_at + 2 + u16_at(encoded, topic_at);
}

}  // namespace hermod::mqtt
