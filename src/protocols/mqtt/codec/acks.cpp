// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/acks.hpp"

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

// "MUST use one of the Reason Codes" of the packet.
const char* reason_statement(PacketType type) {
  switch (type) {
    case PacketType::kPuback:
      return "MQTT-3.4.2-1";
    case PacketType::kPubrec:
      return "MQTT-3.5.2-1";
    case PacketType::kPubrel:
      return "MQTT-3.6.2-1";
    default:
      return "MQTT-3.7.2-1";
  }
}

// Octets behind the fixed header. Without properties their length is left out too (MQTT 5.0
// §3.4.2.2.1).
std::size_t remaining_length(const AckView& ack, Version version) {
  if (!has_more_than_id(ack, version)) return 2;
  return ack.properties.empty() ? 3 : 3 + block_size(ack.properties, version);
}

}  // namespace

WireResult<AckView> read_any_ack(const FixedHeader& header, Bytes body, Version version) {
  const bool v5 = version == Version::kV5;
  if (v5 ? header.remaining_length < 2 : header.remaining_length != 2) {
    return breaks({"MQTT 3.1.1 §3.4.1", "MQTT 5.0 §3.4.2"}, 1, version);
  }
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  AckView ack{header.type, reader.u16()};
  if (ack.packet_id == 0) {
    return breaks({"MQTT-2.3.1-6", "MQTT-2.2.1-5", ReasonCode::kProtocolError}, header.header_size,
                  version);
  }
  if (reader.at_end()) return ack;
  ack.reason = ReasonCode{reader.u8()};
  if (!is_allowed(ack.reason, header.type)) {
    return breaks(ReasonCode::kProtocolError, header.header_size + std::size_t{2},
                  reason_statement(header.type));
  }
  if (reader.at_end()) return ack;
  const auto properties = read_properties(reader, place_of(header.type), header.header_size);
  if (!properties) return std::unexpected(properties.error());
  ack.properties = *properties;
  if (!reader.at_end()) {  // there is no payload (MQTT 5.0 §3.4.3)
    return breaks(ReasonCode::kMalformedPacket, header.header_size + reader.offset(),
                  "MQTT 5.0 §3.4.3");
  }
  return ack;
}

std::size_t any_ack_size(const AckView& ack, Version version) {
  return size_with_fixed_header(remaining_length(ack, version));
}

std::uint8_t* write_any_ack(std::uint8_t* out, const AckView& ack, Version version) {
  const std::size_t length = remaining_length(ack, version);
  Writer writer(write_fixed_header(out, ack.type, fixed_flags(ack.type), length));
  writer.u16(ack.packet_id);
  if (length > 2) writer.u8(static_cast<std::uint8_t>(ack.reason));
  return length > 3 ? write_block(writer.position(), ack.properties, version) : writer.position();
}

}  // namespace hermod::mqtt
