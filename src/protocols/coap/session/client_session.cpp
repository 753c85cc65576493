// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/client_session.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "client_exchange.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/resources.hpp"

namespace hermod::coap {

using State = ClientExchange::State;
using Outcome = ClientExchange::Outcome;

namespace {

constexpr std::size_t kBodyKeptMax = 4096;    // memory that the next exchange may use again
constexpr std::size_t kProbingRate = 1;       // octets a second (RFC 7252 §4.8)
constexpr std::size_t kRequestsMax = 0x7fff;  // and as many fetches of observations

bool is_silent(std::uint8_t no_response) {
  return (no_response & kNoResponseAtAll) == kNoResponseAtAll;
}

void send_empty(session::DatagramSink& sink, Type type, std::uint16_t message_id) {
  std::array<std::uint8_t, kHeaderSize> octets{};
  (void)write_head(octets.data(), type, code::kEmpty, message_id, {});
  transmit(sink, octets);
}

}  // namespace

/// What becomes of an exchange at its end.
struct ClientSession::Purpose {
  Outcome outcome = Outcome::kComplete;
  session::Ticket ticket = 0;
  model::Tag tag = 0;
};

std::string name_of_path(std::span<const std::string> path) {
  if (auto topic = topic_of_path(path)) return *std::move(topic);
  std::string text;
  for (const std::string& segment : path) text += '/' + segment;
  return text;
}

ResponseOptions read_response_options(const MessageView& message) {
  ResponseOptions options;
  for (const OptionView& option : message.options) {
    const OptionRule* rule = find_rule(option.number);
    const bool understood = rule != nullptr && rule->allows_length(option.value.size());
    switch (understood ? option.number : OptionNumber{}) {
      case OptionNumber::kObserve:
        options.observe = uint_value(option.value);
        break;
      case OptionNumber::kContentFormat:
        options.format = static_cast<ContentFormat>(*uint_value(option.value));
        break;
      case OptionNumber::kMaxAge:
        options.max_age_s = *uint_value(option.value);
        break;
      case OptionNumber::kETag:
        options.etag = option.value;
        break;
      case OptionNumber::kEcho:
        options.echo = option.value;
        break;
      case OptionNumber::kSize2:
        options.size2 = uint_value(option.value);
        break;
      case OptionNumber::kBlock1:
        options.block1 = read_block(option.value);
        options.critical |= !options.block1;
        break;
      case OptionNumber::kBlock2:
        options.block2 = read_block(option.value);
        options.critical |= !options.block2;
        break;
      default:  // no other critical option belongs into a response
        options.critical |= is_critical(option.number);
        break;
    }
  }
  return options;
}

ClientSession::ClientSession(const ClientSettings& settings, Rng& rng)
    : settings_(settings), rng_(rng), message_ids_(rng) {}
ClientSession::~ClientSession() = default;

void ClientSession::on_open(Instant, session::Effects& effects) {
  effects.credit(settings_.transmission.nstart);
}

void ClientSession::on_answers(std::span<const session::Answer>, Instant, session::Effects&) {}

Options ClientSession::options_of(session::Ticket ticket) const {
  const auto told = std::ranges::find(told_, ticket, &Told::ticket);
  return told == told_.end() ? Options{} : told->options;
}

// --- requests ---

bool ClientSession::request(const ClientRequest& request, session::Ticket ticket, Instant now,
                            session::Effects& effects) {
  return start(request, {.ticket = ticket}, now, effects) != nullptr;
}

bool ClientSession::ping(session::Ticket ticket, Instant now, session::Effects& effects) {
  if (full()) return false;
  Exchange& exchange = take();
  open(exchange, {.ticket = ticket});
  exchange.ping = true;
  queue_.push_back(exchange.index);
  start_queued(now, effects);
  return true;
}

void ClientSession::on_deliveries(const model::DeliveryBatch& batch, Instant now,
                                  session::Effects& effects) {
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const model::Delivery& delivery = batch.items[i];
    const model::Message& message = *delivery.message;
    const std::vector<std::string> path = path_of_topic(message.destination.address);
    ClientRequest request{.method = message.payload.empty() ? code::kDelete : code::kPut,
                          .path = path,
                          .payload = message.payload,
                          .confirmable = to_type(delivery.guarantee) == Type::kCon};
    if (const auto value = represent(message, std::nullopt, now);
        value && !message.payload.empty()) {
      request.content_format = value->format;
      request.max_age_s = value->max_age_s;
    }
    const bool settled = delivery.guarantee != model::Guarantee::kAtMostOnce;
    const model::Tag tag = batch.first_tag + i;
    const Purpose purpose{.outcome = settled ? Outcome::kSettle : Outcome::kSilent, .tag = tag};
    if (start(request, purpose, now, effects) == nullptr && settled) {
      effects.push(session::Settle{tag, tag, model::Outcome::kReject, 1});
    }
  }
}

