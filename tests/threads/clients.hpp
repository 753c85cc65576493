// SPDX-License-Identifier: Apache-2.0
// A broker in this process, and MQTT and CoAP clients of it made of the codecs: one thread moves
// all of its clients through one poller, waits for what must come, and never sleeps.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "hermod/broker/broker.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/plugin.hpp"
#include "hermod/mqtt/codec/packet.hpp"
#include "hermod/mqtt/session/plugin.hpp"
#include "hermod/transport/epoll.hpp"
#include "hermod/transport/tcp.hpp"
#include "hermod/transport/udp.hpp"

namespace hermod::threads {

using Octets = std::vector<std::uint8_t>;

/// Listens for MQTT and CoAP on free ports of the loopback interface; serves from the start.
class Served {
 public:
  /// With `folder` what has to be kept is kept there.
  explicit Served(std::uint16_t threads, std::uint16_t port = 0, const std::string& folder = {}) {
    broker::Settings settings{.threads = threads};
    if (!folder.empty()) settings.store = store::StoreSettings{.folder = folder};
    const auto at = transport::Address::v4({127, 0, 0, 1}, port);
    settings.listeners.push_back({.protocol = &mqtt::protocol(), .address = at});
    settings.listeners.push_back({.protocol = &coap_, .address = at.with_port(0)});
    auto opened = broker::Broker::open(std::move(settings), log_);
    if (!opened) throw std::runtime_error(opened.error());
    broker_ = std::move(*opened);
    broker_->start();
  }
  [[nodiscard]] const transport::Address& mqtt() const { return broker_->addresses()[0]; }
  [[nodiscard]] const transport::Address& coap() const { return broker_->addresses()[1]; }
  void stop() { broker_->stop(); }
  /// Stopped, and the ports are free.
  void close() { broker_.reset(); }

 private:
  NullLog log_;
  coap::Plugin coap_;
  std::unique_ptr<broker::Broker> broker_;
};

/// Whoever wants to know what happens to a socket.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_event(const transport::Event& event) = 0;
};

/// The clients of one thread.
class Net {
 public:
  transport::Token add(transport::Source& source, Watcher& watcher) {
    watchers_[++last_] = &watcher;
    EXPECT_TRUE(poller_->add(source, last_));
    return last_;
  }
  void remove(transport::Source& source, transport::Token token) {
    poller_->remove(source);
    watchers_.erase(token);
  }
  /// Goes on until `done`; false when that takes longer than anything should.
  bool until(const std::function<bool()>& done) {
    const SystemClock clock;
    const Instant end = clock.now() + std::chrono::seconds{30};
    while (!done()) {
      if (clock.now() > end) return false;
      for (const transport::Event& event : poller_->wait(std::chrono::milliseconds{50})) {
        const auto found = watchers_.find(event.token);
        if (found != watchers_.end()) found->second->on_event(event);
      }
    }
    return true;
  }

 private:
  std::unique_ptr<transport::EpollPoller> poller_ =
      std::move(transport::EpollPoller::open().value());
  std::map<transport::Token, Watcher*> watchers_;
  transport::Token last_ = 0;
};

/// What came in a PUBLISH or a notification.
struct Received {
  std::string topic;
  std::string payload;
  bool retain = false;
};

struct MqttOptions {
  std::string id;
  bool clean = true;
  std::string will_topic = {};
  bool will_retain = false;
  bool reads = true;  ///< false: leaves everything that comes in the socket
};

/// One MQTT connection; sends CONNECT at once, acknowledges everything.
class MqttPeer final : public Watcher {
 public:
  MqttPeer(Net& net, const transport::Address& to, const MqttOptions& options)
      : net_(net), options_(options), stream_(std::move(transport::connect_tcp(to).value())) {
    mqtt::ConnectView view{.clean_session = options.clean, .client_id = options_.id};
    if (!options_.will_topic.empty()) {
      view.will = mqtt::WillView{.topic = options_.will_topic,
                                 .payload = as_bytes(options_.id),
                                 .qos = 1,
                                 .retain = options.will_retain};
    }
    send(view);
    token_ = net_.add(*stream_, *this);
  }
  ~MqttPeer() override { vanish(); }

