// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7959 that hold for every server, whether it transfers blocks or not.
// Names: tests/conformance/rfc7959.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Rfc7959Any : public ::testing::Test {
 protected:
  Settings settings;
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
};

// The first block of 16 octets of a value, with more to come: it is no value yet, whatever the
// answer is.
TEST_F(Rfc7959Any, RFC7959_2_1_1_a_block_is_not_taken_for_the_whole) {
  peer.octets("4003 0001 b2'ps' 04'data' 01'a' d103 08 ff 'x'*16");
  if (peer.wants() == "Lookup a") peer.answers(0, model::Reason::kNotFound);
  EXPECT_THAT(peer.wants(), Not(HasSubstr("Publish")));
  EXPECT_THAT(peer.sent(),
              ::testing::AnyOf(StartsWith("ACK 2.31 #1 Block1:0+/16"), StartsWith("ACK 4.02 #1")));
}

// Block2 twice, Block1 twice: the second is not recognised, and critical (RFC 7252 §5.4.5).
TEST_F(Rfc7959Any, RFC7959_2_1_2_a_block_option_comes_once) {
  peer.octets("4001 0001 b2'ps' 04'data' 01'a' c102 0102");
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.02 #1"));
  peer.octets("4003 0002 b2'ps' 04'data' 01'a' d103 00 0100 ff 'x'");
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.02 #2"));
  peer.octets("5003 0003 b2'ps' 04'data' 01'a' d103 00 0100 ff 'x'");
  EXPECT_EQ(peer.sent(), "RST 0.00 #3");
  EXPECT_EQ(peer.wants(), "");
}

}  // namespace
}  // namespace hermod::coap::test