ClientSession::Exchange* ClientSession::start(const ClientRequest& request, const Purpose& purpose,
                                              Instant now, session::Effects& effects) {
  if (full() || !is_sendable(request)) return nullptr;
  if (request.token && !is_token_free(*request.token)) return nullptr;
  Exchange& exchange = take();
  open(exchange, purpose);
  if (request.token) {
    exchange.token = Token{*request.token};
    exchange.own_token = true;
    ++own_tokens_;
  }
  if (request.method == code::kGet || request.observe) {
    exchange.observed.topic = name_of_path(request.path);
  }
  encode(exchange, request);
  queue_.push_back(exchange.index);
  start_queued(now, effects);
  return &exchange;
}

bool ClientSession::full() const {
  return open_ >= std::min(settings_.requests_max, kRequestsMax);
}

/// An exchange that waits for its turn.
ClientSession::Exchange& ClientSession::take() {
  if (free_.empty()) {
    exchanges_.push_back(std::make_unique<Exchange>());
    exchanges_.back()->index = static_cast<std::uint16_t>(exchanges_.size() - 1);
    free_.push_back(exchanges_.back()->index);
  }
  Exchange& exchange = *exchanges_[free_.back()];
  free_.pop_back();
  exchange.state = State::kQueued;
  make_token(exchange);
  return exchange;
}

void ClientSession::open(Exchange& exchange, const Purpose& purpose) {
  exchange.outcome = purpose.outcome;
  exchange.ticket = purpose.ticket;
  exchange.tag = purpose.tag;
  ++open_;
}

// RFC 7252 §5.3.1: 48 random bits; the rest finds the exchange again.
void ClientSession::make_token(Exchange& exchange) {
  std::array<std::uint8_t, kTokenSizeUsual> token{};
  const std::uint64_t random = rng_.next();
  std::memcpy(token.data(), &random, token.size());
  std::memcpy(token.data(), &exchange.index, sizeof(exchange.index));
  exchange.token = Token{token};
  if (exchange.own_token) --own_tokens_;
  exchange.own_token = false;
}

bool ClientSession::is_token_free(Bytes token) {
  if (token.size() > kTokenSizeMax) return false;
  return std::ranges::none_of(exchanges_, [&](const auto& exchange) {
    return exchange->state != State::kFree && exchange->token == Token{token};
  });
}

// RFC 7252 §4.7: no more than NSTART outstanding interactions; and to a server that does not
// answer, what nobody repeats goes at PROBING_RATE.
void ClientSession::start_queued(Instant now, session::Effects& effects) {
  const auto may_go = [&](std::uint16_t index) {
    return now >= probe_at_ || exchanges_[index]->state != State::kQueued ||
           exchanges_[index]->type == Type::kCon;
  };
  while (queue_begin_ < queue_.size() && unanswered_ < settings_.transmission.nstart) {
    const auto begin = queue_.begin() + static_cast<std::ptrdiff_t>(queue_begin_);
    const auto next = std::find_if(begin, queue_.end(), may_go);
    if (next == queue_.end()) {
      due_ = std::min(due_, probe_at_);
      break;
    }
    Exchange& exchange = *exchanges_[*next];
    std::move_backward(begin, next, next + 1);
    ++queue_begin_;
    if (exchange.state == State::kQueued) send(exchange, now, effects);
  }
  if (queue_begin_ == queue_.size()) {
    queue_.clear();
    queue_begin_ = 0;
  }
}

