// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/unsuback.hpp"

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

constexpr const char* kCodesStatement = "MQTT-3.11.3-2";

std::size_t remaining_length(const UnsubackView& unsuback, Version version) {
  if (version != Version::kV5) return 2;
  return 2 + block_size(unsuback.properties, version) + unsuback.reason_codes.size();
}

}  // namespace

WireResult<UnsubackView> read_unsuback(const FixedHeader& header, Bytes body, Version version) {
  const bool v5 = version == Version::kV5;
  if (!v5 && header.remaining_length != 2) return malformed(0, 1, "MQTT 3.1.1 §3.11.1");
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  Reader reader(body.first(header.remaining_length));
  UnsubackView unsuback{.packet_id = reader.u16()};
  if (unsuback.packet_id == 0) {
    return breaks_packet_id(reader, {"MQTT-2.3.1-7", "MQTT-2.2.1-6"}, header.header_size, version);
  }
  if (!v5) return unsuback;
  const auto properties = read_properties(reader, PropertyPlace::kUnsuback, header.header_size);
  if (!properties) return std::unexpected(properties.error());
  unsuback.properties = *properties;
  unsuback.reason_codes = reader.rest();
  if (unsuback.reason_codes.empty()) {
    return breaks(ReasonCode::kProtocolError, header.packet_size(), kCodesStatement);
  }
  for (std::size_t i = 0; i < unsuback.reason_codes.size(); ++i) {
    if (!is_allowed(ReasonCode{unsuback.reason_codes[i]}, PacketType::kUnsuback)) {
      return breaks(ReasonCode::kProtocolError, header.header_size + reader.offset() + i,
                    kCodesStatement);
    }
  }
  return unsuback;
}

std::size_t unsuback_size(const UnsubackView& unsuback, Version version) {
  return size_with_fixed_header(remaining_length(unsuback, version));
}

std::uint8_t* write_unsuback(std::uint8_t* out, const UnsubackView& unsuback, Version version) {
  Writer writer(
      write_fixed_header(out, PacketType::kUnsuback, 0, remaining_length(unsuback, version)));
  writer.u16(unsuback.packet_id);
  if (version != Version::kV5) return writer.position();
  Writer payload(write_block(writer.position(), unsuback.properties, version));
  payload.bytes(unsuback.reason_codes);
  return payload.position();
}

}  // namespace hermod::mqtt
