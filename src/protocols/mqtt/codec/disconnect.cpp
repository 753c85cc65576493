// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/disconnect.hpp"

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

// Octets behind the fixed header. What is not needed is left out from the end (MQTT 5.0 §3.14.2).
std::size_t remaining_length(const DisconnectView& disconnect, Version version) {
  if (version != Version::kV5 || disconnect == DisconnectView{}) return 0;
  return disconnect.properties.empty() ? 1 : 1 + block_size(disconnect.properties, version);
}

}  // namespace

WireResult<DisconnectView> read_disconnect(const FixedHeader& header, Bytes body, Version version) {
  if (header.remaining_length == 0) return DisconnectView{};
  if (version != Version::kV5) return malformed(0, 1, "MQTT 3.1.1 §3.14.1");
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  DisconnectView disconnect{ReasonCode{reader.u8()}};
  if (!is_allowed(disconnect.reason, PacketType::kDisconnect)) {
    return breaks(ReasonCode::kProtocolError, header.header_size, "MQTT-3.14.2-1");
  }
  if (reader.at_end()) return disconnect;
  const auto properties = read_properties(reader, PropertyPlace::kDisconnect, header.header_size);
  if (!properties) return std::unexpected(properties.error());
  disconnect.properties = *properties;
  if (!reader.at_end()) {
    return breaks(ReasonCode::kMalformedPacket, header.header_size + reader.offset(),
                  "MQTT 5.0 §3.14.3");
  }
  return disconnect;
}

std::size_t disconnect_size(const DisconnectView& disconnect, Version version) {
  return size_with_fixed_header(remaining_length(disconnect, version));
}

std::uint8_t* write_disconnect(std::uint8_t* out, const DisconnectView& disconnect,
                               Version version) {
  const std::size_t length = remaining_length(disconnect, version);
  Writer writer(write_fixed_header(out, PacketType::kDisconnect, 0, length));
  if (length > 0) writer.u8(static_cast<std::uint8_t>(disconnect.reason));
  if (length <= 1) return writer.position();
  return write_block(writer.position(), disconnect.properties, version);
}

}  // namespace hermod::mqtt
