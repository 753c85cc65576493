// SPDX-License-Identifier: Apache-2.0
// What the user of a connection asks for, and what the session answers to it.
#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>
#include <variant>

#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "mqtt_connection.hpp"
#include "mqtt_run.hpp"

namespace hermod::client {
namespace {

model::Message to_message(const MqttPublication& publication) {
  model::Message message;
  message.destination = model::Destination::topic(publication.topic);
  message.payload = as_bytes(publication.payload);
  message.guarantee = publication.guarantee;
  message.retain = publication.retain;
  return message;
}

/// Why MQTT cannot say this publication.
error_code fault(const MqttPublication& publication) {
  if (!mqtt::is_topic_name(publication.topic)) return Error::kBadTopic;
  const mqtt::PublishView publish{.topic = publication.topic,
                                  .payload = as_bytes(publication.payload),
                                  .qos = static_cast<std::uint8_t>(publication.guarantee)};
  if (mqtt::publish_size(publish, mqtt::Version::kV311) == 0) return Error::kTooLarge;
  return {};
}

}  // namespace

// --- what the user asks for ---

void MqttConnection::publish(Handler<void(error_code)> handler, MqttPublication publication) {
  if (state_ != State::kOpen) return handler(Error::kNotConnected);
  if (const error_code error = fault(publication)) return handler(error);
  if (outgoing_.size() + unwritten_.size() + released_.size() >= options_.publications_max) {
    return handler(Error::kTooMany);
  }
  outgoing_.push_back({std::move(publication), std::move(handler)});
  run([](Instant, session::Effects&) {});
}

void MqttConnection::subscribe(Handler<void(error_code, MqttGrants)> handler,
                               std::vector<MqttSubscription> subscriptions) {
  if (state_ != State::kOpen) return handler(Error::kNotConnected, {});
  std::vector<mqtt::SubscribeEntry> entries;
  for (const MqttSubscription& subscription : subscriptions) {
    if (!mqtt::is_topic_filter(subscription.filter)) return handler(Error::kBadTopic, {});
    entries.push_back({subscription.filter, static_cast<std::uint8_t>(subscription.guarantee_max)});
  }
  const session::Ticket ticket = ++last_ticket_;
  requests_[ticket] = {.subscribe = std::move(handler), .missing = entries.size()};
  run([&](Instant now, session::Effects& effects) {
    if (session_.subscribe(entries, ticket, now, effects)) return;
    requests_.extract(ticket).mapped().subscribe(Error::kTooLarge, {});
  });
}

void MqttConnection::unsubscribe(Handler<void(error_code)> handler,
                                 std::vector<std::string> filters) {
  if (state_ != State::kOpen) return handler(Error::kNotConnected);
  const bool valid = std::ranges::all_of(filters, mqtt::is_topic_filter);
  if (!valid || filters.empty()) return handler(Error::kBadTopic);
  const std::vector<std::string_view> views(filters.begin(), filters.end());
  const session::Ticket ticket = ++last_ticket_;
  requests_[ticket] = {.unsubscribe = std::move(handler), .missing = 1};
  run([&](Instant now, session::Effects& effects) {
    if (session_.unsubscribe(views, ticket, now, effects)) return;
    requests_.extract(ticket).mapped().unsubscribe(Error::kTooLarge);
  });
}

void MqttConnection::receive(Handler<void(error_code, MqttMessage)> handler) {
  if (receive_handler_) return handler(boost::asio::error::already_started, {});
  receive_handler_ = std::move(handler);
  hand_over();
}

void MqttConnection::disconnect(Handler<void(error_code)> handler) {
  if (state_ != State::kOpen || disconnect_handler_) return handler(Error::kNotConnected);
  disconnect_handler_ = std::move(handler);
  run([this](Instant now, session::Effects& effects) { session_.disconnect(now, effects); });
}

// --- what the session answers ---

void MqttConnection::execute_effects() {
  do {
    for (std::size_t i = 0; i < effects_.size() && state_ != State::kClosed; ++i) {
      session::Effect effect = std::move(effects_[i].effect);
      std::visit(
          [this](auto& what) {
            if constexpr (requires { execute(what); }) execute(what);
          },
          effect);
    }
    effects_.clear();
  } while (deliver_outgoing());
  hand_over();
}

void MqttConnection::execute(session::Publish& publish) {
  const model::Message& message = publish.message;
  incoming_.push_back({.message = {.topic = std::string(message.destination.address),
                                   .payload = std::string(as_text(message.payload)),
                                   .guarantee = message.guarantee,
                                   .retain = message.retain,
                                   .packet_id = mqtt::packet_id_of(publish.ticket)},
                       .ticket = publish.ticket});
}

/// Credit comes with CONNACK, and with each PUBCOMP, which come in the order of the PUBRELs
/// [MQTT-4.6.0-4]: the oldest message of QoS 2 is over.
void MqttConnection::execute(const session::Credit& credit) {
  credit_ += credit.count;
  for (std::uint32_t i = 0; i < credit.count && !released_.empty(); ++i) {
    released_.front()({});
    released_.pop_front();
  }
}

void MqttConnection::execute(const session::Settle& settled) {
  credit_ += settled.credit;
  for (model::Tag tag = settled.first; tag <= settled.last; ++tag) settle(tag, settled.outcome);
  forget_finished();
}

void MqttConnection::execute(const session::Opened& opened) {
  if (opened.reason == model::Reason::kOk) {
    state_ = State::kOpen;
    return connect_handler_({}, opened.session_present);
  }
  const bool refused = opened.code >= 1 && opened.code <= 5;  // MQTT 3.1.1 Table 3.1
  connect_handler_(
      refused ? make_error_code(static_cast<Error>(opened.code)) : to_error(opened.reason), false);
}

void MqttConnection::execute(const session::Completed& completed) {
  const auto found = requests_.find(completed.ticket);
  if (found == requests_.end()) return;
  Request& request = found->second;
  const error_code error = to_error(completed.reason);
  const bool refused = completed.reason == model::Reason::kNotAuthorized;
  if (request.subscribe) {
    request.grants.push_back(refused ? std::nullopt : std::optional(completed.granted));
    if (--request.missing == 0) request.subscribe({}, std::move(request.grants));
  } else {
    request.missing = 0;
    request.unsubscribe(error);
  }
  if (request.missing == 0) requests_.erase(found);
}

void MqttConnection::execute(const session::Close& close) {
  if (close.reason != model::Reason::kOk) return finish(to_error(close.reason), close.reason);
  state_ = State::kClosing;
  flush();
}

// --- messages on their way ---

/// Gives the session as many messages as it may have now. False when there is none.
bool MqttConnection::deliver_outgoing() {
  if (state_ != State::kOpen) return false;
  const std::size_t begin = next_tag_ - first_tag_;
  std::size_t end = begin;
  for (; end < outgoing_.size(); ++end) {
    if (outgoing_[end].publication.guarantee == model::Guarantee::kAtMostOnce) continue;
    if (credit_ == 0) break;
    --credit_;
  }
  if (begin == end) return false;

  messages_.clear();
  deliveries_.clear();
  messages_.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    messages_.push_back(to_message(outgoing_[i].publication));
    deliveries_.push_back({.message = &messages_.back(),
                           .guarantee = messages_.back().guarantee,
                           .retain = messages_.back().retain});
  }
  session::Effects effects({}, filling_, effects_);
  session_.on_deliveries({.items = deliveries_, .first_tag = next_tag_}, clock_.now(), effects);
  next_tag_ += end - begin;
  for (std::size_t i = begin; i < end; ++i) {
    if (outgoing_[i].publication.guarantee != model::Guarantee::kAtMostOnce) continue;
    unwritten_.push_back({octets_queued(), std::exchange(outgoing_[i].handler, {})});
  }
  forget_finished();
  return true;
}

