// SPDX-License-Identifier: Apache-2.0
// The life of the connection and of PINGREQ. CONNECT is in client_connect.cpp, SUBSCRIBE and
// UNSUBSCRIBE are in client_requests.cpp.
#include "hermod/mqtt/session/client_session.hpp"

#include <algorithm>

#include "hermod/mqtt/codec/disconnect.hpp"
#include "hermod/mqtt/codec/ping.hpp"
#include "hermod/mqtt/session/convert.hpp"

namespace hermod::mqtt {

using model::Reason;
using session::Effects;
using session::Intake;

namespace {

// What a client may give as the reason of its DISCONNECT (MQTT 5.0 §3.14.2.1).
bool may_say(ReasonCode code) {
  switch (code) {
    case ReasonCode::kUnspecifiedError:
    case ReasonCode::kMalformedPacket:
    case ReasonCode::kProtocolError:
    case ReasonCode::kImplementationSpecificError:
    case ReasonCode::kTopicNameInvalid:
    case ReasonCode::kReceiveMaximumExceeded:
    case ReasonCode::kTopicAliasInvalid:
    case ReasonCode::kPacketTooLarge:
    case ReasonCode::kMessageRateTooHigh:
    case ReasonCode::kQuotaExceeded:
    case ReasonCode::kAdministrativeAction:
    case ReasonCode::kPayloadFormatInvalid:
      return true;
    default:
      return false;
  }
}

}  // namespace

ClientSession::ClientSession(ClientOptions options, session::Inflight inflight)
    : options_(std::move(options)) {
  flow_.version = options_.version;
  terms_.session_expiry_s = options_.session_expiry_s;
  terms_.keep_alive_s = options_.keep_alive_s;
  if (options_.version == Version::kV31) {
    resend_after_ = std::chrono::seconds(options_.resend_after_s);
  }
  if (options_.version == Version::kV5) {
    flow_.v5 = std::make_unique<V5>();
    flow_.v5->client = true;
    flow_.v5->gives_reasons = false;  // the application's codes say it
    flow_.v5->own_receive_max = options_.receive_max;
    flow_.v5->incoming_aliases.allow(options_.topic_alias_max);
  }
  if (!options_.clean_session) flow_.inflight = std::move(inflight);
}

void ClientSession::on_open(Instant now, Effects& effects) {
  const std::optional<std::string> auth = begin_exchange();
  const bool able = auth_fault_.empty();
  if (!able || !send_connect(auth, effects)) {
    const Reason reason = able ? Reason::kTooLarge : Reason::kUnproven;
    effects.push(session::Opened{.reason = reason});
    return fail(reason, effects);
  }
  state_ = State::kConnecting;
  last_sent_ = now;
  hearing_.restart(now);
}

std::size_t ClientSession::on_bytes(Bytes bytes, Intake intake, Instant now, Effects& effects) {
  if (state_ == State::kClosed) return bytes.size();
  if (state_ == State::kConnecting && !bytes.empty() &&
      !may_come_first(static_cast<PacketType>(bytes[0] >> 4))) {  // [MQTT-3.2.0-1]
    fail(Reason::kProtocolError, effects);
    return bytes.size();
  }
  intake_ = intake;
  const std::size_t waiting = effects.output().size();
  const Progress progress = read_packets(*this, flow_, bytes, now, effects);
  hearing_.note(bytes.size(), progress.consumed, progress.waits, now);
  // Until CONNACK it says when CONNECT was sent: an exchange does not make the time longer.
  if (effects.output().size() != waiting && state_ != State::kConnecting) last_sent_ = now;
  return progress.consumed;
}

Step ClientSession::on_packet(const FixedHeader& header, Bytes body, Effects& effects) {
  if (header.type == PacketType::kAuth && flow_.v5) return on_auth(header, body, effects);
  if (state_ == State::kConnecting) {
    if (header.type == PacketType::kConnack) return on_connack(header, body, effects);
    return stop(Reason::kProtocolError, effects);  // behind AUTH
  }
  switch (header.type) {
    case PacketType::kSuback:
      return on_suback(header, body, effects);
    case PacketType::kUnsuback:
      return on_unsuback(header, body, effects);
    case PacketType::kPingresp:
      if (const auto ping = read_pingresp(header, flow_.version); !ping) {
        return stop(ping.error(), effects);
      }
      pinged_ = kNever;
      return Step::kNext;
    case PacketType::kDisconnect:
      if (flow_.v5) return on_disconnect(header, body, effects);
      return stop(Reason::kProtocolError, effects);
    default:  // what only clients send, or a second CONNACK [MQTT-4.8.0-1]
      return stop(Reason::kProtocolError, effects);
  }
}

// The server ends the connection and says why (MQTT 5.0 §3.14).
Step ClientSession::on_disconnect(const FixedHeader& header, Bytes body, Effects& effects) {
  const auto disconnect = read_disconnect(header, body, flow_.version);
  if (!disconnect) return stop(disconnect.error(), effects);
  if (disconnect->properties.has(PropertyId::kSessionExpiryInterval)) {  // [MQTT-3.14.2-2]
    return stop(Reason::kProtocolError, effects);
  }
  hear_refusal(disconnect->reason, disconnect->properties);
  terms_.server_reference = text_of(disconnect->properties, PropertyId::kServerReference);
  const Reason reason = to_reason(disconnect->reason);
  state_ = State::kClosed;
  effects.push(session::Close{.reason = reason == Reason::kOk ? Reason::kPeerClosed : reason,
                              .code = static_cast<std::uint8_t>(disconnect->reason)});
  return Step::kStop;
}

void ClientSession::hear_refusal(ReasonCode code, const PropertyBlock& properties) {
  refusal_.code = code;
  refusal_.reason_string = text_of(properties, PropertyId::kReasonString);
}

ReasonCode ClientSession::excluded(const model::Delivery& delivery) const {
  if (delivery.guarantee > terms_.guarantee_max) {  // [MQTT-3.2.2-11]
    return ReasonCode::kQosNotSupported;
  }
  if (delivery.retain && !terms_.retain) return ReasonCode::kRetainNotSupported;  // [MQTT-3.2.2-14]
  return ReasonCode::kSuccess;
}

void ClientSession::on_deliveries(const model::DeliveryBatch& batch, Instant now,
                                  Effects& effects) {
  if (state_ != State::kOpen) return;
  last_sent_ = now;
  const bool all_allowed = std::ranges::none_of(
      batch.items, [this](const model::Delivery& item) { return is_failure(excluded(item)); });
  if (all_allowed) {
    deliver(batch, flow_, now, effects);
    if (resends()) resends_.note(batch, now + resend_after_, flow_);
    return;
  }
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const model::Tag tag = batch.first_tag + i;
    if (const ReasonCode code = excluded(batch.items[i]); !is_failure(code)) {
      deliver({.items = batch.items.subspan(i, 1), .first_tag = tag}, flow_, now, effects);
    } else if (batch.items[i].guarantee != model::Guarantee::kAtMostOnce) {
      // An earlier connection may have begun it.
      if (const auto* begun = flow_.inflight.find_tag(tag)) flow_.inflight.finish(begun->id);
      effects.push(
          session::Settle{tag, tag, model::Outcome::kReject, 1, static_cast<std::uint8_t>(code)});
    }
  }
}

