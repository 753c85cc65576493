// SPDX-License-Identifier: Apache-2.0
// An MQTT client on Boost.Asio, 3.1, 3.1.1 or 5.0: one object is one connection. It runs on the
// caller's executor and is made of the same codec and session as the broker. It knows no broker and
// no command line.
//
//   boost::asio::io_context io;
//   hermod::client::MqttClient client(io.get_executor(), {.host = "localhost"});
//   client.async_connect([&](auto error, bool) {
//     if (error) return report(error.message());
//     client.async_publish({.topic = "Temperature/Kitchen", .payload = "34.5"}, [&](auto) {
//       client.async_disconnect([](auto) {});
//     });
//   });
//   io.run();
//
// Every operation takes a completion token: a callback as above, boost::asio::use_future,
// boost::asio::use_awaitable ... Operations may be started while others are under way; they
// complete through the executor, never from within the call that starts them. When the connection
// ends all of them complete with an error. Like Asio's sockets an object is not thread-safe: use it
// from one thread at a time, or from one strand.
//
// MQTT 5 is asked for by options.session.version = mqtt::Version::kV5. What only it can say is left
// out in the others: properties, subscription options, reasons.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/client/error.hpp"
#include "hermod/client/handler.hpp"
#include "hermod/model/message.hpp"
#include "hermod/mqtt/session/client_session.hpp"

namespace hermod::client {

/// A SOCKS5 proxy that connects to the server for us, and looks its name up (RFC 1928, RFC 1929).
struct SocksProxy {
  std::string host;
  std::uint16_t port = 1080;
  std::optional<std::string> user;
  std::optional<std::string> password;
};

struct MqttOptions {
  std::string host = "localhost";  ///< name or literal address
  std::uint16_t port = 1883;
  std::string local_host;  ///< the own address to connect from, or its name; empty: any
  std::string
      unix_path;  ///< of a socket file on this machine, instead of all of these; empty: none
  std::optional<SocksProxy> proxy;  ///< to connect through
  /// `host` is a domain, whose SRV records name servers and ports (RFC 2782); an empty one is this
  /// machine's. Not with a proxy.
  bool service = false;
  mqtt::ClientOptions session;  ///< what CONNECT says, keep-alive, limits
  /// For who looks for a fault: called with each whole packet, once it is sent or was received.
  std::function<void(bool sent, Bytes packet)> on_packet;
  /// Publications that have not completed; one more fails with Error::kTooMany.
  std::size_t publications_max = 65'536;
};

/// A message to publish. The payload may hold any octets.
struct MqttPublication {
  std::string topic;
  std::string payload;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain = false;
  mqtt::MessageProperties properties;  ///< an expiry of 0 is said as 1
};

/// A message that came.
struct MqttMessage {
  std::string topic;
  std::string payload;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain = false;                 ///< it was the last value of its topic when we subscribed
  std::uint16_t packet_id = 0;         ///< 0 for kAtMostOnce
  mqtt::MessageProperties properties;  ///< the expiry is what is left of it
  std::vector<std::uint32_t> subscription_ids;  ///< of the subscriptions that it came for
};

struct MqttSubscription {
  std::string filter;
  model::Guarantee guarantee_max = model::Guarantee::kAtMostOnce;
  // MQTT 5:
  bool no_local = false;             ///< not what this client publishes itself
  bool retain_as_published = false;  ///< `retain` of what comes is the publisher's
  mqtt::RetainHandling retain_handling = mqtt::RetainHandling::kSend;
};

/// What a request says beside its filters (MQTT 5).
struct MqttRequestProperties {
  std::uint32_t subscription_id =
      0;  ///< of all its subscriptions, comes with their messages; 0: none
  mqtt::UserProperties user;
};

/// What DISCONNECT says (MQTT 5).
struct MqttFarewell {
  mqtt::ReasonCode reason = mqtt::ReasonCode::kNormalDisconnection;
  std::optional<std::uint32_t> session_expiry_s;  ///< not above 0 when CONNECT said 0
  std::string reason_string;
  mqtt::UserProperties user;
};

/// What the server grants for one filter; nothing when it refuses it. `code` is its own word:
/// before MQTT 5, the QoS or 0x80.
struct MqttGrant : std::optional<model::Guarantee> {
  using std::optional<model::Guarantee>::optional;
  MqttGrant(std::optional<model::Guarantee> granted, std::uint8_t said)
      : std::optional<model::Guarantee>(granted), code(said) {}
  std::uint8_t code = 0;
  /// They grant the same.
  friend bool operator==(const MqttGrant& a, const MqttGrant& b) {
    return a.has_value() == b.has_value() && (!a || *a == *b);
  }
};

/// What the server grants for each filter, in their order.
using MqttGrants = std::vector<MqttGrant>;

class MqttConnection;

class MqttClient {
 public:
  using executor_type = boost::asio::any_io_executor;

  MqttClient(executor_type executor, MqttOptions options);
  /// Closes without DISCONNECT, so that the server publishes the will.
  ~MqttClient();
  MqttClient(MqttClient&&) noexcept;
  MqttClient& operator=(MqttClient&&) noexcept;

