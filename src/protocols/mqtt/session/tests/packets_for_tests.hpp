// SPDX-License-Identifier: Apache-2.0
// MQTT packets as octets, in as few words as a script needs.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "hermod/mqtt/codec/packet.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::mqtt::wire {

using Octets = std::vector<std::uint8_t>;

inline Octets encode(const Packet& packet) {
  Octets octets(encoded_size(packet, Version::kV311));
  write_packet(octets.data(), packet, Version::kV311);
  return octets;
}
/// One after the other.
inline Octets operator+(Octets first, const Octets& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}
inline Octets repeat(const Octets& octets, std::size_t count) {
  Octets out;
  for (std::size_t i = 0; i < count; ++i) out.insert(out.end(), octets.begin(), octets.end());
  return out;
}

inline Octets connect(const ConnectView& connect = {.client_id = "peer"}) {
  return encode(connect);
}
inline Octets connack(std::uint8_t code = 0, bool present = false) {
  return encode(ConnackView{present, static_cast<ConnectReturnCode>(code)});
}
struct PublishOptions {
  std::uint8_t qos = 0;
  std::uint16_t id = 0;
  bool retain = false;
  bool dup = false;
};
inline Octets publish(std::string_view topic, std::string_view payload,
                      const PublishOptions& options = {}) {
  return encode(PublishView{.topic = topic,
                            .payload = as_bytes(payload),
                            .packet_id = options.id,
                            .qos = options.qos,
                            .retain = options.retain,
                            .dup = options.dup});
}
inline Octets puback(std::uint16_t id) {
  return encode(AckView{PacketType::kPuback, id});
}
inline Octets pubrec(std::uint16_t id) {
  return encode(AckView{PacketType::kPubrec, id});
}
inline Octets pubrel(std::uint16_t id) {
  return encode(AckView{PacketType::kPubrel, id});
}
inline Octets pubcomp(std::uint16_t id) {
  return encode(AckView{PacketType::kPubcomp, id});
}
inline Octets subscribe(std::uint16_t id, const std::vector<SubscribeEntry>& entries) {
  Octets octets(subscribe_size(entries, Version::kV311));
  write_subscribe(octets.data(), id, entries, Version::kV311);
  return octets;
}
inline Octets suback(std::uint16_t id, const Octets& codes) {
  return encode(SubackView{id, codes});
}
inline Octets unsubscribe(std::uint16_t id, const std::vector<std::string_view>& filters) {
  Octets octets(unsubscribe_size(filters, Version::kV311));
  write_unsubscribe(octets.data(), id, filters, Version::kV311);
  return octets;
}
inline Octets unsuback(std::uint16_t id) {
  return encode(UnsubackView{id});
}
inline Octets pingreq() {
  return encode(Pingreq{});
}
inline Octets pingresp() {
  return encode(Pingresp{});
}
inline Octets disconnect() {
  return encode(DisconnectView{});
}

}  // namespace hermod::mqtt::wire
