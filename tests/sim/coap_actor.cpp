// SPDX-License-Identifier: Apache-2.0
// The message layer of a simulated CoAP client (RFC 7252 §4).
#include "coap_actor.hpp"

#include <algorithm>
#include <cstring>

#include "hermod/base/hash.hpp"

namespace hermod::sim {

using coap::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr transport::Token kSocket = 1;
// RFC 7252 §4.8
constexpr Duration kAckTimeout = seconds{2};
constexpr unsigned kMaxRetransmit = 4;
constexpr Duration kMaxTransmitSpan = seconds{45};
// Beyond what the specification allows: an answer that never comes is told from a late one.
constexpr Duration kLastWait = seconds{120};
constexpr Duration kSeparateWait = seconds{247};
constexpr std::size_t kOpenMax = 4;

}  // namespace

CoapActor::CoapActor(World& world, Ledger& ledger, Jury& jury, CoapJury& coap_jury, CoapPlan plan,
                     std::uint64_t seed)
    : world_(world),
      ledger_(ledger),
      jury_(jury),
      coap_jury_(coap_jury),
      plan_(std::move(plan)),
      rng_(seed),
      saboteur_(world.options().sabotage, ledger),
      poller_(world.network()) {
  open_socket();
  world.add(*this);
}

// --- Task ---

Instant CoapActor::due() const {
  if (frozen_until_ > world_.now()) return frozen_until_;
  if (kick_ || poller_.ready()) return Instant{};
  return next_due_;
}

// When time alone gives it something to do.
Instant CoapActor::find_next_due() const {
  Instant due = kNever;
  for (const Exchange* exchange : open_) due = std::min(due, exchange->due);
  for (const auto& [token, observation] : observations_) {
    if (observation.state == Observation::State::kActive) {
      due = std::min(due, observation.fresh_until);
    }
  }
  return due;
}

void CoapActor::run(Instant now) {
  if (frozen_until_ > now) return;
  kick_ = false;
  (void)poller_.wait(Duration::zero());
  receive(now);
  repeat_due(now);
  renew_stale(now);
  start_planned(now);
  socket_->flush();
  next_due_ = find_next_due();
}

void CoapActor::open_socket() {
  socket_ = std::move(world_.network().bind(*transport::Address::literal("127.0.0.1", 0)).value());
  (void)poller_.add(*socket_, kSocket);
  producer_ = coap_jury_.new_producer();
  next_id_ = static_cast<std::uint16_t>(rng_.next());
  world_.trace().note(world_.now(), "bind", {{"client", producer_}});
  world_.trace().remark("{} is producer {} at {}, served by shard {}", plan_.name, producer_,
                        socket_->local().to_text(), world_.shard_of(socket_->local()));
}

// --- in ---

void CoapActor::receive(Instant now) {
  while (true) {
    const auto batch = socket_->receive();
    const std::size_t count = batch.size();
    for (const transport::Datagram& datagram : batch) {
      ++received_;
      check_amplification(datagram.bytes.size());
      if (datagram.from != world_.coap_address()) {
        object("a datagram from {}", datagram.from.to_text());
      } else if (const auto message = read_message(datagram.bytes)) {
        pass(*message, now);
      } else {
        object("a malformed datagram of {} octets", datagram.bytes.size());
      }
    }
    if (count < transport::DatagramSocket::kBatch) return;
  }
}

// Lets the saboteur have it first.
void CoapActor::pass(const CoapMessage& message, Instant now) {
  CoapSaboteur::Subject subject{.calm = world_.is_calm()};
  const Exchange* exchange =
      message.type == Type::kAck ? find_id(message.id) : find_token(message.token);
  if (exchange != nullptr) {
    subject.topic = exchange->request.topic;
    subject.answers_get = exchange->request.aim == Aim::kGet;
    subject.answers_change = exchange->publication.has_value() && !message.code.is_empty();
  }
  subject.over = std::ranges::any_of(observations_, [&](const auto& entry) {
    return entry.second.state == Observation::State::kCancelled && is_late(entry.second, now);
  });
  const std::vector<CoapMessage> heard = saboteur_.pass(message, subject);
  for (const CoapMessage& each : heard) hear(each, now);
  if (heard.empty() && message.type == Type::kCon) answer(Type::kAck, message);
}

