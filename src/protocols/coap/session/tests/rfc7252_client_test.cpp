// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7252 that a client keeps, and the figures of Appendix A from its side.
// Names: tests/conformance/rfc7252.txt.
#include <gmock/gmock.h>

#include <algorithm>

#include "client_script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kGet = "CON 0.01 #s0 t:0 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a'";

class Rfc7252Client : public ClientTest {
 protected:
  // A GET is under way as the client's first message.
  void gets(bool confirmable = true) {
    ASSERT_TRUE(request({.path = path, .confirmable = confirmable}, 5));
    ASSERT_THAT(server.sent(), HasSubstr(kGet.substr(3)));
  }
};

// --- messages ---

TEST_F(Rfc7252Client, RFC7252_3_2_other_versions_are_passed_over) {
  gets();
  server.octets("80450001");
  server.octets("00450002");
  server.octets("c0000003");
  EXPECT_EQ(server.sent(), "");
  EXPECT_EQ(server.wants(), "");
}

TEST_F(Rfc7252Client, RFC7252_4_2_1_a_confirmable_message_is_acknowledged_or_rejected) {
  server.octets("40000001");    // Empty: a ping
  server.octets("40200002");    // class 1
  server.octets("40c00003");    // class 6
  server.octets("40e00004");    // class 7
  server.octets("40010005");    // a request: this is no server
  server.octets("40450006ff");  // malformed
  EXPECT_EQ(server.sent(),
            "RST 0.00 #1 | RST 0.00 #2 | RST 0.00 #3 | RST 0.00 #4 | RST 0.00 #5 | RST 0.00 #6");
  gets();
  responds({.code = code::kContent, .id = 7, .payload = "v"});
  EXPECT_EQ(server.sent(), "ACK 0.00 #7");
}

TEST_F(Rfc7252Client, RFC7252_4_2_4_acknowledgements_and_resets_are_not_answered) {
  for (const char* message : {"60000001", "70000001", "60450001", "6145000174ff78", "60010001",
                              "70450001", "60c00001", "600000010000", "70000001ff"}) {
    server.octets(message);
    EXPECT_EQ(server.sent(), "") << message;
  }
}

TEST_F(Rfc7252Client, RFC7252_4_3_2_to_4_a_non_confirmable_message_is_not_acknowledged) {
  server.octets("50000001");
  server.octets("50450002");
  EXPECT_EQ(server.sent(), "RST 0.00 #1 | RST 0.00 #2");
  server.octets("50450003ff");
  EXPECT_EQ(server.sent(), "");
  gets(false);
  responds({.type = Type::kNon, .code = code::kContent, .id = 900, .payload = "v"});
  EXPECT_EQ(server.sent(), "");
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'v'");
}

TEST_F(Rfc7252Client, RFC7252_4_4_3_another_id_acknowledges_nothing) {
  gets();
  server.acknowledges(1);
  server.resets(1);
  EXPECT_EQ(server.wants(), "");
  server.after(seconds{3});
  EXPECT_EQ(server.sent(), kGet);
}

// Figure 18: the request is lost; the pauses of §4.2 from 2 to 3 s on, each twice the one before.
TEST_F(Rfc7252Client, RFC7252_4_2_5_figure_18_what_is_lost_comes_again) {
  gets();
  std::vector<Duration> pauses;
  Instant last = server.now;
  while (session.next_deadline() != kNever && pauses.size() < 4) {
    server.after(session.next_deadline() - server.now);
    ASSERT_EQ(server.sent(), kGet);  // the same message, with its id and token
    pauses.push_back(server.now - last);
    last = server.now;
  }
  ASSERT_EQ(pauses.size(), 4u);
  EXPECT_GE(pauses[0], seconds{2});
  EXPECT_LE(pauses[0], seconds{3});
  for (std::size_t i = 1; i < pauses.size(); ++i) EXPECT_EQ(pauses[i], pauses[i - 1] * 2);
  acknowledges_with(0, {.code = code::kContent, .payload = "22.3 C"});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 '22.3 C'");
  server.after(seconds{300});
  EXPECT_EQ(server.sent(), "");
}

