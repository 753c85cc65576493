// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/connack.hpp"

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

WireResult<ConnackView> read_v5(const FixedHeader& header, Bytes body) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  const std::size_t flags_at = header.header_size;
  const std::uint8_t flags = reader.u8();
  ConnackView connack{.session_present = flags == 1, .reason = ReasonCode{reader.u8()}};
  if (!reader.ok()) return breaks(ReasonCode::kMalformedPacket, 1, "MQTT 5.0 §3.2.2");
  if (flags > 1) return breaks(ReasonCode::kMalformedPacket, flags_at, "MQTT-3.2.2-1");
  if (!is_allowed(connack.reason, PacketType::kConnack)) {
    return breaks(ReasonCode::kProtocolError, flags_at + 1, "MQTT-3.2.2-8");
  }
  if (connack.session_present && connack.reason != ReasonCode::kSuccess) {
    return breaks(ReasonCode::kProtocolError, flags_at, "MQTT-3.2.2-6");
  }
  const auto properties = read_properties(reader, PropertyPlace::kConnack, header.header_size);
  if (!properties) return std::unexpected(properties.error());
  connack.properties = *properties;
  if (!reader.at_end()) {
    return breaks(ReasonCode::kMalformedPacket, header.header_size + reader.offset(),
                  "MQTT 5.0 §3.2.3");
  }
  return connack;
}

std::size_t remaining_length(const ConnackView& connack, Version version) {
  return 2 + block_size(connack.properties, version);
}

}  // namespace

WireResult<ConnackView> read_connack(const FixedHeader& header, Bytes body, Version version) {
  if (version == Version::kV5) return read_v5(header, body);
  if (header.remaining_length != 2) return malformed(0, 1, "MQTT 3.1.1 §3.2.1");
  if (body.size() < 2) return incomplete(header.packet_size());
  const std::size_t flags_at = header.header_size;
  const std::uint8_t flags = version == Version::kV31 ? 0 : body[0];
  if (flags > 1) return malformed(0, flags_at, "MQTT 3.1.1 §3.2.2.1");
  if (body[1] > 5) return malformed(0, flags_at + 1, "MQTT 3.1.1 §3.2.2.3");
  const ConnackView connack{flags == 1, ConnectReturnCode{body[1]}};
  if (connack.session_present && connack.return_code != ConnectReturnCode::kAccepted) {
    return malformed(0, flags_at, "MQTT-3.2.2-4");
  }
  return connack;
}

std::size_t connack_size(const ConnackView& connack, Version version) {
  return size_with_fixed_header(remaining_length(connack, version));
}

std::uint8_t* write_connack(std::uint8_t* out, const ConnackView& connack, Version version) {
  Writer writer(
      write_fixed_header(out, PacketType::kConnack, 0, remaining_length(connack, version)));
  writer.u8(connack.session_present && version != Version::kV31 ? 1 : 0);
  writer.u8(version == Version::kV5 ? static_cast<std::uint8_t>(connack.reason)
                                    : static_cast<std::uint8_t>(connack.return_code));
  return write_block(writer.position(), connack.properties, version);
}

}  // namespace hermod::mqtt
