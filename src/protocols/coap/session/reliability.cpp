// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/reliability.hpp"

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

void ConfirmableOutbox::sent(std::uint16_t message_id, Bytes datagram, Subject subject,
                             const TransmissionParameters& parameters, Rng& rng, Instant now) {
  HERMOD_ASSERT(!in_flight_);
  in_flight_ = true;
  current_.datagram.assign(datagram.begin(), datagram.end());
  current_.subject = subject;
  current_.message_id = message_id;
  timer_.start(parameters, rng, now);
}

void ConfirmableOutbox::wait(std::uint16_t message_id, std::vector<std::uint8_t> datagram) {
  waiting_.push_back({std::move(datagram), 0, message_id});
}

void ConfirmableOutbox::replace(std::uint16_t message_id, Bytes datagram) {
  HERMOD_ASSERT(in_flight_);
  current_.datagram.assign(datagram.begin(), datagram.end());
  current_.message_id = message_id;
}

bool ConfirmableOutbox::finish(std::uint16_t message_id) {
  if (!in_flight_ || current_.message_id != message_id) return false;
  in_flight_ = false;
  return true;
}

bool ConfirmableOutbox::next(const TransmissionParameters& parameters, Rng& rng, Instant now) {
  if (in_flight_ || waiting_.empty()) return false;
  current_ = std::move(waiting_.front());
  waiting_.erase(waiting_.begin());
  in_flight_ = true;
  timer_.start(parameters, rng, now);
  return true;
}

bool ConfirmableOutbox::repeat(const TransmissionParameters& parameters, Instant now) {
  HERMOD_ASSERT(in_flight_);
  in_flight_ = timer_.repeat(parameters, now);
  return in_flight_;
}

void ConfirmableOutbox::transmit(session::DatagramSink& sink) const {
  HERMOD_ASSERT(in_flight_);
  coap::transmit(sink, current_.datagram);
}

void ConfirmableOutbox::clear() {
  waiting_.clear();
  in_flight_ = false;
}

void transmit(session::DatagramSink& sink, Bytes datagram) {
  std::memcpy(sink.reserve(datagram.size()), datagram.data(), datagram.size());
  sink.commit(datagram.size());
}

}  // namespace hermod::coap
