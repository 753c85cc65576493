// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/tcp.hpp"

#include <netinet/tcp.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "sockaddr.hpp"

namespace hermod::transport {

static_assert(sizeof(TcpStream) <= 16, "an idle connection pays for every octet");

namespace {

/// Pieces handed to the kernel at once; its own limit is 1024.
constexpr std::size_t kPiecesMax = 256;

IoResult failed(int error) {
  if (error == EAGAIN) return {.status = IoResult::Status::kAgain};
  return {.status = IoResult::Status::kFailed, .error = error};
}

ssize_t send_one(int descriptor, Bytes piece) {
  ssize_t sent;
  do {
    sent = ::send(descriptor, piece.data(), piece.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

/// Gathers; sendmsg is writev with flags. `wanted` becomes the octets handed over.
ssize_t send_many(int descriptor, std::span<const Bytes> pieces, std::size_t& wanted) {
  std::array<iovec, kPiecesMax> vectors;
  wanted = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    vectors[i].iov_base = const_cast<std::uint8_t*>(pieces[i].data());  // only read by the kernel
    vectors[i].iov_len = pieces[i].size();
    wanted += pieces[i].size();
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = pieces.size();
  ssize_t sent;
  do {
    sent = ::sendmsg(descriptor, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

int open_stream_socket(const Address& address) {
  const int domain = address.family() == Address::Family::kV6 ? AF_INET6 : AF_INET;
  return ::socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

class TcpListener final : public StreamListener {
 public:
  explicit TcpListener(int descriptor) : descriptor_(descriptor) {}
  ~TcpListener() override { ::close(descriptor_); }
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  [[nodiscard]] int descriptor() const override { return descriptor_; }
  [[nodiscard]] std::unique_ptr<Stream> accept(int& error) override {
    return accept_stream(descriptor_, error);
  }
  [[nodiscard]] Address local() const override { return bound_address(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

std::unique_ptr<Stream> accept_stream(int listening, int& error) {
  error = 0;
  for (;;) {
    const int accepted = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) return std::make_unique<TcpStream>(accepted);
    switch (errno) {
      case EAGAIN:
        return nullptr;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
      case EBADF:
      case EINVAL:
        error = errno;
        return nullptr;
      default:  // interrupted, or an error of one connection that died while it waited: the next
                // one
        break;
    }
  }
}

TcpStream::~TcpStream() {
  ::close(descriptor_);
}

IoResult TcpStream::read(std::span<std::uint8_t> into) {
  if (into.empty()) return {};
  ssize_t count;
  do {
    count = ::recv(descriptor_, into.data(), into.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return failed(errno);
  if (count == 0) return {.status = IoResult::Status::kClosed};
  return {.count = static_cast<std::size_t>(count)};
}

IoResult TcpStream::write(std::span<const Bytes> pieces) {
  IoResult result;
  while (!pieces.empty()) {
    const auto batch = pieces.first(std::min(pieces.size(), kPiecesMax));
    std::size_t wanted = batch.front().size();
    const ssize_t sent = batch.size() == 1 ? send_one(descriptor_, batch.front())
                                           : send_many(descriptor_, batch, wanted);
    if (sent < 0) return result.count > 0 ? result : failed(errno);
    result.count += static_cast<std::size_t>(sent);
    if (static_cast<std::size_t>(sent) < wanted) break;  // full: the poller tells when it drains
    pieces = pieces.subspan(batch.size());
  }
  return result;
}

void TcpStream::shutdown_write() {
  ::shutdown(descriptor_, SHUT_WR);
}

Address TcpStream::peer() const {
  return peer_address(descriptor_);
}

std::string TcpStream::peer_text() const {
  const Address address = peer();
  if (address.family() != Address::Family::kNone) return address.to_text();
  const std::string path = bound_path(descriptor_);
  return path.empty() ? address.to_text() : path;
}

Address TcpStream::local() const {
  return bound_address(descriptor_);
}

std::expected<std::unique_ptr<StreamListener>, std::string> listen_tcp(const Address& at,
                                                                       TcpOptions options) {
  const auto refuse = [&at] { return std::unexpected(failure("listen on", at, errno)); };
  OwnedDescriptor socket(open_stream_socket(at));
  if (!socket.valid()) return refuse();
  const int fd = socket.get();
  if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1)) return refuse();
  if (options.reuse_port && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return refuse();
  const bool v6 = at.family() == Address::Family::kV6;
  if (v6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return refuse();
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // accepted sockets inherit it: no call for each
  const SocketAddress address = to_socket_address(at);
  if (::bind(fd, address.get(), address.length) != 0) return refuse();
  if (::listen(fd, options.backlog) != 0) return refuse();
  return std::make_unique<TcpListener>(socket.release());
}

std::expected<std::unique_ptr<TcpStream>, std::string> connect_tcp(const Address& to,
                                                                   const Address& from) {
  const auto refuse = [&to] { return std::unexpected(failure("connect to", to, errno)); };
  OwnedDescriptor socket(open_stream_socket(to));
  if (!socket.valid()) return refuse();
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (from.family() != Address::Family::kNone) {
    // The port is then chosen at connect: 28,000 connections per destination, not per machine.
    set_option(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    const SocketAddress own = to_socket_address(from);
    if (::bind(socket.get(), own.get(), own.length) != 0) {
      return std::unexpected(failure("connect from", from, errno));
    }
  }
  const SocketAddress address = to_socket_address(to);
  if (::connect(socket.get(), address.get(), address.length) != 0 && errno != EINPROGRESS) {
    return refuse();
  }
  return std::make_unique<TcpStream>(socket.release());
}

int connect_error(const TcpStream& stream) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(stream.descriptor(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  if (error != 0) return error;
  return stream.peer().family() == Address::Family::kNone ? EINPROGRESS : 0;
}

}  // namespace hermod::transport
