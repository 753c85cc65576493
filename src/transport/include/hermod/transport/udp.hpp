// SPDX-License-Identifier: Apache-2.0
// DatagramSocket over UDP, with recvmmsg and sendmmsg. Must not know about peers or sessions.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "hermod/transport/datagram.hpp"

namespace hermod::transport {

struct UdpOptions {
  /// Several sockets may bind the same address, one per shard; the kernel keeps a peer on one of
  /// them as long as their number stays.
  bool reuse_port = false;
  /// Octets asked of the kernel for waiting datagrams in each direction; it may give less.
  int kernel_buffer_bytes = 4 << 20;
};

/// Binds to `at`; port 0 lets the kernel choose. Bound to 0.0.0.0 or ::, each datagram tells the
/// address it was sent to (Datagram::local) and commit() can answer from there; bound to one
/// address neither is needed nor done. An IPv6 socket takes IPv6 only. ICMP errors are ignored: UDP
/// promises nothing. Holds 512 KiB of buffers, allocated here and never again. Error in words.
[[nodiscard]] std::expected<std::unique_ptr<DatagramSocket>, std::string> bind_udp(
    const Address& at, UdpOptions options);

}  // namespace hermod::transport
