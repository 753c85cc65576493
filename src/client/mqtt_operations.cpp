// SPDX-License-Identifier: Apache-2.0
// What the user of a connection asks for, and what the session answers to it.
#include <algorithm>
#include <boost/asio/error.hpp>
#include <chrono>
#include <utility>
#include <variant>

#include "hermod/base/utf8.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/codec/suback.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "hermod/mqtt/session/v5.hpp"
#include "mqtt_connection.hpp"
#include "mqtt_run.hpp"

namespace hermod::client {
namespace {

bool is_utf8(const mqtt::UserProperties& user) {
  return std::ranges::all_of(user, [](const auto& one) {
    return hermod::is_utf8(as_bytes(one.first)) && hermod::is_utf8(as_bytes(one.second));
  });
}

/// Why MQTT 5 cannot say these properties of a message.
error_code fault(const mqtt::MessageProperties& properties, std::string_view payload) {
  const bool answerable =
      properties.response_topic.empty() || mqtt::is_topic_name(properties.response_topic);
  if (!answerable) return Error::kBadTopic;  // [MQTT-3.3.2-14]
  const bool said = hermod::is_utf8(as_bytes(properties.content_type)) && is_utf8(properties.user);
  if (!said || (properties.text && !hermod::is_utf8(as_bytes(payload)))) return Error::kBadProperty;
  return {};
}

void append(std::vector<mqtt::Property>& list, const mqtt::UserProperties& user) {
  for (const auto& [name, value] : user) list.push_back({.text = name, .value = value});
}

/// In memory of its own, with what is left of its life.
mqtt::MessageProperties copy_of(const model::Message& message, Instant now) {
  mqtt::MessageProperties out;
  if (message.expires_at != kNever) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(message.expires_at - now).count();
    out.expiry_s = static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, UINT32_MAX));
  }
  if (message.properties == nullptr) return out;
  out.content_type = message.properties->content_type;
  out.response_topic = message.properties->reply_to;
  out.correlation_data = as_text(message.properties->correlation);
  out.text = message.properties->text;
  for (const model::UserProperty& user : message.properties->user) {
    out.user.emplace_back(user.name, std::get<std::string_view>(user.value));
  }
  return out;
}

}  // namespace

// --- what the user asks for ---

/// Why MQTT, or this server, cannot be told this publication.
error_code MqttConnection::fault(const MqttPublication& publication) const {
  if (!mqtt::is_topic_name(publication.topic)) return Error::kBadTopic;
  const mqtt::ServerTerms& terms = session_.terms();
  if (publication.guarantee > terms.guarantee_max) {
    return to_error(mqtt::ReasonCode::kQosNotSupported);
  }
  if (publication.retain && !terms.retain) return to_error(mqtt::ReasonCode::kRetainNotSupported);
  mqtt::PublishView publish{.topic = publication.topic,
                            .payload = as_bytes(publication.payload),
                            .qos = static_cast<std::uint8_t>(publication.guarantee)};
  mqtt::EncodedProperties encoded;
  if (v5() && !publication.properties.empty()) {
    const error_code error = client::fault(publication.properties, publication.payload);
    if (error) return error;
    const mqtt::HubProperties hub(publication.properties);
    model::Message message;
    message.properties = hub.get();
    if (publication.properties.expiry_s) message.expires_at = clock_.now();
    std::vector<mqtt::Property> list;
    mqtt::append_properties(message, {}, clock_.now(), list);
    if (!encoded.encode(list)) return Error::kTooLarge;
    publish.properties = encoded.block();
  }
  const std::size_t alias_size = terms.topic_alias_max > 0 ? 3 : 0;
  const std::size_t size = mqtt::publish_size(publish, options_.session.version);
  if (size == 0 || size + alias_size > terms.packet_bytes_max) return Error::kTooLarge;
  return {};
}

void MqttConnection::publish(Handler<void(error_code)> handler, MqttPublication publication) {
  const bool waits = on_end_ && (state_ == State::kIdle || state_ == State::kConnecting);
  const bool kept = keeps_at_most_once_ || publication.guarantee != model::Guarantee::kAtMostOnce;
  if (state_ != State::kOpen && !(waits && kept)) return handler(Error::kNotConnected);
  if (const error_code error = fault(publication)) return handler(error);
  if (outgoing_.size() + unwritten_.size() + released_.size() >= options_.publications_max) {
    return handler(Error::kTooMany);
  }
  Instant expires_at = kNever;
  const auto expiry_s = v5() ? publication.properties.expiry_s : std::nullopt;
  // With none left at all it would never leave: it has as long as this call takes.
  if (expiry_s) expires_at = clock_.now() + std::chrono::seconds{std::max(*expiry_s, 1u)};
  outgoing_.push_back({std::move(publication), std::move(handler), expires_at});
  const model::Tag tag = first_tag_ + outgoing_.size() - 1;
  if (state_ == State::kOpen) run([](Instant, session::Effects&) {});
  if (expiry_s != 0u || tag < next_tag_) return;
  outgoing_.back().expires_at = clock_.now();
  if (state_ == State::kOpen) run([](Instant, session::Effects&) {});
}

