// SPDX-License-Identifier: Apache-2.0
// The MQTT codec of one version as the codec property kit sees it, and what "the same packet"
// means.
#pragma once

#include <algorithm>
#include <cstdint>
#include <variant>

#include "hermod/mqtt/codec/packet.hpp"
#include "hermod/testkit/codec_properties.hpp"

namespace hermod::mqtt {

[[nodiscard]] inline bool same_octets(Bytes a, Bytes b) {
  return std::ranges::equal(a, b);
}

// Packets that borrow nothing but properties compare themselves.
template <typename T>
[[nodiscard]] bool same(const T& a, const T& b) {
  return a == b;
}

[[nodiscard]] inline bool same(const WillView& a, const WillView& b) {
  return a.topic == b.topic && same_octets(a.payload, b.payload) && a.qos == b.qos &&
         a.retain == b.retain && a.properties == b.properties;
}

[[nodiscard]] inline bool same(const ConnectView& a, const ConnectView& b) {
  if (a.will.has_value() != b.will.has_value()) return false;
  if (a.password.has_value() != b.password.has_value()) return false;
  return a.version == b.version && a.clean_session == b.clean_session &&
         a.keep_alive_s == b.keep_alive_s && a.client_id == b.client_id &&
         a.user_name == b.user_name && a.properties == b.properties &&
         (!a.will || same(*a.will, *b.will)) &&
         (!a.password || same_octets(*a.password, *b.password));
}

[[nodiscard]] inline bool same(const PublishView& a, const PublishView& b) {
  return a.topic == b.topic && same_octets(a.payload, b.payload) && a.packet_id == b.packet_id &&
         a.qos == b.qos && a.retain == b.retain && a.dup == b.dup && a.properties == b.properties;
}

[[nodiscard]] inline bool same(const SubscribeView& a, const SubscribeView& b) {
  return a.packet_id == b.packet_id && a.entries.size() == b.entries.size() &&
         std::ranges::equal(a.entries, b.entries) && a.properties == b.properties;
}

[[nodiscard]] inline bool same(const SubackView& a, const SubackView& b) {
  return a.packet_id == b.packet_id && same_octets(a.return_codes, b.return_codes) &&
         a.properties == b.properties;
}

[[nodiscard]] inline bool same(const UnsubscribeView& a, const UnsubscribeView& b) {
  return a.packet_id == b.packet_id && a.filters.size() == b.filters.size() &&
         std::ranges::equal(a.filters, b.filters) && a.properties == b.properties;
}

[[nodiscard]] inline bool same(const UnsubackView& a, const UnsubackView& b) {
  return a.packet_id == b.packet_id && same_octets(a.reason_codes, b.reason_codes) &&
         a.properties == b.properties;
}

inline constexpr Version kVersions[] = {Version::kV31, Version::kV311, Version::kV5};

struct PacketCodec {
  using Value = Packet;

  Version version = Version::kV311;

  [[nodiscard]] WireResult<testkit::Decoded<Packet>> decode(Bytes bytes) const {
    const WireResult<SizedPacket> read = read_packet(bytes, version);
    if (!read) return std::unexpected(read.error());
    return testkit::Decoded<Packet>{read->packet, read->size};
  }
  [[nodiscard]] std::size_t encoded_size(const Packet& packet) const {
    return mqtt::encoded_size(packet, version);
  }
  std::uint8_t* encode(std::uint8_t* out, const Packet& packet) const {
    return write_packet(out, packet, version);
  }
  [[nodiscard]] bool same(const Packet& a, const Packet& b) const {
    return a.index() == b.index() &&
           std::visit(
               [&b](const auto& packet) {
                 return mqtt::same(packet, std::get<std::decay_t<decltype(packet)>>(b));
               },
               a);
  }
};

}  // namespace hermod::mqtt
