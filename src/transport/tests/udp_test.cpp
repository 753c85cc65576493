// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/udp.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "loop.hpp"

namespace hermod::transport {
namespace {

constexpr Token kA = 1;
constexpr Token kB = 2;

void put(DatagramSocket& socket, std::string_view text, const Address& to,
         const Address& from = {}) {
  std::memcpy(socket.reserve(text.size()), text.data(), text.size());
  socket.commit(text.size(), to, from);
}

struct Pair {
  std::unique_ptr<EpollPoller> poller = make_poller();
  std::unique_ptr<DatagramSocket> a;
  std::unique_ptr<DatagramSocket> b;

  explicit Pair(const Address& at_a = loopback(), const Address& at_b = loopback()) {
    a = std::move(bind_udp(at_a, {}).value());
    b = std::move(bind_udp(at_b, {}).value());
    EXPECT_TRUE(poller->add(*a, kA));
    EXPECT_TRUE(poller->add(*b, kB));
  }

  /// Everything that b gets until it is `count` datagrams.
  std::vector<std::string> received_by_b(std::size_t count) {
    std::vector<std::string> out;
    while (out.size() < count && wait_readable(*poller, kB)) {
      for (;;) {
        const auto batch = b->receive();
        for (const Datagram& datagram : batch) out.emplace_back(as_text(datagram.bytes));
        if (batch.size() < DatagramSocket::kBatch) break;
      }
    }
    return out;
  }
};

TEST(Udp, CarriesDatagramsAndTheirSource) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    Pair p(*Address::literal(host, 0), *Address::literal(host, 0));
    put(*p.a, "ping", p.b->local());
    p.a->flush();
    ASSERT_TRUE(wait_readable(*p.poller, kB));
    const auto batch = p.b->receive();
    ASSERT_EQ(batch.size(), 1u);
    EXPECT_EQ(as_text(batch[0].bytes), "ping");
    EXPECT_EQ(batch[0].from, p.a->local());
    EXPECT_EQ(batch[0].local.family(), Address::Family::kNone);
    EXPECT_TRUE(p.b->receive().empty());
  }
}

TEST(Udp, CarriesMoreThanABatchInOrder) {
  Pair p;
  std::vector<std::string> sent;
  for (int i = 0; i < 150; ++i) {
    sent.push_back(std::to_string(i));
    put(*p.a, sent.back(), p.b->local());
  }
  p.a->flush();
  EXPECT_EQ(p.received_by_b(sent.size()), sent);
}

TEST(Udp, FullBatchesGoByThemselves) {
  Pair p;
  for (std::size_t i = 0; i < DatagramSocket::kBatch; ++i) put(*p.a, "x", p.b->local());
  EXPECT_EQ(p.received_by_b(DatagramSocket::kBatch).size(), DatagramSocket::kBatch);
}

TEST(Udp, EmptyAndLongestDatagramsPass) {
  Pair p;
  const std::string longest(DatagramSocket::kSizeMax, 'l');
  put(*p.a, "", p.b->local());
  put(*p.a, longest, p.b->local());
  p.a->flush();
  EXPECT_EQ(p.received_by_b(2), (std::vector<std::string>{"", longest}));
}

TEST(Udp, TooLongDatagramsComeCutAndSaySo) {
  auto poller = make_poller();
  auto socket = std::move(bind_udp(loopback(), {}).value());
  auto sender = std::move(bind_udp(loopback(), {}).value());
  const int raw = sender->descriptor();
  const Address to = socket->local();
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(to.port());
  std::memcpy(&name.sin_addr, to.octets().data(), 4);
  const std::string too_long(DatagramSocket::kSizeMax + 1, 't');
  std::vector<std::pair<std::string, bool>> expected;
  for (int i = 0; i < 100; ++i) {
    const bool whole = i % 3 != 0;
    const std::string text = whole ? std::to_string(i) : too_long;
    expected.emplace_back(text.substr(0, DatagramSocket::kSizeMax), whole);
    ASSERT_EQ(
        sendto(raw, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&name), sizeof(name)),
        static_cast<ssize_t>(text.size()));
  }
  ASSERT_TRUE(poller->add(*socket, kA));
  ASSERT_TRUE(wait_readable(*poller, kA));
  std::vector<std::pair<std::string, bool>> got;
  for (;;) {
    const auto batch = socket->receive();
    for (const Datagram& datagram : batch)
      got.emplace_back(as_text(datagram.bytes), datagram.whole);
    if (batch.size() < DatagramSocket::kBatch) break;
  }
  EXPECT_EQ(got, expected);
}

TEST(Udp, AnswersFromTheAddressAskedWhenBoundToAll) {
  const struct {
    const char* any;
    const char* asked;
    const char* client;
  } cases[] = {{"0.0.0.0", "127.0.0.77", "127.0.0.1"}, {"::", "::1", "::1"}};
  for (const auto& c : cases) {
    Pair p(*Address::literal(c.any, 0), *Address::literal(c.client, 0));
    const Address asked = *Address::literal(c.asked, p.a->local().port());
    put(*p.b, "question", asked);
    p.b->flush();
    ASSERT_TRUE(wait_readable(*p.poller, kA));
    const auto question = p.a->receive();
    ASSERT_EQ(question.size(), 1u);
    EXPECT_EQ(question[0].local, asked);
    put(*p.a, "answer", question[0].from, question[0].local);
    p.a->flush();
    ASSERT_TRUE(wait_readable(*p.poller, kB));
    const auto answer = p.b->receive();
    ASSERT_EQ(answer.size(), 1u);
    EXPECT_EQ(answer[0].from, asked);
  }
}

TEST(Udp, OneUnreachablePeerDoesNotHoldUpTheOthers) {
  Pair p;
  const Address nobody = (*bind_udp(loopback(), {}))->local();  // closed again at once
  put(*p.a, "lost", nobody);
  put(*p.a, "odd", *Address::literal("::1", 9));  // wrong family: the kernel refuses
  put(*p.a, "first", p.b->local());
  p.a->flush();
  EXPECT_TRUE(p.a->receive().empty());
  put(*p.a, "second", p.b->local());
  p.a->flush();
  EXPECT_EQ(p.received_by_b(2), (std::vector<std::string>{"first", "second"}));
}

TEST(Udp, SendingDoesNotWakeThePoller) {
  Pair p;
  auto of_a_alone = make_poller();
  ASSERT_TRUE(of_a_alone->add(*p.a, kA));
  put(*p.a, "x", p.b->local());
  p.a->flush();
  EXPECT_EQ(p.received_by_b(1).size(), 1u);
  EXPECT_TRUE(of_a_alone->wait(kGlance).empty());
}

TEST(Udp, SocketsShareAnAddressOnlyWhenAsked) {
  auto first = std::move(bind_udp(loopback(), {.reuse_port = true}).value());
  EXPECT_TRUE(bind_udp(first->local(), {.reuse_port = true}).has_value());
  const auto refused = bind_udp(first->local(), {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(),
            "cannot bind UDP to " + first->local().to_text() + ": Address already in use");
}

}  // namespace
}  // namespace hermod::transport
