// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/reliability.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "hermod/base/assert.hpp"

namespace hermod::coap {
namespace {

Duration scale(Duration duration, double factor) {
  return Duration{static_cast<Duration::rep>(static_cast<double>(duration.count()) * factor)};
}

}  // namespace

Duration TransmissionParameters::max_transmit_span() const {
  return scale(ack_timeout * ((1 << max_retransmit) - 1), ack_random_factor);
}

Duration TransmissionParameters::max_transmit_wait() const {
  return scale(ack_timeout * ((2 << max_retransmit) - 1), ack_random_factor);
}

Duration TransmissionParameters::exchange_lifetime() const {
  return max_transmit_span() + 2 * max_latency + ack_timeout;  // PROCESSING_DELAY is ACK_TIMEOUT
}

Duration TransmissionParameters::non_lifetime() const {
  return max_transmit_span() + max_latency;
}

void Retransmission::start(const TransmissionParameters& parameters, Rng& rng, Instant now) {
  // RFC 7252 §4.2: between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR
  const Duration spread = scale(parameters.ack_timeout, parameters.ack_random_factor - 1.0);
  const std::uint64_t bound = static_cast<std::uint64_t>(spread.count()) + 1;
  timeout_ = parameters.ack_timeout + Duration{static_cast<Duration::rep>(rng.below(bound))};
  started_ = now;
  deadline_ = now + timeout_;
  count_ = 0;
}

bool Retransmission::repeat(const TransmissionParameters& parameters, Instant now) {
  // RFC 7252 §4.2: the whole sequence stays within MAX_TRANSMIT_SPAN, however late the clock fires
  if (count_ >= parameters.max_retransmit || now > started_ + parameters.max_transmit_span()) {
    deadline_ = kNever;
    return false;
  }
  ++count_;
  timeout_ *= 2;
  deadline_ = now + timeout_;
  return true;
}

bool ConfirmableOutbox::is_about(Subject subject) const {
  for (std::size_t i = 0; i < in_flight_; ++i) {
    if (messages_[i].subject == subject) return true;
  }
  return false;
}

void ConfirmableOutbox::forget_subject(Subject subject) {
  for (std::size_t i = 0; i < in_flight_; ++i) {
    if (messages_[i].subject == subject) messages_[i].subject = 0;
  }
}

ConfirmableOutbox::Message& ConfirmableOutbox::put_in_flight() {
  HERMOD_ASSERT(has_room());
  if (in_flight_ == messages_.size()) messages_.emplace_back();
  return messages_[in_flight_++];
}

void ConfirmableOutbox::sent(std::uint16_t message_id, Bytes datagram, Subject subject, Rng& rng,
                             Instant now) {
  Message& message = put_in_flight();
  message.datagram.assign(datagram.begin(), datagram.end());
  message.subject = subject;
  message.message_id = message_id;
  message.timer.start(parameters_, rng, now);
  deadline_ = std::min(deadline_, message.timer.deadline());
}

void ConfirmableOutbox::wait(std::uint16_t message_id, std::vector<std::uint8_t> datagram) {
  waiting_.push_back({.datagram = std::move(datagram), .message_id = message_id, .timer = {}});
}

const ConfirmableOutbox::Message* ConfirmableOutbox::next(Rng& rng, Instant now) {
  if (!has_room() || waiting_.empty()) return nullptr;
  Message& message = put_in_flight();
  message = std::move(waiting_.front());
  waiting_.erase(waiting_.begin());
  message.timer.start(parameters_, rng, now);
  deadline_ = std::min(deadline_, message.timer.deadline());
  return &message;
}

std::optional<ConfirmableOutbox::Subject> ConfirmableOutbox::finish(std::uint16_t message_id) {
  for (std::size_t i = 0; i < in_flight_; ++i) {
    if (messages_[i].message_id != message_id) continue;
    std::swap(messages_[i], messages_[--in_flight_]);
    find_deadline();
    return messages_[in_flight_].subject;
  }
  return std::nullopt;
}

ConfirmableOutbox::Message* ConfirmableOutbox::due(Instant now) {
  for (std::size_t i = 0; i < in_flight_; ++i) {
    if (now >= messages_[i].timer.deadline()) return &messages_[i];
  }
  return nullptr;
}

bool ConfirmableOutbox::repeat(Message& message, Instant now) {
  const bool again = message.timer.repeat(parameters_, now);
  find_deadline();
  return again;
}

void ConfirmableOutbox::find_deadline() {
  deadline_ = kNever;
  for (std::size_t i = 0; i < in_flight_; ++i) {
    deadline_ = std::min(deadline_, messages_[i].timer.deadline());
  }
}

void ConfirmableOutbox::clear() {
  waiting_.clear();
  in_flight_ = 0;
  deadline_ = kNever;
}

void transmit(session::DatagramSink& sink, Bytes datagram) {
  std::memcpy(sink.reserve(datagram.size()), datagram.data(), datagram.size());
  sink.commit(datagram.size());
}

}  // namespace hermod::coap
