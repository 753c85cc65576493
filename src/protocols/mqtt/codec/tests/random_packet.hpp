// SPDX-License-Identifier: Apache-2.0
// Any valid packet of a version, drawn from a seed.
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
  RandomPacket(std::uint64_t seed, Version version) : rng_(seed), version_(version) {}

  [[nodiscard]] Packet draw() {
    texts_.clear();
    switch (rng_.below(is_v5() ? 12 : 11)) {
      case 0:
        return connect();
      case 1:
        return connack();
      case 2:
        return ack();
      case 3:
        return subscribe();
      case 4:
        return suback();
      case 5:
        return unsubscribe();
      case 6:
        return unsuback();
      case 7:
        return Pingreq{};
      case 8:
        return Pingresp{};
      case 9:
        return disconnect();
      case 11:
        return auth();
      default:
        return publish();
    }
  }

 private:
  [[nodiscard]] bool is_v5() const { return version_ == Version::kV5; }
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

  Property property(PropertyId id) {
    using enum PropertyId;
    Property out{.id = id};
    switch (id) {
      case kPayloadFormatIndicator:
      case kRequestProblemInformation:
      case kRequestResponseInformation:
      case kMaximumQos:
      case kRetainAvailable:
      case kWildcardSubscriptionAvailable:
      case kSubscriptionIdentifierAvailable:
      case kSharedSubscriptionAvailable:
        out.number = octet(2);
        break;
      case kServerKeepAlive:
      case kReceiveMaximum:
      case kTopicAliasMaximum:
      case kTopicAlias:
        out.number = packet_id();
        break;
      case kSubscriptionIdentifier:
        out.number = 1 + static_cast<std::uint32_t>(rng_.below(coin() ? 127 : kVarintMax));
        break;
      case kMessageExpiryInterval:
      case kSessionExpiryInterval:
      case kWillDelayInterval:
      case kMaximumPacketSize:
        out.number = 1 + static_cast<std::uint32_t>(rng_.below(UINT32_MAX));
        break;
      case kCorrelationData:
      case kAuthenticationData:
        out.data = binary(20);
        break;
      case kUserProperty:
        out.text = keep(text(5));
        out.value = keep(text(coin() ? 5 : 200));
        break;
      case kResponseTopic:
        out.text = keep(topic());
        break;
      default:
        out.text = keep(text(10));
    }
    return out;
  }

  // Some of `ids`, in any order, each once unless it may stand twice; and user properties.
  PropertyBlock properties(std::vector<PropertyId> ids, std::vector<PropertyId> always = {}) {
    if (!is_v5()) return {};
    std::vector<Property> list;
    for (const PropertyId id : always) list.push_back(property(id));
    if (coin()) {
      for (const PropertyId id : ids) {
        const auto at = static_cast<std::ptrdiff_t>(rng_.below(list.size() + 1));
        if (coin()) list.insert(list.begin() + at, property(id));
      }
      while (coin()) list.push_back(property(PropertyId::kUserProperty));
    }
    std::string& encoded = texts_.emplace_back(properties_size(list).value(), '\0');
    return encode_properties(octets_of(encoded), list);
  }

  PublishView publish() {
    using enum PropertyId;
    PublishView out{.topic = keep(topic()),
                    .payload = binary(coin() ? 20 : 20'000),
                    .qos = octet(3),
                    .retain = coin()};
    if (out.qos > 0) {
      out.packet_id = packet_id();
      out.dup = coin();
    }
    const bool alias_alone = is_v5() && rng_.below(4) == 0;
    std::vector<PropertyId> always;
    if (alias_alone) {
      out.topic = {};
      always.push_back(kTopicAlias);
    } else if (coin()) {
      always.push_back(kTopicAlias);
    }
    out.properties =
        properties({kPayloadFormatIndicator, kMessageExpiryInterval, kContentType, kResponseTopic,
                    kCorrelationData, kSubscriptionIdentifier, kSubscriptionIdentifier},
                   always);
    return out;
  }

  ConnectView connect() {
    using enum PropertyId;
    ConnectView out{.version = version_,
                    .clean_session = coin(),
                    .keep_alive_s = static_cast<std::uint16_t>(rng_.below(65'536))};
    const bool may_be_empty = is_v5() || (version_ == Version::kV311 && out.clean_session);
    out.client_id = keep(may_be_empty ? text(20) : text(20, "c"));
    if (coin()) {
      out.will = WillView{keep(topic()), binary(30), octet(3), coin()};
      out.will->properties =
          properties({kWillDelayInterval, kPayloadFormatIndicator, kMessageExpiryInterval,
                      kContentType, kResponseTopic, kCorrelationData});
    }
    if (coin()) out.user_name = keep(text(10));
    if ((out.user_name || is_v5()) && coin()) out.password = binary(10);
    out.properties =
        properties({kSessionExpiryInterval, kReceiveMaximum, kMaximumPacketSize, kTopicAliasMaximum,
                    kRequestResponseInformation, kRequestProblemInformation});
    return out;
  }

  ConnackView connack() {
    using enum PropertyId;
    ConnackView out{.session_present = coin() && version_ != Version::kV31};
    out.properties =
        properties({kSessionExpiryInterval, kReceiveMaximum, kMaximumQos, kRetainAvailable,
                    kMaximumPacketSize, kAssignedClientIdentifier, kTopicAliasMaximum,
                    kReasonString, kWildcardSubscriptionAvailable, kSubscriptionIdentifierAvailable,
                    kSharedSubscriptionAvailable, kServerKeepAlive, kResponseInformation,
                    kServerReference, kAuthenticationMethod, kAuthenticationData});
    if (out.session_present) return out;
    if (is_v5()) {
      out.reason = reason(PacketType::kConnack);
    } else {
      out.return_code = ConnectReturnCode{octet(6)};
    }
    return out;
  }

  // A reason code that the packet may carry.
  ReasonCode reason(PacketType type) {
    while (true) {
      const ReasonCode code{octet(256)};
      if (is_allowed(code, type)) return code;
    }
  }

  AckView ack() {
    static constexpr PacketType kTypes[] = {PacketType::kPuback, PacketType::kPubrec,
                                            PacketType::kPubrel, PacketType::kPubcomp};
    AckView out{kTypes[rng_.below(4)], packet_id()};
    if (is_v5() && coin()) out.reason = reason(out.type);
    out.properties = properties({PropertyId::kReasonString});
    return out;
  }

  DisconnectView disconnect() {
    using enum PropertyId;
    DisconnectView out;
    if (is_v5() && coin()) out.reason = reason(PacketType::kDisconnect);
    out.properties = properties({kSessionExpiryInterval, kReasonString, kServerReference});
    return out;
  }

  AuthView auth() {
    using enum PropertyId;
    if (rng_.below(4) == 0) return {};
    return {reason(PacketType::kAuth),
            properties({kAuthenticationData, kReasonString}, {kAuthenticationMethod})};
  }

  // The views of lists only come out of a reader: write one and read it.
  SubscribeView subscribe() {
    std::vector<SubscribeEntry> entries(1 + rng_.below(5));
    for (SubscribeEntry& entry : entries) {
      entry = {keep(filter()), octet(3)};
      if (!is_v5()) continue;
      entry.no_local = coin();
      entry.retain_as_published = coin();
      entry.retain_handling = RetainHandling{octet(3)};
      if (!entry.no_local && coin()) entry.filter = keep("$share/g/" + std::string(entry.filter));
    }
    const PropertyBlock block = properties({PropertyId::kSubscriptionIdentifier});
    std::string& encoded = texts_.emplace_back(subscribe_size(entries, version_, block), '\0');
    write_subscribe(octets_of(encoded), packet_id(), entries, version_, block);
    return std::get<SubscribeView>(read_packet(as_bytes(encoded), version_).value().packet);
  }

  UnsubscribeView unsubscribe() {
    std::vector<std::string_view> filters(1 + rng_.below(5));
    for (std::string_view& name : filters) name = keep(filter());
    const PropertyBlock block = properties({});
    std::string& encoded = texts_.emplace_back(unsubscribe_size(filters, version_, block), '\0');
    write_unsubscribe(octets_of(encoded), packet_id(), filters, version_, block);
    return std::get<UnsubscribeView>(read_packet(as_bytes(encoded), version_).value().packet);
  }

  // Codes for a list that the packet may carry.
  Bytes codes(PacketType type) {
    std::string out(1 + rng_.below(5), '\0');
    for (char& code : out) code = static_cast<char>(reason(type));
    return as_bytes(keep(std::move(out)));
  }

  SubackView suback() {
    if (is_v5()) {
      return {packet_id(), codes(PacketType::kSuback), properties({PropertyId::kReasonString})};
    }
    static constexpr char kCodes[] = {0, 1, 2, static_cast<char>(kSubackFailure)};
    std::string out(1 + rng_.below(5), '\0');
    for (char& code : out) code = kCodes[rng_.below(version_ == Version::kV31 ? 3 : 4)];
    return {packet_id(), as_bytes(keep(std::move(out)))};
  }

  UnsubackView unsuback() {
    if (!is_v5()) return {packet_id()};
    return {packet_id(), codes(PacketType::kUnsuback), properties({PropertyId::kReasonString})};
  }

  static std::uint8_t* octets_of(std::string& text) {
    return reinterpret_cast<std::uint8_t*>(text.data());
  }

  SeededRng rng_;
  Version version_;
  std::deque<std::string> texts_;
};

}  // namespace hermod::mqtt
