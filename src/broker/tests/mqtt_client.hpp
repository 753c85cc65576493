// SPDX-License-Identifier: Apache-2.0
// The far end of a stream that speaks MQTT, moved by hand: packets go out as they are written here,
// and what comes back can be read as words.
#pragma once

#include <fmt/format.h>

#include <string>
#include <variant>

#include "hermod/mqtt/session/plugin.hpp"
#include "packets_for_tests.hpp"
#include "world.hpp"

namespace hermod::broker {

namespace wire = mqtt::wire;

class MqttClient : public Client {
 public:
  explicit MqttClient(World& world, mqtt::Version version = mqtt::Version::kV311,
                      std::uint16_t shard = 0, const transport::Address& from = {})
      : Client(world, shard, from), world_(world), version_(version) {}

  /// Octets, which the network must take.
  MqttClient& put(const wire::Octets& octets) {
    std::string_view rest = as_text(octets);
    for (int tries = 0; !rest.empty() && tries < 10'000; ++tries) {
      rest.remove_prefix(write(rest));
      if (!rest.empty()) world_.run();
    }
    EXPECT_TRUE(rest.empty()) << "the network takes no more";
    return *this;
  }
  /// Sends a CONNECT, lets everybody work and returns the answer in words.
  std::string connects(mqtt::ConnectView connect, const wire::v5::Properties& list = {}) {
    connect.version = version_;
    put(version_ == mqtt::Version::kV5 ? wire::v5::connect(connect, list) : wire::connect(connect));
    return hear();
  }
  std::string asks(const wire::Octets& octets) {
    put(octets);
    return hear();
  }
  std::string publishes(std::string_view topic, std::string_view payload,
                        const wire::PublishOptions& options = {},
                        const wire::v5::Properties& list = {}) {
    return asks(version_ == mqtt::Version::kV5 ? wire::v5::publish(topic, payload, options, list)
                                               : wire::publish(topic, payload, options));
  }
  std::string subscribes(std::string_view filter, std::uint8_t qos = 0) {
    const std::vector<mqtt::SubscribeEntry> entries{{.filter = filter, .qos = qos}};
    return asks(version_ == mqtt::Version::kV5 ? wire::v5::subscribe(1, entries)
                                               : wire::subscribe(1, entries));
  }
  /// Lets everybody work; the packets that have come, in words with a blank behind each:
  /// "connack:0", "t=v", "puback:1:97", "suback:80", "disconnect:90", "end".
  std::string hear() {
    world_.run();
    unread_ += read();
    std::string words;
    while (!unread_.empty()) {
      const auto packet = mqtt::read_packet(as_bytes(unread_), version_);
      if (!packet) break;
      words +=
          std::visit([this](const auto& view) { return this->word(view); }, packet->packet) + ' ';
      ++packets_;
      unread_.erase(0, packet->size);
    }
    if (ended()) words += "end ";
    return words;
  }
  /// Packets heard so far.
  [[nodiscard]] std::size_t packets() const { return packets_; }
  /// What the last CONNACK said of this property; 0: nothing.
  [[nodiscard]] std::uint32_t granted(mqtt::PropertyId id) const {
    const auto found = granted_.find(id);
    return found == granted_.end() ? 0 : found->second;
  }

 private:
  std::string word(const mqtt::ConnackView& connack) {
    for (const mqtt::Property property : connack.properties) {
      granted_[property.id] = property.number;
    }
    return fmt::format("connack:{:x}", version_ == mqtt::Version::kV5
                                           ? static_cast<unsigned>(connack.reason)
                                           : static_cast<unsigned>(connack.return_code));
  }
  static std::string word(const mqtt::PublishView& publish) {
    return fmt::format("{}={}{}", publish.topic, as_text(publish.payload), publish.dup ? ":d" : "");
  }
  static std::string word(const mqtt::AckView& ack) {
    constexpr std::array kNames{"puback", "pubrec", "pubrel", "pubcomp"};
    const auto type =
        static_cast<std::size_t>(ack.type) - static_cast<std::size_t>(mqtt::PacketType::kPuback);
    return fmt::format("{}:{}:{:x}", kNames.at(type), ack.packet_id,
                       static_cast<unsigned>(ack.reason));
  }
  static std::string word(const mqtt::SubackView& suback) {
    std::string text = "suback";
    for (const std::uint8_t code : suback.return_codes) text += fmt::format(":{:x}", code);
    return text;
  }
  static std::string word(const mqtt::DisconnectView& disconnect) {
    return fmt::format("disconnect:{:x}", static_cast<unsigned>(disconnect.reason));
  }
  static std::string word(const mqtt::Pingresp&) { return "pong"; }
  template <typename Other>
  static std::string word(const Other&) {
    return "other";
  }

  World& world_;
  mqtt::Version version_;
  std::string unread_;
  std::size_t packets_ = 0;
  std::map<mqtt::PropertyId, std::uint32_t> granted_;
};

}  // namespace hermod::broker
