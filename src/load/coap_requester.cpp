// SPDX-License-Identifier: Apache-2.0
#include "coap_requester.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "hermod/coap/codec/writer.hpp"
#include "payload.hpp"
#include "probe.hpp"

namespace hermod::load {
namespace {

constexpr Duration kAckTimeout = std::chrono::seconds{2};  // RFC 7252 §4.8 ACK_TIMEOUT
constexpr unsigned kMaxRetransmit = 4;                     // RFC 7252 §4.8
constexpr std::size_t kTokenSize = 4;

// Place of the exchange and how often that place has been used.
std::array<std::uint8_t, kTokenSize> token_of(std::size_t index, std::uint16_t generation) {
  return {static_cast<std::uint8_t>(index >> 8), static_cast<std::uint8_t>(index),
          static_cast<std::uint8_t>(generation >> 8), static_cast<std::uint8_t>(generation)};
}

}  // namespace

std::vector<std::uint8_t> request_body(const coap::Uri& uri, std::optional<std::uint32_t> observe,
                                       Bytes payload) {
  std::size_t room = payload.size() + 1 + 4 + coap::kOptionOverheadMax;
  for (const std::string& segment : uri.path) room += segment.size() + coap::kOptionOverheadMax;
  for (const std::string& argument : uri.query) room += argument.size() + coap::kOptionOverheadMax;
  std::vector<std::uint8_t> body(room);
  coap::BodyWriter writer(body.data());
  if (observe) writer.uint_option(coap::OptionNumber::kObserve, *observe);
  for (const std::string& segment : uri.path) {
    writer.option(coap::OptionNumber::kUriPath, segment);
  }
  for (const std::string& argument : uri.query) {
    writer.option(coap::OptionNumber::kUriQuery, argument);
  }
  writer.payload(payload);
  body.resize(static_cast<std::size_t>(writer.position() - body.data()));
  return body;
}

CoapRequester::CoapRequester(RequestPlan plan, const transport::Address& server)
    : plan_(std::move(plan)), server_(server), exchanges_(plan_.window) {
  std::vector<std::uint8_t> payload(plan_.payload_bytes, 'x');
  if (!payload.empty()) write_stamp(payload.data(), {plan_.number, 0});
  body_ = request_body(plan_.uri, std::nullopt, payload);
  for (std::size_t i = exchanges_.size(); i-- > 0;) free_.push_back(static_cast<std::uint16_t>(i));
}

std::expected<void, std::string> CoapRequester::open(transport::Token token, Turn& turn) {
  auto socket = transport::bind_udp(client_address(server_), {});
  if (!socket) return std::unexpected(socket.error());
  socket_ = std::move(*socket);
  if (!turn.poller->add(*socket_, token)) {
    return std::unexpected("the poller takes no more sockets");
  }
  return {};
}

std::uint64_t CoapRequester::request(std::uint64_t limit, Turn& turn) {
  if (plan_.requests != 0) limit = std::min(limit, plan_.requests);
  if (sent_ >= limit || free_.empty()) return 0;
  const Instant now = turn.clock->now();
  std::uint64_t count = 0;
  while (sent_ < limit && !free_.empty()) {
    const std::uint16_t index = free_.back();
    free_.pop_back();
    Exchange& exchange = exchanges_[index];
    exchange.state = State::kWaiting;
    exchange.attempts = 0;
    ++exchange.generation;
    exchange.message_id = next_message_id_++;
    exchange.sequence = sent_++;
    exchange.first_sent = now;
    if (plan_.send_times != nullptr) plan_.send_times->set(exchange.sequence, now);
    if (plan_.flows != nullptr) plan_.flows->set_sent(plan_.number, sent_);
    send(index, now);
    ++count;
  }
  socket_->flush();
  return count;
}

void CoapRequester::send(std::size_t index, Instant now) {
  Exchange& exchange = exchanges_[index];
  const auto token = token_of(index, exchange.generation);
  const std::size_t size = coap::kHeaderSize + token.size() + body_.size();
  std::uint8_t* const begin = socket_->reserve(size);
  std::uint8_t* const body =
      coap::write_head(begin, plan_.type, plan_.method, exchange.message_id, token);
  std::memcpy(body, body_.data(), body_.size());
  if (plan_.payload_bytes != 0) {
    write_sequence(body + body_.size() - plan_.payload_bytes, exchange.sequence);
  }
  socket_->commit(size, server_);
  exchange.resend_at = now + kAckTimeout * (1 << exchange.attempts);  // RFC 7252 §4.2
}

void CoapRequester::on_readable(Turn& turn) {
  for (;;) {
    const auto datagrams = socket_->receive();
    if (!datagrams.empty()) read_at_ = turn.clock->now();
    for (const transport::Datagram& datagram : datagrams) on_datagram(datagram.bytes, turn);
    if (datagrams.size() < transport::DatagramSocket::kBatch) break;
  }
  socket_->flush();
}

void CoapRequester::on_datagram(Bytes datagram, Turn& turn) {
  const auto message = coap::decode(datagram);
  if (!message) {
    turn.tally->unexpected.add(1);
    return;
  }
  if (message->code.is_response()) {
    on_answer(*message, turn);
  } else {
    on_signal(*message, turn);
  }
}

void CoapRequester::on_answer(const coap::MessageView& message, Turn& turn) {
  if (message.type == coap::Type::kCon) {  // RFC 7252 §5.2.2
    std::uint8_t* const out = socket_->reserve(coap::kHeaderSize);
    (void)coap::write_head(out, coap::Type::kAck, coap::code::kEmpty, message.message_id, {});
    socket_->commit(coap::kHeaderSize, server_);
  }
  std::size_t index = exchanges_.size();
  if (message.token.size() == kTokenSize) {
    index = static_cast<std::size_t>(message.token[0] << 8 | message.token[1]);
  }
  const auto generation = static_cast<std::uint16_t>(
      index < exchanges_.size() ? message.token[2] << 8 | message.token[3] : 0);
  if (index >= exchanges_.size() || exchanges_[index].state == State::kFree ||
      exchanges_[index].generation != generation) {
    turn.tally->unexpected.add(1);  // an answer that comes twice, or a stale one
    return;
  }
  Exchange& exchange = exchanges_[index];
  turn.tally->progress.add(1);
  ++answered_;
  if (message.code.is_success()) {
    turn.tally->operations.add(plan_.counted ? 1 : 0);
  } else {
    turn.tally->refused.add(1);
    refusal_ = message.code;
  }
  if (turn.measured(read_at_)) {
    round_trips_.record(read_at_ - exchange.first_sent);
  }
  finish(exchange);
}

// An empty ACK promises a separate answer; a Reset refuses the request (RFC 7252 §4.2).
void CoapRequester::on_signal(const coap::MessageView& message, Turn& turn) {
  for (Exchange& exchange : exchanges_) {
    if (exchange.state == State::kFree || exchange.message_id != message.message_id) continue;
    if (message.type == coap::Type::kAck) {
      exchange.state = State::kPromised;
    } else if (message.type == coap::Type::kRst) {
      turn.tally->refused.add(1);
      ++answered_;
      finish(exchange);
    }
    return;
  }
  turn.tally->unexpected.add(1);
}

void CoapRequester::finish(Exchange& exchange) {
  exchange.state = State::kFree;
  free_.push_back(static_cast<std::uint16_t>(&exchange - exchanges_.data()));
}

void CoapRequester::look_for_silence(Turn& turn) {
  if (turn.now - looked_at_ < kTurnMax) return;
  looked_at_ = turn.now;
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    Exchange& exchange = exchanges_[i];
    if (exchange.state == State::kFree || turn.now < exchange.resend_at) continue;
    if (exchange.attempts == kMaxRetransmit) {
      ++given_up_;
      finish(exchange);
      continue;
    }
    ++exchange.attempts;
    if (exchange.state == State::kPromised) {  // acknowledged: only the patience grows
      exchange.resend_at = turn.now + kAckTimeout * (1 << exchange.attempts);
      continue;
    }
    send(i, turn.now);
    turn.tally->retransmitted.add(1);
  }
  socket_->flush();
}

}  // namespace hermod::load