// Nothing is sent any more after MAX_RETRANSMIT repetitions, and the end is within
// MAX_TRANSMIT_WAIT.
TEST_F(Rfc7252Client, RFC7252_4_2_6_the_last_repetition_is_within_the_span) {
  gets();
  server.after(settings.transmission.max_transmit_span());
  const std::string repeated = server.sent();
  EXPECT_EQ(std::ranges::count(repeated, '|'), 3);
  EXPECT_EQ(server.wants(), "");
  server.after(settings.transmission.max_transmit_wait() -
               settings.transmission.max_transmit_span());
  EXPECT_EQ(server.sent(), "");
  EXPECT_EQ(server.wants(), "Completed 5 timed out 0.00");
}

TEST_F(Rfc7252Client, RFC7252_4_7_1_one_request_without_an_answer_at_a_time) {
  gets();
  ASSERT_TRUE(request({.path = path}, 6));
  ASSERT_TRUE(request({.path = path, .confirmable = false}, 7));
  EXPECT_EQ(server.sent(), "");
  server.acknowledges(0);  // an Empty Acknowledgement is an answer
  EXPECT_THAT(server.sent(), StartsWith("CON 0.01 #s1 t:1"));
  server.after(seconds{29});
  EXPECT_THAT(server.sent(), ::testing::Not(HasSubstr("#s2")));
  acknowledges_with(1, {.code = code::kContent}, 1);
  EXPECT_THAT(server.sent(), HasSubstr("NON 0.01 #s2 t:2"));
}

// --- requests and responses ---

//   NON, 60 octets and more -->      no answer: over after 30 s
//   NON                     -->      a second later for each octet of the first
//   CON                     -->      has its own pauses (§4.2)
TEST_F(Rfc7252Client, RFC7252_4_7_2_silence_is_probed_at_probing_rate) {
  const std::string payload(100, 'x');
  const auto puts = [&](session::Ticket ticket, bool confirmable) {
    return request({.method = code::kPut,
                    .path = path,
                    .payload = as_bytes(payload),
                    .confirmable = confirmable},
                   ticket);
  };
  ASSERT_TRUE(puts(1, false));
  ASSERT_TRUE(puts(2, false));
  const Instant begun = server.now;
  ASSERT_EQ(server.wire.sent.size(), 1u);
  const auto octets = static_cast<std::int64_t>(server.wire.sent[0].size());
  ASSERT_GT(octets, 100);
  server.after(settings.response_timeout);
  EXPECT_EQ(server.wants(), "Completed 1 timed out 0.00");
  EXPECT_EQ(server.wire.sent.size(), 1u);
  ASSERT_TRUE(puts(3, true));
  EXPECT_EQ(server.wire.sent.size(), 2u);
  EXPECT_EQ(decode(server.wire.sent.back()).value().type, Type::kCon);
  server.after(std::chrono::seconds{octets - 1} - (server.now - begun));
  EXPECT_THAT(server.wants(), testing::EndsWith("Completed 3 timed out 0.00"));
  const std::size_t repeated = server.wire.sent.size();
  server.after(std::chrono::seconds{1});
  ASSERT_EQ(server.wire.sent.size(), repeated + 1);
  EXPECT_EQ(decode(server.wire.sent.back()).value().type, Type::kNon);
  server.after(settings.response_timeout);
  EXPECT_EQ(server.wants(), "Completed 2 timed out 0.00");
  ASSERT_TRUE(puts(4, false));
  EXPECT_EQ(server.wire.sent.size(), repeated + 1);
  server.datagram({0x40, 0x00, 0x12, 0x34});  // a ping: somebody is there
  EXPECT_EQ(decode(server.wire.sent.back()).value().type, Type::kNon);
}

// Silence that was asked for (RFC 7967 §2) says nothing about the server.
TEST_F(Rfc7252Client, RFC7252_4_7_2_silence_that_was_asked_for_is_none) {
  const std::string payload(100, 'x');
  const auto puts = [&](session::Ticket ticket) {
    return request({.method = code::kPut,
                    .path = path,
                    .payload = as_bytes(payload),
                    .no_response = kNoSuccess,
                    .confirmable = false},
                   ticket);
  };
  ASSERT_TRUE(puts(1));
  server.after(settings.response_timeout);
  EXPECT_EQ(server.wants(), "Completed 1 ok 0.00");
  ASSERT_TRUE(puts(2));
  EXPECT_EQ(server.wire.sent.size(), 2u);
}

