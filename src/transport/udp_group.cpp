// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/udp_group.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "hermod/base/assert.hpp"
#include "sockaddr.hpp"

namespace hermod::transport {
namespace {

class GroupSocket final : public DatagramSocket {
 public:
  GroupSocket(int from, int through, const Address& group)
      : from_(from), through_(through), group_(group) {}
  ~GroupSocket() override {
    ::close(from_);
    ::close(through_);
  }
  GroupSocket(const GroupSocket&) = delete;
  GroupSocket& operator=(const GroupSocket&) = delete;

  [[nodiscard]] int descriptor() const override { return from_; }
  [[nodiscard]] std::span<const Datagram> receive() override;
  [[nodiscard]] std::uint8_t* reserve(std::size_t count_max) override {
    HERMOD_ASSERT(count_max <= kSizeMax);
    return out_.data();
  }
  // Rare as they are, answers go at once. One that cannot be sent is lost.
  void commit(std::size_t count, const Address& to, const Address&) override {
    const SocketAddress peer = to_socket_address(to);
    (void)::sendto(through_, out_.data(), count, 0, peer.get(), peer.length);
  }
  void flush() override {}
  [[nodiscard]] Address local() const override { return group_; }

 private:
  [[nodiscard]] bool receive_into(std::size_t slot);

  int from_;
  int through_;
  Address group_;
  std::vector<std::uint8_t> in_ = std::vector<std::uint8_t>(kBatch * kGroupDatagramMax);
  std::vector<std::uint8_t> out_ = std::vector<std::uint8_t>(kSizeMax);
  std::array<Datagram, kBatch> received_;
};

// One datagram that is not too long; false when none waits.
bool GroupSocket::receive_into(std::size_t slot) {
  std::uint8_t* const begin = in_.data() + slot * kGroupDatagramMax;
  for (;;) {
    SocketAddress peer;
    peer.length = sizeof(peer.storage);
    const ssize_t size =
        ::recvfrom(from_, begin, kGroupDatagramMax, MSG_TRUNC, peer.get(), &peer.length);
    if (size < 0 && errno != EINTR) return false;
    if (size < 0 || static_cast<std::size_t>(size) > kGroupDatagramMax) continue;
    received_[slot] = {.bytes = {begin, static_cast<std::size_t>(size)},
                       .from = from_socket_address(peer.storage),
                       .local = {}};
    return true;
  }
}

std::span<const Datagram> GroupSocket::receive() {
  std::size_t count = 0;
  while (count < kBatch && receive_into(count)) ++count;
  return {received_.data(), count};
}

// The kernel demands to know the interface of such a socket.
bool is_link_local(const Address& group) {
  return group.family() == Address::Family::kV6 && (group.octets()[1] & 0x0f) <= 2;
}

// The interfaces where `through` can answer: those that have its address or, where it is bound to
// none, any address of its family.
std::vector<unsigned> interfaces_of(const Address& through) {
  std::vector<unsigned> found;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return found;
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    constexpr unsigned kNeeded = IFF_UP | IFF_MULTICAST;
    if (item->ifa_addr == nullptr || (item->ifa_flags & kNeeded) != kNeeded) continue;
    SocketAddress address;
    const bool v6 = item->ifa_addr->sa_family == AF_INET6;
    if (!v6 && item->ifa_addr->sa_family != AF_INET) continue;
    std::memcpy(&address.storage, item->ifa_addr, v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    const Address own = from_socket_address(address.storage).with_port(through.port());
    const bool fits = through.is_any() ? own.family() == through.family() : own == through;
    if (fits) found.push_back(if_nametoindex(item->ifa_name));
  }
  ::freeifaddrs(list);
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::string refusal(const Address& group, unsigned index, int error) {
  std::array<char, IF_NAMESIZE> name{};
  const char* shown = if_indextoname(index, name.data());
  return fmt::format("cannot join {} on {}: {}", group.to_text(), shown == nullptr ? "?" : shown,
                     std::generic_category().message(error));
}

// A socket that is bound to the group receives nothing else, and of the group what comes in by the
// interfaces that it has joined at.
std::expected<std::unique_ptr<DatagramSocket>, std::string> open_group(
    Address group, std::span<const unsigned> interfaces, int through) {
  const bool v6 = group.family() == Address::Family::kV6;
  const auto refuse = [&] { return std::unexpected(failure("listen on", group, errno)); };
  if (is_link_local(group)) group = Address::v6(group.octets(), group.port(), interfaces.front());
  OwnedDescriptor socket(
      ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return refuse();
  const int fd = socket.get();
  // Beside `through` where that is bound to all addresses, and beside other programs.
  const bool shared =
      set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) && set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (!shared || (v6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))) return refuse();
  if (v6) {
    (void)set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
  } else {
    (void)set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
  }
  const SocketAddress at = to_socket_address(group);
  if (::bind(fd, at.get(), at.length) != 0) return refuse();
  for (const unsigned index : interfaces) {
    group_req request{};
    request.gr_interface = index;
    std::memcpy(&request.gr_group, &at.storage, sizeof(request.gr_group));
    const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    if (::setsockopt(fd, level, MCAST_JOIN_GROUP, &request, sizeof(request)) != 0) {
      return std::unexpected(refusal(group, index, errno));
    }
  }
  OwnedDescriptor answers(::fcntl(through, F_DUPFD_CLOEXEC, 0));
  if (!answers.valid()) return refuse();
  return std::make_unique<GroupSocket>(socket.release(), answers.release(), group);
}

}  // namespace

std::expected<std::vector<std::unique_ptr<DatagramSocket>>, std::string> join_udp(
    const Address& group, const std::string& interface, const DatagramSocket& through) {
  HERMOD_ASSERT(group.is_multicast() && group.family() == through.local().family());
  const Address at = group.with_port(through.local().port());
  std::vector<unsigned> interfaces;
  if (interface.empty()) {
    interfaces = interfaces_of(through.local());
    if (interfaces.empty()) {
      return std::unexpected(fmt::format(
          "cannot join {}: no interface with {} is up and can multicast", at.to_text(),
          through.local().is_any() ? "an address of its family" : through.local().to_text()));
    }
  } else {
    interfaces.push_back(interface_number(interface));
    if (interfaces.front() == 0) {
      return std::unexpected(
          fmt::format("cannot join {}: there is no interface \"{}\"", at.to_text(), interface));
    }
  }
  std::vector<std::unique_ptr<DatagramSocket>> sockets;
  const std::size_t each = is_link_local(at) ? 1 : interfaces.size();
  for (std::span<const unsigned> left = interfaces; !left.empty(); left = left.subspan(each)) {
    auto socket = open_group(at, left.first(each), through.descriptor());
    if (!socket) return std::unexpected(socket.error());
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

}  // namespace hermod::transport