// Sends what is due as a new message.
void ClientSession::send(Exchange& exchange, Instant now, session::Effects& effects) {
  exchange.message_id = message_ids_.next();
  if (exchange.ping) {
    exchange.datagram.resize(kHeaderSize);
    (void)write_head(exchange.datagram.data(), Type::kCon, code::kEmpty, exchange.message_id, {});
  } else {
    compose(exchange);
  }
  exchange.state = State::kSent;
  ++unanswered_;
  if (exchange.type == Type::kCon) {
    exchange.timer.start(settings_.transmission, rng_, now);
    exchange.due = exchange.timer.deadline();
  } else {
    exchange.due = now + settings_.response_timeout;
  }
  due_ = std::min(due_, exchange.due);
  transmit(effects.datagrams(), exchange.datagram);
  if (exchange.type == Type::kNon && is_silent(exchange.no_response)) {  // RFC 7967 §2
    finish(exchange, model::Reason::kOk, code::kEmpty, nullptr, now, effects);
  }
}

/// The operation goes on with another message, before what waits. RFC 7959 §2.4: without delay.
void ClientSession::send_next(Exchange& exchange) {
  release(exchange);
  // Late answers are not for it. An observation is known by its token (RFC 7641 §3.1).
  if (!exchange.observe) make_token(exchange);
  exchange.state = State::kQueued;
  if (queue_begin_ > 0) {
    queue_[--queue_begin_] = exchange.index;
  } else {
    queue_.insert(queue_.begin(), exchange.index);
  }
}

/// It waits for nothing any more, neither for its turn nor for an answer.
void ClientSession::release(Exchange& exchange) {
  if (exchange.state == State::kSent) --unanswered_;
  if (exchange.state != State::kQueued) return;
  const auto begin = queue_.begin() + static_cast<std::ptrdiff_t>(queue_begin_);
  queue_.erase(std::remove(begin, queue_.end(), exchange.index), queue_.end());
}

void ClientSession::finish(Exchange& exchange, model::Reason reason, Code code,
                           const model::Message* value, Instant now, session::Effects& effects) {
  release(exchange);
  stop_fetches(exchange);
  exchange.state = State::kFree;
  over_.push_back(exchange.index);
  if (exchange.own_token) --own_tokens_;
  exchange.own_token = false;
  if (exchange.outcome == Outcome::kFetch) return on_fetch_failed(exchange, reason, now, effects);
  --open_;
  if (exchange.outcome == Outcome::kComplete) {
    effects.push(session::Completed{
        .ticket = exchange.ticket, .reason = reason, .code = code.value, .value = value});
  } else if (exchange.outcome == Outcome::kSettle) {
    const auto outcome = reason == model::Reason::kOk        ? model::Outcome::kAccept
                         : reason == model::Reason::kTimeout ? model::Outcome::kRelease
                                                             : model::Outcome::kReject;
    effects.push(session::Settle{exchange.tag, exchange.tag, outcome, 1});
  }
}

// What ended with an earlier input can be used again.
void ClientSession::recycle() {
  told_.clear();
  for (const std::uint16_t index : over_) {
    Exchange& exchange = *exchanges_[index];
    exchange = Exchange{.index = index,
                        .options = std::move(exchange.options),
                        .body = std::move(exchange.body),
                        .datagram = std::move(exchange.datagram)};
    if (exchange.body.capacity() > kBodyKeptMax) exchange.body = {};
    free_.push_back(index);
  }
  over_.clear();
}

// --- responses ---

