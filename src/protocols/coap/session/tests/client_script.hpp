// SPDX-License-Identifier: Apache-2.0
// A client session in a test's hands, with responses that carry the options of block-wise
// transfers, Echo and the like. Blocks are given as
// NUM/M/size, as in the examples of RFC 7959; sent() shows them as NUM/size, with a + where M is
// set.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/session/client_session.hpp"
#include "hermod/coap/session/resources.hpp"
#include "script.hpp"

namespace hermod::coap::test {

/// "2/1/16".
[[nodiscard]] inline Block block(std::string_view text) {
  const std::string copy(text);
  unsigned number = 0, more = 0, size = 0;
  HERMOD_ASSERT(std::sscanf(copy.c_str(), "%u/%u/%u", &number, &more, &size) == 3);
  return {.number = number, .more = more != 0, .size_exponent = size_exponent_for(size)};
}

/// A response, with named parts.
struct Responds {
  Code code = code::kContent;
  std::string_view block1;  // "0/1/16"; empty: none
  std::string_view block2;
  std::optional<std::uint32_t> observe;
  std::string_view etag;
  std::vector<std::string_view> location;
  std::optional<std::uint32_t> format;
  std::optional<std::uint32_t> max_age;
  std::optional<std::uint32_t> size2;
  std::string_view echo;
  std::string_view payload;
};

[[nodiscard]] inline std::vector<std::uint8_t> encode(const Responds& response, Type type,
                                                      std::uint16_t id, std::string_view token) {
  using enum OptionNumber;
  std::vector<std::uint8_t> out(65'536);
  BodyWriter body(write_head(out.data(), type, response.code, id, as_bytes(token)));
  if (!response.etag.empty()) body.option(kETag, response.etag);
  if (response.observe) body.uint_option(kObserve, *response.observe);
  for (const std::string_view segment : response.location) body.option(kLocationPath, segment);
  if (response.format) body.uint_option(kContentFormat, *response.format);
  if (response.max_age) body.uint_option(kMaxAge, *response.max_age);
  if (!response.block2.empty()) body.uint_option(kBlock2, block(response.block2).value());
  if (!response.block1.empty()) body.uint_option(kBlock1, block(response.block1).value());
  if (response.size2) body.uint_option(kSize2, *response.size2);
  if (!response.echo.empty()) body.option(kEcho, response.echo);
  body.payload(as_bytes(response.payload));
  out.resize(static_cast<std::size_t>(body.position() - out.data()));
  return out;
}

/// The session, and the calls of the application.
///
///   EXPECT_TRUE(request({.path = path}, 5));
///   EXPECT_EQ(server.sent(), "CON 0.01 #s0 t:0 ...");
///   acknowledges_with(0, {.code = code::kContent, .payload = "x"});
///   EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'x'");
class ClientTest : public ::testing::Test {
 protected:
  explicit ClientTest(std::vector<std::string> resource = path_of_topic("a"),
                      const ClientSettings& chosen = {.response_timeout = std::chrono::seconds{30}})
      : path(std::move(resource)), settings(chosen) {}
  void SetUp() override { ASSERT_EQ(server.wants(), "Credit 1"); }

  bool request(const ClientRequest& request, session::Ticket ticket = 5) {
    bool done = false;
    server.run([&](session::Effects& effects) {
      done = session.request(request, ticket, server.now, effects);
    });
    return done;
  }
  bool ping(session::Ticket ticket) {
    bool done = false;
    server.run(
        [&](session::Effects& effects) { done = session.ping(ticket, server.now, effects); });
    return done;
  }
  bool cancel(session::Ticket ticket) {
    bool done = false;
    server.run(
        [&](session::Effects& effects) { done = session.cancel(ticket, server.now, effects); });
    return done;
  }
  /// A response with the n-th token of the client.
  void responds(Sends message, std::size_t token = 0) {
    message.token = server.tokens.at(token);
    server.sends(message);
  }
  /// In the Acknowledgement of the client's n-th message.
  void acknowledges_with(unsigned n, Sends message, std::size_t token = 0) {
    message.type = Type::kAck;
    message.id = server.own_id(n);
    responds(message, token);
  }

  const std::vector<std::string> path;
  ClientSettings settings;
  SeededRng rng{1};
  ClientSession session{settings, rng};
  Script server{session};
};

/// With small blocks, and few of everything.
class ClientScriptTest : public ClientTest {
 protected:
  ClientScriptTest()
      : ClientTest({"r"}, {.response_timeout = std::chrono::seconds{30},
                           .requests_max = 4,
                           .block_exponent = 0,
                           .body_bytes_max = 64}) {}

  /// In the Acknowledgement of the client's n-th message, with its n-th token.
  void acknowledges(unsigned n, const Responds& response) {
    server.datagram(encode(response, Type::kAck, server.own_id(n), server.tokens.at(n)));
  }
  /// The same, when what the client has sent does not matter.
  void acknowledges_next(unsigned n, const Responds& response) {
    (void)sent();
    acknowledges(n, response);
  }
  /// The same with another token than the n-th.
  void acknowledges(unsigned n, std::size_t token, const Responds& response) {
    server.datagram(encode(response, Type::kAck, server.own_id(n), server.tokens.at(token)));
  }
  /// In a message of its own.
  void sends(Type type, std::uint16_t id, std::size_t token, const Responds& response) {
    server.datagram(encode(response, type, id, server.tokens.at(token)));
  }
  std::string sent() { return server.sent(); }
  std::string wants() { return server.wants(); }

  // 3 blocks of 16: two full ones and one of 8
  const std::string body =
      "0123456789abcdef"
      "ghijklmnopqrstuv"
      "wxyz....";
  const std::string first = body.substr(0, 16), second = body.substr(16, 16),
                    third = body.substr(32);
};

}  // namespace hermod::coap::test
