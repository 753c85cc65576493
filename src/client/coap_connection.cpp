// SPDX-License-Identifier: Apache-2.0
// Datagrams, time and operations of a CoAP client.
#include "coap_connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <string>
#include <utility>
#include <variant>

#include "coap_response.hpp"

namespace hermod::client {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kIncomingMax = 1024;  // values that wait for somebody who receives

/// What a response code means for who made the request.
error_code to_error(coap::Code code, model::Reason reason) {
  if (code.is_success() || code.is_empty()) return client::to_error(reason);
  if (reason == model::Reason::kNotFound) return Error::kNotFound;
  if (reason == model::Reason::kNotAuthorized) return Error::kNotAuthorized;
  return code.value >> 5 == 4 ? Error::kBadRequest : Error::kServerError;  // RFC 7252 §5.9
}

std::string content_type_of(const model::Message& message) {
  return message.properties == nullptr ? std::string()
                                       : std::string(message.properties->content_type);
}

}  // namespace

CoapConnection::CoapConnection(asio::any_io_executor executor, CoapOptions options)
    : options_(std::move(options)),
      session_(options_.session, rng_),
      socket_(executor),
      resolver_(executor),
      timer_(executor) {}

void CoapConnection::connect(Handler<void(error_code)> handler) {
  if (state_ != State::kIdle) return handler(Error::kAlreadyConnected);
  state_ = State::kConnecting;
  connect_handler_ = std::move(handler);
  resolver_.async_resolve(options_.host, std::to_string(options_.port),
                          asio::ip::resolver_base::numeric_service,
                          [self = shared_from_this()](error_code error, const auto& endpoints) {
                            if (self->state_ != State::kConnecting) return;
                            for (const auto& entry : endpoints)
                              self->endpoints_.push_back(entry.endpoint());
                            if (!error) error = self->open_next();
                            if (error) return self->finish(error);
                            self->state_ = State::kOpen;
                            self->input_.resize(kDatagramMax);
                            self->run([&](Instant now, session::Effects& effects) {
                              self->session_.on_open(now, effects);
                            });
                            self->connect_handler_({});
                            self->read();
                          });
}

// Why the session did not take a request.
error_code CoapConnection::refusal() const {
  return session_.full() ? Error::kTooMany : Error::kTooLarge;
}

void CoapConnection::request(Handler<void(error_code, CoapResponse)> handler,
                             const coap::ClientRequest& request) {
  if (state_ != State::kOpen) return handler(Error::kNotConnected, {});
  const session::Ticket ticket = ++last_ticket_;
  exchanges_[ticket] = {.request = std::move(handler), .observing = request.observe};
  run([&](Instant now, session::Effects& effects) {
    if (session_.request(request, ticket, now, effects)) return;
    exchanges_.extract(ticket).mapped().request(refusal(), {});
  });
}

void CoapConnection::observe(Handler<void(error_code, CoapObservation)> handler,
                             const CoapPath& path) {
  if (state_ != State::kOpen) return handler(Error::kNotConnected, 0);
  const session::Ticket ticket = ++last_ticket_;
  exchanges_[ticket] = {.observe = std::move(handler)};
  run([&](Instant now, session::Effects& effects) {
    const coap::ClientRequest request{.path = path, .observe = true};
    if (session_.request(request, ticket, now, effects)) return;
    exchanges_.extract(ticket).mapped().observe(refusal(), 0);
  });
}

void CoapConnection::ping(Handler<void(error_code)> handler) {
  if (state_ != State::kOpen) return handler(Error::kNotConnected);
  const session::Ticket ticket = ++last_ticket_;
  exchanges_[ticket] = {.ping = std::move(handler)};
  run([&](Instant now, session::Effects& effects) {
    if (session_.ping(ticket, now, effects)) return;
    exchanges_.extract(ticket).mapped().ping(Error::kTooMany);
  });
}

void CoapConnection::cancel(Handler<void(error_code)> handler, CoapObservation observation) {
  const auto found = exchanges_.find(observation);
  if (state_ != State::kOpen || found == exchanges_.end() || !found->second.observed ||
      found->second.cancel) {
    return handler(Error::kNotFound);
  }
  found->second.cancel = std::move(handler);
  run([&](Instant now, session::Effects& effects) {
    if (session_.cancel(observation, now, effects)) return;
    exchanges_.extract(observation).mapped().cancel(Error::kNotFound);
  });
}

void CoapConnection::receive(Handler<void(error_code, CoapNotification)> handler) {
  if (receive_handler_) return handler(asio::error::already_started, {});
  receive_handler_ = std::move(handler);
  hand_over();
}

// --- the session ---

template <typename Input>
void CoapConnection::run(Input input) {
  {
    session::Effects effects({}, *this, effects_);
    input(clock_.now(), effects);
  }
  execute_effects();
  if (state_ == State::kOpen) arm_timer();
}

void CoapConnection::execute_effects() {
  for (std::size_t i = 0; i < effects_.size(); ++i) {
    session::Effect effect = std::move(effects_[i].effect);
    std::visit(
        [this](auto& what) {
          if constexpr (requires { execute(what); }) execute(what);
        },
        effect);
  }
  effects_.clear();
  hand_over();
}

void CoapConnection::execute(session::Publish& publish) {
  const model::Message& message = publish.message;
  CoapNotification value{.topic = std::string(message.destination.address),
                         .payload = std::string(as_text(message.payload)),
                         .content_type = content_type_of(message),
                         .confirmable = message.guarantee != model::Guarantee::kAtMostOnce,
                         .first = message.retain,
                         .observation = publish.ticket};
  read_common_options(session_.options_of(publish.ticket), value);
  enqueue({.notification = std::move(value)});
}

