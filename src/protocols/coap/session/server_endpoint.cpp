// SPDX-License-Identifier: Apache-2.0
// Requests of an endpoint: what is checked before a resource is asked.
#include "hermod/coap/session/server_endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hermod::coap {
namespace {

// A request with a longer token has no response: it would not fit in a datagram.
constexpr std::size_t kTokenSizeAnswered = 2048;

bool is_known_method(Code code) {
  return code.value >= code::kGet.value && code.value <= code::kIPatch.value;
}

}  // namespace

ServerEndpoint::ServerEndpoint(const Settings& settings, std::size_t body_max, Rng& rng,
                               session::Budget* budget, Resources& resources)
    : settings_(settings),
      body_max_(body_max),
      rng_(rng),
      budget_(budget),
      resources_(resources),
      message_ids_(rng),
      outbox_(settings.transmission),
      seen_(settings.seen_max, settings.seen_bodies_max, budget) {}

void ServerEndpoint::on_open(Instant now) {
  last_input_ = now;
}

Transfers& ServerEndpoint::transfers() {
  if (!transfers_) transfers_ = std::make_unique<Transfers>(settings_, budget_);
  return *transfers_;
}

void ServerEndpoint::on_request(const MessageView& message, const session::Datagram& datagram,
                                Instant now, session::Effects& effects) {
  if (message.token.size() > kTokenSizeAnswered) {
    return reject(message.type, message.message_id, effects);
  }
  const std::uint64_t fingerprint = Deduplicator::fingerprint(datagram.bytes);
  if (answer_seen(message, fingerprint, now, effects)) return;
  Exchange* exchange = exchanges_.take(settings_.requests_max);
  if (exchange == nullptr) {
    Exchange refused{.type = message.type, .message_id = message.message_id};
    refused.token = Token{message.token};
    answer(refused, {.code = code::kServiceUnavailable}, now, effects);
    return;
  }
  exchange->type = message.type;
  exchange->method = message.code;
  exchange->message_id = message.message_id;
  exchange->token = Token{message.token};
  exchange->fingerprint = fingerprint;
  exchange->received = now;
  const RequestOptions options = read_options(message);
  if (!options.echo.empty()) check_echo(options.echo, now, effects);
  if (refuse(*exchange, message, options, datagram.whole, now, effects)) return;
  remember(*exchange, now);
  if (options.no_response) exchange->suppressed = *options.no_response;
  exchange->wants_size2 = options.wants_size2;
  if (!options.block1 && !options.block2) {
    resources_.on_request({*exchange, message, options, message.payload}, now, effects);
    return;
  }
  exchange->transfer = transfer_key(message);
  exchange->block2 = options.block2;
  if (serve_kept(*exchange, now, effects)) return;
  if (!options.block1) {
    resources_.on_request({*exchange, message, options, message.payload}, now, effects);
    return;
  }
  if (!take_block(*exchange, message, options, now, effects)) return;
  RequestOptions whole = options;
  whole.if_none_match = transfers().requires_absent(exchange->transfer);
  const std::vector<std::uint8_t> body = transfers().take(exchange->transfer);
  resources_.on_request({*exchange, message, whole, body}, now, effects);
}

// RFC 7252 §4.5: a duplicate is answered like the original, or, Non-confirmable, not at all.
bool ServerEndpoint::answer_seen(const MessageView& message, std::uint64_t fingerprint, Instant now,
                                 session::Effects& effects) {
  const Deduplicator::Seen seen = seen_.look_up(message.message_id, fingerprint, now);
  if (seen.verdict == Deduplicator::Verdict::kNew) return false;
  if (message.type != Type::kCon) return true;
  if (seen.verdict == Deduplicator::Verdict::kAcknowledged) {  // RFC 7252 §5.2.2
    send_empty(Type::kAck, message.message_id, effects);
  } else if (seen.verdict == Deduplicator::Verdict::kAnswered) {
    Exchange again{.type = message.type, .message_id = message.message_id};
    again.token = Token{message.token};
    if (!seen.body.empty()) {
      send_copy(again, seen.code, seen.body, 0, now, effects);
    } else {
      if (const auto block1 = message.options.find(OptionNumber::kBlock1)) {
        again.block1 = read_block(*block1);  // what was said of it the first time
      }
      answer(again, {.code = seen.code}, now, effects);
    }
  }
  return true;
}

bool ServerEndpoint::refuse(Exchange& exchange, const MessageView& message,
                            const RequestOptions& options, bool whole, Instant now,
                            session::Effects& effects) {
  std::array<char, 40> words{};
  Response response;
  if (options.bad_option) {
    if (message.type == Type::kNon) {  // RFC 7252 §5.4.1
      reject(Type::kNon, message.message_id, effects);
      exchanges_.give(exchange);
      return true;
    }
    const auto written =
        fmt::format_to_n(words.data(), words.size(), "option {} is not supported here",
                         static_cast<unsigned>(*options.bad_option));
    response = refusal(code::kBadOption, {words.data(), written.size});
  } else if (message.token.size() > settings_.token_bytes_max) {  // RFC 8974 §2.2.2
    response = refusal(code::kBadRequest, "the token is too long");
  } else if (!is_known_method(message.code)) {  // RFC 7252 §5.8
    response = refusal(code::kMethodNotAllowed);
  } else if (options.refusal) {
    response = refusal(options.refusal->code, options.refusal->diagnostic);
  } else if (!whole || message.payload.size() > body_max_) {
    // RFC 7252 §5.9.2.9; without a Block1 option it asks for the body in blocks (RFC 7959 §2.9.3)
    response = {.code = code::kRequestEntityTooLarge,
                .size1 = static_cast<std::uint32_t>(body_max_)};
  } else if (!is_safe(message.code) && over_rate(now)) {  // RFC 8516 §3
    response = refusal(code::kTooManyRequests);
    response.content.max_age_s = 1;
  } else {
    return false;
  }
  respond(exchange, response, now, effects);
  return true;
}