void MqttConnection::settle(model::Tag tag, model::Outcome outcome) {
  if (tag < first_tag_ || tag - first_tag_ >= outgoing_.size()) return;
  Outgoing& message = outgoing_[tag - first_tag_];
  if (!message.handler) return;
  auto handler = std::exchange(message.handler, {});
  if (outcome != model::Outcome::kAccept) return handler(Error::kTooLarge);
  if (message.publication.guarantee == model::Guarantee::kExactlyOnce) {
    released_.push_back(std::move(handler));  // PUBREC: it is over with PUBCOMP
  } else {
    handler({});
  }
}

void MqttConnection::forget_finished() {
  while (!outgoing_.empty() && !outgoing_.front().handler) {
    outgoing_.pop_front();
    ++first_tag_;
  }
}

/// Gives the oldest message to who receives, and acknowledges it.
void MqttConnection::hand_over() {
  if (!receive_handler_) return;
  if (incoming_.empty()) {
    if (state_ == State::kClosed) receive_handler_(ended_, {});
    return;
  }
  const bool was_paused = paused();
  Incoming next = std::move(incoming_.front());
  incoming_.pop_front();
  receive_handler_({}, std::move(next.message));
  if (state_ != State::kOpen) return;
  if (next.ticket != 0) {
    const session::Answer answer{.ticket = next.ticket};
    run([&](Instant now, session::Effects& effects) {
      session_.on_answers({&answer, 1}, now, effects);
    });
  }
  // What stopped in front of a PUBLISH goes on, after the user has seen this one.
  if (was_paused || (next.ticket != 0 && input_size_ > 0)) {
    boost::asio::post(executor(), [self = shared_from_this()] {
      self->offer();
      self->read();
    });
  }
}

void MqttConnection::fail_operations(error_code error) {
  if (connect_handler_) connect_handler_(error, false);
  for (Outgoing& message : outgoing_) {
    if (message.handler) message.handler(error);
  }
  outgoing_.clear();
  for (Unwritten& message : unwritten_) message.handler(error);
  unwritten_.clear();
  for (auto& handler : released_) handler(error);
  released_.clear();
  for (auto& [ticket, request] : requests_) {
    if (request.subscribe) request.subscribe(error, {});
    if (request.unsubscribe) request.unsubscribe(error);
  }
  requests_.clear();
  hand_over();
}

}  // namespace hermod::client