ClientSession::Exchange* ClientSession::find(Bytes token) {
  const auto waits = [](const Exchange& exchange) {
    return exchange.state != State::kFree && !exchange.ping &&
           (exchange.state != State::kQueued || exchange.registered);
  };
  std::uint16_t index = 0;
  if (token.size() == kTokenSizeUsual) std::memcpy(&index, token.data(), sizeof(index));
  if (token.size() == kTokenSizeUsual && index < exchanges_.size()) {
    Exchange* exchange = exchanges_[index].get();
    if (waits(*exchange) && exchange->token == Token{token}) return exchange;
  }
  if (own_tokens_ == 0) return nullptr;
  for (const auto& exchange : exchanges_) {
    if (exchange->own_token && waits(*exchange) && exchange->token == Token{token}) {
      return exchange.get();
    }
  }
  return nullptr;
}

ClientSession::Exchange* ClientSession::find_sent(std::uint16_t message_id) {
  for (const auto& exchange : exchanges_) {
    if (exchange->state == State::kSent && exchange->message_id == message_id) {
      return exchange.get();
    }
  }
  return nullptr;
}

// RFC 7252 §4.2, §4.3.
void ClientSession::reject(const MessageView& message, session::Effects& effects) {
  if (message.type != Type::kCon && message.type != Type::kNon) return;
  send_empty(effects.datagrams(), Type::kRst, message.message_id);
}

void ClientSession::on_datagram(const session::Datagram& datagram, Instant now,
                                session::Effects& effects) {
  recycle();
  probe_at_ = {};
  if (!datagram.whole) return;  // as good as lost
  const WireResult<MessageView> message = decode(datagram.bytes);
  if (!message) {
    const std::optional<Header> header = read_header(datagram.bytes);
    if (header && header->version == kVersion && header->type == Type::kCon) {
      reject({.type = Type::kCon, .message_id = header->message_id}, effects);
    }
    return;
  }
  if (!fits(message->type, message->code)) return reject(*message, effects);
  const bool is_reply = message->type == Type::kAck || message->type == Type::kRst;
  if (is_reply && message->code.is_empty()) {
    on_empty(*message, now, effects);
  } else if (is_reply) {
    if (Exchange* exchange = find(message->token);  // RFC 7252 §5.3.2: both must match
        exchange != nullptr && exchange->state == State::kSent &&
        exchange->message_id == message->message_id) {
      const ResponseOptions options = read_response_options(*message);
      if (!options.critical) on_response(*exchange, *message, options, now, effects);
    }
  } else if (message->code.is_response()) {
    on_separate(*message, now, effects);
  } else {
    reject(*message, effects);  // an Empty one, which asks for this (RFC 7252 §4.3), or a request
  }
  start_queued(now, effects);
}

// An Empty Acknowledgement, or a Reset.
void ClientSession::on_empty(const MessageView& message, Instant now, session::Effects& effects) {
  Exchange* exchange = find_sent(message.message_id);
  if (exchange == nullptr) return;
  const bool silent =
      exchange->type == Type::kCon && is_silent(exchange->no_response) && !exchange->sending.active;
  if (exchange->ping) {
    finish(*exchange, model::Reason::kOk, code::kEmpty, nullptr, now, effects);
  } else if (message.type == Type::kRst) {
    finish(*exchange, model::Reason::kPeerClosed, code::kEmpty, nullptr, now, effects);
  } else if (silent) {  // RFC 7967 §2.1: that is all that comes
    finish(*exchange, model::Reason::kOk, code::kEmpty, nullptr, now, effects);
  } else {  // RFC 7252 §5.2.2
    release(*exchange);
    exchange->state = State::kWaiting;
    exchange->due = now + settings_.response_timeout;
    due_ = std::min(due_, exchange->due);
  }
}

// A response in a message of its own: separate, to a Non-confirmable request, or a notification.
void ClientSession::on_separate(const MessageView& message, Instant now,
                                session::Effects& effects) {
  Exchange* exchange = find(message.token);
  const bool confirmable = message.type == Type::kCon;
  const bool repeated =
      confirmable && std::ranges::find(recent_, message.message_id) != recent_.end();
  const ResponseOptions options = read_response_options(message);
  if ((exchange == nullptr && !repeated) || options.critical) {
    return reject(message, effects);  // RFC 7252 §5.3.2; RFC 7641 §3.6 ends what was forgotten
  }
  if (confirmable) {
    send_empty(effects.datagrams(), Type::kAck, message.message_id);
    if (repeated) return;
    if (recent_.size() < kRecentKept) recent_.resize(recent_.size() + 1);
    recent_[next_recent_++ % kRecentKept] = message.message_id;
  }
  on_response(*exchange, message, options, now, effects);
}

