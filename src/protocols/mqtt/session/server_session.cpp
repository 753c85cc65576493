// SPDX-License-Identifier: Apache-2.0
// The life of the connection: CONNECT to CONNACK, keep-alive, the ends. Requests are in
// server_requests.cpp.
#include "hermod/mqtt/session/server_session.hpp"

#include <algorithm>

#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/disconnect.hpp"
#include "hermod/mqtt/codec/ping.hpp"
#include "hermod/mqtt/codec/topic.hpp"
#include "hermod/mqtt/session/convert.hpp"

namespace hermod::mqtt {

using model::Reason;
using session::Answer;
using session::Effects;
using session::Intake;

namespace {

// What the server enforces of the keep-alive that the client asked for. MQTT 3.1.1 cannot tell the
// client of a lower one, but may close an inactive connection at any time (§3.1.2.10).
std::uint16_t enforced_keep_alive(std::uint16_t asked_s, std::uint16_t limit_s) {
  constexpr std::uint16_t kNoLimit = 65'535;
  if (asked_s == 0) return limit_s == kNoLimit ? 0 : limit_s;
  return std::min(asked_s, limit_s);
}

void send_connack(const ConnackView& connack, Version version, Output& output) {
  const std::size_t size = connack_size(connack, version);
  write_connack(output.reserve(size), connack, version);
  output.commit(size);
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
    case State::kClosed:
      return bytes.size();
    case State::kOpen:
      break;
  }
  takes_messages_ = intake == Intake::kEverything;
  const Progress progress = read_packets(*this, flow_, bytes, effects);
  hearing_.note(bytes.size(), progress.consumed, progress.waits, now);
  return progress.consumed;
}

// CONNECT alone is taken: the connection may move to another shard with what follows it.
std::size_t ServerSession::on_first_bytes(Bytes bytes, Effects& effects) {
  const auto header = read_fixed_header(bytes, flow_.version);
  if (!header) {
    if (header.error().incomplete()) return 0;
    fail(Reason::kMalformed, effects);
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
  if (connect && connect->version == Version::kV311) {
    on_connect(*connect, effects);
  } else {
    refuse_connect(connect, effects);
  }
  return state_ == State::kClosed ? bytes.size() : header->packet_size();
}

// The one place that says which versions are not spoken: MQTT 5 is told so in the words of 3.1.1,
// with which every client can do something [MQTT-3.1.2-2]; 3.1 is taken for another protocol
// [MQTT-3.1.2-1].
void ServerSession::refuse_connect(const WireResult<ConnectView>& connect, Effects& effects) {
  std::uint16_t code = connect ? 0 : connect.error().code;
  const bool speaks_v5 = connect ? connect->version == Version::kV5
                                 : is_failure(ReasonCode{static_cast<std::uint8_t>(code)});
  if (speaks_v5) code = static_cast<std::uint16_t>(ConnectReturnCode::kUnacceptableProtocolVersion);
  if (code == 0) return fail(Reason::kMalformed, effects);    // [MQTT-3.1.4-1]
  const auto refusal = static_cast<ConnectReturnCode>(code);  // [MQTT-3.1.3-8]
  refuse(refusal, to_reason(refusal), effects);
}

void ServerSession::on_connect(const ConnectView& connect, Effects& effects) {
  const bool has_will = connect.will.has_value();
  if (has_will && to_guarantee(connect.will->qos) > limits_->guarantee_max) {
    return fail(Reason::kNotSupported, effects);  // no return code says this [MQTT-3.2.2-6]
  }
  if (has_will && topic_levels(connect.will->topic) > limits_->topic_levels_max) {
    return fail(Reason::kBadName, effects);
  }
  flow_.version = connect.version;
  clean_session_ = connect.clean_session;
  keep_alive_s_ = enforced_keep_alive(connect.keep_alive_s, limits_->keep_alive_s_max);
  state_ = State::kAttaching;

  session::Attach attach;
  attach.ticket = make_ticket(TicketKind::kAttach, 0);
  attach.client_id = connect.client_id;  // [MQTT-3.1.3-2], empty: [MQTT-3.1.3-6]
  attach.has_credentials = connect.user_name.has_value();
  attach.username = connect.user_name.value_or(std::string_view{});
  attach.password = connect.password.value_or(Bytes{});
  attach.clean_start = connect.clean_session;                   // [MQTT-3.1.2-6]
  attach.expiry_s = connect.clean_session ? 0 : UINT32_MAX;     // [MQTT-3.1.2-4]
  if (has_will) attach.will = to_message(*connect.will).own();  // [MQTT-3.1.2-8]
  effects.push(std::move(attach));
}

void ServerSession::on_attached(const Answer& answer, Instant now, Effects& effects) {
  const auto code = to_return_code(answer.reason);
  if (code != ConnectReturnCode::kAccepted) {
    if (state_ == State::kClosed) return;
    if (!code) return fail(answer.reason, effects);  // [MQTT-3.2.2-6]
    return refuse(*code, answer.reason, effects);
  }
  attached_ = true;
  if (answer.inflight != nullptr) flow_.inflight = std::move(*answer.inflight);
  if (state_ == State::kClosed) return;  // timed out meanwhile: on_close returns what was lent

  state_ = State::kOpen;
  hearing_.restart(now);
  const bool present = answer.session_present && !clean_session_;  // [MQTT-3.2.2-1] to -3
  send_connack({present, ConnectReturnCode::kAccepted}, flow_.version, effects.output());
  resume(flow_, limits_->inflight_max, effects);
}

// CONNACK with a refusal, then the end [MQTT-3.2.2-4], [MQTT-3.2.2-5].
void ServerSession::refuse(ConnectReturnCode code, Reason reason, Effects& effects) {
  send_connack({false, code}, flow_.version, effects.output());
  fail(reason, effects);
}

void ServerSession::on_deliveries(const model::DeliveryBatch& batch, Instant, Effects& effects) {
  if (state_ == State::kOpen) deliver(batch, flow_, effects);
}

void ServerSession::on_answers(std::span<const Answer> answers, Instant now, Effects& effects) {
  for (const Answer& answer : answers) {
    const TicketKind kind = kind_of(answer.ticket);
    if (kind == TicketKind::kAttach) {
      on_attached(answer, now, effects);
    } else if (state_ != State::kOpen) {
      continue;
    } else if (kind == TicketKind::kRequest) {
      on_request_answer(answer);
      answer_request(effects);
    } else if (on_published(answer, flow_, effects) == Step::kStop) {
      fail(answer.reason, effects);
    }
  }
}

Reason ServerSession::judge(const PublishView& publish) const {
  if (to_guarantee(publish.qos) > limits_->guarantee_max) return Reason::kNotSupported;
  // A topic has at most one level more than octets: short ones need no counting.
  if (publish.topic.size() >= limits_->topic_levels_max &&
      topic_levels(publish.topic) > limits_->topic_levels_max) {
    return Reason::kBadName;
  }
  return Reason::kOk;
}

Step ServerSession::on_packet(const FixedHeader& header, Bytes body, Effects& effects) {
  switch (header.type) {
    case PacketType::kSubscribe:
      return on_subscribe(header, body, effects);
    case PacketType::kUnsubscribe:
      return on_unsubscribe(header, body, effects);
    case PacketType::kPingreq:
      if (!read_pingreq(header, flow_.version)) return stop(Reason::kMalformed, effects);
      write_pingresp(effects.output().reserve(pingresp_size()));  // [MQTT-3.12.4-1]
      effects.output().commit(pingresp_size());
      return Step::kNext;
    case PacketType::kDisconnect:
      return on_disconnect(header, body, effects);
    default:  // a second CONNECT [MQTT-3.1.0-2], or what only servers send [MQTT-4.8.0-1]
      return stop(Reason::kProtocolError, effects);
  }
}

Step ServerSession::on_disconnect(const FixedHeader& header, Bytes body, Effects& effects) {
  if (!read_disconnect(header, body, flow_.version)) {  // [MQTT-3.14.1-1]
    return stop(Reason::kMalformed, effects);
  }
  detach(true, effects);  // [MQTT-3.14.4-3]
  return stop(Reason::kOk, effects);
}

Step ServerSession::stop(Reason reason, Effects& effects) {
  fail(reason, effects);
  return Step::kStop;
}

void ServerSession::fail(Reason reason, Effects& effects) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  effects.close(reason);
}

void ServerSession::detach(bool discard_will, Effects& effects) {
  if (!attached_) return;
  attached_ = false;
  effects.push(session::Detach{std::move(flow_.inflight), discard_will});
}

void ServerSession::on_deadline(Instant now, Effects& effects) {
  if (state_ == State::kOpen && flow_.inflight.empty()) flow_.inflight.shrink();
  if (now < next_deadline()) return;
  if (state_ == State::kOpen && hearing_.waits()) return hearing_.restart(now);
  fail(Reason::kTimeout, effects);  // [MQTT-3.1.2-24]
}

void ServerSession::on_close(Reason, Instant, Effects& effects) {
  state_ = State::kClosed;
  detach(false, effects);  // the will, if any, is published [MQTT-3.1.2-8]
}

Instant ServerSession::next_deadline() const {
  switch (state_) {
    case State::kConnecting:
    case State::kAttaching:
      return hearing_.last() + std::chrono::seconds(limits_->connect_timeout_s);
    case State::kOpen:  // one and a half times the keep-alive [MQTT-3.1.2-24]
      return keep_alive_s_ == 0 ? kNever
                                : hearing_.last() + std::chrono::milliseconds(1500) * keep_alive_s_;
    case State::kClosed:
      break;
  }
  return kNever;
}

}  // namespace hermod::mqtt
