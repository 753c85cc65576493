// SPDX-License-Identifier: Apache-2.0
// The message layer of an endpoint: what a datagram is before it is a request, confirmable messages
// on their way, and whether the peer's address is its own.
#include <algorithm>
#include <array>

#include "hermod/base/writer.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/server_endpoint.hpp"

namespace hermod::coap {

void ServerEndpoint::on_datagram(const session::Datagram& datagram, Instant now,
                                 session::Effects& effects) {
  last_input_ = now;
  received_ += datagram.bytes.size();
  if (settings_.by_multicast) return on_group_datagram(datagram, now, effects);
  const WireResult<MessageView> message = decode(datagram.bytes);
  if (!message) {
    // RFC 7252 §3: another version is ignored in silence. §4.2, §4.3: a format error is rejected,
    // and a Reset is owed to a Confirmable message only.
    const std::optional<Header> header = read_header(datagram.bytes);
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

void ServerEndpoint::send_empty(Type type, std::uint16_t message_id, session::Effects& effects) {
  std::array<std::uint8_t, kHeaderSize> empty{};
  if (!may_send(empty.size())) return;
  (void)write_head(empty.data(), type, code::kEmpty, message_id, {});
  note_sent(empty.size());
  transmit(effects.datagrams(), empty);
}

// RFC 7252 §4.2, §4.3: a Reset to what cannot be processed, never to an Acknowledgement or a Reset.
// RFC 7252 §8.1: and none to what came by multicast.
void ServerEndpoint::reject(Type type, std::uint16_t message_id, session::Effects& effects) {
  if (settings_.by_multicast) return;
  if (type == Type::kCon || type == Type::kNon) send_empty(Type::kRst, message_id, effects);
}

void ServerEndpoint::on_acknowledged(std::uint16_t message_id, Instant now,
                                     session::Effects& effects) {
  const std::optional<ObserverId> id = outbox_.finish(message_id);
  if (!id) return note_mismatch();
  if (*id != 0) {
    Observer& observer = (*observers_)[*id];
    if (!observer.told) observers_->wait(*id);
    observer.proven = true;
    observer.unconfirmed = 0;
    observer.confirmed_at = now;
    confirm_due_ = std::min(confirm_due_, confirm_due(observer, settings_));
  }
  prove_by_message();
  go_on(now, effects);
}

void ServerEndpoint::on_reset(std::uint16_t message_id, Instant now, session::Effects& effects) {
  const std::optional<ObserverId> subject = outbox_.finish(message_id);
  ObserverId id = subject.value_or(0);
  // A notification, or the response to the registration, which is the first one.
  if (id == 0) id = observers_ ? observers_->find_message(message_id) : 0;
  if (id != 0) lose_observer(id, now, effects);  // RFC 7641 §4.5
  if (!subject) return id == 0 ? note_mismatch() : void();
  prove_by_message();  // also a Reset to a ping
  go_on(now, effects);
}

// What waits for messages in flight may go.
void ServerEndpoint::go_on(Instant now, session::Effects& effects) {
  while (const ConfirmableOutbox::Message* message = outbox_.next(rng_, now)) {
    send_confirmable(message->datagram, effects);
  }
  notify_waiting(now, effects);
}

void ServerEndpoint::on_confirmable_due(Instant now, session::Effects& effects) {
  while (ConfirmableOutbox::Message* message = outbox_.due(now)) {
    if (!outbox_.repeat(*message, now)) {
      // RFC 7641 §4.5: no longer interested. Nobody is there, so this goes for all it observes, and
      // responses that wait find nobody either.
      outbox_.clear();
      return lose_all(now, effects);
    }
    if (message->subject != 0) supersede(*message, now);
    send_confirmable(message->datagram, effects);
  }
}

void ServerEndpoint::send_confirmable(Bytes datagram, session::Effects& effects) {
  if (!may_send(datagram.size())) return;
  note_sent(datagram.size());
  transmit(effects.datagrams(), datagram);
}

// RFC 7252 §5.2.2: the response takes longer, so its request is acknowledged without it.
void ServerEndpoint::acknowledge_late(Instant now, session::Effects& effects) {
  acknowledge_due_ = kNever;
  exchanges_.for_each_open([&](Exchange& exchange) {
    if (exchange.type != Type::kCon || exchange.acknowledged) return;
    const Instant due = exchange.received + settings_.ack_delay;
    if (now < due) {
      acknowledge_due_ = std::min(acknowledge_due_, due);
      return;
    }
    acknowledge(exchange, effects);
  });
}

void ServerEndpoint::acknowledge(Exchange& exchange, session::Effects& effects) {
  if (exchange.type != Type::kCon || exchange.acknowledged) return;
  exchange.acknowledged = true;
  seen_.acknowledge(exchange.message_id, exchange.fingerprint);
  send_empty(Type::kAck, exchange.message_id, effects);
}

// --- whether the address is the peer's own (RFC 9175 §2.3, RFC 7252 §11.3) ---

// Before the peer has shown that it receives, a few times what came.
bool ServerEndpoint::may_send(std::size_t octets) const {
  return proven_ || settings_.amplification_max == 0 ||
         sent_ + octets <= settings_.amplification_max * received_;
}

// Who answers a message of this side must have seen its message id; but there are few of those, so
// that only the first guesses count.
void ServerEndpoint::note_mismatch() {
  if (mismatches_ < settings_.mismatches_max) ++mismatches_;
}

bool ServerEndpoint::can_be_proven_by_message() const {
  return mismatches_ < settings_.mismatches_max;
}

void ServerEndpoint::prove_by_message() {
  if (can_be_proven_by_message()) proven_ = true;
}

// An empty Confirmable message, which every endpoint answers (RFC 7252 §4.3).
void ServerEndpoint::ping(Instant now, session::Effects& effects) {
  // what is in flight proves as much
  if (!outbox_.idle() || !may_send(kHeaderSize)) return;
  std::array<std::uint8_t, kHeaderSize> empty{};
  const std::uint16_t message_id = message_ids_.next();
  (void)write_head(empty.data(), Type::kCon, code::kEmpty, message_id, {});
  outbox_.sent(message_id, empty, 0, rng_, now);
  note_sent(empty.size());
  transmit(effects.datagrams(), empty);
}

void ServerEndpoint::check_echo(Bytes value, Instant now, session::Effects& effects) {
  if (proven_ || echo_ == 0 || value.size() != sizeof(echo_)) return;
  std::array<std::uint8_t, sizeof(echo_)> expected{};
  Writer(expected.data()).u64(echo_);
  if (!std::ranges::equal(value, expected)) return;
  proven_ = true;
  go_on(now, effects);
}

}  // namespace hermod::coap
