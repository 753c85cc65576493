// SPDX-License-Identifier: Apache-2.0
// Observers of an endpoint: when they are told what, and when they are none any more.
#include <algorithm>
#include <chrono>
#include <cstring>

#include "hermod/coap/codec/writer.hpp"
#include "hermod/coap/session/server_endpoint.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::coap {
namespace {

constexpr std::uint32_t kSequencePlaceholder = 0x1'0000;

// A notification begins with the ETag, if it has one, then comes the Observe option, whose three
// octets are set for each observer.
void set_sequence(std::uint8_t* body, std::uint32_t sequence) {
  constexpr std::uint8_t kETagHeader = static_cast<std::uint8_t>(OptionNumber::kETag) << 4;
  std::uint8_t* at = body;
  if ((*at & 0xf0) == kETagHeader) at += 1 + (*at & 0x0f);
  ++at;
  at[0] = static_cast<std::uint8_t>(sequence >> 16);
  at[1] = static_cast<std::uint8_t>(sequence >> 8);
  at[2] = static_cast<std::uint8_t>(sequence);
}

// The segments of an observed resource's path; none where it is empty.
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  for (model::Levels rest(path); !path.empty() && !rest.done();) segments.push_back(rest.next());
  return segments;
}

// The notification of the first `payload` octets of a value of `size` octets. ETag costs more than
// it tells, but where the client has to fetch the rest.
Response notification(Bytes payload, std::size_t size, const EntityTag& etag,
                      std::optional<ContentFormat> format, Instant expires_at,
                      const Settings& settings, Instant now) {
  Response response{.code = code::kContent};
  response.content = {.format = format,
                      .max_age_s = max_age(expires_at, now).value_or(settings.observe_max_age_s),
                      .payload = payload};
  if (payload.size() < size) response.content.etag = etag;
  return response;
}

// Octets of options and payload of a kept value's notification at most.
std::size_t kept_size_max(const Observer& observer) {
  const std::size_t size = body_size_max({.content = {.payload = observer.value.payload}}, {});
  if (!observer.stream) return size;
  // every octet of the path may be a segment
  return size + (1 + observer.stream->location.size()) * (kOptionOverheadMax + 1);
}

}  // namespace

ObserverId ServerEndpoint::observe(const Exchange& exchange, Instant now, bool many) {
  if (!observers_) observers_ = std::make_unique<Observers>();
  ObserverId id = observers_->find(exchange.token);
  if (id == 0) {
    const std::size_t most =
        proven_ ? settings_.observations_max : settings_.observations_unproven_max;
    if (observers_->size() >= most) return 0;
    id = observers_->add(exchange.token, now);
  }
  Observer& observer = (*observers_)[id];
  if (many && !observer.stream) {
    observer.stream = std::make_unique<Stream>(Stream{.share = session::BudgetShare{budget_}});
  }
  observer.size_exponent = size_exponent_for(settings_.block_bytes_max);
  if (exchange.block2) {  // RFC 7959 §2.6: notifications have the size that was asked for
    observer.size_exponent = std::min(observer.size_exponent, exchange.block2->size_exponent);
  }
  return id;
}

// The registration's response is out: notifications may follow. What was offered while the
// registration was under way follows at once, unless the response was as new.
void ServerEndpoint::activate(const Response& response, Instant now, session::Effects& effects) {
  const ObserverId id = response.observer;
  Observer& observer = (*observers_)[id];
  const bool renewed = observer.state == Observer::State::kActive;
  observer.state = Observer::State::kActive;
  observer.confirmed_at = now;
  observer.sent_at = now;
  confirm_due_ = std::min(confirm_due_, confirm_due(observer, settings_));
  if (observer.stream) {
    if (observer.told) return;
    hold(id);
    return notify_waiting(now, effects);
  }
  const KeptValue& kept = observer.value;
  const Representation& content = response.content;
  const bool cleared = renewed && content.payload.empty() && kept.version != 0;
  if (renewed && observer.told && !cleared && kept.version > response.version) return;
  if (!observer.told && !cleared && (kept.version == 0 || kept.version > response.version)) {
    hold(id);
    notify_waiting(now, effects);
    return;
  }
  observer.told = true;
  keep(observer, {.payload = content.payload,
                  .etag = content.etag,
                  .format = content.format,
                  .expires_at = response.expires_at,
                  .version = response.version});
}

