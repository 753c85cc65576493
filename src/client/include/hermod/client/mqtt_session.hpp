// SPDX-License-Identifier: Apache-2.0
// An MQTT client that outlives its connections: it connects, connects again with back-off when the
// connection is lost, resumes the session, and subscribes anew where the server has forgotten it.
// It is an MqttClient otherwise: the same operations, on the caller's executor. It knows no broker
// and no command line.
//
//   hermod::client::MqttSession session(io.get_executor(), {.mqtt = {.host = "localhost"}});
//   session.async_connect([&](auto error, bool) { ... });       // the first connection
//   session.async_subscribe({{"Temperature/#"}}, [](auto, auto) {});
//   session.async_publish({.topic = "a", .guarantee = kAtLeastOnce}, [](auto error) { ... });
//
// What a lost connection does:
//   publications QoS 1, 2   go on where they were, in their order, up to publications_max;
//                           QoS 2 comes once as long as the server keeps the session
//   publications QoS 0      that may have left fail; the others wait, if the options say so
//   subscriptions           wait for the next connection, and are repeated where it is new
//   messages                that came are handed over; then come those of the next connection
//
// The server keeps the session when it is told to: `session.clean_session = false`, in MQTT 5 with
// a `session.session_expiry_s`. There clean_session counts for the first connection only.
//
// It gives up when the server refuses what will not heal (may_heal()): credentials, the version,
// the client id; and when another client has taken the session over. Then all operations complete
// with that error. A server that names another one (0x9C, 0x9D) ends it too:
// server().server_reference says which, and whether to follow is the user's decision.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hermod/client/backoff.hpp"
#include "hermod/client/mqtt_client.hpp"

namespace hermod::client {

/// What has become of the connection.
struct MqttSessionChange {
  enum class Kind : std::uint8_t {
    kConnected,
    kLost,         ///< or not made: `error` says why, the next attempt comes after `wait`
    kGivenUp,      ///< for `error`: nothing follows
    kUnsubscribed  ///< the server refuses `filter`, which it had granted before, for `error`
  };
  Kind kind = Kind::kConnected;
  bool session_present = false;  ///< kConnected: the server has kept the session
  error_code error;
  std::chrono::milliseconds wait{0};
  std::string filter;
};

struct MqttSessionOptions {
  MqttOptions mqtt;
  BackoffOptions backoff;
  /// A connection that has lasted so long was a good one: the waits begin anew after it.
  std::chrono::milliseconds good_after{10'000};
  /// The jitter's seed; nothing: one of the system's.
  std::optional<std::uint64_t> seed;
  /// Publications of QoS 0 wait while there is no connection; otherwise they fail.
  bool keeps_at_most_once = true;
  /// Subscribe and unsubscribe requests that have not completed; one more fails with kTooMany.
  std::size_t requests_max = 1'024;
  /// Called through the executor, at each change.
  std::function<void(const MqttSessionChange&)> on_change;
};

class MqttReconnector;

class MqttSession {
 public:
  using executor_type = boost::asio::any_io_executor;

  MqttSession(executor_type executor, MqttSessionOptions options);
  /// Closes without DISCONNECT, so that the server publishes the will.
  ~MqttSession();
  MqttSession(MqttSession&&) noexcept;
  MqttSession& operator=(MqttSession&&) noexcept;

  [[nodiscard]] executor_type get_executor() const;
  [[nodiscard]] bool connected() const;
  /// The terms of the last connection that was taken, or of the last refusal.
  [[nodiscard]] const mqtt::ServerTerms& server() const;
  /// What the server last refused or ended something with, code and words (MQTT 5).
  [[nodiscard]] const mqtt::Refusal& refusal() const;
  /// Why session.authenticator did not go on, in its words (Error::kUnproven).
  [[nodiscard]] const std::string& authentication_fault() const;

  /// Begins. Completes with the first connection, or with what it gave up for.
  /// void(error_code, bool session_present).
  template <boost::asio::completion_token_for<void(error_code, bool)> Token>
  auto async_connect(Token&& token) {
    return initiate<void(error_code, bool)>(&MqttSession::connect, token);
  }

  /// As MqttClient::async_publish, also while there is no connection. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_publish(MqttPublication publication, Token&& token) {
    return initiate<void(error_code)>(&MqttSession::publish, token, std::move(publication));
  }

  /// As MqttClient::async_subscribe, also while there is no connection. What the server grants is
  /// kept, until async_unsubscribe. void(error_code, MqttGrants).
  template <boost::asio::completion_token_for<void(error_code, MqttGrants)> Token>
  auto async_subscribe(std::vector<MqttSubscription> subscriptions, Token&& token) {
    return async_subscribe(std::move(subscriptions), {}, std::forward<Token>(token));
  }
  template <boost::asio::completion_token_for<void(error_code, MqttGrants)> Token>
  auto async_subscribe(std::vector<MqttSubscription> subscriptions,
                       MqttRequestProperties properties, Token&& token) {
    return initiate<void(error_code, MqttGrants)>(&MqttSession::subscribe, token,
                                                  std::move(subscriptions), std::move(properties));
  }

  /// void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_unsubscribe(std::vector<std::string> filters, Token&& token) {
    return async_unsubscribe(std::move(filters), {}, std::forward<Token>(token));
  }
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_unsubscribe(std::vector<std::string> filters, MqttRequestProperties properties,
                         Token&& token) {
    return initiate<void(error_code)>(&MqttSession::unsubscribe, token, std::move(filters),
                                      std::move(properties));
  }

  /// As MqttClient::async_reauthenticate. Fails while there is no connection, and with the one that
  /// it began on: the next one proves who it is by itself. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_reauthenticate(Token&& token) {
    return initiate<void(error_code)>(&MqttSession::reauthenticate, token);
  }

  /// The next message, whichever connection it comes by. Fails only when nothing can follow. One
  /// call at a time. void(error_code, MqttMessage).
  template <boost::asio::completion_token_for<void(error_code, MqttMessage)> Token>
  auto async_receive(Token&& token) {
    return initiate<void(error_code, MqttMessage)>(&MqttSession::receive, token);
  }

  /// Ends it, with DISCONNECT where there is a connection. What waits for a connection that is not
  /// there fails with Error::kClosed. void(error_code).
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_disconnect(Token&& token) {
    return async_disconnect({}, std::forward<Token>(token));
  }
  template <boost::asio::completion_token_for<void(error_code)> Token>
  auto async_disconnect(MqttFarewell farewell, Token&& token) {
    return initiate<void(error_code)>(&MqttSession::disconnect, token, std::move(farewell));
  }

  /// Ends it at once, without DISCONNECT. Operations complete with Error::kClosed.
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

  std::shared_ptr<MqttReconnector> reconnector_;
};

}  // namespace hermod::client
