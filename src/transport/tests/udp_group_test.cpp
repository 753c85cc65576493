// SPDX-License-Identifier: Apache-2.0
// Groups on the loopback interface: what is sent there by a socket that names it stays there.
#include "hermod/transport/udp_group.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "../sockaddr.hpp"
#include "hermod/transport/udp.hpp"
#include "loop.hpp"

namespace hermod::transport {
namespace {

constexpr const char* kInterface = "lo";
constexpr Token kGroup = 1;
constexpr Token kUnicast = 2;

// A client that sends to groups on the loopback interface.
class Sender {
 public:
  Sender() : descriptor_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    const auto index = static_cast<int>(if_nametoindex(kInterface));
    const ip_mreqn request{.imr_multiaddr = {}, .imr_address = {}, .imr_ifindex = index};
    EXPECT_EQ(::setsockopt(descriptor_, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof(request)), 0);
    timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~Sender() { ::close(descriptor_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void sends(std::string_view text, const Address& to) {
    const SocketAddress at = to_socket_address(to);
    EXPECT_EQ(::sendto(descriptor_, text.data(), text.size(), 0, at.get(), at.length),
              static_cast<ssize_t>(text.size()))
        << std::strerror(errno);
  }
  // The next datagram and who sent it.
  std::pair<std::string, Address> receives() {
    std::string text(100, '\0');
    SocketAddress from;
    from.length = sizeof(from.storage);
    const ssize_t size =
        ::recvfrom(descriptor_, text.data(), text.size(), 0, from.get(), &from.length);
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return {text, from_socket_address(from.storage)};
  }

 private:
  int descriptor_;
};

class UdpGroup : public ::testing::TestWithParam<const char*> {
 protected:
  UdpGroup()
      : through(bind_udp(*Address::literal(GetParam(), 0), {.reuse_port = true}).value()),
        group(Address::literal("224.0.1.187", through->local().port()).value()) {}

  void joins() {
    auto joined = join_udp(group, kInterface, *through);
    ASSERT_TRUE(joined.has_value()) << joined.error();
    ASSERT_EQ(joined->size(), 1u);
    socket = std::move(joined->front());
    ASSERT_TRUE(poller->add(*socket, kGroup));
    ASSERT_TRUE(poller->add(*through, kUnicast));
  }
  std::vector<std::string> received(DatagramSocket& by, Token token, std::size_t count) {
    std::vector<std::string> out;
    while (out.size() < count && wait_readable(*poller, token)) {
      for (;;) {
        const auto batch = by.receive();
        for (const Datagram& datagram : batch) {
          out.emplace_back(as_text(datagram.bytes));
          from = datagram.from;
        }
        if (batch.size() < DatagramSocket::kBatch) break;
      }
    }
    return out;
  }

  std::unique_ptr<EpollPoller> poller = make_poller();
  std::unique_ptr<DatagramSocket> through;
  Address group;
  Sender sender;
  std::unique_ptr<DatagramSocket> socket;
  Address from;
};

TEST_P(UdpGroup, TakesWhatIsSentToItAndAnswersFromTheOtherSocket) {
  joins();
  sender.sends("all of you?", group);
  ASSERT_EQ(received(*socket, kGroup, 1), std::vector<std::string>{"all of you?"});
  const std::string_view answer = "me";
  std::memcpy(socket->reserve(answer.size()), answer.data(), answer.size());
  socket->commit(answer.size(), from);
  socket->flush();
  const auto [text, whose] = sender.receives();
  EXPECT_EQ(text, answer);
  EXPECT_FALSE(whose.is_multicast());
  EXPECT_EQ(whose.port(), through->local().port());
  EXPECT_TRUE(through->local().is_any() || whose == through->local());
  // The other socket gets what is sent to it, and nothing of the group.
  sender.sends("you?", whose);
  EXPECT_EQ(received(*through, kUnicast, 1), std::vector<std::string>{"you?"});
}

TEST_P(UdpGroup, OthersMayJoinToo) {
  joins();
  const auto more =
      std::move(join_udp(group, std::to_string(if_nametoindex(kInterface)), *through).value());
  const auto other_poller = make_poller();
  ASSERT_TRUE(other_poller->add(*more.front(), kGroup));
  sender.sends("all of you?", group);
  EXPECT_EQ(received(*socket, kGroup, 1).size(), 1u);
  ASSERT_TRUE(wait_readable(*other_poller, kGroup));
  EXPECT_EQ(more.front()->receive().size(), 1u);
}

TEST_P(UdpGroup, DropsTooLongDatagramsAndTakesMoreThanABatch) {
  joins();
  sender.sends(std::string(kGroupDatagramMax + 1, 'x'), group);
  std::vector<std::string> sent{std::string(kGroupDatagramMax, 'l')};
  sender.sends(sent.back(), group);
  while (sent.size() < DatagramSocket::kBatch + 10) {
    sent.push_back(std::to_string(sent.size()));
    sender.sends(sent.back(), group);
  }
  EXPECT_EQ(received(*socket, kGroup, sent.size()), sent);
}

TEST_P(UdpGroup, OutlivesTheSocketItAnswersThrough) {
  joins();
  const std::uint16_t port = through->local().port();
  through.reset();
  sender.sends("?", group);
  ASSERT_EQ(received(*socket, kGroup, 1).size(), 1u);
  *socket->reserve(1) = '!';
  socket->commit(1, from);
  const auto [text, whose] = sender.receives();
  EXPECT_EQ(text, "!");
  EXPECT_EQ(whose.port(), port);
}

TEST_P(UdpGroup, SaysWhatIsWrong) {
  const auto refused = join_udp(group, "none0", *through);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(),
            fmt::format("cannot join {}: there is no interface \"none0\"", group.to_text()));
}

INSTANTIATE_TEST_SUITE_P(OfIpv4, UdpGroup, ::testing::Values("127.0.0.1", "0.0.0.0"));

// The loopback interface carries no multicast of IPv6: interop/coap_multicast_test.py has others.
TEST(UdpGroups, OfIpv6AreJoined) {
  for (const char* bound : {"::1", "::"}) {
    const auto through = bind_udp(*Address::literal(bound, 0), {.reuse_port = true}).value();
    for (const char* host : {"ff02::fd", "ff05::fd"}) {
      const Address group = Address::literal(host, 0).value();
      const auto joined = join_udp(group, kInterface, *through);
      ASSERT_TRUE(joined.has_value()) << joined.error();
      ASSERT_EQ(joined->size(), 1u);
      EXPECT_EQ(joined->front()->local().octets(), group.octets());
      EXPECT_EQ(joined->front()->local().port(), through->local().port());
    }
  }
}

// Without a name it is where the address of the other socket is.
TEST(UdpGroups, NeedAnInterface) {
  const auto through = bind_udp(*Address::literal("127.0.0.2", 0), {.reuse_port = true}).value();
  const Address group = Address::literal("224.0.1.187", through->local().port()).value();
  EXPECT_EQ(join_udp(group, "", *through).error(),
            fmt::format("cannot join {}: no interface with {} is up and can multicast",
                        group.to_text(), through->local().to_text()));
}

}  // namespace
}  // namespace hermod::transport
