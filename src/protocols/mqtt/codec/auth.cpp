// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/auth.hpp"

#include "hermod/base/reader.hpp"
#include "hermod/base/writer.hpp"
#include "rule.hpp"

namespace hermod::mqtt {
namespace {

// Octets behind the fixed header: none when there is nothing to say (MQTT 5.0 §3.15.2.1).
std::size_t remaining_length(const AuthView& auth) {
  if (auth == AuthView{}) return 0;
  return 1 + block_size(auth.properties, Version::kV5);
}

}  // namespace

WireResult<AuthView> read_auth(const FixedHeader& header, Bytes body) {
  if (body.size() < header.remaining_length) return incomplete(header.packet_size());
  if (header.remaining_length == 0) return AuthView{};
  Reader reader(body.first(header.remaining_length));
  AuthView auth{ReasonCode{reader.u8()}};
  if (!is_allowed(auth.reason, PacketType::kAuth)) {
    return breaks(ReasonCode::kProtocolError, header.header_size, "MQTT-3.15.2-1");
  }
  const auto properties = read_properties(reader, PropertyPlace::kAuth, header.header_size);
  if (!properties) return std::unexpected(properties.error());
  auth.properties = *properties;
  if (!reader.at_end()) {
    return breaks(ReasonCode::kMalformedPacket, header.header_size + reader.offset(),
                  "MQTT 5.0 §3.15.3");
  }
  return auth;
}

std::size_t auth_size(const AuthView& auth) {
  return size_with_fixed_header(remaining_length(auth));
}

std::uint8_t* write_auth(std::uint8_t* out, const AuthView& auth) {
  const std::size_t length = remaining_length(auth);
  Writer writer(write_fixed_header(out, PacketType::kAuth, 0, length));
  if (length == 0) return writer.position();
  writer.u8(static_cast<std::uint8_t>(auth.reason));
  return write_block(writer.position(), auth.properties, Version::kV5);
}

}  // namespace hermod::mqtt
