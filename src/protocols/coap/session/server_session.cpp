// SPDX-License-Identifier: Apache-2.0
// The message layer of a server session: what a datagram is before it is a request, how responses
// leave, and what the clock brings.
#include "hermod/coap/session/server_session.hpp"

#include <algorithm>
#include <array>

#include "hermod/coap/codec/writer.hpp"
#include "response.hpp"

namespace hermod::coap {

ServerSession::ServerSession(const Settings& settings, const session::SessionSetup& setup)
    : settings_(settings),
      limits_(*setup.limits),
      rng_(*setup.rng),
      message_ids_(*setup.rng),
      seen_(settings.seen_max) {}

void ServerSession::on_open(Instant now, session::Effects&) {
  last_input_ = now;
  idle_due_ = now + settings_.idle;
}

void ServerSession::on_datagram(Bytes datagram, Instant now, session::Effects& effects) {
  last_input_ = now;
  const WireResult<MessageView> message = decode(datagram);
  if (!message) {
    // RFC 7252 §3: another version is ignored in silence. §4.2, §4.3: a format error is rejected,
    // and a Reset is owed to a Confirmable message only.
    const std::optional<Header> header = read_header(datagram);
    if (header && header->version == kVersion && header->type == Type::kCon) {
      reject(Type::kCon, header->message_id, effects);
    }
    return;
  }
  if (!fits(message->type, message->code)) {
    reject(message->type, message->message_id, effects);
    return;
  }
  switch (message->type) {
    case Type::kAck:  // whatever it carries: RFC 7252 §5.2.2
      on_acknowledged(message->message_id, now, effects);
      return;
    case Type::kRst:
      on_reset(message->message_id, now, effects);
      return;
    case Type::kCon:
    case Type::kNon:
      break;
  }
  if (message->code.is_request()) {
    on_request(*message, datagram, now, effects);
  } else {  // a ping (RFC 7252 §4.3), or a response to nothing that was asked (§5.3.2)
    reject(message->type, message->message_id, effects);
  }
}

// RFC 7252 §4.2, §4.3: a Reset to what cannot be processed, never to an Acknowledgement or a Reset.
void ServerSession::reject(Type type, std::uint16_t message_id, session::Effects& effects) {
  if (type != Type::kCon && type != Type::kNon) return;
  std::array<std::uint8_t, kHeaderSize> reset{};
  (void)write_head(reset.data(), Type::kRst, code::kEmpty, message_id, {});
  transmit(effects.datagrams(), reset);
}

void ServerSession::on_acknowledged(std::uint16_t message_id, Instant now,
                                    session::Effects& effects) {
  const ObservationId id = outbox_.subject();
  if (!outbox_.finish(message_id)) return;
  proven_ = true;
  if (id != 0) {
    Observation& observation = observations()[id];
    observation.proven = true;
    observation.unconfirmed = 0;
    observation.confirmed_at = now;
    confirm_due_ = std::min(confirm_due_, confirm_due(observation, settings_));
  }
  go_on(now, effects);
}

void ServerSession::on_reset(std::uint16_t message_id, Instant now, session::Effects& effects) {
  ObservationId id = outbox_.subject();
  const bool was_in_flight = outbox_.finish(message_id);
  // A notification, or the response to the registration, which is the first one.
  if (id == 0 || !was_in_flight) id = observations_ ? observations_->find_message(message_id) : 0;
  if (id != 0) drop(id, now, effects);  // RFC 7641 §4.5
  if (was_in_flight) go_on(now, effects);
}

// Nothing is in flight any more: what waits may go.
void ServerSession::go_on(Instant now, session::Effects& effects) {
  outbox_.next(settings_.transmission, rng_, now, effects.datagrams());
  notify_waiting(now, effects);
}

// Returns the response's own message id, if it has one.
std::optional<std::uint16_t> ServerSession::respond(const Exchange& exchange, const Reply& reply,
                                                    Instant now, session::Effects& effects) {
  const Bytes token = exchange.token.bytes();
  const std::size_t size_max = response_size_max(reply, token.size());
  const bool separate = exchange.type == Type::kCon && exchange.acknowledged;
  if (!separate) {
    // In the Acknowledgement (RFC 7252 §5.2.1), or Non-confirmable as the request was (§5.2.3).
    const bool piggybacked = exchange.type == Type::kCon;
    const std::uint16_t message_id = piggybacked ? exchange.message_id : message_ids_.next();
    std::uint8_t* out = effects.datagrams().reserve(size_max);
    const std::uint8_t* end =
        write_response(out, piggybacked ? Type::kAck : Type::kNon, message_id, token, reply);
    effects.datagrams().commit(static_cast<std::size_t>(end - out));
    if (piggybacked) return std::nullopt;
    return message_id;
  }
  const std::uint16_t message_id = message_ids_.next();
  if (!outbox_.idle() && outbox_.waiting() < settings_.confirmables_waiting_max) {
    std::vector<std::uint8_t> datagram(size_max);
    const std::uint8_t* end = write_response(datagram.data(), Type::kCon, message_id, token, reply);
    datagram.resize(static_cast<std::size_t>(end - datagram.data()));
    outbox_.wait(message_id, std::move(datagram));
    return message_id;
  }
  // A separate response should arrive (§5.2.2), but what waits is bounded: beyond that it may.
  const bool confirm = outbox_.idle();
  std::uint8_t* out = effects.datagrams().reserve(size_max);
  const std::uint8_t* end =
      write_response(out, confirm ? Type::kCon : Type::kNon, message_id, token, reply);
  if (confirm) outbox_.sent(message_id, {out, end}, 0, settings_.transmission, rng_, now);
  effects.datagrams().commit(static_cast<std::size_t>(end - out));
  return message_id;
}

void ServerSession::on_deadline(Instant now, session::Effects& effects) {
  if (now >= outbox_.deadline()) on_confirmable_due(now, effects);
  if (now >= acknowledge_due_) acknowledge_late(now, effects);
  if (now >= confirm_due_) confirm_observers(now, effects);
  if (now >= idle_due_) close_idle(now, effects);
}

void ServerSession::on_confirmable_due(Instant now, session::Effects& effects) {
  const ObservationId id = outbox_.subject();
  if (outbox_.repeat(settings_.transmission, now)) {
    if (id != 0) supersede(id, now);
    outbox_.retransmit(effects.datagrams());
    return;
  }
  // RFC 7641 §4.5: no longer interested. Nobody is there, so this goes for all it observes, and
  // responses that wait find nobody either.
  outbox_.clear();
  if (observations_) drop_all(now, effects);
}

// RFC 7252 §5.2.2: the response takes longer, so its request is acknowledged without it.
void ServerSession::acknowledge_late(Instant now, session::Effects& effects) {
  acknowledge_due_ = kNever;
  requests_.for_each_open([&](Request& request) {
    if (request.exchange.type != Type::kCon || request.exchange.acknowledged) return;
    const Instant due = request.received + settings_.ack_delay;
    if (now < due) {
      acknowledge_due_ = std::min(acknowledge_due_, due);
      return;
    }
    request.exchange.acknowledged = true;
    seen_.acknowledge(request.exchange.message_id, request.fingerprint);
    std::array<std::uint8_t, kHeaderSize> empty{};
    (void)write_head(empty.data(), Type::kAck, code::kEmpty, request.exchange.message_id, {});
    transmit(effects.datagrams(), empty);
  });
}

void ServerSession::close_idle(Instant now, session::Effects& effects) {
  if (observations_ && observations_->size() > 0) {
    idle_due_ = kNever;  // drop() arms it again
    return;
  }
  Instant until = std::max(last_input_ + settings_.idle, seen_.until());
  if (requests_.open() > 0 || !outbox_.idle()) until = std::max(until, now + settings_.idle);
  if (now < until) {
    idle_due_ = until;
    return;
  }
  idle_due_ = kNever;
  effects.close(model::Reason::kOk);
}

void ServerSession::on_close(model::Reason reason, Instant now, session::Effects& effects) {
  if (reason == model::Reason::kShutdown && observations_) {
    // RFC 7641 §4.2: a GET would fail from now on
    for (ObservationId id = 1; id <= observations_->last_id(); ++id) {
      const Observation& observation = (*observations_)[id];
      if (observation.state != Observation::State::kActive) continue;
      respond({.type = Type::kNon, .token = observation.token}, {.code = code::kServiceUnavailable},
              now, effects);
    }
  }
  if (attachment_ != Attachment::kNone) effects.push(session::Detach{});
}

Instant ServerSession::next_deadline() const {
  return std::min({outbox_.deadline(), acknowledge_due_, confirm_due_, idle_due_});
}

}  // namespace hermod::coap
