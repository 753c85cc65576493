// SPDX-License-Identifier: Apache-2.0
// The handshake of the client: CONNECT with all that the options say (MQTT 5.0 §3.1), and what
// CONNACK says to it (§3.2).
#include <algorithm>

#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/session/client_session.hpp"
#include "hermod/mqtt/session/convert.hpp"

namespace hermod::mqtt {

using model::Reason;
using session::Effects;

namespace {

constexpr std::uint32_t kPacketBytesUnlimited = 268'435'455;

void say(std::vector<Property>& list, PropertyId id, std::uint32_t number) {
  list.push_back({.id = id, .number = number});
}

std::vector<Property> properties_of(const ClientOptions& options) {
  std::vector<Property> list;
  if (options.session_expiry_s != 0) {
    say(list, PropertyId::kSessionExpiryInterval, options.session_expiry_s);
  }
  if (options.receive_max != 65'535) say(list, PropertyId::kReceiveMaximum, options.receive_max);
  if (options.packet_bytes_max < kPacketBytesUnlimited) {
    say(list, PropertyId::kMaximumPacketSize, options.packet_bytes_max);
  }
  if (options.topic_alias_max != 0) {
    say(list, PropertyId::kTopicAliasMaximum, options.topic_alias_max);
  }
  if (options.request_response_information) {
    say(list, PropertyId::kRequestResponseInformation, 1);
  }
  if (!options.request_problem_information) say(list, PropertyId::kRequestProblemInformation, 0);
  for (const auto& [name, text] : options.user_properties) {
    list.push_back({.id = PropertyId::kUserProperty, .text = name, .value = text});
  }
  return list;
}

// The properties of a will, borrowed from it and from `hub`.
std::vector<Property> properties_of(const ClientOptions::Will& will, const HubProperties& hub) {
  std::vector<Property> list;
  if (will.delay_s != 0) say(list, PropertyId::kWillDelayInterval, will.delay_s);
  if (will.properties.expiry_s) {
    say(list, PropertyId::kMessageExpiryInterval, *will.properties.expiry_s);
  }
  model::Message message;
  message.properties = hub.get();
  append_properties(message, {}, Instant{}, list);
  return list;
}

UserProperties user_properties_of(const PropertyBlock& block) {
  UserProperties out;
  for (const Property property : block) {
    if (property.id == PropertyId::kUserProperty) out.emplace_back(property.text, property.value);
  }
  return out;
}

}  // namespace

HubProperties::HubProperties(const MessageProperties& properties) {
  for (const auto& [name, value] : properties.user) {
    user_.push_back({name, std::string_view{value}});
  }
  // An empty one is not given.
  if (!properties.content_type.empty()) properties_.content_type = properties.content_type;
  if (!properties.response_topic.empty()) properties_.reply_to = properties.response_topic;
  if (!properties.correlation_data.empty()) {
    properties_.correlation = as_bytes(properties.correlation_data);
  }
  properties_.text = properties.text;
  properties_.user = user_;
}

bool ClientSession::send_connect(std::optional<std::string_view> auth, Effects& effects) {
  ConnectView connect;
  connect.version = options_.version;
  connect.clean_session = options_.clean_session;
  connect.keep_alive_s = options_.keep_alive_s;
  connect.client_id = options_.client_id;
  connect.user_name = options_.user_name;
  connect.password = options_.password;
  EncodedProperties properties;
  EncodedProperties about_will;
  if (options_.will) {
    connect.will = WillView{.topic = options_.will->topic,
                            .payload = options_.will->payload,
                            .qos = to_qos(options_.will->guarantee),
                            .retain = options_.will->retain};
  }
  if (options_.version == Version::kV5) {
    std::vector<Property> list = properties_of(options_);
    if (auth) append_auth(options_.authenticator->method(), as_bytes(*auth), list);
    if (!properties.encode(list)) return false;
    connect.properties = properties.block();
    if (options_.will) {
      const HubProperties hub(options_.will->properties);
      if (!about_will.encode(properties_of(*options_.will, hub))) return false;
      connect.will->properties = about_will.block();
    }
  }
  const std::size_t size = connect_size(connect);
  if (size == 0) return false;
  write_connect(effects.output().reserve(size), connect);  // [MQTT-3.1.0-1]
  effects.output().commit(size);
  return true;
}

Step ClientSession::on_connack(const FixedHeader& header, Bytes body, Effects& effects) {
  const auto connack = read_connack(header, body, flow_.version);
  if (!connack) return stop(connack.error(), effects);
  const bool v5 = flow_.v5 != nullptr;
  const Reason reason = v5 ? to_reason(connack->reason) : to_reason(connack->return_code);
  const auto code = v5 ? static_cast<std::uint8_t>(connack->reason)
                       : static_cast<std::uint8_t>(connack->return_code);
  if (v5) {
    take_terms(connack->properties);
    if (is_failure(connack->reason)) hear_refusal(connack->reason, connack->properties);
  }
  if (v5 && reason == Reason::kOk && !believes(connack->properties, effects)) return Step::kStop;
  effects.push(
      session::Opened{.reason = reason, .code = code, .session_present = connack->session_present});
  if (reason != Reason::kOk) {
    close(ReasonCode::kSuccess, reason, effects);
    return Step::kStop;
  }
  if (connack->session_present && options_.clean_session) {  // [MQTT-3.2.2-1], 5.0: [MQTT-3.2.2-4]
    state_ = State::kOpen;
    return stop(Reason::kProtocolError, effects);
  }
  // The server knows nothing of the earlier exchanges: what was not settled is sent as new. In 3.1
  // it cannot say so, and both sides go on.
  if (!connack->session_present && flow_.version != Version::kV31) {
    flow_.inflight = session::Inflight{};  // 5.0: [MQTT-3.2.2-5]
  }
  if (v5) flow_.v5->carried = flow_.inflight.incoming();
  state_ = State::kOpen;
  resume(flow_, options_.inflight_max, effects);
  return Step::kNext;
}

void ClientSession::take_terms(const PropertyBlock& block) {
  const auto number = [&block](PropertyId id, std::uint32_t absent) {
    return block.number_or(id, absent);
  };
  const auto offers = [&](PropertyId id) { return number(id, 1) != 0; };
  terms_.client_id = text_of(block, PropertyId::kAssignedClientIdentifier);
  terms_.session_expiry_s = number(PropertyId::kSessionExpiryInterval, options_.session_expiry_s);
  terms_.keep_alive_s = static_cast<std::uint16_t>(
      number(PropertyId::kServerKeepAlive, options_.keep_alive_s));  // [MQTT-3.2.2-21]
  terms_.receive_max = static_cast<std::uint16_t>(number(PropertyId::kReceiveMaximum, 65'535));
  terms_.topic_alias_max = static_cast<std::uint16_t>(number(PropertyId::kTopicAliasMaximum, 0));
  terms_.packet_bytes_max = number(PropertyId::kMaximumPacketSize, UINT32_MAX);
  terms_.guarantee_max =
      to_guarantee(static_cast<std::uint8_t>(number(PropertyId::kMaximumQos, 2)));
  terms_.retain = offers(PropertyId::kRetainAvailable);
  terms_.wildcards = offers(PropertyId::kWildcardSubscriptionAvailable);
  terms_.subscription_ids = offers(PropertyId::kSubscriptionIdentifierAvailable);
  terms_.shared_subscriptions = offers(PropertyId::kSharedSubscriptionAvailable);
  terms_.response_information = text_of(block, PropertyId::kResponseInformation);
  terms_.server_reference = text_of(block, PropertyId::kServerReference);
  terms_.user_properties = user_properties_of(block);
  V5& v5 = *flow_.v5;
  v5.receive_max = terms_.receive_max;
  v5.packet_bytes_max = terms_.packet_bytes_max;
  v5.outgoing_aliases.allow(  // [MQTT-3.2.2-17], [MQTT-3.2.2-18]
      std::min(terms_.topic_alias_max, options_.own_topic_alias_max));
}

}  // namespace hermod::mqtt
