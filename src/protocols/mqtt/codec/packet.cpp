// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/packet.hpp"

namespace hermod::mqtt {
namespace {

// The result of one packet's reader as a result of the sum type.
template <typename T>
WireResult<Packet> widen(WireResult<T> result) {
  if (!result) return std::unexpected(result.error());
  return Packet(*result);
}

// One overload per packet type and direction, so that the two visitors are one line each.
struct Size {
  Version version;

  std::size_t operator()(const ConnectView& p) const { return connect_size(p); }
  std::size_t operator()(const ConnackView& p) const { return connack_size(p, version); }
  std::size_t operator()(const PublishView& p) const { return publish_size(p, version); }
  std::size_t operator()(const AckView& p) const { return ack_size(p, version); }
  std::size_t operator()(const SubscribeView& p) const {
    return subscribe_size(p.entries, version, p.properties);
  }
  std::size_t operator()(const SubackView& p) const { return suback_size(p, version); }
  std::size_t operator()(const UnsubscribeView& p) const {
    return unsubscribe_size(p.filters, version, p.properties);
  }
  std::size_t operator()(const UnsubackView& p) const { return unsuback_size(p, version); }
  std::size_t operator()(const Pingreq&) const { return pingreq_size(); }
  std::size_t operator()(const Pingresp&) const { return pingresp_size(); }
  std::size_t operator()(const DisconnectView& p) const { return disconnect_size(p, version); }
  std::size_t operator()(const AuthView& p) const { return auth_size(p); }
};

struct Write {
  std::uint8_t* out;
  Version version;

  std::uint8_t* operator()(const ConnectView& p) const { return write_connect(out, p); }
  std::uint8_t* operator()(const ConnackView& p) const { return write_connack(out, p, version); }
  std::uint8_t* operator()(const PublishView& p) const { return write_publish(out, p, version); }
  std::uint8_t* operator()(const AckView& p) const { return write_ack(out, p, version); }
  std::uint8_t* operator()(const SubscribeView& p) const {
    return write_subscribe(out, p.packet_id, p.entries, version, p.properties);
  }
  std::uint8_t* operator()(const SubackView& p) const { return write_suback(out, p, version); }
  std::uint8_t* operator()(const UnsubscribeView& p) const {
    return write_unsubscribe(out, p.packet_id, p.filters, version, p.properties);
  }
  std::uint8_t* operator()(const UnsubackView& p) const { return write_unsuback(out, p, version); }
  std::uint8_t* operator()(const Pingreq&) const { return write_pingreq(out); }
  std::uint8_t* operator()(const Pingresp&) const { return write_pingresp(out); }
  std::uint8_t* operator()(const DisconnectView& p) const {
    return write_disconnect(out, p, version);
  }
  std::uint8_t* operator()(const AuthView& p) const { return write_auth(out, p); }
};

}  // namespace

WireResult<Packet> read_body(const FixedHeader& header, Bytes body, Version version) {
  switch (header.type) {
    case PacketType::kConnect:
      return widen(read_connect(header, body));
    case PacketType::kConnack:
      return widen(read_connack(header, body, version));
    case PacketType::kPublish:
      return widen(read_publish(header, body, version));
    case PacketType::kPuback:
    case PacketType::kPubrec:
    case PacketType::kPubrel:
    case PacketType::kPubcomp:
      return widen(read_ack(header, body, version));
    case PacketType::kSubscribe:
      return widen(read_subscribe(header, body, version));
    case PacketType::kSuback:
      return widen(read_suback(header, body, version));
    case PacketType::kUnsubscribe:
      return widen(read_unsubscribe(header, body, version));
    case PacketType::kUnsuback:
      return widen(read_unsuback(header, body, version));
    case PacketType::kPingreq:
      return widen(read_pingreq(header, version));
    case PacketType::kPingresp:
      return widen(read_pingresp(header, version));
    case PacketType::kDisconnect:
      return widen(read_disconnect(header, body, version));
    case PacketType::kAuth:
      break;
  }
  return widen(read_auth(header, body));
}

WireResult<SizedPacket> read_packet(Bytes bytes, Version version) {
  const WireResult<FixedHeader> header = read_fixed_header(bytes, version);
  if (!header) return std::unexpected(header.error());
  WireResult<Packet> packet = read_body(*header, bytes.subspan(header->header_size), version);
  if (!packet) return std::unexpected(packet.error());
  return SizedPacket{*packet, header->packet_size()};
}

std::size_t encoded_size(const Packet& packet, Version version) {
  return std::visit(Size{version}, packet);
}

std::uint8_t* write_packet(std::uint8_t* out, const Packet& packet, Version version) {
  return std::visit(Write{out, version}, packet);
}

}  // namespace hermod::mqtt