void CoapConnection::execute(const session::Completed& completed) {
  const auto found = exchanges_.find(completed.ticket);
  if (found == exchanges_.end()) return;
  Exchange& exchange = found->second;
  const bool registered = completed.reason == model::Reason::kOk && !exchange.observed &&
                          (exchange.observe || exchange.observing);
  if (registered) exchange.observed = true;
  if (exchange.request) {
    finish_request(exchange, completed);
  } else if (exchange.ping) {
    exchange.ping(client::to_error(completed.reason));
  } else if (registered) {
    exchange.observe({}, completed.ticket);
  } else {
    finish_observation(exchange, completed);
  }
  if (!registered) exchanges_.erase(found);
}

void CoapConnection::finish_request(Exchange& exchange, const session::Completed& completed) {
  CoapResponse response{.code = coap::Code{completed.code}};
  if (completed.value != nullptr) {
    response.payload = as_text(completed.value->payload);
    response.content_type = content_type_of(*completed.value);
  }
  read_options(session_.options_of(completed.ticket), response);
  if (exchange.observed) response.observation = completed.ticket;
  const error_code error = to_error(response.code, completed.reason);
  exchange.request(error, std::move(response));
}

/// It was never one, was cancelled, or the server has ended it.
void CoapConnection::finish_observation(Exchange& exchange, const session::Completed& completed) {
  const coap::Code code{completed.code};
  error_code error = to_error(code, completed.reason);
  if (exchange.observe) {  // a success without Observe: there is a value, but it is not observed
    return exchange.observe(error ? error : make_error_code(Error::kBadRequest), 0);
  }
  if (exchange.cancel) return exchange.cancel({});
  CoapNotification last{.code = code, .observation = completed.ticket};
  if (completed.value != nullptr) {
    last.payload = as_text(completed.value->payload);
    last.content_type = content_type_of(*completed.value);
  }
  read_common_options(session_.options_of(completed.ticket), last);
  enqueue({.error = error ? error : make_error_code(Error::kClosedByServer),
           .notification = std::move(last)});
}

void CoapConnection::enqueue(Incoming incoming) {
  if (incoming_.size() == kIncomingMax) incoming_.pop_front();
  incoming_.push_back(std::move(incoming));
}

void CoapConnection::hand_over() {
  if (!receive_handler_) return;
  if (!incoming_.empty()) {
    Incoming next = std::move(incoming_.front());
    incoming_.pop_front();
    return receive_handler_(next.error, std::move(next.notification));
  }
  if (state_ == State::kClosed) receive_handler_(Error::kClosed, {});
}

// --- datagrams and time ---

/// Opens the socket towards the next address of the host that there is a route to. Nothing is sent.
error_code CoapConnection::open_next() {
  error_code error = asio::error::host_unreachable;
  while (!endpoints_.empty()) {
    const auto endpoint = endpoints_.front();
    endpoints_.pop_front();
    error_code ignored;
    socket_.close(ignored);
    socket_.open(endpoint.protocol(), error);
    if (!error && options_.local_port != 0) {
      socket_.bind({endpoint.protocol(), options_.local_port}, error);
    }
    if (!error) socket_.connect(endpoint, error);
    if (!error) return {};
  }
  return error;
}

std::uint8_t* CoapConnection::reserve(std::size_t count_max) {
  output_.resize(count_max);
  return output_.data();
}

void CoapConnection::commit(std::size_t count) {
  output_size_ = count;
  // A datagram that the kernel has no room for is lost, as on the network: it is sent again.
  error_code ignored;
  socket_.send(asio::buffer(output_.data(), count), 0, ignored);
}

void CoapConnection::read() {
  socket_.async_receive(
      asio::buffer(input_), [self = shared_from_this()](error_code error, std::size_t count) {
        if (self->state_ != State::kOpen) return;
        if (error) return self->on_refused(error);
        self->endpoints_.clear();  // this address is the right one
        self->run([&](Instant now, session::Effects& effects) {
          self->session_.on_datagram({.bytes = {self->input_.data(), count}}, now, effects);
        });
        if (self->state_ == State::kOpen) self->read();
      });
}

/// An ICMP answer: no server is at this address. The host's next one gets what was sent last, which
/// is all that is under way: NSTART is 1 (RFC 7252 §4.7), and nothing has been answered.
void CoapConnection::on_refused(error_code error) {
  if (endpoints_.empty() || open_next()) return finish(error);
  commit(output_size_);
  read();
}

void CoapConnection::arm_timer() {
  const Instant until = session_.next_deadline();
  if (until >= armed_for_) return;  // the wait under way comes first, and looks again
  armed_for_ = until;
  timer_.expires_after(std::max(until - clock_.now(), Duration::zero()));
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->state_ != State::kOpen) return;
    self->armed_for_ = kNever;
    self->run([&](Instant now, session::Effects& effects) {
      if (now >= self->session_.next_deadline()) self->session_.on_deadline(now, effects);
    });
  });
}

void CoapConnection::finish(error_code error) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  resolver_.cancel();
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
  if (connect_handler_) connect_handler_(error);
  for (auto& [ticket, exchange] : exchanges_) {
    if (exchange.request) exchange.request(error, {});
    if (exchange.observe) exchange.observe(error, 0);
    if (exchange.cancel) exchange.cancel(error);
    if (exchange.ping) exchange.ping(error);
  }
  exchanges_.clear();
  if (error != Error::kClosed) enqueue({.error = error});
  hand_over();
}

}  // namespace hermod::client