void MqttConnection::subscribe(Handler<void(error_code, MqttGrants)> handler,
                               const std::vector<MqttSubscription>& subscriptions,
                               const MqttRequestProperties& properties) {
  if (state_ != State::kOpen) return handler(Error::kNotConnected, {});
  const mqtt::Version version = options_.session.version;
  std::vector<mqtt::SubscribeEntry> entries;
  for (const MqttSubscription& subscription : subscriptions) {
    if (mqtt::topic_filter_fault(subscription.filter, version) != mqtt::TopicFault::kNone) {
      return handler(Error::kBadTopic, {});
    }
    entries.push_back({.filter = subscription.filter,
                       .qos = static_cast<std::uint8_t>(subscription.guarantee_max),
                       .no_local = subscription.no_local,
                       .retain_as_published = subscription.retain_as_published,
                       .retain_handling = subscription.retain_handling});
  }
  if (!is_utf8(properties.user)) return handler(Error::kBadProperty, {});
  std::vector<mqtt::Property> list;
  if (properties.subscription_id != 0) {
    list.push_back(
        {.id = mqtt::PropertyId::kSubscriptionIdentifier, .number = properties.subscription_id});
  }
  append(list, properties.user);
  const session::Ticket ticket = ++last_ticket_;
  requests_[ticket] = {.subscribe = std::move(handler), .missing = entries.size()};
  run([&](Instant now, session::Effects& effects) {
    if (session_.subscribe(entries, ticket, now, effects, list)) return;
    const bool too_large =
        mqtt::subscribe_size(entries, version) == 0 ||
        mqtt::subscribe_size(entries, version) > session_.terms().packet_bytes_max;
    requests_.extract(ticket).mapped().subscribe(
        too_large || !v5() ? Error::kTooLarge : Error::kBadRequest, {});
  });
}

void MqttConnection::unsubscribe(Handler<void(error_code)> handler,
                                 const std::vector<std::string>& filters,
                                 const MqttRequestProperties& properties) {
  if (state_ != State::kOpen) return handler(Error::kNotConnected);
  const bool valid = std::ranges::all_of(filters, [this](const std::string& filter) {
    return mqtt::topic_filter_fault(filter, options_.session.version) == mqtt::TopicFault::kNone;
  });
  if (!valid || filters.empty()) return handler(Error::kBadTopic);
  if (!is_utf8(properties.user)) return handler(Error::kBadProperty);
  std::vector<mqtt::Property> list;
  append(list, properties.user);
  const std::vector<std::string_view> views(filters.begin(), filters.end());
  const session::Ticket ticket = ++last_ticket_;
  requests_[ticket] = {.unsubscribe = std::move(handler), .missing = 1};
  run([&](Instant now, session::Effects& effects) {
    if (session_.unsubscribe(views, ticket, now, effects, list)) return;
    requests_.extract(ticket).mapped().unsubscribe(Error::kTooLarge);
  });
}

void MqttConnection::reauthenticate(Handler<void(error_code)> handler) {
  if (state_ != State::kOpen) return handler(Error::kNotConnected);
  if (!options_.session.authenticator) return handler(Error::kBadRequest);
  const session::Ticket ticket = ++last_ticket_;
  requests_[ticket] = {.unsubscribe = std::move(handler), .missing = 1};
  run([&](Instant now, session::Effects& effects) {
    if (session_.reauthenticate(ticket, now, effects)) return;
    const bool unable = !session_.authentication_fault().empty();
    requests_.extract(ticket).mapped().unsubscribe(unable ? Error::kUnproven : Error::kTooMany);
  });
}

void MqttConnection::receive(Handler<void(error_code, MqttMessage)> handler) {
  if (receive_handler_) return handler(boost::asio::error::already_started, {});
  receive_handler_ = std::move(handler);
  hand_over();
}