TEST_F(Rfc7252Client, RFC7252_5_2_1_1_and_5_3_2_2_a_piggybacked_response) {
  gets();
  acknowledges_with(0, {.code = code::kContent, .payload = "v"});
  EXPECT_EQ(server.sent(), "");
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'v'");
}

//   CON GET #s0 -->   <-- ACK 0.00 #s0   <-- CON 2.05 #ad7b   ACK 0.00 #ad7b -->   Figure 20
TEST_F(Rfc7252Client, RFC7252_5_2_1_1_and_5_2_2_3_figure_20_a_separate_response) {
  gets();
  server.acknowledges(0);
  responds({.code = code::kContent, .id = 0xad7b, .payload = "22.3 C"});
  ASSERT_EQ(server.wire.sent.size(), 1u);
  EXPECT_EQ(server.wire.sent[0], testkit::octets("6000ad7b"));
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 '22.3 C'");
}

// Figure 20 says that they need not come in this order.
TEST_F(Rfc7252Client, RFC7252_5_2_2_3_figure_20_the_response_overtakes_the_acknowledgement) {
  gets();
  responds({.code = code::kContent, .id = 0xad7b, .payload = "22.3 C"});
  EXPECT_EQ(server.sent(), "ACK 0.00 #44411");
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 '22.3 C'");
  server.acknowledges(0);
  server.after(seconds{300});
  EXPECT_EQ(server.sent(), "");
  EXPECT_EQ(server.wants(), "");
}

//   <-- ACK 0.00 #7d39   <-- CON 2.05 #ad7c   RST #ad7c -->   Nothing is known of a request.
TEST_F(Rfc7252Client, RFC7252_5_3_2_3_figure_21_an_unexpected_response_is_rejected) {
  server.octets("60007d39");
  EXPECT_EQ(server.sent(), "");
  server.octets("4145ad7c 64 ff '22.3 C'");
  EXPECT_EQ(server.sent(), "RST 0.00 #44412");
  EXPECT_EQ(server.wants(), "");
}

TEST_F(Rfc7252Client, RFC7252_5_2_3_1_the_response_may_be_of_the_other_kind) {
  gets();
  server.acknowledges(0);
  responds({.type = Type::kNon, .code = code::kContent, .id = 900, .payload = "after"});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'after'");
  ASSERT_TRUE(request({.path = path}, 6));
  responds({.type = Type::kNon, .code = code::kContent, .id = 901, .payload = "before"}, 0);
  EXPECT_EQ(server.sent().find("CON 0.01 #s1 t:1"), 0u);
  responds({.type = Type::kNon, .code = code::kContent, .id = 902, .payload = "before"}, 1);
  server.acknowledges(1);
  EXPECT_EQ(server.wants(), "Completed 6 ok 2.05 'before'");
  ASSERT_TRUE(request({.path = path, .confirmable = false}, 7));
  (void)server.sent();
  responds({.code = code::kContent, .id = 903, .payload = "confirmable"}, 2);
  EXPECT_EQ(server.sent(), "ACK 0.00 #903");
  EXPECT_EQ(server.wants(), "Completed 7 ok 2.05 'confirmable'");
}

TEST_F(Rfc7252Client, RFC7252_5_3_2_2_id_and_token_have_to_match) {
  gets();
  responds({.type = Type::kAck, .code = code::kContent, .id = server.own_id(1)});
  server.sends({.type = Type::kAck, .code = code::kContent, .id = server.own_id(0), .token = ""});
  std::string other = server.tokens.at(0);
  other.back() = static_cast<char>(other.back() ^ 1);
  server.sends(
      {.type = Type::kAck, .code = code::kContent, .id = server.own_id(0), .token = other});
  EXPECT_EQ(server.wants(), "");
  EXPECT_EQ(server.sent(), "");
  acknowledges_with(0, {.code = code::kContent, .payload = "v"});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'v'");
}

TEST_F(Rfc7252Client, RFC7252_5_3_2_3_a_separate_response_is_found_by_its_token) {
  gets();
  server.acknowledges(0);
  ASSERT_TRUE(request({.path = path}, 6));
  server.acknowledges(1);
  (void)server.sent();
  responds({.code = code::kContent, .id = 900, .payload = "2"}, 1);
  responds({.code = code::kContent, .id = 901, .payload = "1"}, 0);
  EXPECT_EQ(server.sent(), "ACK 0.00 #900 | ACK 0.00 #901");
  EXPECT_EQ(server.wants(), "Completed 6 ok 2.05 '2' | Completed 5 ok 2.05 '1'");
}

