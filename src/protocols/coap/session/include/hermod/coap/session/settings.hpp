// SPDX-License-Identifier: Apache-2.0
// The numbers that a CoAP server keeps to, with their defaults. One object serves all sessions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/time.hpp"
#include "hermod/coap/session/reliability.hpp"

namespace hermod::coap {

/// Paths of other brokers' topics that are understood too.
struct Aliases {
  bool emqx = false;   ///< /ps/<topic>, where that is neither /ps/data nor /ps/conf
  bool ponte = false;  ///< /r/<topic>
};

struct Settings {
  TransmissionParameters transmission;

  /// A confirmable request that has no response by then is acknowledged with an Empty message, and
  /// answered separately (RFC 7252 §5.2.2). Below ACK_TIMEOUT, or the peer repeats for nothing.
  Duration ack_delay = std::chrono::seconds{1};
  /// Requests of one peer that are being executed; more are answered 5.03.
  std::size_t requests_max = 128;
  /// Octets of the longest token that is accepted; a request with a longer one is refused. It is
  /// kept with the request and with each observation (RFC 8974 §2.1 allows 65,804).
  std::size_t token_bytes_max = 1024;
  /// Confirmable responses that wait for the one in flight; more are sent without confirmation.
  std::size_t confirmables_waiting_max = 16;
  /// Requests of one peer that are remembered, so that a duplicate does not act again: 16 octets
  /// each. A power of two. 65,536 are enough for 265 requests a second (RFC 7252 §4.4, §4.5).
  std::size_t seen_max = 65'536;
  /// Of the last so many, responses are repeated with their bodies; of others, the code.
  std::size_t seen_bodies_max = 16;
  /// Requests of one peer that act (all but GET and FETCH) in a second; more are answered 4.29
  /// (RFC 8516). 0: as many as it likes.
  std::uint32_t actions_per_s_max = 0;

  Aliases aliases;

  /// Largest payload of a message; larger bodies go in blocks (RFC 7959). 16 to 1,024.
  std::size_t block_bytes_max = 1024;
  /// Bodies of one peer that are being assembled, and as many that are kept to be fetched.
  std::size_t transfers_max = 4;

  /// A peer that has not shown that its address is its own is sent at most so many times what it
  /// sent (RFC 9175 §2.3). 0: no such limit, for networks where nobody can forge addresses.
  std::uint32_t amplification_max = 3;
  /// Bodies up to this size come to such a peer in blocks that are small enough; for a larger one
  /// it is asked for a proof first (4.01 with Echo).
  std::size_t unproven_body_max = 16u << 10;
  /// A peer may send so many Acknowledgements and Resets that belong to nothing before one that
  /// does proves nothing any more: whoever guesses message ids has so many guesses.
  std::uint8_t mismatches_max = 8;

  /// Observations of one peer, and of one that has not yet shown that it can receive: its address
  /// may be somebody else's.
  std::size_t observations_max = 1024;
  std::size_t observations_unproven_max = 8;
  /// Values that wait for an observer of many topics, one of each topic at most.
  std::size_t stream_waiting_max = 64;
  /// Non-confirmable notifications in a row; the next one is confirmable, and until it is
  /// acknowledged newer values wait (RFC 7641 §4.5.1: it bounds what is sent per round trip).
  std::uint8_t unconfirmed_max = 15;
  /// After so much silence a notification is confirmable, and after a burst the last value is
  /// repeated so: it must arrive (RFC 7641 §4.5).
  Duration quiet = std::chrono::seconds{10};
  /// An observer that has not confirmed anything for so long is sent its value again, confirmably
  /// (RFC 7641 §4.5).
  Duration confirm_every = std::chrono::hours{24};
  /// The same for one that has never confirmed anything.
  Duration prove_within = std::chrono::minutes{1};
  /// Max-Age of a notification whose value has no expiry, in seconds (RFC 7641 §4.3.1): how long an
  /// observer may take silence for "unchanged".
  std::uint32_t observe_max_age_s = 600;

  /// Whether what comes was sent to a group of servers (RFC 7252 §8): then GET on lists alone is
  /// served, and answered after some time, if there is something to say.
  bool by_multicast = false;
  /// Such an answer goes at a random time within this (RFC 7252 §8.2, DEFAULT_LEISURE).
  Duration leisure = std::chrono::seconds{5};
  /// Answers to one peer that wait for their time; more are not given.
  std::size_t group_answers_max = 4;

  /// A peer with nothing to remember is forgotten after so much silence.
  Duration idle = std::chrono::seconds{5};
};

}  // namespace hermod::coap