void CoapActor::hear(const CoapMessage& message, Instant now) {
  world_.trace().note(now, "heard",
                      {{"client", producer_},
                       {"type", static_cast<std::uint64_t>(message.type)},
                       {"code", message.code.value},
                       {"id", message.id},
                       {"observe", message.observe.value_or(0)},
                       {"size", message.payload.size()}});
  switch (message.type) {
    case Type::kAck:
      return on_acknowledgement(message, now);
    case Type::kRst:
      return object("a Reset for message {}", message.id);
    case Type::kCon:
    case Type::kNon:
      break;
  }
  if (message.code.is_empty()) {  // a ping (RFC 7252 §4.3)
    ++counts_.pinged;
    return answer(Type::kRst, message);
  }
  if (!message.code.is_response()) {
    return object("{} from the broker", to_string(message.code));
  }
  on_message(message, now);
}

void CoapActor::on_acknowledgement(const CoapMessage& message, Instant now) {
  Exchange* exchange = find_id(message.id);
  if (exchange == nullptr || !exchange->request.confirmable) {
    return object("an Acknowledgement of message {}, which nobody sent", message.id);
  }
  if (message.code.is_empty()) {
    if (!exchange->open || exchange->acknowledged) return;
    exchange->acknowledged = true;
    exchange->due = now + kSeparateWait;
    return;
  }
  if (message.token != exchange->token) {  // RFC 7252 §5.3.2
    return object("a response to message {} with another token", message.id);
  }
  on_response(*exchange, message, true, now);
}

// A response of its own, or a notification.
void CoapActor::on_message(const CoapMessage& message, Instant now) {
  const Octets whole = encode(message);
  const std::pair key{message.id, keyed_hash(as_text(whole), 0)};
  if (const auto seen = seen_.find(key); seen != seen_.end()) {  // RFC 7252 §4.5
    ++counts_.duplicates;
    if (message.type == Type::kCon) answer(seen->second, message);
    return;
  }
  const bool notifies = message.observe && message.type == Type::kNon;
  if (notifies && loses_unconfirmed_ && chance(rng_, 500)) return;  // as the network might
  Type reply = Type::kAck;
  // The response to a renewal that a notification seemed to answer.
  const auto refuses = [&](const Exchange& exchange) {
    return exchange.request.aim == Aim::kRegister && !message.observe &&
           (!exchange.request.confirmable || exchange.acknowledged);
  };
  const auto observation = observations_.find(message.token);
  Exchange* exchange = find_token(message.token);
  if (exchange == nullptr && observation == observations_.end()) {
    object("token nobody used, in a {} message", to_string(message.code));
    reply = Type::kRst;
  } else if (exchange != nullptr &&
             ((exchange->open && exchange->request.aim != Aim::kCancel) || refuses(*exchange))) {
    on_response(*exchange, message, false, now);
  } else if (observation == observations_.end()) {
    on_response(*exchange, message, false, now);
  } else if (observation->second.state == Observation::State::kActive ||
             observation->second.state == Observation::State::kRegistering) {
    on_notification(observation->second, message, now);
  } else if (exchange != nullptr && exchange->open && !message.observe) {
    on_response(*exchange, message, false, now);
  } else {
    on_stray(observation->second, message, now);
    if (message.observe) reply = Type::kRst;  // RFC 7641 §3.6
  }
  seen_.emplace(key, reply);
  // A Reset rejects a Non-confirmable message too.
  if (message.type == Type::kCon || reply == Type::kRst) answer(reply, message);
}

