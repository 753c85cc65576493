// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/tcp.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "loop.hpp"

namespace hermod::transport {
namespace {

/// A listener, a client and the accepted end of its connection, all watched.
struct Connection {
  std::unique_ptr<EpollPoller> poller = make_poller();
  std::unique_ptr<StreamListener> listener;
  std::unique_ptr<TcpStream> client;
  std::unique_ptr<Stream> server;

  explicit Connection(const Address& at = loopback()) {
    listener = std::move(listen_tcp(at, {}).value());
    EXPECT_TRUE(poller->add(*listener, kListener));
    client = std::move(connect_tcp(listener->local()).value());
    EXPECT_TRUE(poller->add(*client, kClient));
    EXPECT_TRUE(wait_readable(*poller, kListener));
    int error = 0;
    server = listener->accept(error);
    EXPECT_NE(server, nullptr);
    EXPECT_TRUE(poller->add(*server, kServer));
  }
};

int option(const Source& source, int level, int name) {
  int value = -1;
  socklen_t length = sizeof(value);
  getsockopt(source.descriptor(), level, name, &value, &length);
  return value;
}

TEST(Tcp, CarriesOctetsBothWays) {
  Connection c;
  EXPECT_EQ(connect_error(*c.client), 0);
  EXPECT_EQ(c.server->peer(), c.client->local());
  EXPECT_EQ(c.client->peer(), c.listener->local());
  EXPECT_EQ(option(*c.server, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(*c.client, IPPROTO_TCP, TCP_NODELAY), 1);

  EXPECT_EQ(write_text(*c.client, "hello").count, 5u);
  ASSERT_TRUE(wait_readable(*c.poller, kServer));
  std::string text;
  EXPECT_EQ(read_text(*c.server, 100, text).status, IoResult::Status::kDone);
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(read_text(*c.server, 100, text).status, IoResult::Status::kAgain);

  const Bytes pieces[] = {as_bytes("a"), as_bytes(""), as_bytes("bc")};
  EXPECT_EQ(c.server->write(pieces).count, 3u);
  ASSERT_TRUE(wait_readable(*c.poller, kClient));
  read_text(*c.client, 100, text);
  EXPECT_EQ(text, "abc");
}

TEST(Tcp, WorksOverV6AndKeepsItApartFromV4) {
  Connection c(*Address::literal("::1", 0));
  EXPECT_EQ(c.server->peer().family(), Address::Family::kV6);
  EXPECT_TRUE(c.server->peer().is_loopback());

  const auto six = listen_tcp(*Address::literal("::", 0), {});
  ASSERT_TRUE(six.has_value()) << six.error();
  const auto four = listen_tcp(*Address::literal("0.0.0.0", (*six)->local().port()), {});
  EXPECT_TRUE(four.has_value()) << four.error();
}

TEST(Tcp, ManyPiecesGoInOneWrite) {
  Connection c;
  const auto octets = pattern(1000);
  std::vector<Bytes> pieces;
  for (std::size_t i = 0; i < octets.size(); ++i) pieces.push_back(Bytes(octets).subspan(i, 1));
  EXPECT_EQ(c.client->write(pieces).count, octets.size());
  std::string got;
  while (got.size() < octets.size()) {
    std::string part;
    if (read_text(*c.server, 4096, part).status == IoResult::Status::kAgain) {
      ASSERT_TRUE(wait_readable(*c.poller, kServer));
    }
    got += part;
  }
  EXPECT_EQ(got, as_text(octets));
}

TEST(Tcp, BigWritesMakePartialProgress) {
  Connection c;
  const auto octets = pattern(8u << 20);
  std::size_t written = 0;
  std::vector<std::uint8_t> got;
  std::vector<std::uint8_t> buffer(64 * 1024);
  bool fell_short = false;
  const SystemClock clock;
  const Instant end = clock.now() + kPatience;
  while (got.size() < octets.size() && clock.now() < end) {
    for (bool more = written < octets.size(); more;) {
      std::vector<Bytes> pieces;  // more than the kernel is handed at once
      std::size_t offered = 0;
      for (Bytes left = Bytes(octets).subspan(written); !left.empty() && pieces.size() < 600;) {
        pieces.push_back(left.first(std::min<std::size_t>(left.size(), 5000)));
        left = left.subspan(pieces.back().size());
        offered += pieces.back().size();
      }
      const IoResult result = c.client->write(pieces);
      ASSERT_NE(result.status, IoResult::Status::kFailed);
      written += result.count;
      more = written < octets.size() && result.status == IoResult::Status::kDone;
      fell_short |= result.count > 0 && result.count < offered;
    }
    for (;;) {
      const IoResult result = c.server->read(buffer);
      if (result.status != IoResult::Status::kDone) break;
      got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<long>(result.count));
    }
    // Edges alone must be enough to get everything through.
    if (got.size() < octets.size()) (void)c.poller->wait(end - clock.now());
  }
  EXPECT_TRUE(fell_short);
  EXPECT_TRUE(got == octets);
}

TEST(Tcp, TellsTheEndOfEachSide) {
  Connection c;
  write_text(*c.client, "bye");
  c.client->shutdown_write();
  std::string text;
  ASSERT_TRUE(wait_readable(*c.poller, kServer));
  read_text(*c.server, 10, text);
  EXPECT_EQ(text, "bye");
  IoResult result = read_text(*c.server, 10, text);
  if (result.status == IoResult::Status::kAgain) {
    ASSERT_TRUE(wait_readable(*c.poller, kServer));
    result = read_text(*c.server, 10, text);
  }
  EXPECT_EQ(result.status, IoResult::Status::kClosed);

  EXPECT_EQ(write_text(*c.server, "still here").count, 10u);  // half closed
  ASSERT_TRUE(wait_readable(*c.poller, kClient));
  read_text(*c.client, 100, text);
  EXPECT_EQ(text, "still here");
  result = write_text(*c.client, "late");  // and no SIGPIPE
  EXPECT_EQ(result.status, IoResult::Status::kFailed);
  EXPECT_EQ(result.error, EPIPE);
}

TEST(Tcp, TellsAReset) {
  Connection c;
  write_text(*c.client, "never read");
  ASSERT_TRUE(wait_readable(*c.poller, kServer));
  c.server.reset();
  ASSERT_TRUE(wait_readable(*c.poller, kClient));
  std::string text;
  const IoResult result = read_text(*c.client, 10, text);
  EXPECT_EQ(result.status, IoResult::Status::kFailed);
  EXPECT_EQ(result.error, ECONNRESET);
  EXPECT_EQ(c.client->peer().family(), Address::Family::kNone);
}

TEST(Tcp, TellsARefusedConnection) {
  const Address nobody = (*listen_tcp(loopback(), {}))->local();  // closed again at once
  auto client = connect_tcp(nobody);
  if (!client) {  // the loopback may answer before connect() returns
    EXPECT_NE(client.error().find("Connection refused"), std::string::npos);
    return;
  }
  auto poller = make_poller();
  ASSERT_TRUE(poller->add(**client, kClient));
  ASSERT_TRUE(wait_writable(*poller, kClient));
  EXPECT_EQ(connect_error(**client), ECONNREFUSED);
}

TEST(Tcp, ConnectsFromAChosenAddress) {
  auto listener = std::move(listen_tcp(loopback(), {}).value());
  auto poller = make_poller();
  ASSERT_TRUE(poller->add(*listener, kListener));
  const Address own = Address::v4({127, 0, 0, 9}, 0);
  auto client = std::move(connect_tcp(listener->local(), own).value());
  ASSERT_TRUE(wait_readable(*poller, kListener));
  int error = 0;
  auto server = listener->accept(error);
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(server->peer().with_port(0), own);
}

TEST(Tcp, ListenersShareAnAddressOnlyWhenAsked) {
  auto first = std::move(listen_tcp(loopback(), {.reuse_port = true}).value());
  EXPECT_TRUE(listen_tcp(first->local(), {.reuse_port = true}).has_value());
  const auto refused = listen_tcp(first->local(), {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(),
            "cannot listen on " + first->local().to_text() + ": Address already in use");
}

TEST(Tcp, AcceptsNothingWhenNothingWaits) {
  auto listener = std::move(listen_tcp(loopback(), {}).value());
  int error = 99;
  EXPECT_EQ(listener->accept(error), nullptr);
  EXPECT_EQ(error, 0);
}

TEST(Tcp, OutOfDescriptorsIsToldAndTheConnectionKept) {
  auto listener = std::move(listen_tcp(loopback(), {}).value());
  auto poller = make_poller();
  ASSERT_TRUE(poller->add(*listener, kListener));
  auto client = std::move(connect_tcp(listener->local()).value());
  ASSERT_TRUE(wait_readable(*poller, kListener));

  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  int error = 0;
  auto refused = listener->accept(error);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(refused, nullptr);
  EXPECT_EQ(error, EMFILE);

  EXPECT_NE(listener->accept(error), nullptr);
  EXPECT_EQ(error, 0);
}

}  // namespace
}  // namespace hermod::transport