  void send(const mqtt::Packet& packet) {
    const std::size_t size = mqtt::encoded_size(packet, mqtt::Version::kV311);
    output_.resize(output_.size() + size);
    mqtt::write_packet(output_.data() + output_.size() - size, packet, mqtt::Version::kV311);
    flush();
  }
  void subscribe(std::string_view filter, std::uint8_t qos) {
    const std::array<mqtt::SubscribeEntry, 1> entries{{{filter, qos}}};
    Octets octets(mqtt::subscribe_size(entries, mqtt::Version::kV311));
    mqtt::write_subscribe(octets.data(), ++packet_id_, entries, mqtt::Version::kV311);
    output_.insert(output_.end(), octets.begin(), octets.end());
    flush();
  }
  void publish(std::string_view topic, std::string_view payload, std::uint8_t qos,
               bool retain = false) {
    if (qos > 0 && ++packet_id_ == 0) packet_id_ = 1;
    send(mqtt::PublishView{.topic = topic,
                           .payload = as_bytes(payload),
                           .packet_id = qos > 0 ? packet_id_ : std::uint16_t{0},
                           .qos = qos,
                           .retain = retain});
  }
  /// Ends its side behind what was sent; or is gone, with a reset when something is unread.
  void end() { stream_->shutdown_write(); }
  void vanish() {
    if (!stream_) return;
    net_.remove(*stream_, token_);
    stream_.reset();
  }

  void on_event(const transport::Event& event) override {
    if (event.writable) flush();
    readable = readable || event.readable;
    if (event.readable && options_.reads) read();
  }

  /// Messages at exactly once that came and are not released.
  [[nodiscard]] std::size_t unreleased() const { return incoming_.size(); }

  bool accepted = false;  ///< CONNACK came
  bool readable = false;  ///< something came
  bool ended = false;
  std::size_t subscribed = 0;  ///< SUBACKs
  std::size_t published = 0;   ///< PUBACKs and PUBCOMPs
  std::size_t pings = 0;
  std::vector<Received> received;

 private:
  void flush() {
    while (!output_.empty() && !ended) {
      const Bytes piece = output_;
      const transport::IoResult result = stream_->write({&piece, 1});
      if (result.status == transport::IoResult::Status::kAgain) return;
      if (result.status != transport::IoResult::Status::kDone) {
        output_.clear();
        return;  // a read tells
      }
      output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(result.count));
    }
  }
  void read() {
    std::array<std::uint8_t, 16 * 1024> buffer;
    for (;;) {
      const transport::IoResult result = stream_->read(buffer);
      if (result.status == transport::IoResult::Status::kAgain) break;
      if (result.status != transport::IoResult::Status::kDone) {
        ended = true;
        break;
      }
      input_.insert(input_.end(), buffer.begin(),
                    buffer.begin() + static_cast<std::ptrdiff_t>(result.count));
    }
    std::size_t used = 0;
    for (;;) {
      const auto packet = mqtt::read_packet(Bytes{input_}.subspan(used), mqtt::Version::kV311);
      if (!packet) {
        EXPECT_TRUE(packet.error().incomplete()) << "the broker wrote what is no packet";
        break;
      }
      used += packet->size;
      std::visit([this](const auto& view) { on_packet(view); }, packet->packet);
    }
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(used));
  }
  void on_packet(const mqtt::ConnackView& connack) {
    EXPECT_EQ(connack.return_code, mqtt::ConnectReturnCode::kAccepted);
    accepted = true;
  }
  void on_packet(const mqtt::PublishView& view) {
    const bool again = view.qos == 2 && !incoming_.insert(view.packet_id).second;
    if (!again) {
      received.push_back(
          {std::string{view.topic}, std::string{as_text(view.payload)}, view.retain});
    }
    if (view.qos == 1) send(mqtt::AckView{mqtt::PacketType::kPuback, view.packet_id});
    if (view.qos == 2) send(mqtt::AckView{mqtt::PacketType::kPubrec, view.packet_id});
  }
  void on_packet(const mqtt::AckView& ack) {
    switch (ack.type) {
      case mqtt::PacketType::kPubrec:
        return send(mqtt::AckView{mqtt::PacketType::kPubrel, ack.packet_id});
      case mqtt::PacketType::kPubrel:
        incoming_.erase(ack.packet_id);
        return send(mqtt::AckView{mqtt::PacketType::kPubcomp, ack.packet_id});
      default:
        ++published;
    }
  }
  void on_packet(const mqtt::SubackView&) { ++subscribed; }
  void on_packet(const mqtt::Pingresp&) { ++pings; }
  template <typename Other>
  void on_packet(const Other&) {
    ADD_FAILURE() << "a packet that servers do not send";
  }

  Net& net_;
  MqttOptions options_;
  std::unique_ptr<transport::TcpStream> stream_;
  transport::Token token_ = 0;
  Octets output_;
  Octets input_;
  std::set<std::uint16_t> incoming_;  // exactly once, not released
  std::uint16_t packet_id_ = 0;
};

