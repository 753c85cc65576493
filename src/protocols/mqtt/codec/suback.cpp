// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/suback.hpp"

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

bool is_known(std::uint8_t code, Version version) {
  if (version == Version::kV5) return is_allowed(ReasonCode{code}, PacketType::kSuback);
  return code <= 2 || (code == kSubackFailure && version == Version::kV311);
}

std::size_t remaining_length(const SubackView& suback, Version version) {
  return 2 + block_size(suback.properties, version) + suback.return_codes.size();
}

}  // namespace

WireResult<SubackView> read_suback(const FixedHeader& header, Bytes body, Version version) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  SubackView suback;
  suback.packet_id = reader.u16();
  if (suback.packet_id == 0) {
    return breaks_packet_id(reader, {"MQTT-2.3.1-7", "MQTT-2.2.1-6"}, header.header_size, version);
  }
  if (version == Version::kV5) {
    const auto properties = read_properties(reader, PropertyPlace::kSuback, header.header_size);
    if (!properties) return std::unexpected(properties.error());
    suback.properties = *properties;
  }
  suback.return_codes = reader.rest();
  if (suback.return_codes.empty()) {
    return breaks({"MQTT-3.8.4-5", "MQTT-3.8.4-6", ReasonCode::kProtocolError},
                  header.packet_size(), version);
  }
  for (std::size_t i = 0; i < suback.return_codes.size(); ++i) {
    if (!is_known(suback.return_codes[i], version)) {
      return breaks({"MQTT-3.9.3-2", "MQTT-3.9.3-2", ReasonCode::kProtocolError},
                    header.header_size + reader.offset() + i, version);
    }
  }
  return suback;
}

std::size_t suback_size(const SubackView& suback, Version version) {
  return size_with_fixed_header(remaining_length(suback, version));
}

std::uint8_t* write_suback(std::uint8_t* out, const SubackView& suback, Version version) {
  Writer writer(write_fixed_header(out, PacketType::kSuback, 0, remaining_length(suback, version)));
  writer.u16(suback.packet_id);
  Writer payload(write_block(writer.position(), suback.properties, version));
  payload.bytes(suback.return_codes);
  return payload.position();
}

}  // namespace hermod::mqtt