  [[nodiscard]] executor_type get_executor() const;

  /// The terms on which the server took the connection, once async_connect is over: the client id
  /// that it assigned, its limits, what it offers.
  [[nodiscard]] const mqtt::ServerTerms& server() const;
  /// What the server last refused or ended something with, code and words (MQTT 5). Errors carry
  /// the code alone.
  [[nodiscard]] const mqtt::Refusal& refusal() const;

  /// Why session.authenticator did not go on, in its words (Error::kUnproven).
  [[nodiscard]] const std::string& authentication_fault() const;

  /// Resolves, connects (see MqttOptions for the ways), and waits for CONNACK. void(error_code,
  /// bool session_present).
  template <boost::asio::completion_token_for<void(error_code, bool)> Token>
  auto async_connect(Token&& token) {
    return initiate<void(error_code, bool)>(&MqttClient::connect, token);
  }

  /// Publishes a message. Completes when it is over: QoS 0 when it has been written, QoS 1 with
  /// PUBACK, QoS 2 with PUBCOMP. Messages leave in the order of the calls. At most
  /// MqttOptions::session.inflight_max above QoS 0 are under way, the others wait in memory, up to
  /// MqttOptions::publications_max. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_publish(MqttPublication publication, Token&& token) {
    return initiate<void(error_code)>(&MqttClient::publish, token, std::move(publication));
  }

  /// Completes with SUBACK. The messages come through async_receive. void(error_code, MqttGrants).
  template <boost::asio::completion_token_for<void(error_code, MqttGrants)> Token>
  auto async_subscribe(std::vector<MqttSubscription> subscriptions, Token&& token) {
    return async_subscribe(std::move(subscriptions), {}, std::forward<Token>(token));
  }
  template <boost::asio::completion_token_for<void(error_code, MqttGrants)> Token>
  auto async_subscribe(std::vector<MqttSubscription> subscriptions,
                       MqttRequestProperties properties, Token&& token) {
    return initiate<void(error_code, MqttGrants)>(&MqttClient::subscribe, token,
                                                  std::move(subscriptions), std::move(properties));
  }

  /// Completes with UNSUBACK. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_unsubscribe(std::vector<std::string> filters, Token&& token) {
    return async_unsubscribe(std::move(filters), {}, std::forward<Token>(token));
  }
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_unsubscribe(std::vector<std::string> filters, MqttRequestProperties properties,
                         Token&& token) {
    return initiate<void(error_code)>(&MqttClient::unsubscribe, token, std::move(filters),
                                      std::move(properties));
  }

  /// Proves anew who this client is, by the session.authenticator that connected; all else goes on
  /// meanwhile. A refusal ends the connection. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_reauthenticate(Token&& token) {
    return initiate<void(error_code)>(&MqttClient::reauthenticate, token);
  }

  /// The next message, in the order in which they came. It is acknowledged to the server when it is
  /// handed over; while nobody receives, only a bounded number is taken from the network. One call
  /// at a time. After the connection has ended, what came before is still handed over, then the
  /// error. void(error_code, MqttMessage).
  template <boost::asio::completion_token_for<void(error_code, MqttMessage)> Token>
  auto async_receive(Token&& token) {
    return initiate<void(error_code, MqttMessage)>(&MqttClient::receive, token);
  }

  /// Sends what waits and DISCONNECT, and closes: the server forgets the will. Waits for the server
  /// to close its side for at most a second. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_disconnect(Token&& token) {
    return async_disconnect({}, std::forward<Token>(token));
  }
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_disconnect(MqttFarewell farewell, Token&& token) {
    return initiate<void(error_code)>(&MqttClient::disconnect, token, std::move(farewell));
  }

  /// Closes at once, without DISCONNECT. Operations complete with Error::kClosed.
  void close();

 private:
  void connect(Handler<void(error_code, bool)> handler);
  void publish(Handler<void(error_code)> handler, MqttPublication publication);
  void subscribe(Handler<void(error_code, MqttGrants)> handler,
                 std::vector<MqttSubscription> subscriptions, MqttRequestProperties properties);
  void unsubscribe(Handler<void(error_code)> handler, std::vector<std::string> filters,
                   MqttRequestProperties properties);
  void reauthenticate(Handler<void(error_code)> handler);
  void receive(Handler<void(error_code, MqttMessage)> handler);
  void disconnect(Handler<void(error_code)> handler, MqttFarewell farewell);

  /// Makes a completion token the erased handler of one of the functions above.
  template <typename Signature, typename Function, typename Token, typename... Args>
  auto initiate(Function function, Token& token, Args&&... args) {
    return boost::asio::async_initiate<Token, Signature>(
        [this, function](auto handler, auto... rest) {
          (this->*function)(Handler<Signature>(std::move(handler), get_executor()),
                            std::move(rest)...);
        },
        token, std::forward<Args>(args)...);
  }

  std::shared_ptr<MqttConnection> connection_;
};

}  // namespace hermod::client
