// SPDX-License-Identifier: Apache-2.0
// The message layer of one peer, sending side: message ids, and confirmable messages that are
// repeated with growing pauses until they are acknowledged, rejected or given up (RFC 7252 §4.2).
// Knows nothing of requests, responses or observations.
//
//          send                       acknowledged, reset
//   idle --------> waiting for ACK -----------------------> idle
//                   ^    | timeout: fewer than MAX_RETRANSMIT repetitions -> sent again, timeout x
//                   2
//                   +----+ timeout: MAX_RETRANSMIT repetitions -> given up, idle
#pragma once

#include <cstdint>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/base/time.hpp"
#include "hermod/session/effects.hpp"

namespace hermod::coap {

/// RFC 7252 §4.8 Table 2, and what follows from it (§4.8.2).
struct TransmissionParameters {
  Duration ack_timeout = std::chrono::seconds{2};
  double ack_random_factor = 1.5;  ///< at least 1
  unsigned max_retransmit = 4;
  unsigned nstart = 1;  ///< confirmable messages in flight to one peer
  Duration max_latency = std::chrono::seconds{100};

  /// From the first transmission to the last: 45 s.
  [[nodiscard]] Duration max_transmit_span() const;
  /// From the first transmission until giving up: 93 s.
  [[nodiscard]] Duration max_transmit_wait() const;
  /// How long a confirmable message can turn up again: 247 s.
  [[nodiscard]] Duration exchange_lifetime() const;
  /// How long a non-confirmable message can turn up again: 145 s.
  [[nodiscard]] Duration non_lifetime() const;
};

/// Message ids of this side towards one peer: a counter from a random start (RFC 7252 §4.4).
class MessageIds {
 public:
  explicit MessageIds(Rng& rng) : next_(static_cast<std::uint16_t>(rng.next())) {}
  [[nodiscard]] std::uint16_t next() { return next_++; }

 private:
  std::uint16_t next_;
};

/// When one confirmable message is to be sent again.
class Retransmission {
 public:
  /// The message has just been sent for the first time.
  void start(const TransmissionParameters& parameters, Rng& rng, Instant now);
  /// The deadline has come. True: send again now; false: give up. A repetition that would come too
  /// late for MAX_TRANSMIT_SPAN is not made.
  [[nodiscard]] bool repeat(const TransmissionParameters& parameters, Instant now);
  [[nodiscard]] Instant deadline() const { return deadline_; }

 private:
  Instant started_{};
  Instant deadline_ = kNever;
  Duration timeout_{};
  unsigned count_ = 0;
};

/// The confirmable messages of a server to one peer: one is in flight (NSTART 1), others wait.
/// Costs nothing but itself while it is not used.
class ConfirmableOutbox {
 public:
  /// What a message is about, for who sends it; 0 for nothing.
  using Subject = std::uint32_t;

  [[nodiscard]] bool idle() const { return !in_flight_; }
  /// Messages that wait behind the one in flight.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  /// Octets of the message in flight.
  [[nodiscard]] std::size_t size() const { return current_.datagram.size(); }
  /// Subject of the message in flight; 0 when idle.
  [[nodiscard]] Subject subject() const { return in_flight_ ? current_.subject : 0; }
  /// The message in flight is nobody's business any more; it is still repeated.
  void forget_subject() { current_.subject = 0; }

  /// A message has just been sent and nothing else is in flight: keeps a copy to repeat.
  void sent(std::uint16_t message_id, Bytes datagram, Subject subject,
            const TransmissionParameters& parameters, Rng& rng, Instant now);
  /// Keeps a message until it can be sent (RFC 7252 §4.7: NSTART).
  void wait(std::uint16_t message_id, std::vector<std::uint8_t> datagram);
  /// Exchanges the message in flight for a newer one, keeping its timeout and counter
  /// (RFC 7641 §4.5.2). It goes out with the next transmit().
  void replace(std::uint16_t message_id, Bytes datagram);

  /// An Acknowledgement or a Reset has come. True when it is for the message in flight, which is
  /// thereby over; the next waiting one is sent with next().
  [[nodiscard]] bool finish(std::uint16_t message_id);
  /// Puts the first waiting message in flight, when idle. True: call transmit().
  [[nodiscard]] bool next(const TransmissionParameters& parameters, Rng& rng, Instant now);

  [[nodiscard]] Instant deadline() const { return in_flight_ ? timer_.deadline() : kNever; }
  /// The deadline has come. True: call transmit(). False: given up, the outbox is idle.
  [[nodiscard]] bool repeat(const TransmissionParameters& parameters, Instant now);
  /// Sends the message in flight.
  void transmit(session::DatagramSink& sink) const;

  /// Forgets everything.
  void clear();

 private:
  struct Confirmable {
    std::vector<std::uint8_t> datagram;
    Subject subject = 0;
    std::uint16_t message_id = 0;
  };

  Confirmable current_;
  std::vector<Confirmable> waiting_;
  Retransmission timer_;
  bool in_flight_ = false;
};

/// Sends one datagram.
void transmit(session::DatagramSink& sink, Bytes datagram);

}  // namespace hermod::coap
