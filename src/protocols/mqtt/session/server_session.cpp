// SPDX-License-Identifier: Apache-2.0
// The life of the connection: CONNECT to CONNACK, keep-alive, the ends. Requests are in
// server_requests.cpp.
#include "hermod/mqtt/session/server_session.hpp"

#include <algorithm>
#include <vector>

#include "hermod/base/utf8.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/disconnect.hpp"
#include "hermod/mqtt/codec/ping.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "hermod/mqtt/session/advice.hpp"
#include "hermod/mqtt/session/convert.hpp"

namespace hermod::mqtt {

using model::Reason;
using session::Answer;
using session::Effects;
using session::Intake;

namespace {

// What the server enforces of the keep-alive that the client asked for.
std::uint16_t enforced_keep_alive(std::uint16_t asked_s, std::uint16_t limit_s) {
  constexpr std::uint16_t kNoLimit = 65'535;
  if (asked_s == 0) return limit_s == kNoLimit ? 0 : limit_s;
  return std::min(asked_s, limit_s);
}

void write(const ConnackView& connack, Version version, Effects& effects) {
  const std::size_t size = connack_size(connack, version);
  write_connack(effects.output().reserve(size), connack, version);
  effects.output().commit(size);
  effects.note_sent(1);
}

}  // namespace

void ServerSession::on_open(Instant now, Effects&) {
  hearing_.restart(now);
}

std::size_t ServerSession::on_bytes(Bytes bytes, Intake intake, Instant now, Effects& effects) {
  switch (state_) {
    case State::kConnecting:
      return intake == Intake::kEverything ? on_first_bytes(bytes, effects) : 0;
    case State::kAttaching:
      return 0;  // CONNECT has not been answered [MQTT-3.1.4-5]
    case State::kAuthenticating:
      return intake == Intake::kEverything ? on_exchange_bytes(bytes, effects) : 0;
    case State::kClosed:
      return bytes.size();
    case State::kOpen:
      break;
  }
  takes_messages_ = intake == Intake::kEverything;
  const Progress progress = read_packets(*this, flow_, bytes, now, effects);
  hearing_.note(bytes.size(), progress.consumed, progress.waits, now);
  return progress.consumed;
}

// CONNECT alone is taken: the connection may move to another shard with what follows it.
std::size_t ServerSession::on_first_bytes(Bytes bytes, Effects& effects) {
  const auto header = read_fixed_header(bytes, flow_.version);
  if (!header) {
    if (header.error().incomplete()) return 0;
    fail(header.error(), effects);
    return bytes.size();
  }
  if (header->type != PacketType::kConnect) {  // [MQTT-3.1.0-1]
    fail(Reason::kProtocolError, effects);
    return bytes.size();
  }
  if (header->packet_size() > limits_->connect_bytes_max) {
    fail(Reason::kTooLarge, effects);
    return bytes.size();
  }
  if (bytes.size() < header->packet_size()) return 0;
  const auto connect = read_connect(*header, bytes.subspan(header->header_size));
  if (connect) {
    on_connect(*connect, effects);
  } else {
    on_connect_error(connect.error(), effects);
  }
  return state_ == State::kClosed ? bytes.size() : header->packet_size();
}

void ServerSession::on_connect_error(const WireError& error, Effects& effects) {
  const auto code = static_cast<ReasonCode>(error.code);
  // A level that nobody knows is answered in the words of 3.1.1, which demands it [MQTT-3.1.2-2].
  const bool unknown_level = code == ReasonCode::kUnsupportedProtocolVersion;
  if (is_failure(code) && !unknown_level) {  // MQTT 5 [MQTT-3.1.4-1]
    flow_.version = Version::kV5;
    return refuse(code, Reason::kMalformed, effects, broken_rule(error));
  }
  if (error.code == 0) {  // [MQTT-3.1.4-1]
    return close(code, Reason::kMalformed, effects, broken_rule(error));
  }
  const auto return_code = unknown_level ? ConnectReturnCode::kUnacceptableProtocolVersion
                                         : static_cast<ConnectReturnCode>(error.code);
  write({.return_code = return_code}, flow_.version, effects);  // [MQTT-3.1.3-8]
  close(code, to_reason(return_code), effects, broken_rule(error));
}

void ServerSession::on_connect(const ConnectView& connect, Effects& effects) {
  flow_.version = connect.version;
  if (connect.version == Version::kV5) take_terms(connect.properties);
  if (limits_->server_moved) return refuse(ReasonCode::kServerMoved, Reason::kUnavailable, effects);
  const bool has_will = connect.will.has_value();
  if (has_will && to_guarantee(connect.will->qos) > limits_->guarantee_max) {
    // Before MQTT 5 no return code says this [MQTT-3.2.2-6].
    return refuse(ReasonCode::kQosNotSupported, Reason::kNotSupported, effects);
  }
  if (has_will && topic_levels(connect.will->topic) > limits_->topic_levels_max) {
    return refuse(ReasonCode::kTopicNameInvalid, Reason::kProtocolError, effects);
  }
  if (has_will && connect.will->retain && !limits_->retain_available) {  // [MQTT-3.2.2-13]
    return refuse(ReasonCode::kRetainNotSupported, Reason::kNotSupported, effects);
  }
  clean_session_ = connect.clean_session;
  keep_alive_s_ = enforced_keep_alive(connect.keep_alive_s, limits_->keep_alive_s_max);
  keep_alive_cut_ = keep_alive_s_ != connect.keep_alive_s;
  if (keep_alive_cut_ && connect.version != Version::kV5) {
    // Before MQTT 5 the client cannot be told of a shorter one. As mosquitto says it:
    write({.return_code = ConnectReturnCode::kIdentifierRejected}, flow_.version, effects);
    return close(ReasonCode::kImplementationSpecificError, Reason::kNotSupported, effects);
  }
  expiry_s_ = connect.clean_session ? 0 : UINT32_MAX;  // [MQTT-3.1.2-4]

  session::Attach attach;
  attach.ticket = make_ticket(TicketKind::kAttach, 0);
  attach.client_id = connect.client_id;  // [MQTT-3.1.3-2], empty: [MQTT-3.1.3-6]
  attach.has_credentials = connect.user_name.has_value() || connect.password.has_value();
  attach.username = connect.user_name.value_or(std::string_view{});
  attach.password = connect.password.value_or(Bytes{});
  attach.clean_start = connect.clean_session;  // [MQTT-3.1.2-6]
  if (connect.version == Version::kV5) {
    const ReasonCode code = read_connect_properties(connect, attach);
    if (is_failure(code)) return refuse(code, Reason::kProtocolError, effects);
  } else if (has_will) {
    attach.will = to_message(*connect.will).own();  // [MQTT-3.1.2-8]
  }
  attach.expiry_s = expiry_s_;
  state_ = State::kAttaching;
  effects.push(std::move(attach));
}

void ServerSession::take_terms(const PropertyBlock& block) {
  flow_.v5 = std::make_unique<V5>();
  V5& v5 = *flow_.v5;
  v5.receive_max = static_cast<std::uint16_t>(block.number_or(PropertyId::kReceiveMaximum, 65'535));
  v5.packet_bytes_max = block.number_or(PropertyId::kMaximumPacketSize, UINT32_MAX);
  v5.gives_reasons = block.number_or(PropertyId::kRequestProblemInformation, 1) == 1;
  v5.own_receive_max = limits_->inflight_max;
  v5.incoming_aliases.allow(limits_->topic_alias_max);
  v5.outgoing_aliases.allow(static_cast<std::uint16_t>(std::min<std::uint32_t>(
      block.number_or(PropertyId::kTopicAliasMaximum, 0), limits_->topic_alias_max)));
}

ReasonCode ServerSession::read_connect_properties(const ConnectView& connect,
                                                  session::Attach& attach) {
  const PropertyBlock& block = connect.properties;
  if (const auto method = block.find(PropertyId::kAuthenticationMethod)) {
    if (method->text.empty()) return ReasonCode::kBadAuthenticationMethod;
    attach.auth_method = method->text;
    attach.password = auth_octets_of(block);
    flow_.v5->authentication = std::make_unique<Authentication>(std::string(method->text));
  }
  expiry_s_ = block.number_or(PropertyId::kSessionExpiryInterval, 0);
  if (!connect.will) return ReasonCode::kSuccess;
  const PropertyBlock& about = connect.will->properties;
  model::Message will = to_message(*connect.will);
  will.properties = flow_.v5->held.hold(about);
  if (will.properties != nullptr && will.properties->text && !is_utf8(will.payload)) {
    return ReasonCode::kPayloadFormatInvalid;
  }
  attach.will_delay_s = about.number_or(PropertyId::kWillDelayInterval, 0);
  if (about.has(PropertyId::kMessageExpiryInterval)) {
    attach.will_expiry_s = about.number_or(PropertyId::kMessageExpiryInterval, 0);
  }
  attach.will = will.own();
  return ReasonCode::kSuccess;
}

void ServerSession::on_attached(const Answer& answer, Instant now, Effects& effects) {
  if (answer.reason != Reason::kOk) {
    if (state_ == State::kClosed) return;
    if (answer.reason != Reason::kContinue || authentication() == nullptr) {
      return refuse(answer.reason, effects);
    }
    state_ = State::kAuthenticating;
    // [MQTT-4.12.0-2]
    if (send_auth(ReasonCode::kContinueAuthentication, answer.octets, effects)) return;
    return refuse(Reason::kTooLarge, effects);
  }
  attached_ = true;
  flow_.kept = answer.kept;
  if (answer.inflight != nullptr) flow_.inflight = std::move(*answer.inflight);
  if (flow_.v5) flow_.v5->carried = flow_.inflight.incoming();
  if (state_ == State::kClosed) return;  // timed out meanwhile: on_close returns what was lent

  if (!send_connack(answer, effects)) {  // the client has never been connected
    detach(true, std::nullopt, effects);
    return fail(Reason::kTooLarge, effects);
  }
  state_ = State::kOpen;
  hearing_.restart(now);
  resume(flow_, limits_->inflight_max, effects);
  if (flow_.version != Version::kV31 || limits_->resend_after_s == 0) return;
  resends_ = std::make_unique<Resends>();
  resends_->note_released(now + std::chrono::seconds(limits_->resend_after_s), flow_);
}

bool ServerSession::send_connack(const Answer& answer, Effects& effects) {
  ConnackView connack;
  // [MQTT-3.2.2-1] to -3
  connack.session_present = answer.session_present && !clean_session_;
  EncodedProperties properties;
  if (flow_.v5) {
    std::vector<Property> list;
    const auto say = [&list](PropertyId id, std::uint32_t number) {
      list.push_back({.id = id, .number = number});
    };
    if (!answer.client_id.empty()) {  // [MQTT-3.2.2-16]
      list.push_back({.id = PropertyId::kAssignedClientIdentifier, .text = answer.client_id});
    }
    if (const Authentication* authentication = flow_.v5->authentication.get()) {  // [MQTT-4.12.0-5]
      append_auth(authentication->method, answer.octets, list);
    }
    if (answer.expiry_s != expiry_s_) say(PropertyId::kSessionExpiryInterval, answer.expiry_s);
    if (keep_alive_cut_) say(PropertyId::kServerKeepAlive, keep_alive_s_);  // [MQTT-3.2.2-21]
    say(PropertyId::kReceiveMaximum, flow_.v5->own_receive_max);
    if (limits_->topic_alias_max > 0) {
      say(PropertyId::kTopicAliasMaximum, limits_->topic_alias_max);
    }
    if (limits_->guarantee_max < model::Guarantee::kExactlyOnce) {  // [MQTT-3.2.2-9]
      say(PropertyId::kMaximumQos, to_qos(limits_->guarantee_max));
    }
    if (!limits_->retain_available) say(PropertyId::kRetainAvailable, 0);  // §3.2.2.3.5
    if (limits_->packet_bytes_max < kRemainingLengthMax) {
      say(PropertyId::kMaximumPacketSize, limits_->packet_bytes_max);
    }
    (void)properties.encode(list);
    connack.properties = properties.block();
  }
  if (!client_takes(connack_size(connack, flow_.version))) return false;
  write(connack, flow_.version, effects);
  return true;
}

// Who can be served elsewhere is told where (MQTT 5 §4.11).
ReasonCode ServerSession::elsewhere(ReasonCode code) const {
  using enum ReasonCode;
  const bool full = code == kServerUnavailable || code == kServerBusy ||
                    (code == kQuotaExceeded && state_ != State::kOpen);
  return (full || code == kServerShuttingDown) && !limits_->server_reference.empty()
             ? kUseAnotherServer
             : code;
}

std::string_view ServerSession::reference_beside(ReasonCode code) const {
  const bool names_one = code == ReasonCode::kUseAnotherServer || code == ReasonCode::kServerMoved;
  return names_one ? std::string_view{limits_->server_reference} : std::string_view{};
}

void ServerSession::refuse(Reason reason, Effects& effects) {
  refuse(to_connect_code(reason), reason, effects, {}, "");  // who says so has told the log
}

void ServerSession::refuse(ReasonCode code, Reason reason, Effects& effects,
                           const session::BrokenRule& broken) {
  refuse(code, reason, effects, broken, advice(elsewhere(code), PacketType::kConnack));
}

// CONNACK with a refusal, then the end [MQTT-3.2.2-4], [MQTT-3.2.2-5]. Before MQTT 5 only when
// table 3.1 has a code [MQTT-3.2.2-6].
void ServerSession::refuse(ReasonCode code, Reason reason, Effects& effects,
                           const session::BrokenRule& broken, std::string_view told) {
  const auto return_code = to_return_code(reason);
  if (flow_.version == Version::kV5) {
    ConnackView connack{.reason = elsewhere(code)};
    const ReasonString why(connack.reason, PacketType::kConnack, broken, flow_.v5.get(),
                           reference_beside(connack.reason));
    connack.properties = why.beside(connack_size(connack, flow_.version));
    write(connack, flow_.version, effects);
  } else if (return_code) {
    write({.return_code = *return_code}, flow_.version, effects);
  }
  state_ = State::kClosed;
  effects.push(session::Close{.reason = reason, .broken = broken, .advice = told});
}

void ServerSession::on_deliveries(const model::DeliveryBatch& batch, Instant now,
                                  Effects& effects) {
  if (state_ != State::kOpen) return;
  deliver(batch, flow_, now, effects);
  if (resends_) [[unlikely]]
    resends_->note(batch, now + std::chrono::seconds(limits_->resend_after_s), flow_);
}

// What still waits in the output needs no repetition: the peer cannot have seen it.
void ServerSession::resend(Instant now, Effects& effects) {
  const Instant next = now + std::chrono::seconds(limits_->resend_after_s);
  if (!effects.output().empty()) return resends_->postpone(next);
  resends_->resend(now, next, flow_, effects);
}

void ServerSession::on_answers(std::span<const Answer> answers, Instant now, Effects& effects) {
  std::size_t acknowledged = 0;
  for (const Answer& answer : answers) {
    const TicketKind kind = kind_of(answer.ticket);
    if (kind == TicketKind::kAttach) {
      on_attached(answer, now, effects);
    } else if (state_ != State::kOpen) {
      if (kind == TicketKind::kPublish) on_published_too_late(answer, flow_);
    } else if (kind == TicketKind::kPublish) {
      if (on_published(answer, flow_, effects) == Step::kStop) {
        fail(answer.reason, effects);
      } else {
        ++acknowledged;
      }
    } else if (kind == TicketKind::kRequest) {
      on_request_answer(answer);
      answer_request(effects);
    } else if (kind == TicketKind::kRelease) {
      on_released(answer, flow_, effects);
    } else if (kind == TicketKind::kEnd) {
      on_exchange_ended(answer, flow_, effects);
    } else {
      on_authenticated(answer, effects);
    }
  }
  effects.note_sent(acknowledged);
}

ReasonCode ServerSession::judge(const PublishView& publish) const {
  if (to_guarantee(publish.qos) > limits_->guarantee_max) return ReasonCode::kQosNotSupported;
  if (publish.retain && !limits_->retain_available) return ReasonCode::kRetainNotSupported;
  // A topic has at most one level more than octets: short ones need no counting.
  if (publish.topic.size() >= limits_->topic_levels_max &&
      topic_levels(publish.topic) > limits_->topic_levels_max) {
    return ReasonCode::kTopicNameInvalid;
  }
  return ReasonCode::kSuccess;
}

Step ServerSession::on_packet(const FixedHeader& header, Bytes body, Effects& effects) {
  switch (header.type) {
    case PacketType::kSubscribe:
      return on_subscribe(header, body, effects);
    case PacketType::kUnsubscribe:
      return on_unsubscribe(header, body, effects);
    case PacketType::kPingreq:
      if (const auto ping = read_pingreq(header, flow_.version); !ping) {
        return stop(ping.error(), effects);
      }
      write_pingresp(effects.output().reserve(pingresp_size()));  // [MQTT-3.12.4-1]
      effects.output().commit(pingresp_size());
      effects.note_sent(1);
      return Step::kNext;
    case PacketType::kDisconnect:
      return on_disconnect(header, body, effects);
    case PacketType::kAuth:
      return on_auth(header, body, effects);
    default:  // a second CONNECT [MQTT-3.1.0-2], or what only servers send [MQTT-4.8.0-1]
      return stop(Reason::kProtocolError, effects);
  }
}

Step ServerSession::on_disconnect(const FixedHeader& header, Bytes body, Effects& effects) {
  const auto disconnect = read_disconnect(header, body, flow_.version);
  if (!disconnect) return stop(disconnect.error(), effects);  // [MQTT-3.14.1-1]
  const PropertyBlock& block = disconnect->properties;
  std::optional<std::uint32_t> expiry_s;
  if (block.has(PropertyId::kSessionExpiryInterval)) {
    expiry_s = block.number_or(PropertyId::kSessionExpiryInterval, 0);
    if (expiry_s_ == 0 && *expiry_s != 0)
      return stop(Reason::kProtocolError, effects);  // §3.14.2.2.2
  }
  if (block.has(PropertyId::kServerReference)) return stop(Reason::kProtocolError, effects);
  const bool goodbye = disconnect->reason == ReasonCode::kNormalDisconnection;
  detach(goodbye, expiry_s, effects);  // [MQTT-3.14.4-3], §3.1.2.5: other codes leave the will
  close(ReasonCode::kNormalDisconnection, Reason::kOk, effects);
  return Step::kStop;
}

void ServerSession::fail(Reason reason, Effects& effects) {
  close(to_disconnect_code(reason), reason, effects);
}

void ServerSession::fail(const WireError& error, Effects& effects) {
  const auto code = static_cast<ReasonCode>(error.code);
  close(is_failure(code) ? code : ReasonCode::kMalformedPacket, Reason::kMalformed, effects,
        broken_rule(error));
}

void ServerSession::fail(ReasonCode code, Effects& effects) {
  close(code, to_reason(code), effects);
}

// The end. MQTT 5 says why, when it is this side that ends it (§4.13).
void ServerSession::close(ReasonCode code, Reason reason, Effects& effects,
                          const session::BrokenRule& broken) {
  if (state_ == State::kClosed) return;
  if (flow_.v5 && state_ == State::kOpen && is_failure(code)) say_goodbye(code, broken, effects);
  state_ = State::kClosed;
  effects.push(session::Close{
      .reason = reason, .broken = broken, .advice = advice(code, PacketType::kDisconnect)});
}

void ServerSession::say_goodbye(ReasonCode code, const session::BrokenRule& broken,
                                Effects& effects) {
  DisconnectView disconnect{.reason = elsewhere(code)};
  const ReasonString why(disconnect.reason, PacketType::kDisconnect, broken, flow_.v5.get(),
                         reference_beside(disconnect.reason));
  disconnect.properties = why.beside(disconnect_size(disconnect, flow_.version));
  effects.note_sent(1);
  const std::size_t size = disconnect_size(disconnect, flow_.version);
  write_disconnect(effects.output().reserve(size), disconnect, flow_.version);
  effects.output().commit(size);
}

void ServerSession::detach(bool discard_will, std::optional<std::uint32_t> expiry_s,
                           Effects& effects) {
  if (!attached_) return;
  attached_ = false;
  effects.push(session::Detach{std::move(flow_.inflight), discard_will, expiry_s});
}

void ServerSession::on_deadline(Instant now, Effects& effects) {
  if (state_ == State::kOpen && flow_.inflight.empty()) flow_.inflight.shrink();
  if (now < next_deadline()) return;
  if (state_ == State::kOpen && now < silence_ends()) return resend(now, effects);
  if (state_ == State::kOpen && hearing_.waits()) return hearing_.restart(now);
  fail(Reason::kTimeout, effects);  // [MQTT-3.1.2-24]
}

void ServerSession::on_close(Reason reason, Instant, Effects& effects) {
  const bool by_this_side = reason != Reason::kPeerClosed && reason != Reason::kOk;
  if (flow_.v5 && state_ == State::kOpen && by_this_side) {  // [MQTT-3.1.4-3]
    say_goodbye(to_disconnect_code(reason), {}, effects);
  }
  state_ = State::kClosed;
  detach(false, std::nullopt, effects);  // the will, if any, is published [MQTT-3.1.2-8]
}

// One and a half times the keep-alive [MQTT-3.1.2-24].
Instant ServerSession::silence_ends() const {
  return keep_alive_s_ == 0 ? kNever
                            : hearing_.last() + std::chrono::milliseconds(1500) * keep_alive_s_;
}

Instant ServerSession::next_deadline() const {
  switch (state_) {
    case State::kConnecting:
    case State::kAttaching:
    case State::kAuthenticating:
      return hearing_.last() + std::chrono::seconds(limits_->connect_timeout_s);
    case State::kOpen:
      return resends_ ? std::min(silence_ends(), resends_->due()) : silence_ends();
    case State::kClosed:
      break;
  }
  return kNever;
}

}  // namespace hermod::mqtt
