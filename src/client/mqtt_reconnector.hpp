// SPDX-License-Identifier: Apache-2.0
// The connections of one MqttSession, one after the other: when to make the next, what it takes
// over and what it says again. It moves no octets: that is MqttConnection's part.
//
//   kIdle --connect()--> kConnecting --CONNACK 0--> kOpen
//                          ^     |                    |
//                          |     +---- it ends -------+--> kWaiting --after the wait--> kConnecting
//                          |
//   any --disconnect(), close(), an error that will not heal--> kOver
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/base/time.hpp"
#include "hermod/client/mqtt_session.hpp"
#include "mqtt_connection.hpp"

namespace hermod::client {

class MqttReconnector : public std::enable_shared_from_this<MqttReconnector> {
 public:
  MqttReconnector(boost::asio::any_io_executor executor, MqttSessionOptions options);

  [[nodiscard]] boost::asio::any_io_executor executor() { return timer_.get_executor(); }
  [[nodiscard]] bool connected() const { return state_ == State::kOpen && !connection_->ended(); }
  [[nodiscard]] const mqtt::ServerTerms& terms() const {
    return state_ == State::kOpen ? connection_->session().terms() : terms_;
  }
  [[nodiscard]] const mqtt::Refusal& refusal() const {
    return state_ == State::kOpen ? connection_->session().refusal() : refusal_;
  }
  [[nodiscard]] const std::string& authentication_fault() const { return auth_fault_; }

  // The operations of MqttSession.
  void connect(Handler<void(error_code, bool)> handler);
  void publish(Handler<void(error_code)> handler, MqttPublication publication);
  void subscribe(Handler<void(error_code, MqttGrants)> handler,
                 std::vector<MqttSubscription> subscriptions, MqttRequestProperties properties);
  void unsubscribe(Handler<void(error_code)> handler, std::vector<std::string> filters,
                   MqttRequestProperties properties);
  void reauthenticate(Handler<void(error_code)> handler);
  void receive(Handler<void(error_code, MqttMessage)> handler);
  void disconnect(Handler<void(error_code)> handler, const MqttFarewell& farewell);
  void close();

 private:
  enum class State : std::uint8_t { kIdle, kConnecting, kOpen, kWaiting, kOver };
  using Connection = std::shared_ptr<MqttConnection>;
  using Change = MqttSessionChange;

  /// Subscriptions that were asked for together, and granted.
  struct Wanted {
    std::vector<MqttSubscription> subscriptions;
    MqttRequestProperties properties;
  };
  struct Request {
    std::uint64_t number = 0;  // ascending in the order in which they were made
    std::vector<MqttSubscription> subscriptions;
    std::vector<std::string> filters;
    MqttRequestProperties properties;
    Handler<void(error_code, MqttGrants)> subscribe;
    Handler<void(error_code)> unsubscribe;
  };

  void attempt();
  void on_connected(const Connection& connection, bool session_present);
  void on_ended(const Connection& connection, error_code error);
  void replace_ended();
  void over(error_code error);
  void tell(const Change& change);

  void submit(Request request);
  void send(const std::shared_ptr<Request>& request);
  void on_answered(const Connection& connection, const std::shared_ptr<Request>& request,
                   error_code error, MqttGrants grants);
  void finish(Request& request, error_code error, MqttGrants grants);
  void remember(const Request& request, const MqttGrants& grants);
  void forget(const std::string& filter);
  void subscribe_again();
  void on_subscribed_again(const Wanted& wanted, const MqttGrants& grants);

  MqttSessionOptions options_;
  SeededRng rng_;
  Backoff backoff_;
  SystemClock clock_;
  boost::asio::steady_timer timer_;
  State state_ = State::kIdle;
  Connection connection_;
  Instant connected_at_ = kNever;
  mqtt::ServerTerms terms_;  // what the server said last, before connection_
  mqtt::Refusal refusal_;
  std::string auth_fault_;

  Handler<void(error_code, bool)> connect_handler_;
  std::deque<Request> waiting_;  // for a connection
  std::size_t requests_ = 0;     // not over
  std::uint64_t last_number_ = 0;
  std::vector<Wanted> wanted_;
  std::size_t unsure_ = 0;  // of wanted_, requests that the server has not answered
};

}  // namespace hermod::client
