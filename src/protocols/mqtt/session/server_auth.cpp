// SPDX-License-Identifier: Apache-2.0
// Enhanced authentication (MQTT 5.0 §4.12): AUTH between CONNECT and CONNACK, and a client that
// authenticates again while the connection is in use. What the octets mean is the owner's business.
//
//   CONNECT method, data --Attach-->        kContinue: AUTH 0x18 ... kOk: CONNACK
//   AUTH 0x18            --Authenticate-->  the same
//   AUTH 0x19            --Authenticate with method--> kContinue: AUTH 0x18, kOk: AUTH 0x00,
//                                                      otherwise DISCONNECT
#include <vector>

#include "hermod/mqtt/codec/auth.hpp"
#include "hermod/mqtt/codec/disconnect.hpp"
#include "hermod/mqtt/session/advice.hpp"
#include "hermod/mqtt/session/convert.hpp"
#include "hermod/mqtt/session/server_session.hpp"

namespace hermod::mqtt {

using model::Reason;
using session::Effects;

namespace {

constexpr auto kProtocolError = ReasonCode::kProtocolError;

ReasonCode code_of(const WireError& error) {
  const auto code = static_cast<ReasonCode>(error.code);
  return is_failure(code) ? code : ReasonCode::kMalformedPacket;
}

// The short form of AUTH has no method.
std::string_view method_of(const AuthView& auth) {
  return text_of(auth.properties, PropertyId::kAuthenticationMethod);
}

}  // namespace

// One packet alone is taken, AUTH or DISCONNECT [MQTT-3.1.2-30]: its answer decides what follows.
std::size_t ServerSession::on_exchange_bytes(Bytes bytes, Effects& effects) {
  const auto header = read_fixed_header(bytes, flow_.version);
  if (!header) {
    if (header.error().incomplete()) return 0;
    refuse(code_of(header.error()), Reason::kMalformed, effects, broken_rule(header.error()));
    return bytes.size();
  }
  if (header->type != PacketType::kAuth && header->type != PacketType::kDisconnect) {
    refuse(kProtocolError, Reason::kProtocolError, effects, {.statement = "MQTT-3.1.2-30"});
    return bytes.size();
  }
  if (header->packet_size() > limits_->connect_bytes_max) {
    refuse(Reason::kTooLarge, effects);
    return bytes.size();
  }
  if (bytes.size() < header->packet_size()) return 0;
  effects.note_received(1);
  on_exchange_packet(*header, bytes.subspan(header->header_size), effects);
  return state_ == State::kClosed ? bytes.size() : header->packet_size();
}

// [MQTT-4.12.0-3], [MQTT-4.12.0-5]
void ServerSession::on_exchange_packet(const FixedHeader& header, Bytes body, Effects& effects) {
  if (header.type == PacketType::kDisconnect) {  // gives up (§4.12)
    const auto disconnect = read_disconnect(header, body, flow_.version);
    if (!disconnect)
      return refuse(code_of(disconnect.error()), Reason::kMalformed, effects,
                    broken_rule(disconnect.error()));
    return close(ReasonCode::kNormalDisconnection, Reason::kOk, effects);
  }
  const auto auth = read_auth(header, body);
  if (!auth)
    return refuse(code_of(auth.error()), Reason::kMalformed, effects, broken_rule(auth.error()));
  if (auth->reason != ReasonCode::kContinueAuthentication) {
    return refuse(kProtocolError, Reason::kProtocolError, effects, {.statement = "MQTT-4.12.0-3"});
  }
  if (method_of(*auth) != authentication()->method) {
    return refuse(kProtocolError, Reason::kProtocolError, effects, {.statement = "MQTT-4.12.0-5"});
  }
  state_ = State::kAttaching;
  effects.push(session::Authenticate{.ticket = make_ticket(TicketKind::kAttach, 0),
                                     .octets = auth_octets_of(auth->properties)});
}

// Other packets go on flowing meanwhile (§4.12.1).
Step ServerSession::on_auth(const FixedHeader& header, Bytes body, Effects& effects) {
  using Turn = Authentication::Turn;
  const auto auth = read_auth(header, body);
  if (!auth) return stop(auth.error(), effects);
  Authentication* authentication = this->authentication();
  if (authentication == nullptr) return stop(Reason::kProtocolError, effects);  // [MQTT-4.12.0-7]
  const bool begins = auth->reason == ReasonCode::kReauthenticate;
  const bool goes_on = auth->reason == ReasonCode::kContinueAuthentication;
  const bool allowed = begins ? authentication->turn == Turn::kNobody
                              : goes_on && authentication->turn == Turn::kPeer;
  if (!allowed) return stop(Reason::kProtocolError, effects);
  if (method_of(*auth) != authentication->method) {  // [MQTT-4.12.1-1]
    return stop(Reason::kProtocolError, effects);
  }
  authentication->turn = Turn::kOwner;
  session::Authenticate effect{.ticket = make_ticket(TicketKind::kAuthenticate, 0),
                               .octets = auth_octets_of(auth->properties)};
  if (begins) effect.method = authentication->method;
  effects.push(effect);
  return Step::kNext;
}

void ServerSession::on_authenticated(const session::Answer& answer, Effects& effects) {
  using Turn = Authentication::Turn;
  const bool goes_on = answer.reason == Reason::kContinue;
  if (!goes_on && answer.reason != Reason::kOk) {  // [MQTT-4.12.1-2]
    return fail(answer.reason, effects);
  }
  authentication()->turn = goes_on ? Turn::kPeer : Turn::kNobody;
  const ReasonCode code = goes_on ? ReasonCode::kContinueAuthentication : ReasonCode::kSuccess;
  if (!send_auth(code, answer.octets, effects)) fail(Reason::kTooLarge, effects);
}

bool ServerSession::send_auth(ReasonCode reason, Bytes octets, Effects& effects) {
  std::vector<Property> list;
  append_auth(authentication()->method, octets, list);
  EncodedProperties properties;
  if (!properties.encode(list)) return false;
  const AuthView auth{reason, properties.block()};
  const std::size_t size = auth_size(auth);
  if (!client_takes(size)) return false;
  effects.note_sent(1);
  write_auth(effects.output().reserve(size), auth);
  effects.output().commit(size);
  return true;
}

}  // namespace hermod::mqtt
