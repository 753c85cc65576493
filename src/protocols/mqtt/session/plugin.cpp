// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/session/plugin.hpp"

#include <algorithm>
#include <array>

#include "hermod/base/reader.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/session/server_session.hpp"

namespace hermod::mqtt {
namespace {

using session::Detection;

// Protocol Name of MQTT 3.1.1 and 5, and of 3.1, with their lengths (MQTT 3.1.1 §3.1.2.1).
constexpr std::array<std::string_view, 2> kNames = {std::string_view("\0\4MQTT", 6),
                                                    std::string_view("\0\6MQIsdp", 8)};

Detection detect_name(std::string_view text) {
  for (const std::string_view name : kNames) {
    if (text.starts_with(name)) return Detection::kYes;
    if (name.starts_with(text)) return Detection::kMaybe;
  }
  return Detection::kNo;
}

class Mqtt final : public session::Protocol {
 public:
  session::ProtocolId id() const override { return session::ProtocolId::kMqtt; }
  std::string_view name() const override { return "mqtt"; }
  std::uint16_t default_port() const override { return 1883; }
  session::Transport transport() const override { return session::Transport::kStream; }

  // A stream that begins with CONNECT.
  Detection detect(Bytes first) const override {
    const auto header = read_fixed_header(first);
    if (header) {
      if (header->type != PacketType::kConnect) return Detection::kNo;
      return detect_name(as_text(first.subspan(header->header_size)));
    }
    const bool connect = first.empty() || first[0] == 0x10;
    return connect && header.error().incomplete() ? Detection::kMaybe : Detection::kNo;
  }

  std::unique_ptr<session::Session> make_session(
      const session::SessionSetup& setup) const override {
    return std::make_unique<ServerSession>(*setup.limits);
  }
};

}  // namespace

const session::Protocol& protocol() {
  static const Mqtt kMqtt;
  return kMqtt;
}

}  // namespace hermod::mqtt
