// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/udp.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "hermod/base/assert.hpp"
#include "sockaddr.hpp"

namespace hermod::transport {

namespace {

constexpr std::size_t kBatch = DatagramSocket::kBatch;
constexpr std::size_t kSizeMax = DatagramSocket::kSizeMax;
/// Pending errors skipped by one receive() at most.
constexpr int kAttemptsMax = 16;

/// Control octets of one datagram: room for the address it was sent to.
struct alignas(cmsghdr) Control {
  std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> octets;
};

/// One direction's datagrams: message i owns slot i of each array.
struct Slots {
  std::vector<std::uint8_t> octets = std::vector<std::uint8_t>(kBatch * kSizeMax);
  std::vector<mmsghdr> messages = std::vector<mmsghdr>(kBatch);
  std::vector<iovec> vectors = std::vector<iovec>(kBatch);
  std::vector<SocketAddress> peers = std::vector<SocketAddress>(kBatch);
  std::vector<Control> controls = std::vector<Control>(kBatch);

  Slots() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      vectors[i] = {.iov_base = octets.data() + i * kSizeMax, .iov_len = kSizeMax};
      msghdr& header = messages[i].msg_hdr;
      header.msg_name = &peers[i].storage;
      header.msg_namelen = sizeof(sockaddr_storage);
      header.msg_iov = &vectors[i];
      header.msg_iovlen = 1;
      header.msg_control = controls[i].octets.data();
    }
  }
};

/// The destination address in the control octets of a received datagram.
Address destination(msghdr& header, std::uint16_t port) {
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(item), sizeof(info));
      std::array<std::uint8_t, 4> octets{};
      // The local address of the packet: the one to answer from, also for a broadcast.
      std::memcpy(octets.data(), &info.ipi_spec_dst, octets.size());
      return Address::v4(octets, port);
    }
    if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(item), sizeof(info));
      std::array<std::uint8_t, 16> octets{};
      std::memcpy(octets.data(), &info.ipi6_addr, octets.size());
      const bool link_local = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr);
      return Address::v6(octets, port, link_local ? info.ipi6_ifindex : 0);
    }
  }
  return {};
}

template <typename Info>
void put_control(msghdr& header, Control& control, int level, int type, const Info& info) {
  control = {};
  header.msg_controllen = CMSG_SPACE(sizeof(Info));
  cmsghdr* item = CMSG_FIRSTHDR(&header);
  item->cmsg_level = level;
  item->cmsg_type = type;
  item->cmsg_len = CMSG_LEN(sizeof(Info));
  std::memcpy(CMSG_DATA(item), &info, sizeof(Info));
}

/// Asks the kernel to send from `local`, or leaves the choice to it.
void put_source(msghdr& header, Control& control, const Address& local) {
  header.msg_controllen = 0;
  if (local.family() == Address::Family::kV4) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, local.octets().data(), 4);
    put_control(header, control, IPPROTO_IP, IP_PKTINFO, info);
  } else if (local.family() == Address::Family::kV6) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, local.octets().data(), 16);
    info.ipi6_ifindex = local.scope();
    put_control(header, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
}

class UdpSocket final : public DatagramSocket {
 public:
  UdpSocket(int descriptor, const Address& local) : descriptor_(descriptor), local_(local) {}
  ~UdpSocket() override { ::close(descriptor_); }
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  [[nodiscard]] int descriptor() const override { return descriptor_; }
  [[nodiscard]] std::span<const Datagram> receive() override;
  [[nodiscard]] std::uint8_t* reserve(std::size_t count_max) override;
  void commit(std::size_t count, const Address& to, const Address& local) override;
  void flush() override;
  [[nodiscard]] Address local() const override { return local_; }

 private:
  int receive_waiting();

  int descriptor_;
  Address local_;
  Slots in_;
  Slots out_;
  std::size_t queued_ = 0;
  std::array<Datagram, kBatch> received_;
};

/// Receives into the slots; how many, 0 when nothing waits.
int UdpSocket::receive_waiting() {
  for (mmsghdr& message : in_.messages) {
    msghdr& header = message.msg_hdr;
    header.msg_namelen = sizeof(sockaddr_storage);
    header.msg_controllen = local_.is_any() ? sizeof(Control) : 0;
  }
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const int count = ::recvmmsg(descriptor_, in_.messages.data(), kBatch, 0, nullptr);
    if (count >= 0) return count;
    // Anything else (ECONNREFUSED, EINTR) is told once and concerns a datagram sent long ago.
    if (errno == EAGAIN) return 0;
  }
  return 0;
}

std::span<const Datagram> UdpSocket::receive() {
  const auto count = static_cast<std::size_t>(receive_waiting());
  for (std::size_t i = 0; i < count; ++i) {
    msghdr& header = in_.messages[i].msg_hdr;
    const std::size_t size = in_.messages[i].msg_len;
    received_[i] = {.bytes = {in_.octets.data() + i * kSizeMax, size},
                    .whole = (header.msg_flags & MSG_TRUNC) == 0,
                    .from = from_socket_address(in_.peers[i].storage),
                    .local = local_.is_any() ? destination(header, local_.port()) : Address{}};
  }
  return {received_.data(), count};
}

std::uint8_t* UdpSocket::reserve(std::size_t count_max) {
  HERMOD_ASSERT(count_max <= kSizeMax);
  return out_.octets.data() + queued_ * kSizeMax;
}

void UdpSocket::commit(std::size_t count, const Address& to, const Address& local) {
  HERMOD_ASSERT(count <= kSizeMax);
  msghdr& header = out_.messages[queued_].msg_hdr;
  out_.peers[queued_] = to_socket_address(to);
  header.msg_namelen = out_.peers[queued_].length;
  out_.vectors[queued_].iov_len = count;
  put_source(header, out_.controls[queued_], local_.is_any() ? local : Address{});
  if (++queued_ == kBatch) flush();
}

void UdpSocket::flush() {
  std::size_t done = 0;
  while (done < queued_) {
    const int sent = ::sendmmsg(descriptor_, out_.messages.data() + done,
                                static_cast<unsigned>(queued_ - done), 0);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
      break;  // no room: the rest is lost, as on a crowded line
    } else if (errno != EINTR) {
      ++done;  // unreachable, refused or forbidden: this one is lost, the others may go
    }
  }
  queued_ = 0;
}

}  // namespace

std::expected<std::unique_ptr<DatagramSocket>, std::string> bind_udp(const Address& at,
                                                                     UdpOptions options) {
  const auto refuse = [&at] { return std::unexpected(failure("bind UDP to", at, errno)); };
  const bool v6 = at.family() == Address::Family::kV6;
  OwnedDescriptor socket(
      ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return refuse();
  const int fd = socket.get();
  if (options.reuse_port && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return refuse();
  if (v6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return refuse();
  if (at.is_any()) {
    const bool told = v6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                         : set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
    if (!told) return refuse();
    // What goes to a group is for who has joined it: by default all sockets of the port get it.
    (void)(v6 ? set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)
              : set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0));
  }
  set_option(fd, SOL_SOCKET, SO_RCVBUF, options.kernel_buffer_bytes);
  set_option(fd, SOL_SOCKET, SO_SNDBUF, options.kernel_buffer_bytes);
  const SocketAddress address = to_socket_address(at);
  if (::bind(fd, address.get(), address.length) != 0) return refuse();
  const Address local = bound_address(fd);
  return std::make_unique<UdpSocket>(socket.release(), local);
}

}  // namespace hermod::transport
