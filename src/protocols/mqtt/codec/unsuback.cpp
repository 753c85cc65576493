// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/unsuback.hpp"

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"

namespace hermod::mqtt {

WireResult<Unsuback> read_unsuback(const FixedHeader& header, Bytes body, Version) {
  if (header.remaining_length != 2) return malformed(0, 1, "MQTT 3.1.1 §3.11.1");
  if (body.size() < 2) return incomplete(header.packet_size());
  const Unsuback unsuback{Reader(body).u16()};
  if (unsuback.packet_id == 0) return malformed(0, header.header_size, "MQTT-2.3.1-7");
  return unsuback;
}

std::uint8_t* write_unsuback(std::uint8_t* out, const Unsuback& unsuback, Version) {
  Writer writer(write_fixed_header(out, PacketType::kUnsuback, 0, 2));
  writer.u16(unsuback.packet_id);
  return writer.position();
}

}  // namespace hermod::mqtt
