// SPDX-License-Identifier: Apache-2.0
// The life of the connection and of PINGREQ. SUBSCRIBE and UNSUBSCRIBE are in client_requests.cpp.
#include "hermod/mqtt/session/client_session.hpp"

#include <algorithm>

#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/disconnect.hpp"
#include "hermod/mqtt/codec/ping.hpp"
#include "hermod/mqtt/session/convert.hpp"

namespace hermod::mqtt {

using model::Reason;
using session::Effects;
using session::Intake;

namespace {

ConnectView to_connect(const ClientOptions& options) {
  ConnectView connect;
  connect.clean_session = options.clean_session;
  connect.keep_alive_s = options.keep_alive_s;
  connect.client_id = options.client_id;
  connect.user_name = options.user_name;
  connect.password = options.password;
  if (options.will) {
    connect.will = WillView{.topic = options.will->topic,
                            .payload = options.will->payload,
                            .qos = to_qos(options.will->guarantee),
                            .retain = options.will->retain};
  }
  return connect;
}

}  // namespace

ClientSession::ClientSession(ClientOptions options, session::Inflight inflight)
    : options_(std::move(options)) {
  if (!options_.clean_session) flow_.inflight = std::move(inflight);
}

void ClientSession::on_open(Instant now, Effects& effects) {
  const ConnectView connect = to_connect(options_);
  const std::size_t size = connect_size(connect);
  if (size == 0) {
    effects.push(session::Opened{.reason = Reason::kTooLarge});
    return fail(Reason::kTooLarge, effects);
  }
  write_connect(effects.output().reserve(size), connect);  // [MQTT-3.1.0-1]
  effects.output().commit(size);
  state_ = State::kConnecting;
  last_sent_ = now;
  hearing_.restart(now);
}

std::size_t ClientSession::on_bytes(Bytes bytes, Intake intake, Instant now, Effects& effects) {
  if (state_ == State::kClosed) return bytes.size();
  if (state_ == State::kConnecting && !bytes.empty() &&
      bytes[0] >> 4 != static_cast<int>(PacketType::kConnack)) {  // [MQTT-3.2.0-1]
    fail(Reason::kProtocolError, effects);
    return bytes.size();
  }
  intake_ = intake;
  const std::size_t waiting = effects.output().size();
  const Progress progress = read_packets(*this, flow_, bytes, now, effects);
  hearing_.note(bytes.size(), progress.consumed, progress.waits, now);
  if (effects.output().size() != waiting) last_sent_ = now;
  return progress.consumed;
}

Step ClientSession::on_packet(const FixedHeader& header, Bytes body, Effects& effects) {
  if (state_ == State::kConnecting) return on_connack(header, body, effects);
  switch (header.type) {
    case PacketType::kSuback:
      return on_suback(header, body, effects);
    case PacketType::kUnsuback:
      return on_unsuback(header, body, effects);
    case PacketType::kPingresp:
      if (!read_pingresp(header, flow_.version)) return stop(Reason::kMalformed, effects);
      pinged_ = kNever;
      return Step::kNext;
    default:  // what only clients send, or a second CONNACK [MQTT-4.8.0-1]
      return stop(Reason::kProtocolError, effects);
  }
}

Step ClientSession::on_connack(const FixedHeader& header, Bytes body, Effects& effects) {
  const auto connack = read_connack(header, body, flow_.version);
  if (!connack) return stop(Reason::kMalformed, effects);
  const Reason reason = to_reason(connack->return_code);
  effects.push(session::Opened{.reason = reason,
                               .code = static_cast<std::uint8_t>(connack->return_code),
                               .session_present = connack->session_present});
  if (reason != Reason::kOk) return stop(reason, effects);
  if (connack->session_present && options_.clean_session) {  // [MQTT-3.2.2-1]
    return stop(Reason::kProtocolError, effects);
  }
  // The server knows nothing of the earlier exchanges: what was not settled is sent as new.
  if (!connack->session_present) flow_.inflight = session::Inflight{};
  state_ = State::kOpen;
  resume(flow_, options_.inflight_max, effects);
  return Step::kNext;
}

void ClientSession::on_deliveries(const model::DeliveryBatch& batch, Instant now,
                                  Effects& effects) {
  if (state_ != State::kOpen) return;
  last_sent_ = now;
  deliver(batch, flow_, now, effects);
}

void ClientSession::on_answers(std::span<const session::Answer> answers, Instant now,
                               Effects& effects) {
  for (const session::Answer& answer : answers) {
    if (state_ != State::kOpen) return;
    last_sent_ = now;
    if (on_published(answer, flow_, effects) == Step::kStop) fail(answer.reason, effects);
  }
}

void ClientSession::disconnect(Instant now, Effects& effects) {
  if (state_ != State::kOpen) return;
  const DisconnectView disconnect;
  const std::size_t size = disconnect_size(disconnect, flow_.version);
  write_disconnect(effects.output().reserve(size), disconnect, flow_.version);
  effects.output().commit(size);
  last_sent_ = now;
  fail(Reason::kOk, effects);  // nothing more is sent [MQTT-3.14.4-1], [MQTT-3.14.4-2]
}

Step ClientSession::stop(Reason reason, Effects& effects) {
  fail(reason, effects);
  return Step::kStop;
}

void ClientSession::fail(Reason reason, Effects& effects) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  effects.close(reason);
}

// A sign of life is due when nothing was sent for the keep-alive time [MQTT-3.1.2-23], and when
// nothing was heard for as long: a peer that is gone is found although this side keeps sending.
Instant ClientSession::ping_due() const {
  const auto keep_alive = std::chrono::seconds(options_.keep_alive_s);
  if (pinged_ != kNever) return pinged_ + keep_alive;  // when PINGRESP is late
  return std::min(last_sent_, hearing_.last()) + keep_alive;
}

void ClientSession::ping(Instant now, Effects& effects) {
  write_pingreq(effects.output().reserve(pingreq_size()));
  effects.output().commit(pingreq_size());
  pinged_ = now;
  last_sent_ = now;
}

void ClientSession::on_deadline(Instant now, Effects& effects) {
  if (now < next_deadline()) return;
  const bool silent = state_ == State::kConnecting || (pinged_ != kNever && !hearing_.waits());
  if (!silent) return ping(now, effects);
  if (state_ == State::kConnecting) effects.push(session::Opened{.reason = Reason::kTimeout});
  fail(Reason::kTimeout, effects);
}

void ClientSession::on_close(Reason reason, Instant, Effects& effects) {
  state_ = State::kClosed;
  end_requests(reason, effects);
}

Instant ClientSession::next_deadline() const {
  switch (state_) {
    case State::kConnecting:
      return last_sent_ + std::chrono::seconds(options_.connect_timeout_s);
    case State::kOpen:
      return options_.keep_alive_s == 0 ? kNever : ping_due();
    default:
      return kNever;
  }
}

}  // namespace hermod::mqtt
