// SPDX-License-Identifier: Apache-2.0
#include "mqtt_reconnector.hpp"

#include <algorithm>
#include <utility>

namespace hermod::client {

MqttReconnector::MqttReconnector(boost::asio::any_io_executor executor, MqttSessionOptions options)
    : options_(std::move(options)),
      rng_(options_.seed ? *options_.seed : SystemRng().next()),
      backoff_(options_.backoff, rng_),
      timer_(executor),
      connection_(std::make_shared<MqttConnection>(std::move(executor), options_.mqtt)) {
  terms_ = connection_->session().terms();
}

// --- connections ---

void MqttReconnector::connect(Handler<void(error_code, bool)> handler) {
  if (state_ != State::kIdle) return handler(Error::kAlreadyConnected, false);
  connect_handler_ = std::move(handler);
  attempt();
}

void MqttReconnector::attempt() {
  state_ = State::kConnecting;
  const std::weak_ptr<MqttReconnector> weak = weak_from_this();
  // The handlers outlive neither: a connection lives as long as its own operations.
  const std::weak_ptr<MqttConnection> made = connection_;
  connection_->outlast(
      [weak, made](error_code error) {
        const auto self = weak.lock();
        const auto connection = made.lock();
        if (self != nullptr && connection != nullptr) self->on_ended(connection, error);
      },
      options_.keeps_at_most_once);
  const auto on_connack = [weak, made](error_code error, bool session_present) {
    const auto self = weak.lock();
    const auto connection = made.lock();
    if (error || self == nullptr || connection == nullptr) return;  // on_ended() says why
    self->on_connected(connection, session_present);
  };
  connection_->connect(Handler<void(error_code, bool)>(on_connack, executor()));
}

void MqttReconnector::on_connected(const Connection& connection, bool session_present) {
  if (connection != connection_ || state_ != State::kConnecting) return;
  state_ = State::kOpen;
  connected_at_ = clock_.now();
  mqtt::ClientOptions& said = options_.mqtt.session;
  if (const std::string& assigned = terms().client_id; !assigned.empty()) said.client_id = assigned;
  if (said.version == mqtt::Version::kV5) said.clean_session = false;  // it was for the first

  if (!session_present || unsure_ > 0) subscribe_again();
  for (Request& request : std::exchange(waiting_, {})) {
    send(std::make_shared<Request>(std::move(request)));
  }
  connection_->send_waiting();  // after the subscriptions: an answer may come at once
  if (connect_handler_) connect_handler_({}, session_present);
  tell({.kind = Change::Kind::kConnected, .session_present = session_present});
}

/// The connection has ended, and what is left of it goes to the next.
void MqttReconnector::on_ended(const Connection& connection, error_code error) {
  if (connection != connection_ || state_ == State::kOver) return;
  const bool good = state_ == State::kOpen && clock_.now() - connected_at_ >= options_.good_after;
  terms_ = connection->session().terms();
  refusal_ = connection->session().refusal();
  auth_fault_ = connection->session().authentication_fault();
  connection_ =
      std::make_shared<MqttConnection>(executor(), options_.mqtt, connection->take_unfinished());
  if (!may_heal(error)) {
    over(error);
    return tell({.kind = Change::Kind::kGivenUp, .error = error});
  }
  connection_->outlast([](error_code) {}, options_.keeps_at_most_once);
  state_ = State::kWaiting;
  if (good) backoff_.reset();
  const auto wait = backoff_.next();
  timer_.expires_after(wait);
  timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self != nullptr && self->state_ == State::kWaiting) self->attempt();
  });
  tell({.kind = Change::Kind::kLost, .error = error, .wait = wait});
}

/// A connection may have ended without this side having been told yet.
void MqttReconnector::replace_ended() {
  if (connection_->ended()) on_ended(Connection(connection_), connection_->why_ended());
}

void MqttReconnector::over(error_code error) {
  if (state_ == State::kOpen) {
    terms_ = connection_->session().terms();
    refusal_ = connection_->session().refusal();
  }
  state_ = State::kOver;
  timer_.cancel();
  if (connect_handler_) connect_handler_(error, false);
  for (Request& request : std::exchange(waiting_, {})) finish(request, error, {});
  connection_->give_up(error);
}

void MqttReconnector::tell(const Change& change) {
  if (options_.on_change) options_.on_change(change);
}

// --- what the user asks for ---

void MqttReconnector::publish(Handler<void(error_code)> handler, MqttPublication publication) {
  replace_ended();
  if (state_ == State::kIdle) return handler(Error::kNotConnected);
  connection_->publish(std::move(handler), std::move(publication));
}

void MqttReconnector::reauthenticate(Handler<void(error_code)> handler) {
  replace_ended();
  if (state_ != State::kOpen) return handler(Error::kNotConnected);
  connection_->reauthenticate(std::move(handler));
}

void MqttReconnector::receive(Handler<void(error_code, MqttMessage)> handler) {
  replace_ended();
  connection_->receive(std::move(handler));
}

void MqttReconnector::subscribe(Handler<void(error_code, MqttGrants)> handler,
                                std::vector<MqttSubscription> subscriptions,
                                MqttRequestProperties properties) {
  submit({.subscriptions = std::move(subscriptions),
          .properties = std::move(properties),
          .subscribe = std::move(handler)});
}