void CoapActor::answer(Type type, const CoapMessage& message) {
  world_.trace().note(world_.now(), type == Type::kAck ? "ack" : "rst",
                      {{"client", producer_}, {"id", message.id}});
  if (message.type == Type::kCon) proven_ = true;
  send(encode_empty(type, message.id));
}

CoapActor::Exchange* CoapActor::find_id(std::uint16_t id) {
  for (auto at = exchanges_.rbegin(); at != exchanges_.rend(); ++at) {
    if ((*at)->id == id) return at->get();
  }
  return nullptr;
}

// The newest one: an observation's token is used again.
CoapActor::Exchange* CoapActor::find_token(const std::string& token) {
  for (auto at = exchanges_.rbegin(); at != exchanges_.rend(); ++at) {
    if ((*at)->token == token) return at->get();
  }
  return nullptr;
}

// --- out ---

void CoapActor::send(const Octets& datagram) {
  octets_out_ += datagram.size();
  std::memcpy(socket_->reserve(datagram.size()), datagram.data(), datagram.size());
  socket_->commit(datagram.size(), world_.coap_address());
}

void CoapActor::plan(Request request) {
  planned_.push_back(std::move(request));
  kick_ = true;
}

// NSTART is 1 (RFC 7252 §4.7), and what is said about one topic is said in order.
bool CoapActor::may_start(const Request& request) const {
  if (open_.size() >= kOpenMax) return false;
  return std::ranges::none_of(open_, [&](const Exchange* exchange) {
    return (request.confirmable && exchange->request.confirmable) ||
           exchange->request.topic == request.topic;
  });
}

void CoapActor::start_planned(Instant now) {
  while (!planned_.empty() && may_start(planned_.front())) {
    const Request request = std::move(planned_.front());
    planned_.pop_front();
    start(request, now);
  }
}

void CoapActor::start(const Request& request, Instant now) {
  if (request.aim == Aim::kRegister && !request.token.empty()) {  // has it ended meanwhile?
    const auto found = observations_.find(request.token);
    if (found == observations_.end() || found->second.state != Observation::State::kActive) return;
  }
  Exchange& exchange = add_exchange(request, request.aim == Aim::kFetch ? "" : request.token);
  if (request.aim == Aim::kFetch && !start_fetch(exchange)) {
    exchanges_.pop_back();
    return;
  }
  choose_blocks(exchange);
  transmit(exchange, now);
}

// A new message of a request; without a token it gets one of its own.
CoapActor::Exchange& CoapActor::add_exchange(const Request& request, std::string token) {
  Exchange& exchange = *exchanges_.emplace_back(std::make_unique<Exchange>());
  exchange.request = request;
  exchange.id = next_id_++;
  exchange.token = std::move(token);
  if (exchange.token.empty()) {
    ++next_token_;
    const std::uint64_t text = next_token_ << 16 | producer_;
    exchange.token.resize(between(rng_, 5, 8));
    for (std::size_t i = 0; i < exchange.token.size(); ++i) {
      exchange.token[i] = static_cast<char>(text >> (8 * i));
    }
  }
  return exchange;
}

void CoapActor::transmit(Exchange& exchange, Instant now) {
  const Request& request = exchange.request;
  exchange.begun = world_.moment();
  // A broker that was asleep gives up what it had to repeat meanwhile.
  const Options& options = world_.options();
  exchange.reliable =
      world_.is_calm() || (options.network.loss_permille == 0 && options.pauses == 0);
  exchange.datagram = encode(compose(exchange));
  if (request.confirmable) {  // RFC 7252 §4.2
    exchange.timeout = between(rng_, kAckTimeout, kAckTimeout * 3 / 2);
    exchange.due = now + exchange.timeout;
  } else {
    exchange.due = now + patience();
  }
  open_.push_back(&exchange);
  world_.trace().note(now, "request",
                      {{"client", producer_},
                       {"aim", static_cast<std::uint64_t>(request.aim)},
                       {"topic", request.topic},
                       {"id", exchange.id},
                       {"block", exchange.block ? exchange.block->value() : 0},
                       {"confirmable", request.confirmable}});
  send(exchange.datagram);
  if (const auto more = saboteur_.beside(exchange.datagram)) send(*more);
}

