// SPDX-License-Identifier: Apache-2.0
// A datagram socket that receives and sends in batches. Owned by one shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hermod/base/bytes.hpp"
#include "hermod/transport/address.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::transport {

struct Datagram {
  Bytes bytes;
  bool whole = true;  ///< false: it was longer than kSizeMax, and these are its first octets
  Address from;
  /// Which of this machine's addresses it was sent to, port of the socket; family kNone when the
  /// socket is bound to one address. Hand it to commit() so that the answer comes from there, as
  /// RFC 7252 §5.2 and every client that connected its socket want it.
  Address local;
};

class DatagramSocket : public Source {
 public:
  /// Largest datagram sent, or received whole, in octets.
  static constexpr std::size_t kSizeMax = 4096;
  /// Datagrams received by one call at most.
  static constexpr std::size_t kBatch = 64;

  /// Up to kBatch waiting datagrams with one system call; they live until the next call. Fewer than
  /// kBatch mean that nothing more is there now.
  [[nodiscard]] virtual std::span<const Datagram> receive() = 0;

  /// Room for one datagram of at most `count_max` (<= kSizeMax) octets, until the next call.
  [[nodiscard]] virtual std::uint8_t* reserve(std::size_t count_max) = 0;
  /// Queues what was reserved; sends by itself when a batch is full. `local` is the address to send
  /// from (see Datagram::local); without one the kernel chooses.
  virtual void commit(std::size_t count, const Address& to, const Address& local = {}) = 0;
  /// Sends what is queued. What the kernel has no room for is dropped, as a network would.
  virtual void flush() = 0;

  [[nodiscard]] virtual Address local() const = 0;
  [[nodiscard]] bool wants_writable() const final { return false; }
};

}  // namespace hermod::transport