void MqttReconnector::unsubscribe(Handler<void(error_code)> handler,
                                  std::vector<std::string> filters,
                                  MqttRequestProperties properties) {
  submit({.filters = std::move(filters),
          .properties = std::move(properties),
          .unsubscribe = std::move(handler)});
}

void MqttReconnector::disconnect(Handler<void(error_code)> handler, const MqttFarewell& farewell) {
  replace_ended();
  if (state_ == State::kIdle || state_ == State::kOver) return handler(Error::kNotConnected);
  if (state_ != State::kOpen) {
    over(Error::kClosed);
    return handler({});
  }
  connection_->disconnect(std::move(handler), farewell);
  if (connection_->outlasted()) return;  // it cannot say this
  terms_ = connection_->session().terms();
  refusal_ = connection_->session().refusal();
  state_ = State::kOver;
}

void MqttReconnector::close() {
  if (state_ == State::kOver) return connection_->close();
  over(Error::kClosed);
}

// --- subscriptions ---

void MqttReconnector::submit(Request request) {
  replace_ended();
  ++requests_;
  const bool can = state_ != State::kIdle && state_ != State::kOver;
  if (!can) return finish(request, Error::kNotConnected, {});
  if (requests_ > options_.requests_max) return finish(request, Error::kTooMany, {});
  request.number = ++last_number_;
  if (state_ == State::kOpen) return send(std::make_shared<Request>(std::move(request)));
  waiting_.push_back(std::move(request));
}

void MqttReconnector::send(const std::shared_ptr<Request>& request) {
  // Answered in any case: also when the face is gone by then.
  const auto answered = [self = shared_from_this(), connection = connection_, request](
                            error_code error, MqttGrants grants) {
    self->on_answered(connection, request, error, std::move(grants));
  };
  if (request->subscribe) {
    return connection_->subscribe(Handler<void(error_code, MqttGrants)>(answered, executor()),
                                  request->subscriptions, request->properties);
  }
  const auto plain = [answered](error_code error) { answered(error, {}); };
  connection_->unsubscribe(Handler<void(error_code)>(plain, executor()), request->filters,
                           request->properties);
}

void MqttReconnector::on_answered(const Connection& connection,
                                  const std::shared_ptr<Request>& request, error_code error,
                                  MqttGrants grants) {
  const bool lost = error && connection->ended();
  if (!lost || state_ == State::kOver) return finish(*request, error, std::move(grants));
  if (state_ == State::kOpen && connection != connection_) return send(request);
  const auto after = std::ranges::find_if(
      waiting_, [&](const Request& other) { return other.number > request->number; });
  waiting_.insert(after, std::move(*request));
}

void MqttReconnector::finish(Request& request, error_code error, MqttGrants grants) {
  --requests_;
  if (!error) remember(request, grants);
  if (request.subscribe) return request.subscribe(error, std::move(grants));
  request.unsubscribe(error);
}

void MqttReconnector::remember(const Request& request, const MqttGrants& grants) {
  for (const std::string& filter : request.filters) forget(filter);
  Wanted granted{.properties = request.properties};
  for (std::size_t i = 0; i < grants.size() && i < request.subscriptions.size(); ++i) {
    if (!grants[i]) continue;
    forget(request.subscriptions[i].filter);
    granted.subscriptions.push_back(request.subscriptions[i]);
  }
  if (!granted.subscriptions.empty()) wanted_.push_back(std::move(granted));
}

void MqttReconnector::forget(const std::string& filter) {
  for (Wanted& wanted : wanted_) {
    std::erase_if(wanted.subscriptions,
                  [&](const MqttSubscription& one) { return one.filter == filter; });
  }
  std::erase_if(wanted_, [](const Wanted& wanted) { return wanted.subscriptions.empty(); });
}

/// The server knows none of the subscriptions, or nobody knows which.
void MqttReconnector::subscribe_again() {
  unsure_ = wanted_.size();
  for (const Wanted& wanted : wanted_) {
    const auto answered = [weak = weak_from_this(), connection = connection_, wanted](
                              error_code error, const MqttGrants& grants) {
      const auto self = weak.lock();
      if (self == nullptr || connection != self->connection_ || connection->ended()) return;
      --self->unsure_;
      const MqttGrants none(wanted.subscriptions.size());
      self->on_subscribed_again(wanted, error ? none : grants);
    };
    connection_->subscribe(Handler<void(error_code, MqttGrants)>(answered, executor()),
                           wanted.subscriptions, wanted.properties);
  }
}

void MqttReconnector::on_subscribed_again(const Wanted& wanted, const MqttGrants& grants) {
  for (std::size_t i = 0; i < grants.size() && i < wanted.subscriptions.size(); ++i) {
    if (grants[i]) continue;
    const std::string& filter = wanted.subscriptions[i].filter;
    forget(filter);
    const error_code said = to_error(static_cast<mqtt::ReasonCode>(grants[i].code));
    tell({.kind = Change::Kind::kUnsubscribed,
          .error = said ? said : make_error_code(Error::kBadRequest),
          .filter = filter});
  }
}

}  // namespace hermod::client
