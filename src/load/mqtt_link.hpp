// SPDX-License-Identifier: Apache-2.0
// One MQTT 3.1.1 or 5.0 connection of the load, from the TCP connect to granted subscriptions.
// Made for little work per octet: it reads into its thread's buffer and keeps only an incomplete
// packet.
//
//   kIdle -> kConnecting -> kHandshake -> [kSubscribing ->] kReady -> kClosed
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "filter_set.hpp"
#include "hermod/base/output.hpp"
#include "hermod/load/options.hpp"
#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/transport/tcp.hpp"
#include "share.hpp"

namespace hermod::load {

/// CONNECT was successful, in the words of either version.
[[nodiscard]] inline bool is_accepted(const mqtt::ConnackView& connack, mqtt::Version version) {
  return version == mqtt::Version::kV5 ? connack.reason == mqtt::ReasonCode::kSuccess
                                       : connack.return_code == mqtt::ConnectReturnCode::kAccepted;
}

/// Of acknowledgements: success is said in the same octets in all versions.
inline constexpr auto kAckVersion = mqtt::Version::kV311;

[[nodiscard]] inline mqtt::Version wire_version(MqttVersion version) {
  return version == MqttVersion::k5 ? mqtt::Version::kV5 : mqtt::Version::kV311;
}

/// What the server allows; before MQTT 5 it cannot say so.
struct ServerLimits {
  std::uint32_t receive_maximum = 65'535;  ///< unacknowledged PUBLISH of QoS 1 and 2
  std::uint32_t packet_bytes_max = mqtt::kRemainingLengthMax;
};

/// What a link says when it connects.
struct LinkNames {
  std::string client_id;
  FilterSet filters;     ///< what it subscribes to; none: no SUBSCRIBE
  std::uint8_t qos = 0;  ///< of the subscriptions
  std::uint16_t keep_alive_s = 0;
  mqtt::Version version = mqtt::Version::kV311;
  bool lasting = false;  ///< its session outlives the connection
};

class MqttLink {
 public:
  enum class State : std::uint8_t { kIdle, kConnecting, kHandshake, kSubscribing, kReady, kClosed };

  explicit MqttLink(LinkNames names) : names_(std::move(names)) {}
  virtual ~MqttLink() = default;
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;

  /// Begins to connect.
  void connect(const transport::Address& to, transport::Token token, Turn& turn);
  void on_event(const transport::Event& event, Turn& turn);
  /// Writes what waits, as far as the socket takes it.
  void flush(Turn& turn);
  /// Says DISCONNECT [MQTT-3.14.4-1] and closes.
  void disconnect(Turn& turn);

  [[nodiscard]] mqtt::Version version() const { return names_.version; }
  /// Known from CONNACK on.
  [[nodiscard]] const ServerLimits& server_limits() const { return server_limits_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool ready() const { return state_ == State::kReady; }
  /// The output is empty: the server takes what we send.
  [[nodiscard]] bool drained() const { return out_.empty(); }

 protected:
  /// Whole and partial packets that came in kReady; returns the octets of the whole ones.
  virtual std::size_t on_packets(Bytes bytes, Turn& turn);
  virtual void on_ready(Turn& turn);
  /// The connection ended; `why` is for people.
  virtual void on_closed(std::string_view why, Turn& turn);

  /// Ends a connection that broke the protocol.
  void close(std::string_view why, Turn& turn);

  /// Nothing is read any more until the end.
  void stop_reading() { reads_ = false; }

  Output& out() { return out_; }

 private:
  void on_writable(Turn& turn);
  void on_readable(Turn& turn);
  std::size_t on_handshake(Bytes bytes, Turn& turn);
  void on_connack(const mqtt::FixedHeader& header, Bytes body, Turn& turn);
  void on_suback(const mqtt::FixedHeader& header, Bytes body, Turn& turn);
  void subscribe_more();
  void become_ready(Turn& turn);
  void refused(const mqtt::ConnackView& connack, Turn& turn);

  LinkNames names_;
  ServerLimits server_limits_;
  std::uint32_t granted_ = 0;    // filters, in their order
  std::uint32_t asked_for_ = 0;  // filters of the SUBSCRIBE that is not acknowledged
  std::unique_ptr<transport::TcpStream> stream_;
  Output out_;
  std::vector<std::uint8_t> rest_;  // an incomplete packet
  State state_ = State::kIdle;
  bool writable_ = false;
  bool reads_ = true;
};

}  // namespace hermod::load
