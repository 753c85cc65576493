// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7252 on messages (sections 3 and 4) that a server keeps, and the figures of
// Appendix A from its side. Names: tests/conformance/rfc7252.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using enum model::Reason;
using Numbers = std::initializer_list<std::uint16_t>;

class Rfc7252Server : public ::testing::Test {
 protected:
  // A value is read, and the response goes out.
  void reads(const Sends& request, std::string_view value = "v") {
    peer.sends(request);
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers_value(0, value_of("a", value));
  }
  // A request whose value takes its time: acknowledged, and then answered as the n-th message.
  void answers_separately(unsigned n, const Sends& request) {
    peer.sends(request);
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.after(settings.ack_delay);
    ASSERT_EQ(peer.sent(), fmt::format("ACK 0.00 #{}", request.id));
    peer.answers_value(0, value_of("a", "v"));
    ASSERT_EQ(peer.sent(), fmt::format("CON 2.05 #s{} t:{} 'v'", n, request.token));
  }

  Settings settings;
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
};

TEST_F(Rfc7252Server, RFC7252_3_2_other_versions_are_passed_over) {
  peer.octets("00010001");
  peer.octets("80010002");  // a Confirmable GET, were it version 1
  peer.octets("c0000003");
  EXPECT_EQ(peer.sent(), "");
  EXPECT_EQ(peer.wants(), "");
  peer.octets("40000004");
  EXPECT_EQ(peer.sent(), "RST 0.00 #4");
}

TEST_F(Rfc7252Server, RFC7252_3_3_and_4_and_3_1_2_and_3_format_errors_are_rejected) {
  peer.octets("4801 0001 a1a2a3a4a5a6a7");  // a token that is cut off
  peer.octets("4f01 0002 a1a2a3a4a5a6a7a8a9aaabacadaeaf");
  peer.octets("4001 0003 ff");
  peer.octets("4001 0004 f1 0000 61");
  peer.octets("4001 0005 1f 0000 'x'*269");
  EXPECT_EQ(peer.sent(), "RST 0.00 #1 | RST 0.00 #2 | RST 0.00 #3 | RST 0.00 #4 | RST 0.00 #5");
  EXPECT_EQ(peer.wants(), "");
}

// Accept 50 in two octets instead of one, and a value that only CBOR would fit.
TEST_F(Rfc7252Server, RFC7252_3_2_1_leading_zeros_change_no_number) {
  const model::Properties json{.content_type = "application/json"};
  model::Message value = value_of("a", "{}");
  value.properties = &json;
  peer.octets("4001 0001 b2'ps' 04'data' 01'a' 62 0032");
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 Content-Format:50 '{}'");
  peer.octets("4001 0002 b2'ps' 04'data' 01'a' 62 003c");
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value);
  EXPECT_EQ(peer.sent(), "ACK 4.06 #2");
}

TEST_F(Rfc7252Server, RFC7252_4_1_1_what_is_sent_empty_is_four_octets) {
  peer.octets("40000001");
  ASSERT_EQ(peer.wire.sent.size(), 1u);
  EXPECT_EQ(peer.wire.sent[0], testkit::octets("70000001"));
  peer.sends({.id = 0x0102, .token = "12345678"});
  peer.after(settings.ack_delay);
  ASSERT_EQ(peer.wire.sent.size(), 2u);
  EXPECT_EQ(peer.wire.sent[1], testkit::octets("60000102"));
}

TEST_F(Rfc7252Server, RFC7252_4_1_2_an_empty_message_that_is_not_empty_is_rejected) {
  peer.octets("4100 0001 aa");
  peer.octets("4000 0002 b161");
  peer.octets("4000 0003 ff61");
  EXPECT_EQ(peer.sent(), "RST 0.00 #1 | RST 0.00 #2 | RST 0.00 #3");
  // the same in an Acknowledgement ends nothing
  answers_separately(0, {.id = 7});
  const std::uint16_t id = peer.own_id(0);
  peer.datagram(
      {0x60, 0, static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id), 0xff, 'x'});
  peer.after(seconds{3});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t 'v'");
}