void ServerEndpoint::set_confirm_every(ObserverId id, std::uint32_t seconds) {
  Observer& observer = (*observers_)[id];
  observer.confirm_every_s = seconds;
  if (observer.state == Observer::State::kActive) {
    confirm_due_ = std::min(confirm_due_, confirm_due(observer, settings_));
  }
}

void ServerEndpoint::remove_observer(ObserverId id) {
  outbox_.forget_subject(id);
  observers_->remove(id);
  if (observers_->size() == 0) confirm_due_ = kNever;
}

void ServerEndpoint::lose_observer(ObserverId id, Instant now, session::Effects& effects) {
  remove_observer(id);
  resources_.on_observer_gone(id, now, effects);
}

void ServerEndpoint::lose_all(Instant now, session::Effects& effects) {
  for (ObserverId id = 1; observers_ && id <= observers_->last_id(); ++id) {
    if (observers_->holds(id)) lose_observer(id, now, effects);
  }
}

void ServerEndpoint::offer(ObserverId id, const ObservedValue& value, Bytes shared, Instant now,
                           session::Effects& effects) {
  Observer& observer = (*observers_)[id];
  if (observer.stream) {
    keep_in_line(observer, value, settings_.stream_waiting_max);
  } else {
    keep(observer, value);
  }
  observer.told = false;
  if (observer.state == Observer::State::kRegistering) return;
  if (!outbox_.has_room() || outbox_.is_about(id)) return hold(id);
  const bool usual = observer.size_exponent == size_exponent_for(settings_.block_bytes_max);
  (void)notify(id, usual ? shared : Bytes{}, now, effects);
}

