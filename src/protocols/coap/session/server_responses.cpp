// SPDX-License-Identifier: Apache-2.0
// Responses of an endpoint: which part of the body goes, and how it travels.
#include <algorithm>
#include <array>
#include <cstring>

#include "hermod/base/writer.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/server_endpoint.hpp"

namespace hermod::coap {

void ServerEndpoint::respond(Exchange& exchange, const Response& response, Instant now,
                             session::Effects& effects) {
  answer(exchange, response, now, effects);
  exchanges_.give(exchange);
}

void ServerEndpoint::answer(Exchange& exchange, Response response, Instant now,
                            session::Effects& effects) {
  if (settings_.by_multicast) return answer_group(exchange, response, now);
  TransferOptions options{.block1 = exchange.block1};
  const Representation whole = response.content;
  if (response.code == code::kValid) {  // RFC 7252 §5.9.1.3: without a payload
    response.content.payload = {};
    response.content.format.reset();
  }
  cut(exchange, response, options, now);
  // RFC 7967 §2: what the client does not want to hear
  if ((exchange.suppressed >> (response.code.code_class() - 1) & 1u) != 0) {
    acknowledge(exchange, effects);
  } else {
    if (response.observer != 0) {
      options.observe = next_sequence((*observers_)[response.observer], now);
    }
    const std::size_t head = head_size(exchange.token.size());
    std::uint8_t* out = effects.datagrams().reserve(head + body_size_max(response, options));
    const std::uint8_t* end = write_body(out + head, response, options);
    // Who observes is asked later whether it is there: that must be possible.
    const std::size_t left = response.observer != 0 ? kHeaderSize : 0;
    bool is_bare = false;
    while (!may_send(static_cast<std::size_t>(end - out) + left) && !is_bare) {
      if (shrink(exchange, response, whole, options, now)) {
        // smaller now
      } else if (!response.code.is_success() && !response.content.payload.empty()) {
        response.content.payload = {};  // the words for a person may be missing, the code not
      } else if (is_safe(exchange.method)) {
        challenge(exchange, now, effects);
        if (response.observer != 0) lose_observer(response.observer, now, effects);
        return;
      } else {  // it has acted, and must not be asked to come again: the code alone has to do
        is_bare = true;
        response = {.code = response.code};
        options = {.block1 = options.block1};
      }
      end = write_body(out + head, response, options);
    }
    const Bytes body{out + head, end};
    if (exchange.remembered) settle(exchange, response, body);
    // Answers to other requests may have left no room for it: it goes when this one is repeated.
    if (is_bare && !may_send(head + body.size())) return;
    send(exchange, response.code, out, body.size(), response.observer, now, effects);
  }
  if (response.observer == 0) return;
  response.content = whole;
  activate(response, now, effects);
}

// What a duplicate of the request is to find.
void ServerEndpoint::settle(const Exchange& exchange, const Response& response, Bytes body) {
  if (is_safe(exchange.method)) {
    seen_.forget(exchange.message_id, exchange.fingerprint);
    return;
  }
  const bool is_code_alone = exchange.block1 && response.content.payload.empty() &&
                             response.location_path.empty() && response.content.etag.empty();
  seen_.answer(exchange.message_id, exchange.fingerprint, response.code,
               is_code_alone ? Bytes{} : body);
}

// Leaves the block that is asked for, or the first one when the body does not fit in one.
void ServerEndpoint::cut(const Exchange& exchange, Response& response, TransferOptions& options,
                         Instant now) {
  Block block{.size_exponent = size_exponent_for(settings_.block_bytes_max)};
  Bytes& payload = response.content.payload;
  if (!response.code.is_success()) {
    payload = payload.first(std::min(payload.size(), block.size()));
    return;
  }
  if (payload.empty() || (!exchange.block2 && payload.size() <= block.size())) return;
  if (exchange.block2) {
    // RFC 7959 §2.4: blocks may be smaller than asked for; they begin where the asked one does
    const Block& asked = *exchange.block2;
    block.size_exponent = std::min(block.size_exponent, asked.size_exponent);
    block.number = asked.number << (asked.size_exponent - block.size_exponent);
  }
  if (block.offset() >= payload.size()) {
    response = {.code = code::kBadRequest,
                .content = {.payload = as_bytes("the body has no such block")},
                .observer = response.observer};
    return;
  }
  block.more = payload.size() - block.offset() > block.size();
  options.block2 = block;
  if (exchange.wants_size2) options.size2 = static_cast<std::uint32_t>(payload.size());
  if (!block.more && block.number == 0) return;
  if (response.content.etag.empty()) response.content.etag = body_tag(payload);
  if (response.keep && !transfers().keep(exchange.transfer, response, now)) {
    options = {.block1 = options.block1};
    response = refusal(code::kServiceUnavailable);
    return;
  }
  payload =
      payload.subspan(block.offset(), std::min(block.size(), payload.size() - block.offset()));
}

// Sends a body that stands at `out` behind room for the head.
void ServerEndpoint::send(const Exchange& exchange, Code code, std::uint8_t* out,
                          std::size_t body_size, ObserverId observer, Instant now,
                          session::Effects& effects) {
  const Bytes token = exchange.token.bytes();
  const std::size_t size = head_size(token.size()) + body_size;
  const bool separate = exchange.type == Type::kCon && exchange.acknowledged;
  if (!separate && exchange.type == Type::kCon) {  // in the Acknowledgement (RFC 7252 §5.2.1)
    (void)write_head(out, Type::kAck, code, exchange.message_id, token);
    note_sent(size);
    effects.datagrams().commit(size);
    return;
  }
  const std::uint16_t message_id = message_ids_.next();
  if (observer != 0) (*observers_)[observer].message_id = message_id;
  if (!separate) {  // Non-confirmable as the request was (RFC 7252 §5.2.3)
    (void)write_head(out, Type::kNon, code, message_id, token);
    note_sent(size);
    effects.datagrams().commit(size);
    return;
  }
  if (!outbox_.has_room() && outbox_.waiting() < settings_.confirmables_waiting_max) {
    (void)write_head(out, Type::kCon, code, message_id, token);
    outbox_.wait(message_id, {out, out + size});
    return;
  }
  // A separate response should arrive (§5.2.2), but what waits is bounded: beyond that it may.
  const bool confirm = outbox_.has_room();
  (void)write_head(out, confirm ? Type::kCon : Type::kNon, code, message_id, token);
  if (confirm) outbox_.sent(message_id, {out, size}, 0, rng_, now);
  note_sent(size);
  effects.datagrams().commit(size);
}

void ServerEndpoint::send_copy(const Exchange& exchange, Code code, Bytes body, ObserverId observer,
                               Instant now, session::Effects& effects) {
  const std::size_t head = head_size(exchange.token.size());
  std::uint8_t* out = effects.datagrams().reserve(head + body.size());
  std::ranges::copy(body, out + head);
  // What waits for an acknowledgement is sent when the peer has shown that it receives.
  const bool waits = exchange.type == Type::kCon && exchange.acknowledged && !outbox_.has_room();
  if (waits || may_send(head + body.size())) {
    send(exchange, code, out, body.size(), observer, now, effects);
  }
}

// --- while the peer is not proven ---

// Takes a block of half the size, so that the response may be sent to a peer whose address may be
// somebody else's. Any client that knows blocks can go on from there, one that knows Echo or not.
// False when there is none, or when the whole would take too many of them.
bool ServerEndpoint::shrink(const Exchange& exchange, Response& response,
                            const Representation& whole, TransferOptions& options, Instant now) {
  const std::size_t size = response.content.payload.size();
  const bool too_many =  // a group is asked for the first one only
      !settings_.by_multicast && whole.payload.size() > settings_.unproven_body_max;
  if (!response.code.is_success() || size <= 16 || too_many) return false;
  if (response.content.etag.empty()) response.content.etag = body_tag(whole.payload);
  if (response.keep && !options.block2 &&  // else it is kept already
      !transfers().keep(exchange.transfer, response, now)) {
    return false;
  }
  Block block = options.block2.value_or(Block{});
  const std::size_t offset = options.block2 ? block.offset() : 0;
  std::uint8_t exponent = std::min(block.size_exponent, size_exponent_for(size));
  if ((std::size_t{16} << exponent) >= size) --exponent;
  block = {.number = static_cast<std::uint32_t>(offset >> (exponent + 4)),
           .more = true,
           .size_exponent = exponent};
  options.block2 = block;
  response.content.payload = response.content.payload.first(block.size());
  return true;
}

// RFC 9175 §2.3: 4.01 with an Echo option, which the client's next request has to carry. Nothing
// of the request is remembered: it comes again.
void ServerEndpoint::challenge(const Exchange& exchange, Instant now, session::Effects& effects) {
  while (echo_ == 0) echo_ = rng_.next();
  std::array<std::uint8_t, sizeof(echo_)> value{};
  Writer(value.data()).u64(echo_);
  if (exchange.remembered) seen_.forget(exchange.message_id, exchange.fingerprint);
  const Response response{.code = code::kUnauthorized};
  const TransferOptions options{.echo = value};
  std::array<std::uint8_t, 64> body{};
  const std::uint8_t* end = write_body(body.data(), response, options);
  send_copy(exchange, response.code, {body.data(), end}, 0, now, effects);
}

}  // namespace hermod::coap
