// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/client_session.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "hermod/base/hash.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/resources.hpp"

namespace hermod::coap {
namespace {

std::size_t size_max(const ClientRequest& request) {
  // Observe, Content-Format, Max-Age, Accept
  constexpr std::size_t kFixedMax = 2 + 4 + 6 + 4;
  std::size_t size = head_size(kTokenSizeUsual) + kFixedMax + payload_size(request.payload.size());
  size += request.uri_host.empty() ? 0 : kOptionOverheadMax + request.uri_host.size();
  for (const auto parts : {request.path, request.query}) {
    for (const std::string& part : parts) size += kOptionOverheadMax + part.size();
  }
  return size;
}

std::string name_of(std::span<const std::string> path) {
  if (auto topic = topic_of_path(path)) return *std::move(topic);
  std::string text;
  for (const std::string& segment : path) text += '/' + segment;
  return text;
}

}  // namespace

ClientSession::ClientSession(const ClientSettings& settings, Rng& rng)
    : settings_(settings), rng_(rng), message_ids_(rng) {}

void ClientSession::on_open(Instant, session::Effects& effects) {
  effects.credit(settings_.transmission.nstart);
}

void ClientSession::on_answers(std::span<const session::Answer>, Instant, session::Effects&) {}

// --- requests ---

bool ClientSession::request(const ClientRequest& request, session::Ticket ticket, Instant now,
                            session::Effects& effects) {
  Exchange* exchange = start(request, now, effects);
  if (exchange == nullptr) return false;
  exchange->ticket = ticket;
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
    Exchange* exchange = start(request, now, effects);
    if (exchange != nullptr) {
      exchange->outcome = settled ? Outcome::kSettle : Outcome::kSilent;
      exchange->tag = tag;
    } else if (settled) {
      effects.push(session::Settle{tag, tag, model::Outcome::kReject, 1});
    }
  }
}

ClientSession::Exchange* ClientSession::start(const ClientRequest& request, Instant now,
                                              session::Effects& effects) {
  if (size_max(request) > settings_.datagram_bytes_max) return nullptr;
  Exchange* exchange = take();
  if (exchange == nullptr) return nullptr;
  exchange->observe = request.observe;
  exchange->type = request.confirmable ? Type::kCon : Type::kNon;
  if (request.method == code::kGet) exchange->topic = name_of(request.path);
  encode(*exchange, request);
  queue_.push_back(exchange->index);
  start_queued(now, effects);
  return exchange;
}

bool ClientSession::full() const {
  return free_.empty() &&
         exchanges_.size() >= std::min<std::size_t>(settings_.requests_max, 0xffff);
}

ClientSession::Exchange* ClientSession::take() {
  if (full()) return nullptr;
  if (free_.empty()) {
    exchanges_.push_back(std::make_unique<Exchange>());
    exchanges_.back()->index = static_cast<std::uint16_t>(exchanges_.size() - 1);
    free_.push_back(exchanges_.back()->index);
  }
  Exchange& exchange = *exchanges_[free_.back()];
  free_.pop_back();
  exchange.state = State::kQueued;
  // RFC 7252 §5.3.1: 48 random bits; the rest finds the exchange again.
  std::array<std::uint8_t, kTokenSizeUsual> token{};
  const std::uint64_t random = rng_.next();
  std::memcpy(token.data(), &random, token.size());
  std::memcpy(token.data(), &exchange.index, sizeof(exchange.index));
  exchange.token = Token{token};
  return &exchange;
}

void ClientSession::encode(Exchange& exchange, const ClientRequest& request) {
  using enum OptionNumber;
  exchange.datagram.resize(size_max(request));
  BodyWriter body(write_head(exchange.datagram.data(), exchange.type, request.method, 0,
                             exchange.token.bytes()));
  if (!request.uri_host.empty()) body.option(kUriHost, request.uri_host);
  exchange.observe_at = static_cast<std::uint16_t>(body.position() - exchange.datagram.data());
  if (request.observe) body.uint_option(kObserve, kObserveRegister);
  for (const std::string& segment : request.path) body.option(kUriPath, segment);
  if (request.content_format) {
    body.uint_option(kContentFormat, static_cast<std::uint32_t>(*request.content_format));
  }
  if (request.max_age_s) body.uint_option(kMaxAge, *request.max_age_s);
  for (const std::string& argument : request.query) body.option(kUriQuery, argument);
  if (request.accept) body.uint_option(kAccept, static_cast<std::uint32_t>(*request.accept));
  body.payload(request.payload);
  exchange.datagram.resize(static_cast<std::size_t>(body.position() - exchange.datagram.data()));
}