// Whether the peer has acted as often as it may within this second.
bool ServerEndpoint::over_rate(Instant now) {
  if (settings_.actions_per_s_max == 0) return false;
  if (now >= rate_begin_ + std::chrono::seconds{1}) {
    rate_begin_ = now;
    rate_count_ = 0;
  }
  if (rate_count_ >= settings_.actions_per_s_max) return true;
  ++rate_count_;
  return false;
}

void ServerEndpoint::remember(Exchange& exchange, Instant now) {
  const TransmissionParameters& times = settings_.transmission;
  const bool confirmable = exchange.type == Type::kCon;
  seen_.open(exchange.message_id, exchange.fingerprint, now,
             now + (confirmable ? times.exchange_lifetime() : times.non_lifetime()));
  exchange.remembered = true;
  if (confirmable) acknowledge_due_ = std::min(acknowledge_due_, now + settings_.ack_delay);
}

// A request for another block of a response that was kept (RFC 7959 §2.4, §3.3).
bool ServerEndpoint::serve_kept(Exchange& exchange, Instant now, session::Effects& effects) {
  if (!exchange.block2 || exchange.block2->number == 0 || exchange.method == code::kPut) {
    return false;
  }
  const Transfers::Kept* kept = transfers_ ? transfers_->find(exchange.transfer) : nullptr;
  if (kept != nullptr) {
    respond(exchange,
            {.code = kept->code,
             .content = {.etag = kept->etag, .format = kept->format, .payload = kept->body}},
            now, effects);
    return true;
  }
  if (is_safe(exchange.method)) return false;  // asked again, it has the same body
  respond(exchange, refusal(code::kRequestEntityIncomplete, "this body is no longer kept"), now,
          effects);
  return true;
}

// RFC 7959 §2.5, the atomic way: a resource gets the whole body or nothing. True when it is whole.
bool ServerEndpoint::take_block(Exchange& exchange, const MessageView& message,
                                const RequestOptions& options, Instant now,
                                session::Effects& effects) {
  const Block block = *options.block1;
  exchange.block1 = block;
  const auto body_max = static_cast<std::uint32_t>(body_max_);
  Response response;
  const Transfers::Step step =
      transfers().receive(exchange.transfer, block, message.payload, options.size1, body_max_, now);
  if (block.number == 0 && options.if_none_match) transfers().require_absent(exchange.transfer);
  switch (step) {
    case Transfers::Step::kWhole:
      return true;
    case Transfers::Step::kContinue:
      response = {.code = code::kContinue};
      break;
    case Transfers::Step::kIncomplete:  // RFC 7959 §2.9.2
      response = refusal(code::kRequestEntityIncomplete, "the blocks before this one are missing");
      break;
    case Transfers::Step::kTooLarge:  // RFC 7959 §2.9.3
      response = {.code = code::kRequestEntityTooLarge, .size1 = body_max};
      break;
    case Transfers::Step::kWrong:
      response = refusal(code::kBadRequest, "a block is not as long as its option says");
      break;
    case Transfers::Step::kNoRoom:
      response = refusal(code::kServiceUnavailable);
      break;
  }
  respond(exchange, response, now, effects);
  return false;
}

// --- the peer ---

void ServerEndpoint::on_deadline(Instant now, session::Effects& effects) {
  if (now >= outbox_.deadline()) on_confirmable_due(now, effects);
  if (now >= acknowledge_due_) acknowledge_late(now, effects);
  if (now >= confirm_due_) confirm_observers(now, effects);
  if (transfers_ && now >= transfers_->due()) transfers_->expire(now);
  if (group_answers_) give_group_answers(now, effects);
}

Instant ServerEndpoint::next_deadline() const {
  Instant due = std::min({outbox_.deadline(), acknowledge_due_, confirm_due_});
  if (group_answers_) due = std::min(due, group_answers_->due());
  return transfers_ ? std::min(due, transfers_->due()) : due;
}

Instant ServerEndpoint::forget_at(Instant now) const {
  if (observers() > 0) return kNever;
  Instant until = std::max(last_input_ + settings_.idle, seen_.until());
  if (transfers_ && transfers_->due() != kNever) until = std::max(until, transfers_->due());
  const bool busy = exchanges_.open() > 0 || !outbox_.idle() ||
                    (group_answers_ && group_answers_->due() != kNever);
  return busy ? std::max(until, now + settings_.idle) : until;
}

}  // namespace hermod::coap