void ClientSession::on_response(Exchange& exchange, const MessageView& message,
                                const ResponseOptions& options, Instant now,
                                session::Effects& effects) {
  if (exchange.cancelling) {
    // what is still on its way is not wanted any more
    if (options.observe || exchange.state == State::kQueued) return;
    if (on_echo(exchange, message, options)) return;
    told_.push_back({exchange.ticket, message.options});
    finish(exchange, model::Reason::kOk, message.code, nullptr, now, effects);
    return;
  }
  if (on_echo(exchange, message, options)) return;
  if (on_block1(exchange, message, options, now, effects)) return;
  if (exchange.observe) return on_observe_response(exchange, message, options, now, effects);
  on_body(exchange, message, options, now, effects);
}

const model::Message& ClientSession::keep(std::string_view topic, const Value& value, Instant now) {
  if (incoming_.size() < kIncomingKept) {
    incoming_.push_back(std::make_unique<Incoming>());
    next_incoming_ = incoming_.size() - 1;
  }
  Incoming& kept = *incoming_[next_incoming_++ % kIncomingKept];
  IncomingValue incoming{.topic = topic,
                         .payload = value.payload,
                         .etag = value.etag,
                         .guarantee = to_guarantee(value.type)};
  if (value.format) incoming.content_type = kept.content_type.emplace(*value.format).text();
  kept.message = to_message(incoming, now, kept.properties);
  return kept.message;
}

// --- time ---

void ClientSession::on_deadline(Instant now, session::Effects& effects) {
  recycle();
  due_ = kNever;
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    Exchange& exchange = *exchanges_[i];
    if (exchange.state == State::kFree || exchange.state == State::kQueued) continue;
    if (now >= exchange.due) on_due(exchange, now, effects);
    if (exchange.state != State::kFree) due_ = std::min(due_, exchange.due);
  }
  start_queued(now, effects);
}

void ClientSession::on_due(Exchange& exchange, Instant now, session::Effects& effects) {
  if (exchange.state == State::kObserving) {  // RFC 7641 §3.3.1
    exchange.due = kNever;
    exchange.state = State::kQueued;
    begin_again(exchange);
    queue_.push_back(exchange.index);
    return;
  }
  if (exchange.state == State::kSent && exchange.type == Type::kCon &&
      exchange.timer.repeat(settings_.transmission, now)) {
    exchange.due = exchange.timer.deadline();
    transmit(effects.datagrams(), exchange.datagram);
    return;
  }
  // RFC 7967 §2.1: silence is success where success is to be silent and the request has arrived,
  // or, Non-confirmable, may have.
  const bool silent = (exchange.no_response & kNoSuccess) != 0 &&
                      (exchange.type == Type::kNon || exchange.state == State::kWaiting);
  if (!silent && exchange.state == State::kSent && exchange.type == Type::kNon) {
    const Instant sent_at = exchange.due - settings_.response_timeout;
    probe_at_ = std::max(probe_at_,
                         sent_at + std::chrono::seconds{exchange.datagram.size() / kProbingRate});
  }
  finish(exchange, silent ? model::Reason::kOk : model::Reason::kTimeout, code::kEmpty, nullptr,
         now, effects);
}

void ClientSession::on_close(model::Reason reason, Instant now, session::Effects& effects) {
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    Exchange& exchange = *exchanges_[i];
    if (exchange.state != State::kFree) {
      finish(exchange, reason, code::kEmpty, nullptr, now, effects);
    }
  }
  queue_.clear();
  queue_begin_ = 0;
  due_ = kNever;
}

}  // namespace hermod::coap