// RFC 7252 §4.7: no more than NSTART outstanding interactions.
void ClientSession::start_queued(Instant now, session::Effects& effects) {
  while (queue_begin_ < queue_.size() && unanswered_ < settings_.transmission.nstart) {
    Exchange& exchange = *exchanges_[queue_[queue_begin_++]];
    if (exchange.state == State::kQueued) send(exchange, now, effects);
  }
  if (queue_begin_ == queue_.size()) {
    queue_.clear();
    queue_begin_ = 0;
  }
}

// Sends the datagram as a new message.
void ClientSession::send(Exchange& exchange, Instant now, session::Effects& effects) {
  exchange.message_id = message_ids_.next();
  exchange.datagram[2] = static_cast<std::uint8_t>(exchange.message_id >> 8);
  exchange.datagram[3] = static_cast<std::uint8_t>(exchange.message_id);
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
}

bool ClientSession::cancel(session::Ticket ticket, Instant now, session::Effects& effects) {
  for (const auto& exchange : exchanges_) {
    if (exchange->state == State::kFree || !exchange->observe || exchange->ticket != ticket ||
        exchange->cancelling) {
      continue;
    }
    exchange->cancelling = true;
    if (exchange->state == State::kSent) --unanswered_;
    // RFC 7641 §3.6: the registration again, with Observe 1: an option of one octet instead of none
    const auto at = exchange->datagram.begin() + exchange->observe_at;
    *at |= 1;
    exchange->datagram.insert(at + 1, static_cast<std::uint8_t>(kObserveDeregister));
    exchange->state = State::kQueued;
    queue_.push_back(exchange->index);
    start_queued(now, effects);
    return true;
  }
  return false;
}

void ClientSession::finish(Exchange& exchange, model::Reason reason, Code code,
                           const model::Message* value, session::Effects& effects) {
  if (exchange.state == State::kSent) --unanswered_;
  if (exchange.outcome == Outcome::kComplete) {
    effects.push(session::Completed{
        .ticket = exchange.ticket, .reason = reason, .code = code.value, .value = value});
  } else if (exchange.outcome == Outcome::kSettle) {
    const auto outcome = reason == model::Reason::kOk        ? model::Outcome::kAccept
                         : reason == model::Reason::kTimeout ? model::Outcome::kRelease
                                                             : model::Outcome::kReject;
    effects.push(session::Settle{exchange.tag, exchange.tag, outcome, 1});
  }
  exchange.state = State::kFree;
  over_.push_back(exchange.index);
}

// What ended with an earlier input can be used again.
void ClientSession::recycle() {
  for (const std::uint16_t index : over_) {
    Exchange& exchange = *exchanges_[index];
    std::vector<std::uint8_t> memory = std::move(exchange.datagram);
    exchange = Exchange{.index = index, .datagram = std::move(memory)};
    free_.push_back(index);
  }
  over_.clear();
}

// --- responses ---

ClientSession::Exchange* ClientSession::find(Bytes token) {
  std::uint16_t index = 0;
  if (token.size() != kTokenSizeUsual) return nullptr;
  std::memcpy(&index, token.data(), sizeof(index));
  if (index >= exchanges_.size()) return nullptr;
  Exchange* exchange = exchanges_[index].get();
  const bool waits = exchange->state != State::kFree &&
                     (exchange->state != State::kQueued || exchange->registered);
  return waits && exchange->token == Token{token} ? exchange : nullptr;
}