CoapMessage CoapActor::compose(Exchange& exchange) {
  const Request& request = exchange.request;
  CoapMessage message{.type = request.confirmable ? Type::kCon : Type::kNon,
                      .code = coap::code::kGet,
                      .id = exchange.id,
                      .token = exchange.token,
                      .topic = ledger_.topics()[request.topic].name,
                      .echo = exchange.echo};
  if (!exchange.echo.empty()) proven_ = true;
  if (request.aim == Aim::kPut || request.aim == Aim::kDelete) {
    compose_change(exchange, message);
    return message;
  }
  message.block2 = exchange.block;
  if (request.aim == Aim::kRegister) {
    message.observe = 0;
    const auto [at, fresh] = observations_.try_emplace(
        exchange.token, Observation{.observer = {fmt::format("{} (producer {}) observing '{}'",
                                                             plan_.name, producer_, message.topic),
                                                 request.topic, ledger_, world_.trace()}});
    at->second.fresh_until = kNever;
  } else if (request.aim == Aim::kCancel) {
    message.observe = 1;
  } else if (const auto known = etags_.find(request.topic);
             known != etags_.end() && (!exchange.block || exchange.block->number == 0)) {
    message.etags.push_back(known->second.first);
    exchange.etags.insert(known->second);
  }
  return message;
}

// How long a Non-confirmable request is waited for. What comes later is still understood.
Duration CoapActor::patience() const {
  const transport::MemoryOptions& network = world_.options().network;
  return (network.datagram_delay_max + network.reorder_delay) * 2 + seconds{5};
}

void CoapActor::repeat_due(Instant now) {
  const std::vector<Exchange*> open = open_;
  for (Exchange* exchange : open) {
    if (exchange->open && exchange->due <= now) repeat(*exchange, now);
  }
}

void CoapActor::repeat(Exchange& exchange, Instant now) {
  const bool waits = exchange.request.confirmable && !exchange.acknowledged;
  if (waits && exchange.repeats < kMaxRetransmit && now - exchange.begun <= kMaxTransmitSpan) {
    ++exchange.repeats;
    ++counts_.repeated;
    exchange.timeout *= 2;
    exchange.due = now + exchange.timeout;
    world_.trace().note(now, "again", {{"client", producer_}, {"id", exchange.id}});
    send(exchange.datagram);
    return;
  }
  if (!exchange.patient && exchange.request.confirmable) {
    exchange.patient = true;
    exchange.due = now + kLastWait;
    return;
  }
  give_up(exchange, now);
}

void CoapActor::close(Exchange& exchange) {
  if (!exchange.open) return;
  exchange.open = false;
  std::erase(open_, &exchange);
  kick_ = true;
}

void CoapActor::give_up(Exchange& exchange, Instant now) {
  world_.trace().note(now, "unanswered", {{"client", producer_}, {"id", exchange.id}});
  close(exchange);
  exchange.given_up = true;
  ++counts_.given_up;
  if (exchange.reliable && exchange.request.confirmable) {
    return object("no answer to message {} about '{}'", exchange.id,
                  ledger_.topics()[exchange.request.topic].name);
  }
  if (exchange.request.aim == Aim::kFetch) return end_fetch(exchange);
  if (exchange.request.aim != Aim::kRegister) return;
  Observation& observation = observations_.at(exchange.token);
  if (observation.state == Observation::State::kRegistering) {
    observation.state = Observation::State::kForgotten;  // whatever comes is rejected
  } else if (observation.state == Observation::State::kActive) {
    observation.fresh_until = now;  // it may be gone: ask again
  }
}

std::string CoapActor::state() const {
  return fmt::format("{} (producer {}): {} planned, {} open, observes {}", plan_.name, producer_,
                     planned_.size(), open_.size(), observing());
}

}  // namespace hermod::sim