// Observe means nothing in a response to a PUT, and is elective.
TEST_F(Rfc7252Client, RFC7252_5_4_1_what_a_response_does_not_define_is_passed_over) {
  ASSERT_TRUE(request({.method = code::kPut, .path = path, .payload = as_bytes("v")}, 5));
  EXPECT_EQ(server.sent(), "CON 0.03 #s0 t:0 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a' 'v'");
  acknowledges_with(0, {.code = code::kChanged, .observe = 9});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.04");
  EXPECT_EQ(session.open(), 0u);
}

TEST_F(Rfc7252Client, RFC7252_5_4_1_1_unknown_elective_options_are_passed_over) {
  gets();
  acknowledges_with(0, {.code = code::kContent, .payload = "v", .odd_option = 65'534});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'v'");
}

// Rejected: with a Reset, or, in an Acknowledgement, in silence. It is no answer, so the request is
// repeated.
TEST_F(Rfc7252Client, RFC7252_5_4_1_3_and_4_unknown_critical_options_reject_the_response) {
  gets();
  acknowledges_with(0, {.code = code::kContent, .payload = "v", .odd_option = 65'535});
  EXPECT_EQ(server.sent(), "");
  responds({.code = code::kContent, .id = 900, .payload = "v", .odd_option = 65'535});
  responds({.type = Type::kNon,
            .code = code::kContent,
            .id = 901,
            .payload = "v",
            .odd_option = 65'535});
  EXPECT_EQ(server.sent(), "RST 0.00 #900 | RST 0.00 #901");
  EXPECT_EQ(server.wants(), "");
  server.after(seconds{3});
  EXPECT_EQ(server.sent(), kGet);
}

// Max-Age is 60 where a notification does not say it: renewed 5 to 15 s later (RFC 7641 §3.3.1).
TEST_F(Rfc7252Client, RFC7252_5_4_4_1_an_absent_max_age_is_a_minute) {
  ASSERT_TRUE(request({.path = path, .observe = true}, 5));
  (void)server.sent();
  acknowledges_with(0, {.code = code::kContent, .observe = 1, .payload = "v"});
  server.after(seconds{65} - milliseconds{1});
  EXPECT_EQ(server.sent(), "");
  server.after(seconds{10} + milliseconds{1});
  EXPECT_THAT(server.sent(), StartsWith("CON 0.01 #s1 t:0 Observe:0"));
}

TEST_F(Rfc7252Client, RFC7252_5_4_5_1_a_request_has_once_what_is_not_repeatable) {
  const std::vector<std::string> query{"x=1", "y=2"};
  ASSERT_TRUE(request({.path = path,
                       .query = query,
                       .uri_host = "h",
                       .accept = ContentFormat::kCbor,
                       .observe = true},
                      5));
  ASSERT_EQ(server.wire.sent.size(), 1u);
  const auto message = decode(server.wire.sent[0]);
  ASSERT_TRUE(message.has_value());
  OptionNumber previous{};
  std::size_t options = 0;
  for (const OptionView& option : message->options) {
    const OptionRule* rule = find_rule(option.number);
    ASSERT_NE(rule, nullptr);
    EXPECT_TRUE(rule->repeatable || option.number != previous) << rule->name;
    EXPECT_TRUE(rule->allows_length(option.value.size())) << rule->name;
    previous = option.number;
    ++options;
  }
  EXPECT_EQ(options, 8u);
}

// GET and DELETE define no payload.
TEST_F(Rfc7252Client, RFC7252_5_5_1_a_deletion_has_no_payload) {
  const model::Message cleared = value_of("a", "");
  const model::Delivery item{.message = &cleared, .guarantee = model::Guarantee::kAtLeastOnce};
  server.run([&](session::Effects& effects) {
    session.on_deliveries({.items = {&item, 1}, .first_tag = 40}, server.now, effects);
  });
  EXPECT_EQ(server.sent(), "CON 0.04 #s0 t:0 Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a'");
}

}  // namespace
}  // namespace hermod::coap::test