void ServerEndpoint::write_notification(const ObservedValue& value, const Settings& settings,
                                        Instant now, std::vector<std::uint8_t>& out) {
  const Block block{.more = true, .size_exponent = size_exponent_for(settings.block_bytes_max)};
  const Bytes first = value.payload.first(std::min(value.payload.size(), block.size()));
  const bool cut = first.size() < value.payload.size();
  const EntityTag etag = cut && value.etag.empty() ? body_tag(value.payload) : value.etag;
  const Response response = notification(first, value.payload.size(), etag, value.format,
                                         value.expires_at, settings, now);
  TransferOptions options{.observe = kSequencePlaceholder};
  if (cut) options.block2 = block;
  const std::size_t begin = out.size();
  out.resize(begin + body_size_max(response, options));
  const std::uint8_t* end = write_body(out.data() + begin, response, options);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

// Writes the kept value's options and payload behind the head at `out`. A registration that was
// renewed may ask for other blocks than those that the value was kept for.
std::uint8_t* ServerEndpoint::write_kept(std::uint8_t* out, const Observer& observer,
                                         std::uint32_t sequence, Instant now) const {
  const KeptValue& kept = observer.value;
  const std::size_t block = std::size_t{16} << observer.size_exponent;
  const Bytes payload = Bytes{kept.payload}.first(std::min(kept.payload.size(), block));
  const bool untagged = payload.size() < kept.size && kept.etag.empty();
  const EntityTag etag = untagged ? body_tag(kept.payload) : kept.etag;
  Response response =
      notification(payload, kept.size, etag, kept.format, kept.expires_at, settings_, now);
  std::vector<std::string_view> location;
  if (observer.stream) location = segments_of(observer.stream->location);
  response.location_path = location;
  TransferOptions options{.observe = sequence};
  if (payload.size() < kept.size) {
    options.block2 = Block{.more = true, .size_exponent = size_exponent_for(payload.size())};
  }
  return write_body(out, response, options);
}

// The kept value is sent when that can be done: where the last one is in flight, when that is over.
void ServerEndpoint::hold(ObserverId id) {
  if (!outbox_.is_about(id)) observers_->wait(id);
}

// Sends the kept value; `shared` is its shared encoding, if there is one. There is room in flight.
// False when the peer has to answer something first.
bool ServerEndpoint::notify(ObserverId id, Bytes shared, Instant now, session::Effects& effects) {
  Observer& observer = (*observers_)[id];
  const Bytes token = observer.token.bytes();
  const std::size_t head = head_size(token.size());
  const std::size_t body_max = shared.empty() ? kept_size_max(observer) : shared.size();
  session::DatagramSink& sink = effects.datagrams();
  std::uint8_t* out = sink.reserve(head + body_max);
  // A repetition has the same number: who has seen it need not look at it again.
  const std::uint32_t sequence =
      observer.told ? current_sequence(observer) : next_sequence(observer, now);
  std::uint8_t* end = out + head;
  if (shared.empty()) {
    end = write_kept(end, observer, sequence, now);
  } else {
    std::memcpy(end, shared.data(), shared.size());
    set_sequence(end, sequence);
    end += shared.size();
  }
  const auto size = static_cast<std::size_t>(end - out);
  if (!may_send(size)) {  // it goes when the peer has answered
    observers_->wait(id);
    ping(now, effects);
    return false;
  }
  const bool confirm = !proven_ || must_confirm(observer, settings_, now);
  observer.message_id = message_ids_.next();
  observer.told = true;
  observer.sent_at = now;
  (void)write_head(out, confirm ? Type::kCon : Type::kNon, code::kContent, observer.message_id,
                   token);
  if (confirm) {
    outbox_.sent(observer.message_id, {out, end}, id, rng_, now);
  } else {
    ++observer.unconfirmed;
    confirm_due_ = std::min(confirm_due_, confirm_due(observer, settings_));
  }
  note_sent(size);
  sink.commit(size);
  if (observer.stream && take_next(observer)) hold(id);
  return true;
}

void ServerEndpoint::notify_waiting(Instant now, session::Effects& effects) {
  while (observers_ && outbox_.has_room()) {
    const ObserverId id = observers_->next_waiting();
    if (id == 0) return;
    if (!notify(id, {}, now, effects)) return;
  }
}

void ServerEndpoint::end_observer(ObserverId id, Code code, Instant now,
                                  session::Effects& effects) {
  Exchange exchange{.type = Type::kCon, .acknowledged = true};
  exchange.token = (*observers_)[id].token;
  remove_observer(id);
  send_copy(exchange, code, {}, 0, now, effects);
}

// RFC 7641 §4.5.2: the notification in flight has timed out and there is a newer value: that one is
// sent, as the next attempt. Without one the repetition carries the same sequence number, which is
// still current.
void ServerEndpoint::supersede(ConfirmableOutbox::Message& message, Instant now) {
  Observer& observer = (*observers_)[message.subject];
  // Of many resources' values none takes another's place.
  if (observer.told || observer.stream) return;
  observer.message_id = message_ids_.next();
  const Bytes token = observer.token.bytes();
  message.message_id = observer.message_id;
  message.datagram.resize(head_size(token.size()) + kept_size_max(observer));
  std::uint8_t* body =
      write_head(message.datagram.data(), Type::kCon, code::kContent, observer.message_id, token);
  const std::uint8_t* end = write_kept(body, observer, next_sequence(observer, now), now);
  message.datagram.resize(static_cast<std::size_t>(end - message.datagram.data()));
  observer.told = true;
  observer.waiting = false;
}

// RFC 7641 §4.5: who may have missed the last value, or has not confirmed anything for long, is
// sent its value confirmably. A peer that may be sent nothing more, not even a ping, is lost.
void ServerEndpoint::confirm_observers(Instant now, session::Effects& effects) {
  confirm_due_ = kNever;
  for (ObserverId id = 1; observers_ && id <= observers_->last_id(); ++id) {
    Observer& observer = (*observers_)[id];
    if (observer.state != Observer::State::kActive || outbox_.is_about(id)) continue;
    if (now < confirm_due(observer, settings_)) {
      confirm_due_ = std::min(confirm_due_, confirm_due(observer, settings_));
      continue;
    }
    observer.unconfirmed = settings_.unconfirmed_max;  // makes it confirmable
    if (!outbox_.has_room()) {
      observers_->wait(id);
    } else if (!notify(id, {}, now, effects) && outbox_.idle()) {
      return lose_all(now, effects);
    }
  }
}

void ServerEndpoint::say_goodbye(Instant now, session::Effects& effects) {
  for (ObserverId id = 1; observers_ && id <= observers_->last_id(); ++id) {
    const Observer& observer = (*observers_)[id];
    if (observer.state != Observer::State::kActive) continue;
    Exchange exchange{.type = Type::kNon};
    exchange.token = observer.token;
    // RFC 7641 §4.2: a GET would fail from now on
    send_copy(exchange, code::kServiceUnavailable, {}, 0, now, effects);
  }
}

}  // namespace hermod::coap
