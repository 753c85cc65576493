// SPDX-License-Identifier: Apache-2.0
// A scripted server of any version, and packets of MQTT 5 as octets.
#pragma once

#include <string_view>
#include <vector>

#include "peers.hpp"

namespace hermod::mqtt {

/// A block of properties for packets of a script.
inline EncodedProperties block_of(const std::vector<Property>& list) {
  EncodedProperties encoded;
  EXPECT_TRUE(encoded.encode(list));
  return encoded;
}
using wire::v5::number;
using wire::v5::text;

namespace wire5 {

using wire::Octets;

inline Octets encode(const Packet& packet, Version version = Version::kV5) {
  Octets octets(encoded_size(packet, version));
  write_packet(octets.data(), packet, version);
  return octets;
}
inline Octets connack(const std::vector<Property>& list = {}, bool present = false,
                      ReasonCode reason = ReasonCode::kSuccess) {
  const EncodedProperties properties = block_of(list);
  return encode(
      ConnackView{.session_present = present, .reason = reason, .properties = properties.block()});
}
inline Octets publish(std::string_view topic, std::string_view payload,
                      const wire::PublishOptions& options = {},
                      const std::vector<Property>& list = {}) {
  const EncodedProperties properties = block_of(list);
  return encode(PublishView{.topic = topic,
                            .payload = as_bytes(payload),
                            .packet_id = options.id,
                            .qos = options.qos,
                            .retain = options.retain,
                            .dup = options.dup,
                            .properties = properties.block()});
}
inline Octets ack(PacketType type, std::uint16_t id, ReasonCode reason = ReasonCode::kSuccess,
                  const std::vector<Property>& list = {}) {
  const EncodedProperties properties = block_of(list);
  return encode(AckView{type, id, reason, properties.block()});
}
inline Octets disconnect(ReasonCode reason = ReasonCode::kNormalDisconnection,
                         const std::vector<Property>& list = {}) {
  const EncodedProperties properties = block_of(list);
  return encode(DisconnectView{reason, properties.block()});
}

}  // namespace wire5

/// The options of an MQTT 5 client, changed.
inline ClientOptions v5_options(auto change) {
  ClientOptions options{.version = Version::kV5, .client_id = "me"};
  change(options);
  return options;
}
inline ClientOptions v5_options() {
  return {.version = Version::kV5, .client_id = "me"};
}

/// A server that has taken an MQTT 5 client on these terms.
class ClientPeerV5 : public ClientPeer {
 public:
  explicit ClientPeerV5(const std::vector<Property>& terms = {},
                        ClientOptions options = v5_options(), bool present = false,
                        model::Inflight inflight = {})
      : ClientPeer(std::move(options), std::move(inflight)) {
    opens();
    (void)host().take_output();
    sends(wire5::connack(terms, present)).expects_effect<session::Opened>();
    credit = effect<session::Credit>().count;
  }
  [[nodiscard]] bool subscribe(const std::vector<SubscribeEntry>& entries,
                               const std::vector<Property>& list = {}) {
    bool sent = false;
    host().run([&](session::Effects& effects) {
      sent = session().subscribe(entries, 7, clock().now(), effects, list);
    });
    return sent;
  }

  std::uint32_t credit = 0;  ///< that came with CONNACK
};

}  // namespace hermod::mqtt
