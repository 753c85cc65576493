// SPDX-License-Identifier: Apache-2.0
// Any valid packet, drawn from a seed.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/mqtt/codec/packet.hpp"

namespace hermod::mqtt {

/// Draws packets; owns what they borrow until the next draw.
class RandomPacket {
 public:
  explicit RandomPacket(std::uint64_t seed) : rng_(seed) {}

  [[nodiscard]] Packet draw() {
    texts_.clear();
    switch (rng_.below(11)) {
      case 0:
        return connect();
      case 1:
        return coin() ? Connack{coin()} : Connack{false, ConnectReturnCode{octet(6)}};
      case 2:
        return ack();
      case 3:
        return subscribe();
      case 4:
        return suback();
      case 5:
        return unsubscribe();
      case 6:
        return Unsuback{packet_id()};
      case 7:
        return Pingreq{};
      case 8:
        return Pingresp{};
      case 9:
        return Disconnect{};
      default:
        return publish();
    }
  }

 private:
  bool coin() { return rng_.below(2) == 0; }
  std::uint8_t octet(std::uint64_t bound) { return static_cast<std::uint8_t>(rng_.below(bound)); }
  std::uint16_t packet_id() { return static_cast<std::uint16_t>(1 + rng_.below(65'535)); }

  const std::string& keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  // Appends code points of one to four octets, none of them U+0000, a separator or a wildcard.
  std::string text(std::size_t points_max, std::string out = {}) {
    static constexpr std::string_view kPieces[] = {
        "a", "Z", " ", "\x7f", "$", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\x9d"};
    for (std::uint64_t n = rng_.below(points_max + 1); n > 0; --n) {
      out += kPieces[rng_.below(std::size(kPieces))];
    }
    return out;
  }

  std::string topic() {
    std::string out = text(6, "t");
    for (std::uint64_t n = rng_.below(4); n > 0; --n) out = text(10, out += '/');
    return out;
  }

  std::string filter() {
    std::string out = coin() ? "+" : topic();
    if (coin()) out += "/+/x";
    if (coin()) out += "/#";
    return out;
  }

  Bytes binary(std::size_t size_max) {
    std::string out(rng_.below(size_max + 1), '\0');
    for (char& c : out) c = static_cast<char>(octet(256));
    return as_bytes(keep(std::move(out)));
  }

  PublishView publish() {
    PublishView out{.topic = keep(topic()),
                    .payload = binary(coin() ? 20 : 20'000),
                    .qos = octet(3),
                    .retain = coin()};
    if (out.qos > 0) {
      out.packet_id = packet_id();
      out.dup = coin();
    }
    return out;
  }

  ConnectView connect() {
    ConnectView out{.clean_session = coin(),
                    .keep_alive_s = static_cast<std::uint16_t>(rng_.below(65'536))};
    out.client_id = keep(out.clean_session ? text(20) : text(20, "c"));
    if (coin()) {
      out.will = WillView{keep(topic()), binary(30), octet(3), coin()};
    }
    if (coin()) {
      out.user_name = keep(text(10));
      if (coin()) out.password = binary(10);
    }
    return out;
  }

  AckPacket ack() {
    static constexpr PacketType kTypes[] = {PacketType::kPuback, PacketType::kPubrec,
                                            PacketType::kPubrel, PacketType::kPubcomp};
    return {kTypes[rng_.below(4)], packet_id()};
  }

  // The views of lists only come out of a reader: write one and read it.
  SubscribeView subscribe() {
    std::vector<SubscribeEntry> entries(1 + rng_.below(5));
    for (SubscribeEntry& entry : entries) entry = {keep(filter()), octet(3)};
    std::string& encoded = texts_.emplace_back(subscribe_size(entries, Version::kV311), '\0');
    write_subscribe(octets_of(encoded), packet_id(), entries, Version::kV311);
    return std::get<SubscribeView>(read_packet(as_bytes(encoded), Version::kV311).value().packet);
  }

  UnsubscribeView unsubscribe() {
    std::vector<std::string_view> filters(1 + rng_.below(5));
    for (std::string_view& name : filters) name = keep(filter());
    std::string& encoded = texts_.emplace_back(unsubscribe_size(filters, Version::kV311), '\0');
    write_unsubscribe(octets_of(encoded), packet_id(), filters, Version::kV311);
    return std::get<UnsubscribeView>(read_packet(as_bytes(encoded), Version::kV311).value().packet);
  }

  SubackView suback() {
    static constexpr char kCodes[] = {0, 1, 2, static_cast<char>(kSubackFailure)};
    std::string codes(1 + rng_.below(5), '\0');
    for (char& code : codes) code = kCodes[rng_.below(4)];
    return {packet_id(), as_bytes(keep(std::move(codes)))};
  }

  static std::uint8_t* octets_of(std::string& text) {
    return reinterpret_cast<std::uint8_t*>(text.data());
  }

  SeededRng rng_;
  std::deque<std::string> texts_;
};

}  // namespace hermod::mqtt
