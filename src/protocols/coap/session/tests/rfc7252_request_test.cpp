// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7252 on requests and responses (section 5) that a server keeps.
// Names: tests/conformance/rfc7252.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include "hermod/base/utf8.hpp"

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using enum model::Reason;
using Numbers = std::initializer_list<std::uint16_t>;

class Rfc7252Requests : public ::testing::Test {
 protected:
  void finds(std::string_view value) {
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers_value(0, value_of("a", value));
  }
  void finds_nothing() {
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers(0, kNotFound);
  }

  Settings settings;
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
};

TEST_F(Rfc7252Requests, RFC7252_5_1_1_get_only_reads) {
  for (const Type type : {Type::kCon, Type::kNon}) {
    peer.sends({.type = type, .id = 7, .format = 50, .max_age = 1, .payload = "not a value"});
    finds("v");
    EXPECT_EQ(peer.wants(), "");
  }
  for (const char* path : {"/ps", "/.well-known/core"}) {
    peer.sends({.id = 8, .path = path});
    EXPECT_THAT(peer.wants(), StartsWith("List "));
    peer.answers(0, kUnavailable);
    EXPECT_EQ(peer.wants(), "");
  }
}

// What a second PUT or DELETE does is what the first one did.
TEST_F(Rfc7252Requests, RFC7252_5_1_2_twice_has_the_effect_of_once) {
  for (const std::uint16_t id : Numbers{1, 2}) {
    peer.sends({.code = code::kPut, .id = id, .payload = "v"});
    finds_nothing();
    EXPECT_EQ(peer.wants(), "Publish a retain q1 'v'");
    peer.answers(0, kOk);
  }
  for (const std::uint16_t id : Numbers{3, 4}) {
    peer.sends({.code = code::kDelete, .id = id});
    finds_nothing();
    EXPECT_EQ(peer.wants(), "Publish a retain q1 ''");
    peer.answers(0, kOk);
  }
  EXPECT_EQ(peer.sent(), "ACK 2.01 #1 t:t | ACK 2.01 #2 t:t | ACK 2.02 #3 t:t | ACK 2.02 #4 t:t");
}

// Also when the answer is there before the duplicate.
TEST_F(Rfc7252Requests, RFC7252_5_2_2_1_and_2_once_separate_always_separate) {
  const Sends put{.code = code::kPut, .id = 7, .payload = "v"};
  peer.sends(put);
  finds_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q1 'v'");
  peer.after(settings.ack_delay);
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  peer.sends(put);
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "CON 2.01 #s0 t:t");
  peer.sends(put);
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  peer.acknowledges(0);
  peer.sends(put);
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  EXPECT_EQ(peer.wants(), "");
}