ClientSession::Exchange* ClientSession::find_sent(std::uint16_t message_id) {
  for (const auto& exchange : exchanges_) {
    if (exchange->state == State::kSent && exchange->message_id == message_id) {
      return exchange.get();
    }
  }
  return nullptr;
}

ClientSession::ResponseOptions ClientSession::read_options(const MessageView& message) {
  ResponseOptions options;
  for (const OptionView& option : message.options) {
    const OptionRule* rule = find_rule(option.number);
    if (is_critical(option.number)) options.critical = true;  // no response option known is
    if (rule == nullptr || !rule->allows_length(option.value.size())) continue;
    switch (option.number) {
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
      default:
        break;
    }
  }
  return options;
}

// RFC 7252 §4.2, §4.3.
void ClientSession::reject(const MessageView& message, session::Effects& effects) {
  if (message.type != Type::kCon && message.type != Type::kNon) return;
  std::array<std::uint8_t, kHeaderSize> reset{};
  (void)write_head(reset.data(), Type::kRst, code::kEmpty, message.message_id, {});
  transmit(effects.datagrams(), reset);
}

void ClientSession::on_datagram(Bytes datagram, Instant now, session::Effects& effects) {
  recycle();
  const WireResult<MessageView> message = decode(datagram);
  if (!message) {
    const std::optional<Header> header = read_header(datagram);
    if (header && header->version == kVersion && header->type == Type::kCon) {
      reject({.type = Type::kCon, .message_id = header->message_id}, effects);
    }
    return;
  }
  if (!fits(message->type, message->code)) return reject(*message, effects);
  if (message->type == Type::kRst) {
    if (Exchange* exchange = find_sent(message->message_id)) {
      finish(*exchange, model::Reason::kProtocolError, code::kEmpty, nullptr, effects);
    }
  } else if (message->type == Type::kAck) {
    if (message->code.is_empty()) {
      if (Exchange* exchange = find_sent(message->message_id)) {  // RFC 7252 §5.2.2
        answered(*exchange);
        exchange->due = now + settings_.response_timeout;
        due_ = std::min(due_, exchange->due);
      }
    } else if (Exchange* exchange = find(message->token);  // RFC 7252 §5.3.2: both must match
               exchange != nullptr && exchange->state == State::kSent &&
               exchange->message_id == message->message_id) {
      const ResponseOptions options = read_options(*message);
      if (!options.critical) on_response(*exchange, *message, options, now, effects);
    }
  } else if (message->code.is_response()) {
    on_separate(*message, now, effects);
  } else {
    reject(*message, effects);
  }
  start_queued(now, effects);
}

void ClientSession::answered(Exchange& exchange) {
  if (exchange.state == State::kSent) --unanswered_;
  exchange.state = State::kWaiting;
}

// A response in a message of its own: separate, to a Non-confirmable request, or a notification.
void ClientSession::on_separate(const MessageView& message, Instant now,
                                session::Effects& effects) {
  Exchange* exchange = find(message.token);
  const bool confirmable = message.type == Type::kCon;
  const bool repeated =
      confirmable && std::ranges::find(recent_, message.message_id) != recent_.end();
  const ResponseOptions options = read_options(message);
  if ((exchange == nullptr && !repeated) || options.critical) {
    return reject(message, effects);  // RFC 7252 §5.3.2; RFC 7641 §3.6 ends what was forgotten
  }
  if (confirmable) {
    std::array<std::uint8_t, kHeaderSize> acknowledgement{};
    (void)write_head(acknowledgement.data(), Type::kAck, code::kEmpty, message.message_id, {});
    transmit(effects.datagrams(), acknowledgement);
    if (repeated) return;
    if (recent_.size() < kRecentKept) recent_.resize(recent_.size() + 1);
    recent_[next_recent_++ % kRecentKept] = message.message_id;
  }
  on_response(*exchange, message, options, now, effects);
}

