// SPDX-License-Identifier: Apache-2.0
// The contract between a protocol and whoever carries its octets: a session is a pure,
// single-threaded state machine, one per connection or UDP peer, in the server or the client role.
// It never calls a clock, a socket, core or store; every input takes `now`, every output is an
// effect.
//
//   on_open -> on_bytes* / on_datagram*, on_deliveries*, on_answers*, on_deadline*  -> on_close
//
// After each input the owner executes the effects, asks next_deadline() and, when an input may have
// unblocked it, offers the octets that were not consumed again.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/model/delivery.hpp"
#include "hermod/session/effects.hpp"

namespace hermod::session {

/// One page of a list of topics.
struct TopicPage {
  std::span<const model::TopicEntry> topics;
  std::string_view next;  ///< continue after this topic; empty: that was all
};

/// The answer to an effect that carried a ticket.
struct Answer {
  Ticket ticket = 0;
  model::Reason reason = model::Reason::kOk;
  model::Guarantee granted = model::Guarantee::kAtMostOnce;  ///< Subscribe
  bool session_present = false;                              ///< Attach
  bool kept = false;                                         ///< Attach: see Release, EndExchange
  std::uint32_t expiry_s = 0;                                ///< Attach: as granted
  std::string_view client_id;                                ///< Attach: the assigned id, if any
  Inflight* inflight = nullptr;                              ///< Attach: lent, to be moved from
  const model::Message* value = nullptr;  ///< Lookup: borrowed until the call returns
  /// Lookup, Declare, Watch: borrowed until the call returns; nullptr: the topic is not declared.
  const model::TopicProperties* declared = nullptr;
  const TopicPage* page = nullptr;  ///< List: borrowed until the call returns
  Bytes octets;  ///< Attach, Authenticate: for the peer; borrowed until the call returns
};

/// A datagram of the peer. Borrowed for the call.
struct Datagram {
  Bytes bytes;
  bool whole = true;  ///< false: it was longer, and its end is missing
};

/// What the owner allows at the moment.
enum class Intake : bool {
  kRepliesOnly,  ///< acknowledgements and pings; stop in front of the first PUBLISH or request
  kEverything,
};

class Session {
 public:
  virtual ~Session() = default;

  /// The transport is up. A client-role session sends its first packet.
  virtual void on_open(Instant now, Effects& effects) = 0;

  /// Octets of a stream: everything that came and was not consumed. Returns how many were consumed,
  /// always whole packets; 0 when a packet is not complete or the session waits for an answer.
  [[nodiscard]] virtual std::size_t on_bytes(Bytes bytes, Intake intake, Instant now,
                                             Effects& effects);

  /// One datagram.
  virtual void on_datagram(const Datagram& datagram, Instant now, Effects& effects);

  /// Messages to send. A server-role session got them for its subscriptions, a client-role session
  /// from its application.
  virtual void on_deliveries(const model::DeliveryBatch& batch, Instant now, Effects& effects) = 0;

  /// Answers to tickets, in the order in which they became known.
  virtual void on_answers(std::span<const Answer> answers, Instant now, Effects& effects) = 0;

  /// next_deadline() has come (or is a little past).
  virtual void on_deadline(Instant now, Effects& effects) = 0;

  /// The connection has ended or is ended by this side; the last input. What is sent now may still
  /// reach the peer when this side ends it (reason kShutdown, kTakenOver, kTimeout).
  virtual void on_close(model::Reason reason, Instant now, Effects& effects) = 0;

  /// When on_deadline wants to be called; kNever. Only an input changes it. It may lie earlier than
  /// needed: on_deadline is then harmless.
  [[nodiscard]] virtual Instant next_deadline() const = 0;
};

}  // namespace hermod::session
