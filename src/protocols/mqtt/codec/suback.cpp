// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/suback.hpp"

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"

namespace hermod::mqtt {

WireResult<SubackView> read_suback(const FixedHeader& header, Bytes body, Version) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  SubackView suback;
  suback.packet_id = reader.u16();
  if (suback.packet_id == 0) return malformed(0, header.header_size, "MQTT-2.3.1-7");
  suback.return_codes = reader.rest();
  if (suback.return_codes.empty()) return malformed(0, header.packet_size(), "MQTT-3.8.4-5");
  for (std::size_t i = 0; i < suback.return_codes.size(); ++i) {
    const std::uint8_t code = suback.return_codes[i];
    if (code > 2 && code != kSubackFailure) {
      return malformed(0, header.header_size + 2 + i, "MQTT-3.9.3-2");
    }
  }
  return suback;
}

std::size_t suback_size(const SubackView& suback, Version) {
  return size_with_fixed_header(2 + suback.return_codes.size());
}

std::uint8_t* write_suback(std::uint8_t* out, const SubackView& suback, Version) {
  Writer writer(write_fixed_header(out, PacketType::kSuback, 0, 2 + suback.return_codes.size()));
  writer.u16(suback.packet_id);
  writer.bytes(suback.return_codes);
  return writer.position();
}

}  // namespace hermod::mqtt