void ClientSession::on_answers(std::span<const session::Answer> answers, Instant now,
                               Effects& effects) {
  for (const session::Answer& answer : answers) {
    if (state_ != State::kOpen) return;
    last_sent_ = now;
    if (on_published(answer, flow_, effects) == Step::kStop) fail(answer.reason, effects);
  }
}

void ClientSession::disconnect(Instant now, Effects& effects, const DisconnectView& disconnect) {
  if (state_ != State::kOpen) return;
  write_goodbye(disconnect, effects);
  last_sent_ = now;
  // Nothing more is sent [MQTT-3.14.4-1], [MQTT-3.14.4-2].
  close(ReasonCode::kSuccess, Reason::kOk, effects);
}

void ClientSession::write_goodbye(const DisconnectView& disconnect, Effects& effects) {
  DisconnectView said = disconnect;
  std::size_t size = disconnect_size(said, flow_.version);
  if (size > terms_.packet_bytes_max) {  // [MQTT-3.14.2-3], [MQTT-3.14.2-4]
    said.properties = {};
    size = disconnect_size(said, flow_.version);
  }
  if (size == 0 || size > terms_.packet_bytes_max) return;
  write_disconnect(effects.output().reserve(size), said, flow_.version);
  effects.output().commit(size);
}

void ClientSession::fail(Reason reason, Effects& effects) {
  close(to_disconnect_code(reason), reason, effects);
}

void ClientSession::fail(const WireError& error, Effects& effects) {
  const auto code = static_cast<ReasonCode>(error.code);
  close(may_say(code) ? code : ReasonCode::kMalformedPacket, Reason::kMalformed, effects);
}

void ClientSession::fail(ReasonCode code, Effects& effects) {
  close(code, Reason::kProtocolError, effects);
}

// The end. MQTT 5 says why, when it is this side that ends it (§4.13).
void ClientSession::close(ReasonCode code, Reason reason, Effects& effects) {
  if (state_ == State::kClosed) return;
  if (flow_.v5 && state_ == State::kOpen && may_say(code)) {
    write_goodbye({.reason = code}, effects);
  }
  state_ = State::kClosed;
  effects.close(reason);
}

// A sign of life is due when nothing was sent for the keep-alive time [MQTT-3.1.2-23], and when
// nothing was heard for as long: a peer that is gone is found although this side keeps sending.
Instant ClientSession::ping_due() const {
  if (terms_.keep_alive_s == 0) return kNever;
  const auto keep_alive = std::chrono::seconds(terms_.keep_alive_s);
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
  if (state_ == State::kConnecting) {
    effects.push(session::Opened{.reason = Reason::kTimeout});
    return fail(Reason::kTimeout, effects);
  }
  if (resends()) {
    const std::size_t before = effects.output().size();
    resends_.resend(now, now + resend_after_, flow_, effects);
    resend_requests(now, effects);
    if (effects.output().size() != before) last_sent_ = now;
  }
  if (now < ping_due()) return;
  if (pinged_ == kNever || hearing_.waits()) return ping(now, effects);
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
      return resends() ? std::min({ping_due(), resends_.due(), requests_due()}) : ping_due();
    default:
      return kNever;
  }
}

}  // namespace hermod::mqtt
