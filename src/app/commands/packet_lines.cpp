// SPDX-License-Identifier: Apache-2.0
#include "commands/packet_lines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <vector>

#include "hermod/mqtt/codec/packet.hpp"

namespace hermod::app {

/// A line for each kind of packet.
struct PacketLines::Teller {
  PacketLines& lines;
  bool sent;
  std::string out;

  template <typename... Args>
  void say(fmt::format_string<Args...> form, Args&&... args) {
    if (!out.empty()) out += '\n';
    out += fmt::format("Client {} {} ", lines.name_, sent ? "sending" : "received");
    fmt::format_to(std::back_inserter(out), form, std::forward<Args>(args)...);
  }

  void operator()(const mqtt::ConnectView&) { say("CONNECT"); }
  void operator()(const mqtt::ConnackView& packet) {
    const auto id = packet.properties.find(mqtt::PropertyId::kAssignedClientIdentifier);
    if (id) lines.name_ = id->text;
    const bool v5 = lines.version_ == mqtt::Version::kV5;
    say("CONNACK ({})",
        v5 ? static_cast<int>(packet.reason) : static_cast<int>(packet.return_code));
  }
  void operator()(const mqtt::PublishView& packet) {
    if (sent && packet.qos == 0) ++lines.last_id_;
    if (sent && packet.qos > 0) lines.last_id_ = packet.packet_id;
    say("PUBLISH (d{}, q{}, r{}, m{}, '{}', ... ({} bytes))", packet.dup ? 1 : 0, packet.qos,
        packet.retain ? 1 : 0, sent ? lines.last_id_ : packet.packet_id, packet.topic,
        packet.payload.size());
  }
  void operator()(const mqtt::AckView& packet) {
    const std::uint16_t id = packet.packet_id;
    const int reason = static_cast<int>(packet.reason);
    using enum mqtt::PacketType;
    const bool first = packet.type == kPuback || packet.type == kPubrec;
    const std::string_view name = packet.type == kPuback   ? "PUBACK"
                                  : packet.type == kPubrec ? "PUBREC"
                                  : packet.type == kPubrel ? "PUBREL"
                                                           : "PUBCOMP";
    if (sent && first) return say("{} (m{}, rc{})", name, id, reason);
    if (sent) return say("{} (m{})", name, id);
    const bool last = packet.type == kPuback || packet.type == kPubcomp;
    if (last) return say("{} (Mid: {}, RC:{})", name, id, reason);
    say("{} (Mid: {})", name, id);
  }
  void operator()(const mqtt::SubscribeView& packet) {
    lines.last_id_ = packet.packet_id;
    for (const mqtt::SubscribeEntry& entry : packet.entries) {
      say("SUBSCRIBE (Mid: {}, Topic: {}, QoS: {}, Options: 0x{:02x})", packet.packet_id,
          entry.filter, entry.qos, mqtt::subscribe_options(entry, lines.version_) & ~3u);
    }
  }
  void operator()(const mqtt::SubackView& packet) {
    say("SUBACK");
    if (!lines.subscriber_) return;
    const std::vector<int> codes(packet.return_codes.begin(), packet.return_codes.end());
    out += fmt::format("\nSubscribed (mid: {}): {}", packet.packet_id, fmt::join(codes, ", "));
  }
  void operator()(const mqtt::UnsubscribeView& packet) {
    lines.last_id_ = packet.packet_id;
    for (const std::string_view filter : packet.filters) {
      say("UNSUBSCRIBE (Mid: {}, Topic: {})", packet.packet_id, filter);
    }
  }
  void operator()(const mqtt::UnsubackView&) { say("UNSUBACK"); }
  void operator()(const mqtt::Pingreq&) { say("PINGREQ"); }
  void operator()(const mqtt::Pingresp&) { say("PINGRESP"); }
  void operator()(const mqtt::DisconnectView& packet) {
    if (sent) return say("DISCONNECT");
    say("DISCONNECT ({})", static_cast<int>(packet.reason));
  }
  void operator()(const mqtt::AuthView& packet) {
    say("AUTH ({})", static_cast<int>(packet.reason));
  }
};

PacketLines::PacketLines(const ClientOptions& options)
    : version_(options.protocol),
      subscriber_(options.program.task == Task::kSub),
      name_(!options.id.empty()         ? options.id
            : options.program.mosquitto ? "(null)"
                                        : "(id assigned by the broker)") {}

std::string PacketLines::lines(bool sent, Bytes packet) {
  const auto read = mqtt::read_packet(packet, version_);
  if (!read) return {};
  Teller teller{*this, sent, {}};
  std::visit(teller, read->packet);
  return std::move(teller.out);
}

}  // namespace hermod::app
