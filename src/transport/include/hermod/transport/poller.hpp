// SPDX-License-Identifier: Apache-2.0
// What a shard waits on: sources registered once, edge-triggered, and a wake-up from other threads.
#pragma once

#include <cstdint>
#include <span>

#include "hermod/base/time.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::transport {

/// Chosen by the caller, handed back with each event.
using Token = std::uint64_t;

struct Event {
  Token token = 0;
  bool readable = false;  ///< data, a waiting connection, or the end
  bool writable = false;
  /// The peer has ended its side, or the stream broke: no further edge will tell, so that a reader
  /// goes on until a read says it.
  bool ended = false;
};

class Poller {
 public:
  virtual ~Poller() = default;

  /// Watches a source for both directions from now on (for reading only unless it
  /// wants_writable()), edge-triggered; what is ready already is the first edge. False when the
  /// kernel refuses.
  [[nodiscard]] virtual bool add(Source& source, Token token) = 0;
  /// Stops watching; events of this source that were already collected may still be handed out. A
  /// source that ends is no longer watched, without this.
  virtual void remove(Source& source) = 0;
  /// Waits at most `timeout` (zero: only looks; Duration::max(): for ever) and returns what
  /// happened since the last call; empty after a timeout or a wake-up. Lives until the next call.
  [[nodiscard]] virtual std::span<const Event> wait(Duration timeout) = 0;
  /// Makes a wait() that is running or comes next return. From any thread.
  virtual void wake() = 0;
};

}  // namespace hermod::transport