TEST_F(Rfc7252Server, RFC7252_4_2_1_a_confirmable_message_is_acknowledged_or_rejected) {
  reads({.id = 1});
  peer.sends({.code = Code::of(0, 31), .id = 2});  // no method
  peer.octets("40000003");                         // Empty
  peer.octets("40200004");                         // class 1
  peer.octets("40c00005");                         // class 6
  peer.octets("40e00006");                         // class 7
  peer.octets("40450007");                         // a response to nothing
  peer.octets("40010008ff");                       // malformed
  EXPECT_EQ(peer.sent(),
            "ACK 2.05 #1 t:t 'v' | ACK 4.05 #2 t:t | RST 0.00 #3 | RST 0.00 #4 | RST 0.00 #5 | "
            "RST 0.00 #6 | RST 0.00 #7 | RST 0.00 #8");
}

TEST_F(Rfc7252Server, RFC7252_4_2_2_and_3_and_4_4_1_the_id_comes_back) {
  for (const std::uint16_t id : Numbers{0, 1, 0x7d34, 0x8000, 0xffff}) {
    reads({.id = id});
    EXPECT_EQ(peer.sent(), fmt::format("ACK 2.05 #{} t:t 'v'", id));
    peer.sends({.code = code::kEmpty, .id = id, .token = ""});
    EXPECT_EQ(peer.sent(), fmt::format("RST 0.00 #{}", id));
  }
}

TEST_F(Rfc7252Server, RFC7252_4_2_4_acknowledgements_and_resets_are_not_answered) {
  for (const char* message : {"60000001", "70000001", "60450001", "6145000174ff78", "60010001",
                              "70450001", "60200001", "60e00001", "600000010000", "70000001ff"}) {
    peer.octets(message);
    EXPECT_EQ(peer.sent(), "") << message;
    EXPECT_EQ(peer.wants(), "") << message;
  }
}

//   CON GET #7 -------->   ACK 0.00 #7, CON 2.05 #s0
//   ACK #s0 ----------->
//   CON GET #7 -------->   ACK 0.00 #7: it was not for nothing that it came again
TEST_F(Rfc7252Server, RFC7252_4_2_7_a_request_is_acknowledged_after_its_response_was) {
  answers_separately(0, {.id = 7});
  peer.acknowledges(0);
  peer.after(seconds{20});
  EXPECT_EQ(peer.sent(), "");
  peer.sends({.id = 7});
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  EXPECT_EQ(peer.wants(), "");
}

TEST_F(Rfc7252Server, RFC7252_4_3_1_and_2_what_is_not_confirmable_is_not_acknowledged) {
  reads({.type = Type::kNon, .id = 1});
  peer.sends({.type = Type::kNon, .code = Code::of(0, 31), .id = 2});
  peer.sends({.type = Type::kNon, .id = 3, .path = "/nowhere"});
  EXPECT_EQ(peer.sent(), "NON 2.05 #s0 t:t 'v' | NON 4.05 #s1 t:t | NON 4.04 #s2 t:t");
  peer.sends({.type = Type::kNon, .id = 4});  // takes its time
  peer.after(seconds{30});
  EXPECT_EQ(peer.sent(), "");
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "NON 4.04 #s3 t:t");
}

// Rejected: with a Reset where the message can be read, in silence where it cannot.
TEST_F(Rfc7252Server, RFC7252_4_3_3_and_4_non_confirmable_messages_without_sense_do_nothing) {
  peer.octets("50000001");
  peer.octets("50200002");
  peer.octets("50c00003");
  peer.octets("50e00004");
  peer.octets("50450005");
  EXPECT_EQ(peer.sent(), "RST 0.00 #1 | RST 0.00 #2 | RST 0.00 #3 | RST 0.00 #4 | RST 0.00 #5");
  peer.octets("50030006ff");
  peer.octets("5f03000700");
  peer.octets("50000008ff78");
  EXPECT_EQ(peer.sent(), "");
  EXPECT_EQ(peer.wants(), "");
}

