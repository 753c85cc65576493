// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/connack.hpp"

#include "hermod/base/writer.hpp"

namespace hermod::mqtt {

WireResult<Connack> read_connack(const FixedHeader& header, Bytes body, Version) {
  if (header.remaining_length != 2) return malformed(0, 1, "MQTT 3.1.1 §3.2.1");
  if (body.size() < 2) return incomplete(header.packet_size());
  const std::size_t flags_at = header.header_size;
  if (body[0] > 1) return malformed(0, flags_at, "MQTT 3.1.1 §3.2.2.1");
  if (body[1] > 5) return malformed(0, flags_at + 1, "MQTT 3.1.1 §3.2.2.3");
  const Connack connack{body[0] == 1, ConnectReturnCode{body[1]}};
  if (connack.session_present && connack.return_code != ConnectReturnCode::kAccepted) {
    return malformed(0, flags_at, "MQTT-3.2.2-4");
  }
  return connack;
}

std::uint8_t* write_connack(std::uint8_t* out, const Connack& connack, Version) {
  Writer writer(write_fixed_header(out, PacketType::kConnack, 0, 2));
  writer.u8(connack.session_present ? 1 : 0);
  writer.u8(static_cast<std::uint8_t>(connack.return_code));
  return writer.position();
}

}  // namespace hermod::mqtt
