// SPDX-License-Identifier: Apache-2.0
// An MQTT 3.1.1 client on Boost.Asio: one object is one connection. It runs on the caller's
// executor and is made of the same codec and session as the broker. It knows no broker and no
// command line.
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
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hermod/client/error.hpp"
#include "hermod/client/handler.hpp"
#include "hermod/model/message.hpp"
#include "hermod/mqtt/session/client_session.hpp"

namespace hermod::client {

struct MqttOptions {
  std::string host = "localhost";  ///< name or literal address
  std::uint16_t port = 1883;
  mqtt::ClientOptions session;  ///< what CONNECT says, keep-alive, limits
  /// Publications that have not completed; one more fails with Error::kTooMany.
  std::size_t publications_max = 65'536;
};

/// A message to publish. The payload may hold any octets.
struct MqttPublication {
  std::string topic;
  std::string payload;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain = false;
};

/// A message that came.
struct MqttMessage {
  std::string topic;
  std::string payload;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain = false;          ///< it was the last value of its topic when we subscribed
  std::uint16_t packet_id = 0;  ///< 0 for kAtMostOnce
};

struct MqttSubscription {
  std::string filter;
  model::Guarantee guarantee_max = model::Guarantee::kAtMostOnce;
};

/// What the server grants for each filter, in their order; nothing where it refuses.
using MqttGrants = std::vector<std::optional<model::Guarantee>>;

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

  /// Resolves, connects, and waits for CONNACK. void(error_code, bool session_present).
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
    return initiate<void(error_code, MqttGrants)>(&MqttClient::subscribe, token,
                                                  std::move(subscriptions));
  }

  /// Completes with UNSUBACK. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_unsubscribe(std::vector<std::string> filters, Token&& token) {
    return initiate<void(error_code)>(&MqttClient::unsubscribe, token, std::move(filters));
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
    return initiate<void(error_code)>(&MqttClient::disconnect, token);
  }

  /// Closes at once, without DISCONNECT. Operations complete with Error::kClosed.
  void close();

 private:
  void connect(Handler<void(error_code, bool)> handler);
  void publish(Handler<void(error_code)> handler, MqttPublication publication);
  void subscribe(Handler<void(error_code, MqttGrants)> handler,
                 std::vector<MqttSubscription> subscriptions);
  void unsubscribe(Handler<void(error_code)> handler, std::vector<std::string> filters);
  void receive(Handler<void(error_code, MqttMessage)> handler);
  void disconnect(Handler<void(error_code)> handler);

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
