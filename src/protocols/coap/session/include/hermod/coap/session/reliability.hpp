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
#include <optional>
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

/// The confirmable messages of a server to one peer: NSTART of them are in flight, others wait.
/// Costs nothing but itself while it is not used.
class ConfirmableOutbox {
 public:
  /// What a message is about, for who sends it; 0 for nothing.
  using Subject = std::uint32_t;

  struct Message {
    std::vector<std::uint8_t> datagram;
    Subject subject = 0;
    std::uint16_t message_id = 0;
    Retransmission timer;
  };

  /// `parameters` outlives the outbox.
  explicit ConfirmableOutbox(const TransmissionParameters& parameters) : parameters_(parameters) {}

  /// Nothing is in flight.
  [[nodiscard]] bool idle() const { return in_flight_ == 0; }
  /// One more may be in flight (RFC 7252 §4.7: NSTART).
  [[nodiscard]] bool has_room() const { return in_flight_ < parameters_.nstart; }
  /// Messages that wait for those in flight.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  /// A message about `subject` is in flight.
  [[nodiscard]] bool is_about(Subject subject) const;
  /// Messages about `subject` are nobody's business any more; they are still repeated.
  void forget_subject(Subject subject);

  /// A message has just been sent, and there was room: keeps a copy to repeat.
  void sent(std::uint16_t message_id, Bytes datagram, Subject subject, Rng& rng, Instant now);
  /// Keeps a message until there is room.
  void wait(std::uint16_t message_id, std::vector<std::uint8_t> datagram);
  /// Puts the first waiting message in flight, when there is room: it is to be sent. nullptr: there
  /// is none. Lives until the next call that is not const.
  [[nodiscard]] const Message* next(Rng& rng, Instant now);

  /// An Acknowledgement or a Reset has come. The subject of the message in flight that it is for,
  /// which is thereby over; nothing when there is none.
  std::optional<Subject> finish(std::uint16_t message_id);

  [[nodiscard]] Instant deadline() const { return deadline_; }
  /// A message in flight whose deadline has come; nullptr when there is none. It has to be repeated
  /// or all be cleared.
  [[nodiscard]] Message* due(Instant now);
  /// Counts a repetition. True: send it, or a newer one in its place, which the caller then puts
  /// there (RFC 7641 §4.5.2). False: it has been repeated often enough.
  [[nodiscard]] bool repeat(Message& message, Instant now);

  /// Forgets everything.
  void clear();

 private:
  Message& put_in_flight();
  void find_deadline();

  const TransmissionParameters& parameters_;
  std::vector<Message> messages_;  // the first in_flight_ are; the others keep their memory
  std::size_t in_flight_ = 0;
  std::vector<Message> waiting_;
  Instant deadline_ = kNever;
};

/// Sends one datagram.
void transmit(session::DatagramSink& sink, Bytes datagram);

}  // namespace hermod::coap
