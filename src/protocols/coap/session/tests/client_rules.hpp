// SPDX-License-Identifier: Apache-2.0
// A client session with its server's datagrams in a test's hands: script.hpp, and the calls of the
// application.
//
//   EXPECT_TRUE(request({.path = path}, 5));
//   EXPECT_EQ(server.sent(), "CON 0.01 #s0 t:0 ...");
//   acknowledges_with(0, {.code = code::kContent, .payload = "x"});
//   EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'x'");
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hermod/coap/session/client_session.hpp"
#include "hermod/coap/session/resources.hpp"
#include "script.hpp"

namespace hermod::coap::test {

class ClientRulesTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(server.wants(), "Credit 1"); }

  bool request(const ClientRequest& request, session::Ticket ticket) {
    bool done = false;
    server.run([&](session::Effects& effects) {
      done = session.request(request, ticket, server.now, effects);
    });
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

  const std::vector<std::string> path = path_of_topic("a");
  ClientSettings settings{.response_timeout = std::chrono::seconds{30}};
  SeededRng rng{1};
  ClientSession session{settings, rng};
  Script server{session};
};

}  // namespace hermod::coap::test
