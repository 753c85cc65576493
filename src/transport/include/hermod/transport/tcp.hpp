// SPDX-License-Identifier: Apache-2.0
// Stream over TCP: non-blocking sockets, no buffers of their own. Must not know about pollers,
// sessions or limits: who accepts decides whom to keep.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "hermod/transport/address.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::transport {

struct TcpOptions {
  /// Several listeners may bind the same address, one per shard, and the kernel spreads
  /// connections.
  bool reuse_port = false;
  /// Connections the kernel keeps waiting; it caps this at net.core.somaxconn.
  int backlog = 1024;
};

/// A connected (or connecting) socket; owns the descriptor and nothing else. Octets of a Unix
/// socket go the same way (unix.hpp).
class TcpStream final : public Stream {
 public:
  /// Takes ownership of a non-blocking TCP socket.
  explicit TcpStream(int descriptor) : descriptor_(descriptor) {}
  ~TcpStream() override;
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  [[nodiscard]] int descriptor() const override { return descriptor_; }
  [[nodiscard]] IoResult read(std::span<std::uint8_t> into) override;
  [[nodiscard]] IoResult write(std::span<const Bytes> pieces) override;
  void shutdown_write() override;
  /// Asked from the kernel each time; family kNone once the connection is broken.
  [[nodiscard]] Address peer() const override;
  [[nodiscard]] std::string peer_text() const override;
  [[nodiscard]] Address local() const;

 private:
  int descriptor_;
};

/// Listens on `at`; port 0 lets the kernel choose (see local()). An IPv6 listener takes IPv6 only,
/// so that 0.0.0.0 and :: can both be listened on. TCP_NODELAY is on: batching belongs above. Error
/// in words. Example: auto listener = listen_tcp(*Address::literal("127.0.0.1", 1883), {});
[[nodiscard]] std::expected<std::unique_ptr<StreamListener>, std::string> listen_tcp(
    const Address& at, TcpOptions options);

/// Begins to connect; the poller's first `writable` says that connect_error() knows more. `from` is
/// an own address to use (port 0: any), family kNone leaves that to the kernel. Error in words.
[[nodiscard]] std::expected<std::unique_ptr<TcpStream>, std::string> connect_tcp(
    const Address& to, const Address& from = {});

/// 0 when the connection stands, EINPROGRESS while it is being made, else the errno it failed with
/// (told once).
[[nodiscard]] int connect_error(const TcpStream& stream);

}  // namespace hermod::transport
