// SPDX-License-Identifier: Apache-2.0
// What requests on a topic's data say beside their method, through a server session, as scripts.
#include <gtest/gtest.h>

#include <string>

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using enum model::Reason;

class ServerMethodsTest : public ::testing::Test {
 protected:
  // Sends a publication on a topic without a value; returns what the session publishes.
  std::string publishes(const Sends& request) {
    peer.sends(request);
    EXPECT_EQ(peer.wants(), "Lookup a");
    peer.answers(0, kNotFound);
    return peer.wants();
  }

  Settings settings;
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
};

TEST_F(ServerMethodsTest, PostPublishesAndRetainsNothing) {
  EXPECT_EQ(publishes({.code = code::kPost, .id = 1, .payload = "x"}), "Publish a q1 'x'");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.04 #1 t:t");
  EXPECT_EQ(publishes({.code = code::kPost, .id = 2}), "Publish a q1 ''");  // an event says little
}

TEST_F(ServerMethodsTest, TheQuerySaysHowToPublish) {
  EXPECT_EQ(publishes({.code = code::kPut,
                       .id = 1,
                       .path = "/ps/data/a?retain=0&qos=2&expiry=9&user.room=1",
                       .format = 50,
                       .payload = "x"}),
            "Publish a q2 ct:application/json for:9s room=1 'x'");
  EXPECT_EQ(publishes({.type = Type::kNon,
                       .code = code::kPost,
                       .id = 2,
                       .path = "/ps/data/a?retain=1",
                       .max_age = 7,
                       .payload = "x"}),
            "Publish a retain q0 for:7s 'x'");
}

// RFC 7967 §2: nothing but the acknowledgement, and a duplicate hears as much.
TEST_F(ServerMethodsTest, NoResponseIsObeyedByClass) {
  const Sends quiet{.code = code::kPut, .id = 1, .payload = "x", .no_response = 2};
  EXPECT_EQ(publishes(quiet), "Publish a retain q1 'x'");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 0.00 #1");
  peer.sends(quiet);
  EXPECT_EQ(peer.sent(), "ACK 0.00 #1");
  EXPECT_EQ(peer.wants(), "");
  EXPECT_EQ(
      publishes(
          {.type = Type::kNon, .code = code::kPut, .id = 2, .payload = "x", .no_response = 26}),
      "Publish a retain q0 'x'");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "");
  // 2 suppresses successes alone
  EXPECT_EQ(publishes({.code = code::kPut, .id = 3, .payload = "x", .no_response = 2}),
            "Publish a retain q1 'x'");
  peer.answers(0, kNotAuthorized);
  EXPECT_EQ(peer.sent(), "ACK 4.03 #3 t:t");
}

// RFC 8516 §3: with the time after which to come again.
TEST_F(ServerMethodsTest, TooManyActionsInASecondAreRefused) {
  settings.actions_per_s_max = 2;
  for (std::uint16_t id = 1; id <= 2; ++id) {
    EXPECT_EQ(publishes({.code = code::kPut, .id = id, .payload = "x"}), "Publish a retain q1 'x'");
  }
  peer.sends({.code = code::kPut, .id = 3, .payload = "x"});
  EXPECT_EQ(peer.sent(), "ACK 4.29 #3 t:t Max-Age:1");
  peer.sends({.id = 4});  // reading is no action
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.after(seconds{1});
  EXPECT_EQ(publishes({.code = code::kPut, .id = 5, .payload = "x"}), "Publish a retain q1 'x'");
}

// RFC 8974 §2.2.2: an error, and no Reset, which would say that long tokens are not known.
TEST_F(ServerMethodsTest, RefusesTokensThatAreTooLong) {
  const std::string longest(1024, 'k');
  peer.sends({.id = 1, .token = longest});
  EXPECT_EQ(peer.wants(), "Lookup a");
  const std::string longer(1025, 'k');
  peer.sends({.id = 2, .token = longer});
  EXPECT_EQ(peer.sent(), "ACK 4.00 #2 t:" + longer + " 'the token is too long'");
  EXPECT_EQ(peer.wants(), "");
}

TEST_F(ServerMethodsTest, RefusesAHopLimitOfZero) {
  peer.sends({.id = 1, .hop_limit = 0});
  EXPECT_EQ(peer.sent(), "ACK 4.00 #1 t:t 'a hop limit is not 0'");
  peer.sends({.id = 2, .hop_limit = 1});
  EXPECT_EQ(peer.wants(), "Lookup a");
}

}  // namespace
}  // namespace hermod::coap::test