void MqttConnection::disconnect(Handler<void(error_code)> handler, const MqttFarewell& farewell) {
  if (state_ != State::kOpen || disconnect_handler_) return handler(Error::kNotConnected);
  std::vector<mqtt::Property> list;
  if (farewell.session_expiry_s) {
    if (*farewell.session_expiry_s != 0 && options_.session.session_expiry_s == 0) {
      return handler(Error::kBadProperty);  // MQTT 5.0 §3.14.2.2.2
    }
    list.push_back(
        {.id = mqtt::PropertyId::kSessionExpiryInterval, .number = *farewell.session_expiry_s});
  }
  if (!farewell.reason_string.empty()) {
    list.push_back({.id = mqtt::PropertyId::kReasonString, .text = farewell.reason_string});
  }
  append(list, farewell.user);
  mqtt::EncodedProperties encoded;
  const bool said = is_utf8(farewell.user) && hermod::is_utf8(as_bytes(farewell.reason_string));
  if (v5() && (!said || !encoded.encode(list))) return handler(Error::kBadProperty);
  disconnect_handler_ = std::move(handler);
  on_end_ = nullptr;
  run([&](Instant now, session::Effects& effects) {
    session_.disconnect(now, effects, {farewell.reason, encoded.block()});
  });
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
  if (!v5()) return;
  MqttMessage& came = incoming_.back().message;
  came.properties = copy_of(message, clock_.now());
  const auto ids = session_.subscription_ids(message);
  came.subscription_ids.assign(ids.begin(), ids.end());
}

/// Credit comes with CONNACK, and with each PUBCOMP, which come in the order of the PUBRELs
/// [MQTT-4.6.0-4]: the oldest message of QoS 2 is over.
void MqttConnection::execute(const session::Credit& credit) {
  credit_ += credit.count;
  const std::uint32_t unearned = std::min(credit_unearned_, credit.count);
  credit_unearned_ -= unearned;
  std::size_t over = credit.count - unearned;
  // Those whose end brought no credit came before the first that does.
  if (over > 0) over += std::exchange(released_surplus_, 0);
  for (; over > 0 && !released_.empty(); --over) {
    released_.front()({});
    released_.pop_front();
  }
}

void MqttConnection::execute(const session::Settle& settled) {
  credit_ += settled.credit;
  for (model::Tag tag = settled.first; tag <= settled.last; ++tag)
    settle(tag, settled.outcome, settled.code);
  forget_finished();
}

void MqttConnection::execute(const session::Opened& opened) {
  if (opened.reason == model::Reason::kOk) {
    state_ = State::kOpen;
    begin_with_unfinished(opened.session_present);
    return connect_handler_({}, opened.session_present);
  }
  error_code error = to_error(opened.reason);
  if (v5() && opened.code != 0) {
    error = to_error(static_cast<mqtt::ReasonCode>(opened.code));
  } else if (opened.code >= 1 && opened.code <= 5) {  // MQTT 3.1.1 Table 3.1
    error = static_cast<Error>(opened.code);
  }
  refused_ = error;
  connect_handler_(error, false);
}

void MqttConnection::execute(const session::Completed& completed) {
  const auto found = requests_.find(completed.ticket);
  if (found == requests_.end()) return;
  Request& request = found->second;
  if (request.subscribe) {
    const bool refused = completed.code >= mqtt::kSubackFailure;
    request.grants.emplace_back(refused ? std::nullopt : std::optional(completed.granted),
                                completed.code);
    if (--request.missing == 0) request.subscribe({}, std::move(request.grants));
  } else {
    request.missing = 0;
    const auto code = static_cast<mqtt::ReasonCode>(completed.code);
    request.unsubscribe(completed.code != 0 ? to_error(code) : to_error(completed.reason));
  }
  if (request.missing == 0) requests_.erase(found);
}

void MqttConnection::execute(const session::Close& close) {
  if (close.reason != model::Reason::kOk) {
    write_last_words();
    const error_code why = to_error(static_cast<mqtt::ReasonCode>(close.code));
    return finish(why ? why : to_error(close.reason), close.reason);
  }
  state_ = State::kClosing;
  flush();
}

/// Gives the oldest message to who receives, and acknowledges it.
void MqttConnection::hand_over() {
  if (!receive_handler_ || left_) return;
  if (incoming_.empty()) {
    if (state_ == State::kClosed) receive_handler_(ended_, {});
    return;
  }
  const bool was_paused = paused();
  MqttIncoming next = std::move(incoming_.front());
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
  for (MqttOutgoing& message : outgoing_) {
    if (message.handler) message.handler(error);
  }
  outgoing_.clear();
  for (Unwritten& message : unwritten_) message.handler(error);
  unwritten_.clear();
  for (auto& handler : released_) handler(error);
  released_.clear();
  fail_requests(error);
  hand_over();
}

void MqttConnection::fail_requests(error_code error) {
  for (auto& [ticket, request] : requests_) {
    if (request.subscribe) request.subscribe(error, {});
    if (request.unsubscribe) request.unsubscribe(error);
  }
  requests_.clear();
}

}  // namespace hermod::client
