// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7641 that a client keeps, and the figures of its Appendix A from its side.
// Names: tests/conformance/rfc7641.txt.
#include <gmock/gmock.h>

#include "client_script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using ::testing::StartsWith;

class Rfc7641Client : public ClientTest {
 protected:
  void observes(std::string_view value, std::uint32_t sequence = 100) {
    ASSERT_TRUE(request({.path = path, .accept = ContentFormat::kJson, .observe = true}, 5));
    ASSERT_THAT(server.sent(), StartsWith("CON 0.01 #s0 t:0 Observe:0 "));
    acknowledges_with(
        0, {.code = code::kContent, .observe = sequence, .max_age = 15, .payload = value});
    ASSERT_THAT(server.wants(), StartsWith("Completed 5 ok 2.05"));
  }
  void notifies(std::uint32_t sequence, std::string_view value, Type type = Type::kNon,
                std::uint16_t id = 900) {
    responds({.type = type,
              .code = code::kContent,
              .id = id,
              .observe = sequence,
              .max_age = 15,
              .payload = value});
  }
};

// Figure 3, from the client's side.
TEST_F(Rfc7641Client, Figure_3_a_registration_and_a_notification) {
  ASSERT_TRUE(request({.path = path, .observe = true}, 5));
  EXPECT_EQ(server.sent(), "CON 0.01 #s0 t:0 Observe:0 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a'");
  acknowledges_with(0,
                    {.code = code::kContent, .observe = 9, .max_age = 15, .payload = "18.5 Cel"});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 | Publish a retain q1 '18.5 Cel'");
  notifies(16, "19.2 Cel");
  EXPECT_EQ(server.wants(), "Publish a q0 '19.2 Cel'");
}

// Figure 4: a notification is lost, Max-Age is over, and the client registers again: it does not
// go on with what it had. With the same token, as §3.3.1 allows: the server renews its entry.
TEST_F(Rfc7641Client, RFC7641_3_3_1_1_figure_4_registers_again_when_max_age_is_over) {
  observes("19.2 Cel", 16);
  server.after(seconds{15 + 15});
  EXPECT_THAT(server.sent(), StartsWith("CON 0.01 #s1 t:0 Observe:0 "));
  acknowledges_with(1,
                    {.code = code::kContent, .observe = 44, .max_age = 15, .payload = "19.7 Cel"});
  EXPECT_EQ(server.wants(), "Publish a q1 '19.7 Cel'");
}

TEST_F(Rfc7641Client, RFC7641_3_3_1_1_who_is_gone_is_said_to_be) {
  observes("v");
  server.after(seconds{30} + settings.transmission.max_transmit_wait());
  EXPECT_EQ(server.wants(), "Completed 5 timed out 0.00");
}

TEST_F(Rfc7641Client, RFC7641_3_3_1_2_a_renewal_has_the_same_options) {
  observes("v");
  server.after(seconds{15 + 15});
  const std::string sent = server.sent();
  EXPECT_EQ(sent.substr(0, sent.find(" | ")),
            "CON 0.01 #s1 t:0 Observe:0 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a' Accept:50");
}

TEST_F(Rfc7641Client, RFC7641_3_6_1_a_cancellation_has_the_same_options) {
  observes("v");
  EXPECT_TRUE(cancel(5));
  EXPECT_EQ(server.sent(),
            "CON 0.01 #s1 t:0 Observe:1 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a' Accept:50");
}

// §3.4: V1 < V2 and V2 - V1 < 2^23, or V1 > V2 and V1 - V2 > 2^23, or 128 s have passed.
TEST_F(Rfc7641Client, RFC7641_3_4_1_the_freshest_is_what_was_sent_last) {
  observes("100", 100);
  notifies(103, "103");
  notifies(101, "101");  // overtaken
  notifies(103, "103");  // twice
  EXPECT_EQ(server.wants(), "Publish a q0 '103'");
  notifies(103 + (1u << 23), "too far");
  EXPECT_EQ(server.wants(), "");
  notifies(102 + (1u << 23), "102 + 2^23");
  notifies(104, "104");  // round the clock
  EXPECT_EQ(server.wants(), "Publish a q0 '102 + 2^23'");
  notifies(1, "1");
  EXPECT_EQ(server.wants(), "Publish a q0 '1'");
}

TEST_F(Rfc7641Client, RFC7641_3_5_1_known_is_acknowledged_and_unknown_rejected) {
  observes("v");
  notifies(101, "1", Type::kCon, 901);
  EXPECT_EQ(server.sent(), "ACK 0.00 #901");
  server.sends({.code = code::kContent,
                .id = 902,
                .token = "12345678",
                .observe = 102,
                .payload = "of somebody else"});
  EXPECT_EQ(server.sent(), "RST 0.00 #902");
  EXPECT_EQ(server.wants(), "Publish a q1 '1'");
}

// Figure 6: the client has forgotten the observation.
TEST_F(Rfc7641Client, RFC7641_3_5_1_figure_6_rejects_what_it_has_forgotten) {
  observes("v");
  responds({.code = code::kNotFound, .id = 901});
  EXPECT_EQ(server.sent(), "ACK 0.00 #901");
  EXPECT_EQ(server.wants(), "Completed 5 not found 4.04");
  notifies(102, "19.3 Cel", Type::kCon, 0xaa0f);
  EXPECT_EQ(server.sent(), "RST 0.00 #43535");
  EXPECT_EQ(server.wants(), "");
}

}  // namespace
}  // namespace hermod::coap::test