void ClientSession::on_response(Exchange& exchange, const MessageView& message,
                                const ResponseOptions& options, Instant now,
                                session::Effects& effects) {
  const bool is_reply = message.type == Type::kAck;
  if (exchange.cancelling) {
    // what is still on its way is not wanted any more
    if (options.observe || exchange.state == State::kQueued) return;
    finish(exchange, model::Reason::kOk, message.code, nullptr, effects);
    return;
  }
  if (exchange.observe) {
    on_observe_response(exchange, message, options, is_reply, now, effects);
    return;
  }
  const model::Message* value =
      message.payload.empty() ? nullptr : &keep(exchange, message, options, now);
  finish(exchange, to_reason(message.code), message.code, value, effects);
}

void ClientSession::on_observe_response(Exchange& exchange, const MessageView& message,
                                        const ResponseOptions& options, bool is_reply, Instant now,
                                        session::Effects& effects) {
  if (!message.code.is_success() || !options.observe) {
    // an error ends the observation (RFC 7641 §3.2); without Observe there is none (§3.1)
    const model::Reason reason =
        message.code.is_success() ? model::Reason::kNotSupported : to_reason(message.code);
    const model::Message* value = message.code.is_success() && !message.payload.empty()
                                      ? &keep(exchange, message, options, now)
                                      : nullptr;
    finish(exchange, reason, message.code, value, effects);
    return;
  }
  // While a registration is renewed, other notifications still come.
  if (is_reply || exchange.type == Type::kNon || exchange.state != State::kSent ||
      !exchange.registered) {
    answered(exchange);
    exchange.state = State::kObserving;
  }
  const bool first = !exchange.registered;
  const bool fresh = exchange.order.accept(*options.observe, now);
  if (first) {
    exchange.registered = true;
    effects.push(session::Completed{.ticket = exchange.ticket, .code = message.code.value});
  }
  if (exchange.state == State::kObserving && (fresh || is_reply)) {
    // RFC 7641 §3.3.1: registers again when the value has been stale for 5 to 15 s
    exchange.due = now + std::chrono::seconds{options.max_age_s} + std::chrono::seconds{5} +
                   Duration{static_cast<Duration::rep>(rng_.below(10'000'000'000u))};
    due_ = std::min(due_, exchange.due);
  }
  if (!fresh) return;
  // The registration's own response shows what is there: nothing, or what was already shown.
  const std::uint64_t hash = keyed_hash(as_text(message.payload), 0);
  // A server may repeat a notification after long silence (RFC 7641 §4.5), with its own number.
  const bool repeated = exchange.last_sequence == *options.observe && hash == exchange.last_value;
  const bool known =
      repeated || (is_reply && (first ? message.payload.empty() : hash == exchange.last_value));
  exchange.last_sequence = options.observe;
  exchange.last_value = hash;
  if (known) return;
  model::Message value = keep(exchange, message, options, now);
  value.retain = first;
  effects.publish(value, 0);
}

const model::Message& ClientSession::keep(const Exchange& exchange, const MessageView& message,
                                          const ResponseOptions& options, Instant now) {
  if (incoming_.size() < kIncomingKept) {
    incoming_.push_back(std::make_unique<Incoming>());
    next_incoming_ = incoming_.size() - 1;
  }
  Incoming& kept = *incoming_[next_incoming_++ % kIncomingKept];
  IncomingValue value{.topic = exchange.topic,
                      .payload = message.payload,
                      .etag = options.etag,
                      .guarantee = to_guarantee(message.type)};
  if (options.format) value.content_type = kept.content_type.emplace(*options.format).text();
  kept.message = to_message(value, now, kept.properties);
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
    queue_.push_back(exchange.index);
    return;
  }
  if (exchange.state == State::kSent && exchange.type == Type::kCon &&
      exchange.timer.repeat(settings_.transmission, now)) {
    exchange.due = exchange.timer.deadline();
    transmit(effects.datagrams(), exchange.datagram);
    return;
  }
  finish(exchange, model::Reason::kTimeout, code::kEmpty, nullptr, effects);
}

void ClientSession::on_close(model::Reason reason, Instant, session::Effects& effects) {
  for (const auto& exchange : exchanges_) {
    if (exchange->state != State::kFree) finish(*exchange, reason, code::kEmpty, nullptr, effects);
  }
  queue_.clear();
  queue_begin_ = 0;
  due_ = kNever;
}

}  // namespace hermod::coap
