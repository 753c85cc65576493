// SPDX-License-Identifier: Apache-2.0
// Enhanced authentication from the client's end (MQTT 5.0 §4.12): what the Authenticator of the
// options says in CONNECT and AUTH, before CONNACK and when the client authenticates again.
#include <vector>

#include "hermod/mqtt/codec/auth.hpp"
#include "hermod/mqtt/session/client_session.hpp"

namespace hermod::mqtt {

using model::Reason;
using session::Effects;

namespace {

constexpr std::uint8_t kStepsMax = 16;  // no server asks for ever

}  // namespace

// The first octets of an exchange; nothing when there is none to begin, or it cannot be.
std::optional<std::string> ClientSession::begin_exchange() {
  auth_steps_ = 0;
  auth_fault_.clear();
  if (!options_.authenticator) return std::nullopt;
  if (!flow_.v5) {
    auth_fault_ = "enhanced authentication needs MQTT 5";
    return std::nullopt;
  }
  auto first = options_.authenticator->first();
  if (first) return std::move(*first);
  auth_fault_ = std::move(first.error());
  return std::nullopt;
}

bool ClientSession::reauthenticate(session::Ticket ticket, Instant now, Effects& effects) {
  if (state_ != State::kOpen || !options_.authenticator || reauthentication_) return false;
  const auto first = begin_exchange();
  if (!first) return false;
  if (!send_auth(ReasonCode::kReauthenticate, *first, effects)) {  // [MQTT-4.12.1-1]
    auth_fault_ = "the server takes no packet as large as the first one";
    return false;
  }
  reauthentication_ = ticket;
  last_sent_ = now;
  return true;
}

Step ClientSession::on_auth(const FixedHeader& header, Bytes body, Effects& effects) {
  const auto auth = read_auth(header, body);
  if (!auth) return stop(auth.error(), effects);
  Authenticator* authenticator = options_.authenticator.get();
  const bool connecting = state_ == State::kConnecting;
  if (authenticator == nullptr || (!connecting && !reauthentication_)) {  // [MQTT-4.12.0-6]
    return stop(Reason::kProtocolError, effects);
  }
  const std::string_view method = text_of(auth->properties, PropertyId::kAuthenticationMethod);
  if (method != authenticator->method()) {  // [MQTT-4.12.0-5]
    return stop(Reason::kProtocolError, effects);
  }
  const Bytes octets = auth_octets_of(auth->properties);
  if (auth->reason == ReasonCode::kContinueAuthentication && ++auth_steps_ <= kStepsMax) {
    auto answer = authenticator->step(octets);
    if (!answer) return give_up(std::move(answer.error()), effects);
    // [MQTT-4.12.0-3]
    if (send_auth(ReasonCode::kContinueAuthentication, *answer, effects)) return Step::kNext;
    return stop(Reason::kTooLarge, effects);
  }
  if (connecting || auth->reason != ReasonCode::kSuccess) {
    return stop(Reason::kProtocolError, effects);
  }
  if (auto believed = authenticator->finish(octets); !believed) {
    return give_up(std::move(believed.error()), effects);
  }
  effects.push(session::Completed{.ticket = *reauthentication_});
  reauthentication_.reset();
  return Step::kNext;
}

// Whether CONNACK ends the exchange as it should; otherwise the connection ends.
bool ClientSession::believes(const PropertyBlock& connack, Effects& effects) {
  Authenticator* authenticator = options_.authenticator.get();
  const bool has_method = connack.has(PropertyId::kAuthenticationMethod);
  if (authenticator == nullptr && !has_method) return true;
  state_ = State::kOpen;           // as the server sees it: it hears why
  if (authenticator == nullptr ||  // [MQTT-4.12.0-6], [MQTT-4.12.0-5]
      text_of(connack, PropertyId::kAuthenticationMethod) != authenticator->method()) {
    fail(Reason::kProtocolError, effects);
    return false;
  }
  if (auto believed = authenticator->finish(auth_octets_of(connack)); !believed) {
    (void)give_up(std::move(believed.error()), effects);
    return false;
  }
  return true;
}

// [MQTT-4.12.1-2]
Step ClientSession::give_up(std::string why, Effects& effects) {
  auth_fault_ = std::move(why);
  return stop(Reason::kUnproven, effects);
}

bool ClientSession::send_auth(ReasonCode reason, std::string_view octets, Effects& effects) {
  std::vector<Property> list;
  append_auth(options_.authenticator->method(), as_bytes(octets), list);
  EncodedProperties properties;
  if (!properties.encode(list)) return false;
  const AuthView auth{reason, properties.block()};
  const std::size_t size = auth_size(auth);
  if (size == 0 || size > terms_.packet_bytes_max) return false;
  write_auth(effects.output().reserve(size), auth);
  effects.output().commit(size);
  return true;
}

}  // namespace hermod::mqtt
