// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/observe.hpp"

#include <algorithm>
#include <utility>

namespace hermod::coap {
namespace {

// Sequence numbers go round from here to 2^24 - 1, so that they always take three octets and a
// notification that was encoded once is as long for every observer.
constexpr std::uint64_t kSequenceMin = 0x1'0000;
constexpr std::uint64_t kSequenceCount = 0x100'0000 - kSequenceMin;

using Waiting = Stream::Waiting;

// Memory of a value in line, roughly.
std::size_t size_of(const Waiting& waiting) {
  return sizeof(Waiting) + waiting.location.size() + waiting.value.payload.size();
}

void give_back(Stream& stream, const Waiting& waiting) {
  (void)stream.share.resize(stream.share.octets() - size_of(waiting));  // less is always possible
}

void keep(KeptValue& kept, const ObservedValue& value, std::uint8_t size_exponent) {
  const std::size_t block = std::size_t{16} << size_exponent;
  const Bytes first = value.payload.first(std::min(value.payload.size(), block));
  kept.payload.assign(first.begin(), first.end());
  kept.size = static_cast<std::uint32_t>(value.payload.size());
  kept.etag = value.etag;
  if (kept.etag.empty() && first.size() < value.payload.size()) kept.etag = body_tag(value.payload);
  kept.format = value.format;
  kept.expires_at = value.expires_at;
  kept.version = value.version;
  kept.confirm = value.confirm;
}

}  // namespace

ObserverId Observers::find(const Token& token) const {
  for (std::size_t i = 0; i < observers_.size(); ++i) {
    if (observers_[i].state != Observer::State::kFree && observers_[i].token == token) {
      return static_cast<ObserverId>(i + 1);
    }
  }
  return 0;
}

ObserverId Observers::find_message(std::uint16_t message_id) const {
  for (std::size_t i = 0; i < observers_.size(); ++i) {
    if (observers_[i].state == Observer::State::kActive && observers_[i].message_id == message_id) {
      return static_cast<ObserverId>(i + 1);
    }
  }
  return 0;
}

ObserverId Observers::add(const Token& token, Instant now) {
  auto at = std::ranges::find(observers_, Observer::State::kFree, &Observer::state);
  if (at == observers_.end()) at = observers_.insert(at, Observer{});
  *at = Observer{.token = token, .state = Observer::State::kRegistering, .confirmed_at = now};
  ++size_;
  return static_cast<ObserverId>(at - observers_.begin() + 1);
}

void Observers::remove(ObserverId id) {
  (*this)[id] = Observer{};
  --size_;
}

void Observers::wait(ObserverId id) {
  Observer& observer = (*this)[id];
  if (observer.waiting) return;
  observer.waiting = true;
  queue_.push_back(id);
}

ObserverId Observers::next_waiting() {
  while (queue_begin_ < queue_.size()) {
    const ObserverId id = queue_[queue_begin_++];
    Observer& observer = (*this)[id];
    // the place may have been given to another observer since
    if (observer.state != Observer::State::kActive || !observer.waiting) continue;
    observer.waiting = false;
    return id;
  }
  queue_.clear();
  queue_begin_ = 0;
  return 0;
}

void keep(Observer& observer, const ObservedValue& value) {
  keep(observer.value, value, observer.size_exponent);
}

void keep_in_line(Observer& observer, const ObservedValue& value, std::size_t waiting_max) {
  Stream& stream = *observer.stream;
  if (observer.told || stream.location == value.location) {
    stream.location = value.location;
    return keep(observer, value);
  }
  if (const auto older = std::ranges::find(stream.waiting, value.location, &Waiting::location);
      older != stream.waiting.end()) {
    give_back(stream, *older);
    stream.waiting.erase(older);
  }
  Waiting latest{.location = std::string(value.location), .value = {}};
  keep(latest.value, value, observer.size_exponent);
  while (stream.waiting.size() >= waiting_max ||
         !stream.share.resize(stream.share.octets() + size_of(latest))) {
    if (stream.waiting.empty()) return;
    give_back(stream, stream.waiting.front());
    stream.waiting.pop_front();
  }
  stream.waiting.push_back(std::move(latest));
}

bool take_next(Observer& observer) {
  Stream& stream = *observer.stream;
  if (stream.waiting.empty()) return false;
  Waiting& next = stream.waiting.front();
  give_back(stream, next);
  stream.location = std::move(next.location);
  observer.value = std::move(next.value);
  observer.told = false;
  stream.waiting.pop_front();
  return true;
}

std::uint32_t next_sequence(Observer& observer, Instant now) {
  // RFC 7641 §4.4: 1 tick = 256 s / 2^23
  const auto since = static_cast<std::uint64_t>(now.time_since_epoch().count());
  const auto ticks = static_cast<std::uint64_t>(static_cast<unsigned __int128>(since) * (1u << 23) /
                                                256'000'000'000u);
  observer.sequence = std::max(ticks, observer.sequence + 1);
  return current_sequence(observer);
}

std::uint32_t current_sequence(const Observer& observer) {
  return static_cast<std::uint32_t>(kSequenceMin + observer.sequence % kSequenceCount);
}

bool must_confirm(const Observer& observer, const Settings& settings, Instant now) {
  return !observer.proven || observer.value.confirm ||
         observer.unconfirmed >= settings.unconfirmed_max ||
         now >= observer.sent_at + settings.quiet ||  // changes are rare
         now >= confirm_due(observer, settings);
}

Instant confirm_due(const Observer& observer, const Settings& settings) {
  if (!observer.proven) return observer.confirmed_at + settings.prove_within;
  // RFC 7641 §4.5: the last change of a burst must arrive
  if (observer.unconfirmed > 0) return observer.sent_at + settings.quiet;
  return observer.confirmed_at + (observer.confirm_every_s == 0
                                      ? settings.confirm_every
                                      : std::chrono::seconds{observer.confirm_every_s});
}

bool NotificationOrder::accept(std::uint32_t sequence, Instant now) {
  constexpr std::uint32_t kHalf = 1u << 23;
  if (sequence_) {
    const std::uint32_t before = *sequence_;
    const bool newer = (before < sequence && sequence - before < kHalf) ||
                       (before > sequence && before - sequence > kHalf) ||
                       now > at_ + std::chrono::seconds{128};
    if (!newer) return false;
  }
  sequence_ = sequence;
  at_ = now;
  return true;
}

}  // namespace hermod::coap