TEST_F(Rfc7252Server, RFC7252_4_4_3_another_id_acknowledges_nothing) {
  answers_separately(0, {.id = 7});
  peer.acknowledges(1);
  peer.resets(2);
  peer.octets("60000007");  // the peer's own id is not it either
  peer.after(seconds{3});
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t 'v'");
  peer.acknowledges(0);
  peer.after(seconds{100});
  EXPECT_EQ(peer.sent(), "");
}

// NSTART holds for whoever sends Confirmable messages.
TEST_F(Rfc7252Server, RFC7252_4_7_1_one_separate_response_at_a_time) {
  for (const std::uint16_t id : Numbers{1, 2}) peer.sends({.id = id});
  ASSERT_EQ(peer.wants(), "Lookup a | Lookup a");
  peer.after(settings.ack_delay);
  ASSERT_EQ(peer.sent(), "ACK 0.00 #1 | ACK 0.00 #2");
  peer.answers_value(0, value_of("a", "v"));
  peer.answers_value(1, value_of("a", "w"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t 'v'");
  peer.after(seconds{100});  // given up
  EXPECT_THAT(peer.sent(), ::testing::Not(::testing::HasSubstr("'w'")));
}

// --- the figures of Appendix A ---

//   CON GET #7d34 "temperature" -->   <-- ACK 2.05 #7d34 "22.3 C"; Figure 17: the same, token 0x20
TEST_F(Rfc7252Server, RFC7252_5_3_1_1_figures_16_and_17_a_piggybacked_response) {
  for (const std::string_view token : {"", " "}) {
    peer.sends({.id = 0x7d34, .token = token, .path = "/ps/data/temperature"});
    ASSERT_EQ(peer.wants(), "Lookup temperature");
    peer.answers_value(0, value_of("temperature", "22.3 C"));
    EXPECT_EQ(peer.sent(),
              token.empty() ? "ACK 2.05 #32052 '22.3 C'" : "ACK 2.05 #32052 t:  '22.3 C'");
  }
}

//   CON GET #7d37 -->   X-- ACK 2.05 #7d37
//   CON GET #7d37 -->   <-- ACK 2.05 #7d37
TEST_F(Rfc7252Server, Figure_19_a_repeated_request_is_answered_again) {
  for (int i = 0; i < 2; ++i) {
    reads({.id = 0x7d37, .token = "B"}, "22.3 C");
    EXPECT_EQ(peer.sent(), "ACK 2.05 #32055 t:B '22.3 C'");
  }
}

//   CON GET #7d38 -->   <-- ACK 0.00 #7d38   <-- CON 2.05 #ad7b   ACK 0.00 #ad7b -->
TEST_F(Rfc7252Server, Figure_20_a_separate_response) {
  answers_separately(0, {.id = 0x7d38, .token = "S"});
  peer.acknowledges(0);
  peer.after(seconds{100});
  EXPECT_EQ(peer.sent(), "");
}

//   ... <-- CON 2.05 #ad7c   RST #ad7c -->   The peer has forgotten that it asked.
TEST_F(Rfc7252Server, RFC7252_5_2_2_4_figure_21_a_reset_ends_the_response) {
  answers_separately(0, {.id = 0x7d39, .token = "d"});
  peer.resets(0);
  peer.after(seconds{100});
  EXPECT_EQ(peer.sent(), "");
}

//   NON GET #7d40 -->   <-- NON 2.05 #ad7d
TEST_F(Rfc7252Server, Figure_22_a_non_confirmable_exchange) {
  reads({.type = Type::kNon, .id = 0x7d40, .token = "u"}, "22.3 C");
  EXPECT_EQ(peer.sent(), "NON 2.05 #s0 t:u '22.3 C'");
  peer.after(seconds{100});
  EXPECT_EQ(peer.sent(), "");
}

}  // namespace
}  // namespace hermod::coap::test
