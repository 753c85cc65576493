// SPDX-License-Identifier: Apache-2.0
// Bodies in blocks (RFC 7959): a request body that is sent one block after the other, a response
// body that is put together; and the request that is repeated with an Echo option (RFC 9175 §2).
//
//   sending:   block n --2.31 Continue--> block n+1 ... last block --response--> assembling, or
//   over
//                 |  4.13 with a smaller size, 4.08 (once): from block 0
//   assembling: block n, more --GET n+1--> ... last block: over
//                 |  another ETag: from the start
#include <algorithm>

#include "client_exchange.hpp"
#include "hermod/coap/session/client_session.hpp"

namespace hermod::coap {
namespace {

constexpr std::uint8_t kEchoesMax = 3;    // of one request: a server that never has enough
constexpr std::uint8_t kRestartsMax = 4;  // of one body

std::size_t block_size(std::uint8_t exponent) {
  return Block{.size_exponent = exponent}.size();
}

}  // namespace

// --- Echo ---

/// True when the request has to be sent again with what the server gave.
bool ClientSession::on_echo(Exchange& exchange, const MessageView& message,
                            const ResponseOptions& options) {
  if (options.echo.empty()) return false;
  echo_.assign(options.echo.begin(), options.echo.end());  // RFC 9175 §2.3: for what comes next
  if (message.code != code::kUnauthorized || exchange.echoes == kEchoesMax) return false;
  ++exchange.echoes;
  send_next(exchange);
  return true;
}

// --- request bodies ---

void ClientSession::begin_sending(Exchange& exchange, std::uint8_t exponent) {
  BodySending& sending = exchange.sending;
  // Each block needs its answer, and all blocks the same options (RFC 9175 §3.3): the hint goes.
  exchange.no_response = 0;
  sending.active = true;
  sending.exponent = exponent;
  sending.offset = 0;
  sending.size = std::min(exchange.body.size(), block_size(exponent));
  if (sending.tag != 0) return;
  // RFC 9175 §3.4: a tag where another operation that differs in nothing else is under way
  const bool alike = std::ranges::any_of(exchanges_, [&](const auto& other) {
    return other.get() != &exchange && other->state != Exchange::State::kFree &&
           other->sending.active && other->method == exchange.method &&
           other->options == exchange.options;
  });
  if (alike) sending.tag = ++last_tag_;
}

/// The whole request is due once more: in blocks, if it has gone in blocks.
void ClientSession::begin_again(Exchange& exchange) {
  if (exchange.sending.size != 0) begin_sending(exchange, exchange.sending.exponent);
}

/// True when the response is not the end of the request: a block follows, or it failed.
bool ClientSession::on_block1(Exchange& exchange, const MessageView& message,
                              const ResponseOptions& options, Instant now,
                              session::Effects& effects) {
  BodySending& sending = exchange.sending;
  if (message.code == code::kRequestEntityTooLarge && options.block1 && !exchange.assembly.active) {
    // RFC 7959 §2.9.3: a smaller size, or blocks at all, may do
    const std::uint8_t exponent = options.block1->size_exponent;
    const std::size_t tried = sending.active ? block_size(sending.exponent) : exchange.body.size();
    if (block_size(exponent) >= tried || exchange.body.empty()) return false;
    begin_sending(exchange, exponent);
    send_next(exchange);
    return true;
  }
  if (!sending.active) return false;
  if (message.code == code::kRequestEntityIncomplete && !sending.restarted) {  // RFC 7959 §2.9.2
    sending.restarted = true;
    begin_sending(exchange, sending.exponent);
    send_next(exchange);
    return true;
  }
  if (!message.code.is_success()) return false;
  const std::size_t end = sending.offset + sending.size;
  const bool last = end == exchange.body.size();
  const bool goes_on = message.code == code::kContinue;
  if (last && !goes_on) {
    sending.active = false;
    return false;
  }
  // What answers a block names it (RFC 7959 §2.3), also where each block is a request of its own.
  const std::uint32_t number =
      static_cast<std::uint32_t>(sending.offset / block_size(sending.exponent));
  if (last || !options.block1 ||
      (options.block1->size_exponent == sending.exponent && options.block1->number != number)) {
    finish(exchange, model::Reason::kProtocolError, message.code, nullptr, now, effects);
    return true;
  }
  // RFC 7959 §2.5: the size that the server prefers, from the next block on
  sending.exponent = std::min(sending.exponent, options.block1->size_exponent);
  sending.offset = end;
  sending.size = std::min(exchange.body.size() - end, block_size(sending.exponent));
  if (end / block_size(sending.exponent) > Block::kNumberMax) {
    finish(exchange, model::Reason::kTooLarge, code::kEmpty, nullptr, now, effects);
    return true;
  }
  send_next(exchange);
  return true;
}

// --- response bodies ---

void ClientSession::on_body(Exchange& exchange, const MessageView& message,
                            const ResponseOptions& options, Instant now,
                            session::Effects& effects) {
  const bool part = options.block2 && message.code.is_success() &&
                    (options.block2->more || exchange.assembly.active);
  if (part) return on_block2(exchange, message, options, now, effects);
  if (exchange.outcome == Exchange::Outcome::kFetch && message.code.is_success()) {
    return on_changed(exchange, now, effects);  // whole all of a sudden: it is another one
  }
  told_.push_back({exchange.ticket, message.options});
  const model::Message* value = nullptr;
  if (!message.payload.empty()) {
    value = &keep(exchange.observed.topic,
                  {.payload = message.payload,
                   .etag = options.etag,
                   .format = options.format,
                   .type = message.type},
                  now);
  }
  finish(exchange, to_reason(message.code), message.code, value, now, effects);
}

void ClientSession::on_block2(Exchange& exchange, const MessageView& message,
                              const ResponseOptions& options, Instant now,
                              session::Effects& effects) {
  BodyAssembly& body = exchange.assembly;
  const Block& block = *options.block2;
  const EntityTag etag(options.etag);
  if (!body.active) {
    body.active = true;
    body.code = message.code;
    body.type = message.type;
    body.etag = etag;
    body.format = options.format;
    const Bytes octets = message.options.octets();
    body.options.assign(octets.begin(), octets.end());
    body.octets.clear();
    if (options.size2.value_or(0) > settings_.body_bytes_max) {
      return finish(exchange, model::Reason::kTooLarge, code::kEmpty, nullptr, now, effects);
    }
    body.octets.reserve(options.size2.value_or(0));
  } else if (etag != body.etag || options.format != body.format || message.code != body.code) {
    return on_changed(exchange, now, effects);  // RFC 7959 §2.4
  }
  model::Reason fault{};
  if (!append(body, message, block, fault)) {
    return finish(exchange, fault, code::kEmpty, nullptr, now, effects);
  }
  if (!block.more) return complete(exchange, now, effects);
  // RFC 7959 §2.3: the size that the server chose, or a smaller one
  const std::size_t end = body.start + body.octets.size();
  body.ask = true;
  body.next = {.number = static_cast<std::uint32_t>(end / block.size()),
               .size_exponent = block.size_exponent};
  if (end / block.size() > Block::kNumberMax) {
    return finish(exchange, model::Reason::kTooLarge, code::kEmpty, nullptr, now, effects);
  }
  send_next(exchange);
}

/// Takes a block that follows on what is there; otherwise false, and why.
bool ClientSession::append(BodyAssembly& body, const MessageView& message, const Block& block,
                           model::Reason& fault) const {
  const bool in_order = block.offset() == body.start + body.octets.size();
  // RFC 7959 §2.3: all but the last are full
  const bool full = !block.more || message.payload.size() == block.size();
  fault = model::Reason::kProtocolError;
  if (!in_order || !full || message.payload.size() > block.size()) return false;
  fault = model::Reason::kTooLarge;
  if (body.octets.size() + message.payload.size() > settings_.body_bytes_max) return false;
  body.octets.insert(body.octets.end(), message.payload.begin(), message.payload.end());
  return true;
}

/// The representation is not the one that was begun. What has no effects is asked for again.
void ClientSession::on_changed(Exchange& exchange, Instant now, session::Effects& effects) {
  BodyAssembly& body = exchange.assembly;
  const bool safe = exchange.method == code::kGet || exchange.method == code::kFetch;
  if (!safe || body.restarts == kRestartsMax) {
    return finish(exchange, model::Reason::kUnavailable, code::kEmpty, nullptr, now, effects);
  }
  ++body.restarts;
  body.active = false;
  const std::uint8_t exponent = body.next.size_exponent;
  body.next = {.number = static_cast<std::uint32_t>(body.start / block_size(exponent)),
               .size_exponent = exponent};
  begin_again(exchange);
  send_next(exchange);
}

void ClientSession::complete(Exchange& exchange, Instant now, session::Effects& effects) {
  if (exchange.outcome == Exchange::Outcome::kFetch) return on_fetched(exchange, now, effects);
  const BodyAssembly& body = exchange.assembly;
  told_.push_back({exchange.ticket, Options{body.options}});
  const model::Message& value = keep(
      exchange.observed.topic,
      {.payload = body.octets, .etag = body.etag.bytes(), .format = body.format, .type = body.type},
      now);
  finish(exchange, to_reason(body.code), body.code, &value, now, effects);
}

}  // namespace hermod::coap
