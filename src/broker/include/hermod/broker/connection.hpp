// SPDX-License-Identifier: Apache-2.0
// One connection or datagram peer of a shard. Small, because there are many and most are idle.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hermod/base/output.hpp"
#include "hermod/base/timing_wheel.hpp"
#include "hermod/core/subscriber.hpp"
#include "hermod/session/session.hpp"
#include "hermod/transport/datagram.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::broker {

/// The far end of a datagram session.
struct Peer {
  transport::Address address;
  transport::Address local;
  std::uint16_t socket = 0;  ///< index of the shard's datagram socket
};

/// Who has logged in with a user name.
struct Identity {
  std::string user;
  std::uint64_t proof = 0;  ///< see core::Login
};

struct Connection : WheelEntry {
  std::unique_ptr<transport::Stream> stream;  ///< streams only
  std::unique_ptr<Peer> peer;                 ///< datagram peers only
  std::unique_ptr<session::Session> session;
  std::unique_ptr<Output> output;                   ///< while something waits to be written
  std::unique_ptr<std::vector<std::uint8_t>> rest;  ///< octets read and not consumed
  std::unique_ptr<Identity> identity;               ///< nothing: no user name counts
  Instant armed = kNever;                           ///< when the wheel fires
  core::SubscriberIndex subscriber = core::Subscribers::kNone;
  std::uint32_t index = 0;        ///< its own, in the shard's table
  std::uint32_t unanswered = 0;   ///< what its session waits for: the journal, other shards
  std::uint32_t uncommitted = 0;  ///< of those, what waits for the journal alone
  std::uint16_t listener = 0;
  model::Reason close_reason = model::Reason::kOk;
  bool dirty : 1 = false;       ///< in the list of outputs to flush
  bool lingers : 1 = false;     ///< in the list of outputs that may wait for more
  bool gathers : 1 = false;     ///< something was added while it lingered
  bool blocked : 1 = false;     ///< the kernel took no more; wait for writable
  bool congested : 1 = false;   ///< output above the soft limit: no messages, no requests
  bool paused : 1 = false;      ///< requests stand in `rest` until congestion or full mailboxes end
  bool unread : 1 = false;      ///< there may be more to read from the stream
  bool hung_up : 1 = false;     ///< the poller has told the peer's end: read on until a read does
  bool closing : 1 = false;     ///< ends once the output is written
  bool peer_ended : 1 = false;  ///< ends once what came before has been worked off
  bool guarded : 1 = false;     ///< what is delivered is checked, message by message
  bool answered : 1 = false;    ///< its session has had an answer since it last took octets
  bool ready : 1 = false;       ///< in the list of connections to go on with in the next turn

  [[nodiscard]] bool attached() const { return subscriber != core::Subscribers::kNone; }
};

}  // namespace hermod::broker
