// SPDX-License-Identifier: Apache-2.0
// MQTT packets as octets, in as few words as a script needs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "hermod/mqtt/codec/packet.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::mqtt::wire {

using Octets = std::vector<std::uint8_t>;

inline Octets encode(const Packet& packet, Version version = Version::kV311) {
  Octets octets(encoded_size(packet, version));
  write_packet(octets.data(), packet, version);
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

// --- the same in MQTT 5, with properties ---

namespace v5 {

using Properties = std::vector<Property>;

inline Property number(PropertyId id, std::uint32_t number) {
  return {.id = id, .number = number};
}
inline Property text(PropertyId id, std::string_view text) {
  return {.id = id, .text = text};
}
inline Property octets(PropertyId id, std::string_view octets) {
  return {.id = id, .data = as_bytes(octets)};
}
inline Property user(std::string_view name, std::string_view value) {
  return {.id = PropertyId::kUserProperty, .text = name, .value = value};
}

/// A block of properties in memory of its own.
class Block {
 public:
  explicit Block(const Properties& list) : octets_(*properties_size(list)) {
    view_ = encode_properties(octets_.data(), list);
  }
  [[nodiscard]] const PropertyBlock& view() const { return view_; }

 private:
  Octets octets_;
  PropertyBlock view_;
};

inline Octets encode(const Packet& packet) {
  return wire::encode(packet, Version::kV5);
}
/// `will` is the properties of the will. Unless `list` says otherwise, the client wants no reasons
/// in words: tests of other things look at the codes alone.
inline Octets connect(ConnectView connect = {.client_id = "peer"}, Properties list = {},
                      const Properties& will = {}) {
  constexpr auto kReasons = PropertyId::kRequestProblemInformation;
  const bool said = std::ranges::find(list, kReasons, &Property::id) != list.end();
  if (!said) list.push_back(number(kReasons, 0));
  const Block block(list);
  const Block will_block(will);
  connect.version = Version::kV5;
  connect.properties = block.view();
  if (connect.will) connect.will->properties = will_block.view();
  return encode(connect);
}
inline Octets connack(const Properties& list, bool present = false) {
  const Block block(list);
  return encode(ConnackView{.session_present = present, .properties = block.view()});
}
/// A refusal.
inline Octets connack(ReasonCode reason, const Properties& list = {}) {
  const Block block(list);
  return encode(ConnackView{.reason = reason, .properties = block.view()});
}
inline Octets publish(std::string_view topic, std::string_view payload,
                      const PublishOptions& options = {}, const Properties& list = {}) {
  const Block block(list);
  return encode(PublishView{.topic = topic,
                            .payload = as_bytes(payload),
                            .packet_id = options.id,
                            .qos = options.qos,
                            .retain = options.retain,
                            .dup = options.dup,
                            .properties = block.view()});
}
inline Octets ack(PacketType type, std::uint16_t id, ReasonCode reason = ReasonCode::kSuccess,
                  const Properties& list = {}) {
  const Block block(list);
  return encode(AckView{type, id, reason, block.view()});
}
inline Octets puback(std::uint16_t id, ReasonCode reason = ReasonCode::kSuccess) {
  return ack(PacketType::kPuback, id, reason);
}
inline Octets pubrec(std::uint16_t id, ReasonCode reason = ReasonCode::kSuccess) {
  return ack(PacketType::kPubrec, id, reason);
}
inline Octets pubrel(std::uint16_t id, ReasonCode reason = ReasonCode::kSuccess) {
  return ack(PacketType::kPubrel, id, reason);
}
inline Octets pubcomp(std::uint16_t id, ReasonCode reason = ReasonCode::kSuccess) {
  return ack(PacketType::kPubcomp, id, reason);
}
inline Octets subscribe(std::uint16_t id, const std::vector<SubscribeEntry>& entries,
                        const Properties& list = {}) {
  const Block block(list);
  Octets octets(subscribe_size(entries, Version::kV5, block.view()));
  write_subscribe(octets.data(), id, entries, Version::kV5, block.view());
  return octets;
}
inline Octets suback(std::uint16_t id, const Octets& codes, const Properties& list = {}) {
  const Block block(list);
  return encode(SubackView{id, codes, block.view()});
}
inline Octets unsubscribe(std::uint16_t id, const std::vector<std::string_view>& filters,
                          const Properties& list = {}) {
  const Block block(list);
  Octets octets(unsubscribe_size(filters, Version::kV5, block.view()));
  write_unsubscribe(octets.data(), id, filters, Version::kV5, block.view());
  return octets;
}
inline Octets unsuback(std::uint16_t id, const Octets& codes, const Properties& list = {}) {
  const Block block(list);
  return encode(UnsubackView{id, codes, block.view()});
}
inline Octets disconnect(ReasonCode reason = ReasonCode::kNormalDisconnection,
                         const Properties& list = {}) {
  const Block block(list);
  return encode(DisconnectView{reason, block.view()});
}
inline Octets auth(ReasonCode reason, const Properties& list) {
  const Block block(list);
  return encode(AuthView{reason, block.view()});
}

}  // namespace v5
}  // namespace hermod::mqtt::wire