/// A CoAP client on a socket of its own: one confirmable request at a time, and an observation.
class CoapPeer final : public Watcher {
 public:
  CoapPeer(Net& net, const transport::Address& to)
      : net_(net),
        to_(to),
        socket_(
            std::move(transport::bind_udp(transport::Address::v4({127, 0, 0, 1}, 0), {}).value())) {
    token_ = net_.add(*socket_, *this);
  }
  ~CoapPeer() override { net_.remove(*socket_, token_); }

  void get(std::string_view topic, bool observe = false) {
    request(coap::code::kGet, topic, "", observe);
  }
  void put(std::string_view topic, std::string_view value) {
    request(coap::code::kPut, topic, value, false);
  }

  void on_event(const transport::Event& event) override {
    if (!event.readable) return;
    for (auto batch = socket_->receive(); !batch.empty(); batch = socket_->receive()) {
      for (const transport::Datagram& datagram : batch) on_datagram(datagram.bytes);
    }
    socket_->flush();
  }

  std::size_t answers = 0;
  coap::Code code;      ///< of the last answer
  std::string payload;  ///< of the last answer or notification

 private:
  void request(coap::Code method, std::string_view topic, std::string_view content, bool observe) {
    std::uint8_t* const begin = socket_->reserve(transport::DatagramSocket::kSizeMax);
    const std::uint8_t token = observe ? 2 : 1;
    coap::BodyWriter body(
        coap::write_head(begin, coap::Type::kCon, method, ++message_id_, {&token, 1}));
    if (observe) body.uint_option(coap::OptionNumber::kObserve, 0);
    for (const std::string_view segment : {"ps", "data"}) {
      body.option(coap::OptionNumber::kUriPath, segment);
    }
    for (std::size_t slash = 0; slash != std::string_view::npos;) {
      slash = topic.find('/');
      body.option(coap::OptionNumber::kUriPath, topic.substr(0, slash));
      if (slash != std::string_view::npos) topic.remove_prefix(slash + 1);
    }
    body.payload(as_bytes(content));
    socket_->commit(static_cast<std::size_t>(body.position() - begin), to_);
    socket_->flush();
  }
  void on_datagram(Bytes datagram) {
    const auto message = coap::decode(datagram);
    ASSERT_TRUE(message.has_value());
    if (message->type == coap::Type::kCon) {
      std::uint8_t* const begin = socket_->reserve(coap::kHeaderSize);
      std::uint8_t* const end =
          coap::write_head(begin, coap::Type::kAck, coap::code::kEmpty, message->message_id, {});
      socket_->commit(static_cast<std::size_t>(end - begin), to_);
    }
    if (!message->code.is_response()) return;
    payload = as_text(message->payload);
    code = message->code;
    ++answers;
  }

  Net& net_;
  transport::Address to_;
  std::unique_ptr<transport::DatagramSocket> socket_;
  transport::Token token_ = 0;
  std::uint16_t message_id_ = 0;
};

using MqttPeers = std::vector<std::unique_ptr<MqttPeer>>;

/// Connects so many, named `stem` and a number, and waits until all are accepted.
inline MqttPeers connect(Net& net, const Served& served, std::string_view stem, int count) {
  MqttPeers peers;
  for (int i = 0; i < count; ++i) {
    peers.push_back(std::make_unique<MqttPeer>(net, served.mqtt(),
                                               MqttOptions{.id = fmt::format("{}{}", stem, i)}));
  }
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(peers, [](const auto& peer) { return peer->accepted; });
  })) << stem;
  return peers;
}

/// Lets all of them subscribe and waits for their SUBACKs.
inline void subscribe(Net& net, MqttPeers& peers, std::string_view filter, std::uint8_t qos) {
  for (auto& peer : peers) peer->subscribe(filter, qos);
  EXPECT_TRUE(net.until([&] {
    return std::ranges::all_of(peers, [](const auto& peer) { return peer->subscribed == 1; });
  })) << filter;
}

}  // namespace hermod::threads