// The Acknowledgement carries a response, which nobody asked for: it is one all the same.
TEST_F(Rfc7252Requests, RFC7252_5_2_2_4_any_acknowledgement_ends_the_repetition) {
  peer.sends({.id = 7});
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.after(settings.ack_delay);
  peer.answers_value(0, value_of("a", "v"));
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7 | CON 2.05 #s0 t:t 'v'");
  peer.sends({.type = Type::kAck, .code = code::kContent, .id = peer.own_id(0), .payload = "odd"});
  peer.after(seconds{100});
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(Rfc7252Requests, RFC7252_5_3_1_1_and_2_the_token_comes_back_whatever_it_is) {
  const std::string any("\x00\xff\x80\x0d\x20\x7f\xc3\x28", 8);
  for (std::size_t size = 0; size <= any.size(); ++size) {
    const std::string token = any.substr(0, size);
    for (const Sends& request :
         {Sends{.id = 1, .token = token}, Sends{.type = Type::kNon, .id = 2, .token = token},
          Sends{.id = 3, .token = token, .path = "/nowhere"},
          Sends{.code = Code::of(0, 31), .id = 4, .token = token}}) {
      peer.sends(request);
      if (!peer.wants().empty()) peer.answers_value(0, value_of("a", "v"));
      ASSERT_EQ(peer.wire.sent.size(), 1u);
      const auto response = decode(peer.wire.sent[0]);
      ASSERT_TRUE(response.has_value());
      EXPECT_EQ(as_text(response->token), token);
      (void)peer.sent();
    }
  }
}

// In a separate response too.
TEST_F(Rfc7252Requests, RFC7252_5_3_1_1_and_5_3_2_3_a_separate_response_has_the_token) {
  peer.sends({.id = 1, .token = "one"});
  peer.sends({.id = 2, .token = "two"});
  ASSERT_EQ(peer.wants(), "Lookup a | Lookup a");
  peer.after(settings.ack_delay);
  (void)peer.sent();
  peer.answers_value(1, value_of("a", "2"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:two '2'");
  peer.acknowledges(0);
  peer.answers_value(0, value_of("a", "1"));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s1 t:one '1'");
}

// Observe means nothing in a PUT (RFC 7641 §2), an ETag nothing there either (§5.10.6), and both
// are elective. Nobody is registered.
TEST_F(Rfc7252Requests, RFC7252_5_4_1_what_a_method_does_not_define_is_passed_over) {
  peer.sends({.code = code::kPut, .id = 1, .observe = 0, .etags = {"x"}, .payload = "v"});
  finds_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q1 'v'");
  peer.answers(0, kOk);
  peer.sends({.code = code::kDelete, .id = 2, .observe = 0});
  finds("v");
  EXPECT_EQ(peer.wants(), "Publish a retain q1 ''");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.01 #1 t:t | ACK 2.02 #2 t:t");
}

// Even numbers are elective, odd ones critical. None of these is defined.
TEST_F(Rfc7252Requests, RFC7252_5_4_1_1_unknown_elective_options_are_passed_over) {
  for (const std::uint16_t number : Numbers{18, 22, 2050, 64'998, 65'534}) {
    peer.sends({.id = 7, .odd_option = number});
    finds("v");
    EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t 'v'") << number;
  }
}

TEST_F(Rfc7252Requests, RFC7252_5_4_1_2_unknown_critical_options_are_refused) {
  for (const std::uint16_t number : Numbers{19, 21, 2051, 64'999, 65'535}) {
    peer.sends({.id = 7, .odd_option = number});
    EXPECT_THAT(peer.sent(), StartsWith("ACK 4.02 #7 t:t")) << number;
    peer.sends({.code = code::kPut, .id = 8, .payload = "v", .odd_option = number});
    EXPECT_THAT(peer.sent(), StartsWith("ACK 4.02 #8 t:t")) << number;
  }
  EXPECT_EQ(peer.wants(), "");
}

TEST_F(Rfc7252Requests, RFC7252_5_4_1_4_unknown_critical_options_without_confirmation) {
  for (const std::uint16_t number : Numbers{19, 21, 2051, 64'999, 65'535}) {
    peer.sends(
        {.type = Type::kNon, .code = code::kPut, .id = 7, .payload = "v", .odd_option = number});
    EXPECT_EQ(peer.sent(), "RST 0.00 #7") << number;
  }
  EXPECT_EQ(peer.wants(), "");
}

// Content-Format has at most two octets and is elective, Accept has at most two and is critical.
TEST_F(Rfc7252Requests, RFC7252_5_4_3_1_a_wrong_length_makes_an_option_unknown) {
  peer.octets("4003 0001 b2'ps' 04'data' 01'a' 13 000032 ff 'v'");
  finds_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q1 'v'");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.01 #1");
  peer.octets("4001 0002 b2'ps' 04'data' 01'a' 63 000032");
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.02 #2"));
  peer.octets("5001 0003 b2'ps' 04'data' 01'a' 63 000032");
  EXPECT_EQ(peer.sent(), "RST 0.00 #3");
  EXPECT_EQ(peer.wants(), "");
}

// A second Content-Format is passed over, a second Accept is refused.
TEST_F(Rfc7252Requests, RFC7252_5_4_5_2_what_comes_too_often_is_unknown) {
  peer.octets("4003 0001 b2'ps' 04'data' 01'a' 11 32 01 3c ff 'v'");
  finds_nothing();
  EXPECT_EQ(peer.wants(), "Publish a retain q1 ct:application/json 'v'");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.01 #1");
  peer.octets("4001 0002 b2'ps' 04'data' 01'a' 61 32 01 3c");
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.02 #2"));
  EXPECT_EQ(peer.wants(), "");
}

// GET and DELETE define no payload, nor do 2.02 and 2.03.
TEST_F(Rfc7252Requests, RFC7252_5_5_1_a_payload_where_there_is_none_is_passed_over) {
  peer.sends({.id = 1, .payload = "x"});
  finds("v");
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t 'v'");
  peer.sends({.code = code::kDelete, .id = 2, .payload = "x"});
  finds("v");
  EXPECT_EQ(peer.wants(), "Publish a retain q1 ''");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.02 #2 t:t");
}

TEST_F(Rfc7252Requests, RFC7252_5_5_2_1_diagnostics_are_utf_8) {
  std::size_t diagnostics = 0;
  for (const Sends& request :
       {Sends{.id = 1, .odd_option = 65'535}, Sends{.id = 2, .path = "/ps/data/%2B"},
        Sends{.id = 3, .path = "/ps/data/a%2Fb"}, Sends{.id = 4, .path = "/ps/data/%C3%BC?%C3%BC"},
        Sends{.code = code::kPut, .id = 5}, Sends{.id = 6, .path = "/%C3%BC"}}) {
    peer.sends(request);
    ASSERT_EQ(peer.wire.sent.size(), 1u);
    const auto response = decode(peer.wire.sent[0]);
    ASSERT_TRUE(response.has_value());
    ASSERT_FALSE(response->code.is_success());
    EXPECT_TRUE(is_utf8(response->payload));
    EXPECT_FALSE(response->options.find(OptionNumber::kContentFormat).has_value());
    if (!response->payload.empty()) ++diagnostics;
    (void)peer.sent();
  }
  EXPECT_GE(diagnostics, 3u);  // there is something to look at
}

// Proxy-Uri is 35, Proxy-Scheme 39; a path beside them does not count.
TEST_F(Rfc7252Requests, RFC7252_5_7_2_1_and_5_10_2_2_and_3_proxying_is_not_supported) {
  for (const std::uint16_t number : Numbers{35, 39}) {
    peer.sends({.id = 7, .odd_option = number});
    EXPECT_EQ(peer.sent(), "ACK 5.05 #7 t:t");
    peer.sends(
        {.type = Type::kNon, .code = code::kPut, .id = 8, .payload = "v", .odd_option = number});
    EXPECT_THAT(peer.sent(), StartsWith("NON 5.05 "));
    peer.sends({.id = 9, .path = "/", .odd_option = number});
    EXPECT_EQ(peer.sent(), "ACK 5.05 #9 t:t");
  }
  EXPECT_EQ(peer.wants(), "");
}

TEST_F(Rfc7252Requests, RFC7252_5_8_1_unknown_methods_are_not_allowed) {
  for (std::uint8_t detail = 8; detail < 32; ++detail) {
    for (const char* path : {"/ps/data/a", "/ps", "/nowhere"}) {
      peer.sends({.code = Code::of(0, detail), .id = detail, .path = path, .payload = "v"});
      EXPECT_THAT(peer.sent(), StartsWith(fmt::format("ACK 4.05 #{} t:t", detail)));
    }
  }
  EXPECT_EQ(peer.wants(), "");
}

TEST_F(Rfc7252Requests, RFC7252_5_9_1_3_1_valid_has_the_tag_and_no_payload) {
  peer.sends({.id = 7, .etags = {"x", "\x12\x34"}});
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "v", 0x1234));
  EXPECT_EQ(peer.sent(), "ACK 2.03 #7 t:t ETag:1234");
}

TEST_F(Rfc7252Requests, RFC7252_5_10_4_1_another_format_is_not_acceptable) {
  const model::Properties json{.content_type = "application/json"};
  model::Message value = value_of("a", "{}");
  value.properties = &json;
  for (const std::uint32_t accept : {0u, 42u, 60u, 65'535u}) {
    peer.sends({.id = 7, .accept = accept});
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers_value(0, value);
    EXPECT_THAT(peer.sent(), StartsWith("ACK 4.06 #7 t:t")) << accept;
  }
  peer.sends({.id = 8, .path = "/.well-known/core", .accept = 60});
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.06 #8 t:t"));
  peer.sends({.id = 9, .accept = 50});  // another error takes precedence
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.04 #9 t:t"));
}

// Tags that were never given out, of all lengths and octets, match nothing and break nothing.
TEST_F(Rfc7252Requests, RFC7252_5_10_6_1_a_tag_is_only_compared) {
  using std::string_literals::operator""s;
  peer.sends({.id = 7,
              .etags = {"\x00"s, "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"s, "\x12"s, "\x34\x12"s,
                        "\x00\x12\x34"s, "\x12\x34\x00"s}});
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.answers_value(0, value_of("a", "v", 0x1234));
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t ETag:1234 'v'");
}

TEST_F(Rfc7252Requests, RFC7252_5_10_6_1_1_and_5_4_5_1_a_response_has_each_option_once) {
  const model::Properties json{.content_type = "application/json"};
  model::Message value = value_of("a", "{}", 0x1234);
  value.properties = &json;
  value.expires_at = peer.now + seconds{30};
  for (const Sends& request : {Sends{.id = 1}, Sends{.id = 2, .etags = {"\x12\x34", "\x12\x34"}},
                               Sends{.id = 3, .accept = 50}}) {
    peer.sends(request);
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers_value(0, value);
    ASSERT_EQ(peer.wire.sent.size(), 1u);
    const auto response = decode(peer.wire.sent[0]);
    ASSERT_TRUE(response.has_value());
    EXPECT_TRUE(response->options.find(OptionNumber::kETag).has_value());
    std::vector<OptionNumber> numbers;
    for (const OptionView& option : response->options) numbers.push_back(option.number);
    EXPECT_EQ(std::ranges::adjacent_find(numbers), numbers.end());
    (void)peer.sent();
  }
}

// Whatever is to be answered: a PUT under a condition (If-None-Match, which does not hold) changes
// nothing.
TEST_F(Rfc7252Requests, RFC7252_5_10_8_1_a_condition_that_does_not_hold_stops_the_method) {
  peer.octets("4003 0001 50 62'ps' 04'data' 01'a' ff 'v'");
  if (peer.wants() == "Lookup a") peer.answers_value(0, value_of("a", "there", 1));
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4."));
  EXPECT_THAT(peer.wants(), Not(HasSubstr("Publish")));
}

}  // namespace
}  // namespace hermod::coap::test
