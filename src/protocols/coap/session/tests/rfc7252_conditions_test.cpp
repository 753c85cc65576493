// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7252 on conditional requests (section 5.10.8).
// Names: tests/conformance/rfc7252.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using ::testing::StartsWith;
using enum model::Reason;

class Rfc7252Conditions : public ::testing::Test {
 protected:
  // A request for /ps/data/a; the value that is there has the tag 1234, or there is none.
  std::string answer_to(std::string_view notation, bool there) {
    published.clear();
    peer.octets(notation);
    for (std::string wants = peer.wants(); !wants.empty(); wants = peer.wants()) {
      if (wants != "Lookup a") {
        published += wants;
        peer.answers(0, kOk);
      } else if (there) {
        peer.answers_value(0, value_of("a", "there", 0x1234));
      } else {
        peer.answers(0, kNotFound);
      }
    }
    return peer.sent();
  }

  Settings settings;
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
  std::string published;
};

// If-Match is 1, with a tag or empty (any value at all).
TEST_F(Rfc7252Conditions, RFC7252_5_10_8_1_and_2_if_match_does_not_hold) {
  EXPECT_THAT(answer_to("4003 0001 12 1235 a2'ps' 04'data' 01'a' ff 'v'", true),
              StartsWith("ACK 4.12 #1"));
  EXPECT_EQ(published, "");
  EXPECT_THAT(answer_to("4003 0002 10 a2'ps' 04'data' 01'a' ff 'v'", false),
              StartsWith("ACK 4.12 #2"));
  EXPECT_EQ(published, "");
  EXPECT_THAT(answer_to("4004 0003 12 1235 a2'ps' 04'data' 01'a'", true),
              StartsWith("ACK 4.12 #3"));
  EXPECT_EQ(published, "");
}

TEST_F(Rfc7252Conditions, RFC7252_5_10_8_1_if_match_holds) {
  EXPECT_THAT(answer_to("4003 0001 12 1234 a2'ps' 04'data' 01'a' ff 'v'", true),
              StartsWith("ACK 2.04 #1"));
  EXPECT_EQ(published, "Replace 4660 a retain q1 'v'");
  EXPECT_THAT(answer_to("4003 0002 12 9999 02 1234 a2'ps' 04'data' 01'a' ff 'v'", true),
              StartsWith("ACK 2.04 #2"));
  EXPECT_THAT(answer_to("4003 0003 10 a2'ps' 04'data' 01'a' ff 'v'", true),
              StartsWith("ACK 2.04 #3"));
  EXPECT_EQ(published, "Replace 4660 a retain q1 'v'");
}

// If-None-Match is 5 and empty.
TEST_F(Rfc7252Conditions, RFC7252_5_10_8_1_and_2_if_none_match) {
  EXPECT_THAT(answer_to("4003 0001 50 62'ps' 04'data' 01'a' ff 'v'", true),
              StartsWith("ACK 4.12 #1"));
  EXPECT_EQ(published, "");
  EXPECT_THAT(answer_to("4003 0002 50 62'ps' 04'data' 01'a' ff 'v'", false),
              StartsWith("ACK 2.01 #2"));
  EXPECT_EQ(published, "Replace 0 a retain q1 'v'");
}

// "to prevent the lost update problem": another value that comes between is looked at too.
TEST_F(Rfc7252Conditions, RFC7252_5_10_8_1_a_value_that_comes_meanwhile_counts) {
  peer.octets("4003 0001 12 1234 a2'ps' 04'data' 01'a' ff 'v'");
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "there", 0x1234));
  EXPECT_EQ(peer.wants(), "Replace 4660 a retain q1 'v'");
  peer.answers(0, kOutdated);
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "other", 0x1235));
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.12 #1"));
}

// Who only wants that there is a value goes on until none comes between, but not for ever.
TEST_F(Rfc7252Conditions, RFC7252_5_10_8_1_values_that_come_meanwhile_are_bounded) {
  peer.octets("4003 0001 10 a2'ps' 04'data' 01'a' ff 'v'");
  for (std::uint64_t version = 1; version <= 16; ++version) {
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers_value(0, value_of("a", "there", version));
    ASSERT_EQ(peer.wants(), fmt::format("Replace {} a retain q1 'v'", version));
    peer.answers(0, kOutdated);
  }
  EXPECT_THAT(peer.sent(), StartsWith("ACK 5.03 #1"));
}

}  // namespace
}  // namespace hermod::coap::test
