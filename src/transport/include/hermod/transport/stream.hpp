// SPDX-License-Identifier: Apache-2.0
// Connected byte streams and what accepts them: non-blocking, owned by one shard at a time. TCP
// now; TLS, WebSocket and the simulation's memory streams have the same face.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "hermod/base/bytes.hpp"
#include "hermod/transport/address.hpp"

namespace hermod::transport {

/// What a poller can watch.
class Source {
 public:
  virtual ~Source() = default;
  /// The file descriptor behind it, or a negative number that a MemoryNetwork gave. A stream that
  /// wraps another one (TLS) answers that one's, and can so be watched wherever that one can.
  [[nodiscard]] virtual int descriptor() const { return -1; }
  /// Whether somebody waits for room to write. Datagram sockets say no: they drop instead, and the
  /// kernel would tell each time it has sent something.
  [[nodiscard]] virtual bool wants_writable() const { return true; }
};

/// How a read or write ended.
struct IoResult {
  enum class Status : std::uint8_t {
    kDone,    ///< `count` octets went through
    kAgain,   ///< nothing now; the poller will tell
    kClosed,  ///< read: the peer has ended its side
    kFailed,  ///< the stream is broken; `error` is an errno
  };
  Status status = Status::kDone;
  std::size_t count = 0;
  int error = 0;
};

class Stream : public Source {
 public:
  /// Reads at most `into.size()` octets with one system call. A count below that size means that no
  /// more octets are there now; the end may be (see Event::ended).
  [[nodiscard]] virtual IoResult read(std::span<std::uint8_t> into) = 0;
  /// Writes as much of the pieces as goes, with one system call.
  [[nodiscard]] virtual IoResult write(std::span<const Bytes> pieces) = 0;
  /// Ends this side's sending; what was written is still delivered. The destructor closes.
  virtual void shutdown_write() = 0;
  [[nodiscard]] virtual Address peer() const = 0;
  /// The peer for the log; a Unix socket's peer has no address, and is told by the path.
  [[nodiscard]] virtual std::string peer_text() const { return peer().to_text(); }
};

class StreamListener : public Source {
 public:
  /// The next waiting connection; nullptr when there is none (`error` 0) or none could be made
  /// (`error` is an errno). After EMFILE, ENFILE, ENOBUFS or ENOMEM the connection still waits and
  /// no new edge announces it: call again after something was closed, or a little later.
  [[nodiscard]] virtual std::unique_ptr<Stream> accept(int& error) = 0;
  [[nodiscard]] virtual Address local() const = 0;
  [[nodiscard]] virtual std::string local_text() const { return local().to_text(); }
};

}  // namespace hermod::transport
