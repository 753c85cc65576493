// SPDX-License-Identifier: Apache-2.0
// Ways to a server that are not simply a host and a port. SRV records are tested with a name server
// in tests/interop/ways_test.py: the resolver of libc has no other face.
#include "../dialer.hpp"

#include <gtest/gtest.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>

#include "scripted_server.hpp"

namespace hermod::client {
namespace {

constexpr const char* kConnect = "10 0d 0004 4d515454 04 02 003c 0001 63";
constexpr const char* kConnack = "20 02 00 00";

class DialerTest : public testing::Test {
 protected:
  /// Connects and disconnects; how it ended.
  std::string end_of(MqttOptions options) {
    options.session.client_id = "c";
    std::string end = "nothing";
    MqttClient client(io_.get_executor(), std::move(options));
    client.async_connect([&](error_code error, bool) {
      end = error ? error.message() : "connected";
      if (!error) client.async_disconnect([](error_code) {});
    });
    run(io_);
    return end;
  }
  MqttOptions through_proxy() {
    return {.host = "broker.test",
            .proxy = SocksProxy{.host = "127.0.0.1", .port = proxy().port()}};
  }

  /// The proxy; made when it is first spoken of.
  ScriptedTcpServer& proxy() {
    if (!proxy_) proxy_.emplace(io_);
    return *proxy_;
  }

  asio::io_context io_;
  std::optional<ScriptedTcpServer> proxy_;
};

TEST_F(DialerTest, SpeaksThroughAProxy) {
  proxy().expects("05 01 00").sends("05 00");
  proxy().expects("05 01 00 03 0b 62726f6b65722e74657374 075b");
  // What the server says may come together with the proxy's last octets.
  proxy().sends("05 00 00 01 7f000001 075b").expects(kConnect).sends(kConnack).expects("e000");
  proxy().expects_end();
  EXPECT_EQ(end_of(through_proxy()), "connected");
}

TEST_F(DialerTest, LogsInAtTheProxy) {
  proxy().expects("05 02 00 02").sends("05 02").expects("01 02 6d65 02 7077").sends("01 00");
  proxy().expects("05 01 00 03 0b 62726f6b65722e74657374 075b").sends("05 05 00 01").closes();
  MqttOptions options = through_proxy();
  options.proxy->user = "me";
  options.proxy->password = "pw";
  EXPECT_EQ(end_of(options), "the proxy says that nothing listens there");
}

TEST_F(DialerTest, ProxiesMayHangUp) {
  proxy().expects("05 01 00").sends("05").closes();
  EXPECT_EQ(end_of(through_proxy()), "the proxy closed the connection");
}

TEST_F(DialerTest, NamesMustFitIntoSocks) {
  MqttOptions options{.host = std::string(256, 'x'), .proxy = SocksProxy{.host = "127.0.0.1"}};
  EXPECT_EQ(end_of(options), "host, user and password of a SOCKS proxy have 1 to 255 octets each");
}

TEST_F(DialerTest, ASilentProxyIsNotWaitedForForEver) {
  proxy().expects("05 01 00").expects_end();
  MqttOptions options = through_proxy();
  options.session.connect_timeout_s = 1;
  EXPECT_EQ(end_of(options), "the server did not answer in time");
}

TEST_F(DialerTest, ConnectsToASocketFile) {
  std::string folder = testing::TempDir() + "hermod-dial-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/socket";
  {
    asio::local::stream_protocol::acceptor acceptor(io_, path);
    asio::local::stream_protocol::socket peer(io_);
    std::string heard(octets(kConnect).size(), '\0');
    const std::string connack = octets(kConnack);
    acceptor.async_accept(peer, [&](error_code error) {
      ASSERT_FALSE(error);
      asio::async_read(peer, asio::buffer(heard), [&](error_code, std::size_t) {
        asio::async_write(peer, asio::buffer(connack), [&](error_code, std::size_t) {
          asio::async_read(peer, asio::buffer(heard),
                           [&](error_code, std::size_t) { peer.close(); });
        });
      });
    });
    EXPECT_EQ(end_of({.unix_path = path}), "connected");
  }
  EXPECT_EQ(end_of({.unix_path = path}), "Connection refused");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(end_of({.unix_path = path}), "No such file or directory");
  EXPECT_EQ(end_of({.unix_path = std::string(200, 'x')}), "File name too long");
}

TEST_F(DialerTest, ClosingEndsIt) {
  MqttClient client(io_.get_executor(), through_proxy());
  proxy().expects("05 01 00").then([&] { client.close(); }).expects_end();
  std::string end;
  client.async_connect([&](error_code error, bool) { end = error.message(); });
  run(io_);
  EXPECT_EQ(end, "the connection was closed by this side");
}

}  // namespace
}  // namespace hermod::client
