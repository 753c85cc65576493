// SPDX-License-Identifier: Apache-2.0
// Observations of a client (RFC 7641 §3): which notifications are newer, when to register again,
// and values of which a notification brings only the first block (RFC 7959 §2.6).
//
//   notification, block 0 of n --> fetch: GET block 1 ... n-1 with another token --> Publish
//                                    |  a newer notification: that one's blocks instead
#include <algorithm>
#include <utility>

#include "client_exchange.hpp"
#include "hermod/base/hash.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/client_session.hpp"

namespace hermod::coap {

using State = ClientExchange::State;

namespace {

// What one observation remembers and fetches at a time, at most.
constexpr std::size_t kOthersMax = 1024;
constexpr std::uint16_t kFetchesMax = 8;

std::vector<std::string> location_of(Options options) {
  std::vector<std::string> segments;
  for (const OptionView& option : options) {
    if (option.number == OptionNumber::kLocationPath) {
      segments.emplace_back(as_text(option.value));
    }
  }
  return segments;
}

// Options of a request, with another path.
std::vector<std::uint8_t> with_path(Bytes encoded, std::span<const std::string> path) {
  std::size_t size = encoded.size();
  for (const std::string& segment : path) size += kOptionOverheadMax + segment.size();
  std::vector<std::uint8_t> out(size + kOptionOverheadMax);
  BodyWriter body(out.data());
  bool written = false;
  const auto write_path = [&] {
    if (std::exchange(written, true)) return;
    for (const std::string& segment : path) body.option(OptionNumber::kUriPath, segment);
  };
  for (const OptionView& option : Options{encoded}) {
    if (option.number >= OptionNumber::kUriPath) write_path();
    if (option.number != OptionNumber::kUriPath) body.option(option.number, option.value);
  }
  write_path();
  out.resize(static_cast<std::size_t>(body.position() - out.data()));
  return out;
}

}  // namespace

bool ClientSession::cancel(session::Ticket ticket, Instant now, session::Effects& effects) {
  for (const auto& exchange : exchanges_) {
    if (exchange->state == State::kFree || !exchange->observe || exchange->ticket != ticket ||
        exchange->cancelling) {
      continue;
    }
    stop_fetches(*exchange);
    exchange->cancelling = true;  // RFC 7641 §3.6: the registration again, with Observe 1
    release(*exchange);
    begin_again(*exchange);
    exchange->state = State::kQueued;
    queue_.push_back(exchange->index);
    start_queued(now, effects);
    return true;
  }
  return false;
}

void ClientSession::on_observe_response(Exchange& exchange, const MessageView& message,
                                        const ResponseOptions& options, Instant now,
                                        session::Effects& effects) {
  const bool part = options.block2 && options.block2->more;
  const Value value{.payload = message.payload,
                    .etag = options.etag,
                    .format = options.format,
                    .type = message.type};
  if (!message.code.is_success() || !options.observe) {
    // an error ends the observation (RFC 7641 §3.2); without Observe there is none (§3.1)
    const model::Reason reason =
        message.code.is_success() ? model::Reason::kNotSupported : to_reason(message.code);
    told_.push_back({exchange.ticket, message.options});
    const model::Message* last =
        message.payload.empty() || part ? nullptr : &keep(exchange.observed.topic, value, now);
    finish(exchange, reason, message.code, last, now, effects);
    return;
  }
  const Notified notified{.sequence = *options.observe,
                          .first = !exchange.registered,
                          .is_reply = message.type == Type::kAck,
                          .type = message.type};
  // While a registration is renewed, other notifications still come.
  if (notified.is_reply || exchange.type == Type::kNon || exchange.state != State::kSent ||
      notified.first) {
    release(exchange);
    exchange.state = State::kObserving;
  }
  const std::vector<std::string> location = location_of(message.options);
  ObservedState& observed =
      state_of(exchange, location.empty() ? std::string() : name_of_path(location));
  const bool fresh = observed.order.accept(*options.observe, now);
  if (notified.first) {
    exchange.registered = true;
    told_.push_back({exchange.ticket, message.options});
    effects.push(session::Completed{.ticket = exchange.ticket, .code = message.code.value});
  }
  if (exchange.state == State::kObserving && (fresh || notified.is_reply)) {
    // RFC 7641 §3.3.1: registers again when the value has been stale for 5 to 15 s
    exchange.due = now + std::chrono::seconds{options.max_age_s} + std::chrono::seconds{5} +
                   Duration{static_cast<Duration::rep>(rng_.below(10'000'000'000u))};
    due_ = std::min(due_, exchange.due);
  }
  if (!fresh) return;
  if (part) return fetch_rest(exchange, observed, message, options, notified, now, effects);
  stop_fetches(exchange, observed.topic);
  show(exchange, observed, value, message.options, notified, now, effects);
}

/// What is known of the resource `topic` of an observation; empty: of the one that was asked for.
ObservedState& ClientSession::state_of(Exchange& exchange, std::string_view topic) {
  if (topic.empty() || topic == exchange.observed.topic) return exchange.observed;
  std::list<ObservedState>& others = exchange.others;
  const auto known = std::ranges::find(others, topic, &ObservedState::topic);
  if (known != others.end()) return *known;
  if (others.size() >= kOthersMax) others.pop_front();
  others.push_back({.topic = std::string(topic)});
  return others.back();
}

/// Publishes a value that has come whole, unless it was shown already.
void ClientSession::show(Exchange& exchange, ObservedState& observed, const Value& value,
                         Options options, const Notified& notified, Instant now,
                         session::Effects& effects) {
  // The registration's own response shows what is there: nothing, or what was already shown.
  const std::uint64_t hash = keyed_hash(as_text(value.payload), 0);
  // A server may repeat a notification after long silence (RFC 7641 §4.5), with its own number.
  const bool repeated = observed.last_sequence == notified.sequence && hash == observed.last_value;
  const bool known =
      repeated ||
      (notified.is_reply && (notified.first ? value.payload.empty() : hash == observed.last_value));
  observed.last_sequence = notified.sequence;
  observed.last_value = hash;
  observed.last_etag = EntityTag(value.etag);
  if (known) return;
  told_.push_back({exchange.ticket, options});
  model::Message message = keep(observed.topic, value, now);
  message.retain = notified.first;
  effects.publish(message, exchange.ticket);
}

/// RFC 7959 §2.6: the other blocks, by requests without Observe and with another token.
void ClientSession::fetch_rest(Exchange& exchange, ObservedState& observed,
                               const MessageView& message, const ResponseOptions& options,
                               const Notified& notified, Instant now, session::Effects& effects) {
  if (notified.is_reply && !notified.first && !options.etag.empty() &&
      EntityTag(options.etag) == observed.last_etag) {
    observed.last_sequence = notified.sequence;  // renewed: nothing new
    return;
  }
  stop_fetches(exchange, observed.topic);
  if (exchange.fetches >= kFetchesMax) stop_fetches(exchange);
  ++exchange.fetches;
  Exchange& fetch = take();
  fetch.outcome = Exchange::Outcome::kFetch;
  fetch.type = exchange.type;
  fetch.method = exchange.method;
  const std::vector<std::string> location = location_of(message.options);
  fetch.options = location.empty() ? exchange.options : with_path(exchange.options, location);
  fetch.body = exchange.body;
  fetch.sending = exchange.sending;
  fetch.observation = exchange.index;
  fetch.notified = notified;
  fetch.observed.topic = observed.topic;
  on_block2(fetch, message, options, now, effects);
}

/// Ends the fetches of an observation, or of one of its resources.
void ClientSession::stop_fetches(Exchange& exchange, std::string_view topic) {
  for (std::size_t i = 0; exchange.fetches > 0 && i < exchanges_.size(); ++i) {
    Exchange& fetch = *exchanges_[i];
    if (fetch.state == State::kFree || fetch.outcome != Exchange::Outcome::kFetch ||
        fetch.observation != exchange.index || (!topic.empty() && fetch.observed.topic != topic)) {
      continue;
    }
    --exchange.fetches;
    release(fetch);
    fetch.state = State::kFree;
    over_.push_back(fetch.index);
  }
}

void ClientSession::on_fetched(Exchange& fetch, Instant now, session::Effects& effects) {
  Exchange& exchange = *exchanges_[fetch.observation];
  ObservedState& observed = state_of(exchange, fetch.observed.topic);
  const BodyAssembly& body = fetch.assembly;
  stop_fetches(exchange, fetch.observed.topic);  // what it holds lives until the next input
  // The value of the notification is gone, and what is there was shown before.
  if (body.restarts > 0 && !body.etag.empty() && body.etag == observed.last_etag) return;
  const Value value{.payload = body.octets,
                    .etag = body.etag.bytes(),
                    .format = body.format,
                    .type = fetch.notified.type};
  show(exchange, observed, value, Options{body.options}, fetch.notified, now, effects);
}

/// What cannot be shown ends the observation; what may go better next time is asked for again by
/// renewing it.
void ClientSession::on_fetch_failed(Exchange& fetch, model::Reason reason, Instant now,
                                    session::Effects& effects) {
  Exchange& exchange = *exchanges_[fetch.observation];
  --exchange.fetches;
  if (reason == model::Reason::kTooLarge || reason == model::Reason::kProtocolError) {
    return finish(exchange, reason, code::kEmpty, nullptr, now, effects);
  }
  if (exchange.state != State::kObserving) return;
  exchange.due = now + settings_.transmission.ack_timeout;
  due_ = std::min(due_, exchange.due);
}

}  // namespace hermod::coap
