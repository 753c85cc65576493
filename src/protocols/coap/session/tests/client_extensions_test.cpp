// SPDX-License-Identifier: Apache-2.0
// What the client role says and understands beyond RFC 7252's plain requests: every option, tokens
// of the application, pings, Echo (RFC 9175 §2) and No-Response (RFC 7967).
#include "client_script.hpp"

namespace hermod::coap::test {
namespace {

class ClientExtensionsTest : public ClientScriptTest {};

// --- options ---

TEST_F(ClientExtensionsTest, WritesOptionsInTheOrderOfTheirNumbers) {
  const std::vector<std::string> tags{"", "a1"}, have{"b2", "c3"}, query{"x=1", "y"};
  const std::array<OptionView, 3> others{OptionView{OptionNumber{65000}, as_bytes("z")},
                                         OptionView{OptionNumber{7}, as_bytes("\x16")},
                                         OptionView{OptionNumber{2049}, as_bytes("m")}};
  EXPECT_TRUE(request({.method = code::kPut,
                       .path = path,
                       .query = query,
                       .uri_host = "h",
                       .payload = as_bytes("v"),
                       .content_format = ContentFormat::kJson,
                       .accept = ContentFormat::kCbor,
                       .if_match = tags,
                       .if_none_match = true,
                       .etags = have,
                       .max_age_s = 0,
                       .hop_limit = 16,
                       .no_response = kNoSuccess,
                       .other_options = others}));
  EXPECT_EQ(sent(),
            "CON 0.03 #s0 t:0 If-Match:'' If-Match:'a1' Uri-Host:'h' ETag:6232 ETag:6333 "
            "If-None-Match:'' Uri-Port:22 Uri-Path:'r' Content-Format:50 Max-Age:0 Uri-Query:'x=1' "
            "Uri-Query:'y' Hop-Limit:16 Accept:60 No-Response:2 2049:'m' 65000:'z' 'v'");
}

TEST_F(ClientExtensionsTest, AsksAProxy) {
  EXPECT_TRUE(request({.proxy_uri = "coap://h/r"}));
  EXPECT_EQ(sent(), "CON 0.01 #s0 t:0 Proxy-Uri:'coap://h/r'");
}

TEST_F(ClientExtensionsTest, KnowsEveryMethod) {
  settings.transmission.nstart = 4;
  EXPECT_TRUE(request({.method = code::kFetch, .path = path}, 1));
  EXPECT_TRUE(request({.method = code::kPatch, .path = path}, 2));
  EXPECT_TRUE(request({.method = code::kIPatch, .path = path}, 3));
  EXPECT_TRUE(request({.method = code::kPost, .path = path}, 4));
  EXPECT_EQ(sent(),
            "CON 0.05 #s0 t:0 Uri-Path:'r' | CON 0.06 #s1 t:1 Uri-Path:'r' | CON 0.07 #s2 t:2 "
            "Uri-Path:'r' | CON 0.02 #s3 t:3 Uri-Path:'r'");
}

TEST_F(ClientExtensionsTest, TellsTheOptionsOfAResponse) {
  EXPECT_TRUE(request({.path = path}));
  (void)sent();
  acknowledges(0, {.code = code::kTooManyRequests, .max_age = 7});  // RFC 8516 §3
  EXPECT_EQ(uint_value(session.options_of(5).find(OptionNumber::kMaxAge).value()), 7u);
  EXPECT_TRUE(session.options_of(6).empty());
  EXPECT_EQ(wants(), "Completed 5 protocol error 4.29");
  EXPECT_EQ(sent(), "");  // nothing is tried again by itself
}

TEST_F(ClientExtensionsTest, RefusesOptionsThatDoNotFitADatagram) {
  settings.datagram_bytes_max = 512;
  const std::vector<std::string> large{std::string(200, 'p'), std::string(255, 'p')};
  EXPECT_FALSE(request({.path = large}));
  EXPECT_TRUE(request({.path = std::span(large).first(1)}));
  EXPECT_EQ(session.open(), 1u);
}

// --- tokens ---

TEST_F(ClientExtensionsTest, TokensAreRandomAndDiffer) {
  settings.transmission.nstart = 4;
  for (session::Ticket ticket = 1; ticket <= 4; ++ticket) {
    EXPECT_TRUE(request({.path = path}, ticket));
  }
  (void)sent();
  ASSERT_EQ(server.tokens.size(), 4u);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_NE(server.tokens[i].substr(2), server.tokens[0].substr(2));  // RFC 7252 §5.3.1
  }
}

TEST_F(ClientExtensionsTest, TakesTheTokenOfTheApplication) {
  settings.transmission.nstart = 2;
  EXPECT_TRUE(request({.path = path, .token = as_bytes("tk")}, 1));
  EXPECT_FALSE(request({.path = path, .token = as_bytes("tk")}, 2));  // in use
  EXPECT_TRUE(request({.path = path, .token = Bytes{}}, 3));
  const std::string long_token(4096, 't');
  EXPECT_FALSE(request({.path = path, .token = as_bytes(long_token)}, 4));  // fits no datagram
  EXPECT_EQ(sent(), "CON 0.01 #s0 t:tk Uri-Path:'r' | CON 0.01 #s1 Uri-Path:'r'");
  server.datagram(encode({.payload = "x"}, Type::kAck, server.own_id(1), ""));
  server.datagram(encode({.payload = "y"}, Type::kAck, server.own_id(0), "tk"));
  EXPECT_EQ(wants(), "Completed 3 ok 2.05 'x' | Completed 1 ok 2.05 'y'");
  EXPECT_TRUE(request({.path = path, .token = as_bytes("tk")}, 5));
  EXPECT_TRUE(request({.path = path, .token = as_bytes("123456789")}, 6));  // RFC 8974
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:tk Uri-Path:'r' | CON 0.01 #s3 t:123456789 Uri-Path:'r'");
  server.datagram(encode({.payload = "z"}, Type::kAck, server.own_id(3), "123456789"));
  EXPECT_EQ(wants(), "Completed 6 ok 2.05 'z'");
}

// --- pings ---

TEST_F(ClientExtensionsTest, APingIsAnsweredByAReset) {
  EXPECT_TRUE(ping(7));
  EXPECT_EQ(sent(), "CON 0.00 #s0");
  server.resets(0);
  EXPECT_EQ(wants(), "Completed 7 ok 0.00");
  EXPECT_EQ(session.open(), 0u);
}

TEST_F(ClientExtensionsTest, APingIsRepeatedAndGivenUp) {
  EXPECT_TRUE(ping(7));
  server.after(std::chrono::seconds{94});
  EXPECT_EQ(sent(), "CON 0.00 #s0 | CON 0.00 #s0 | CON 0.00 #s0 | CON 0.00 #s0 | CON 0.00 #s0");
  EXPECT_EQ(wants(), "Completed 7 timed out 0.00");
}

TEST_F(ClientExtensionsTest, PingsCountAsRequests) {
  for (session::Ticket ticket = 1; ticket <= 4; ++ticket) EXPECT_TRUE(ping(ticket));
  EXPECT_FALSE(ping(5));
  EXPECT_TRUE(session.full());
}

// --- Echo: RFC 9175 §2.3 ---

//   CON PUT       ->
//                 <- ACK 4.01 Echo
//   CON PUT Echo  ->
//                 <- ACK 2.04
TEST_F(ClientExtensionsTest, RepeatsARequestWithTheEchoThatIsWanted) {
  EXPECT_TRUE(request({.method = code::kPut, .path = path, .payload = as_bytes("v")}));
  EXPECT_EQ(sent(), "CON 0.03 #s0 t:0 Uri-Path:'r' 'v'");
  acknowledges(0, {.code = code::kUnauthorized, .echo = "e1"});
  EXPECT_EQ(sent(), "CON 0.03 #s1 t:1 Uri-Path:'r' Echo:6531 'v'");
  acknowledges(1, {.code = code::kChanged});
  EXPECT_EQ(wants(), "Completed 5 ok 2.04");
  // what comes next carries it from the start
  EXPECT_TRUE(request({.path = path}));
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:2 Uri-Path:'r' Echo:6531");
  acknowledges(2, {.echo = "e2", .payload = "x"});  // a newer one, with a response
  EXPECT_EQ(wants(), "Completed 5 ok 2.05 'x'");
  EXPECT_TRUE(request({.path = path}));
  EXPECT_EQ(sent(), "CON 0.01 #s3 t:3 Uri-Path:'r' Echo:6532");
}

TEST_F(ClientExtensionsTest, AServerThatNeverHasEnoughIsAnError) {
  EXPECT_TRUE(request({.path = path}));
  for (unsigned n = 0; n < 4; ++n) {
    EXPECT_EQ(wants(), "");
    acknowledges_next(n, {.code = code::kUnauthorized, .echo = "e"});
  }
  EXPECT_EQ(wants(), "Completed 5 bad user name or password 4.01");
  EXPECT_EQ(sent(), "");
}

TEST_F(ClientExtensionsTest, UnauthorizedWithoutEchoIsAnError) {
  EXPECT_TRUE(request({.path = path}));
  acknowledges_next(0, {.code = code::kUnauthorized});
  EXPECT_EQ(wants(), "Completed 5 bad user name or password 4.01");
}

TEST_F(ClientExtensionsTest, ABlockIsRepeatedWithEcho) {
  EXPECT_TRUE(request({.method = code::kPut, .path = path, .payload = as_bytes(body)}));
  acknowledges_next(0, {.code = code::kContinue, .block1 = "0/1/16"});
  acknowledges_next(1, {.code = code::kUnauthorized, .echo = "e"});
  EXPECT_EQ(sent(), "CON 0.03 #s2 t:2 Uri-Path:'r' Block1:1+/16 Echo:65 '" + second + "'");
}

TEST_F(ClientExtensionsTest, ARegistrationIsRepeatedWithEcho) {
  EXPECT_TRUE(request({.path = path, .observe = true}));
  (void)sent();
  acknowledges(0, {.code = code::kUnauthorized, .echo = "e"});
  EXPECT_EQ(sent(), "CON 0.01 #s1 t:0 Observe:0 Uri-Path:'r' Echo:65");
  acknowledges(1, 0, {.observe = 1, .payload = "x"});
  EXPECT_EQ(wants(), "Completed 5 ok 2.05 | Publish /r retain q1 'x'");
}

// --- No-Response: RFC 7967 §2 ---

TEST_F(ClientExtensionsTest, CompletesAtOnceWhenNoResponseIsWanted) {
  EXPECT_TRUE(request({.method = code::kPut,
                       .path = path,
                       .payload = as_bytes("v"),
                       .no_response = kNoResponseAtAll,
                       .confirmable = false}));
  EXPECT_EQ(sent(), "NON 0.03 #s0 t:0 Uri-Path:'r' No-Response:26 'v'");
  EXPECT_EQ(wants(), "Completed 5 ok 0.00");
  EXPECT_EQ(session.open(), 0u);
}

TEST_F(ClientExtensionsTest, AConfirmableOneCompletesWhenItIsAcknowledged) {
  EXPECT_TRUE(request({.method = code::kPut, .path = path, .no_response = kNoResponseAtAll}));
  (void)sent();
  EXPECT_EQ(wants(), "");
  server.acknowledges(0);
  EXPECT_EQ(wants(), "Completed 5 ok 0.00");
}

TEST_F(ClientExtensionsTest, SilenceIsSuccessWhereSuccessIsSilent) {
  EXPECT_TRUE(request(
      {.method = code::kPut, .path = path, .no_response = kNoSuccess, .confirmable = false}));
  (void)sent();
  EXPECT_EQ(wants(), "");
  server.after(std::chrono::seconds{30});
  EXPECT_EQ(wants(), "Completed 5 ok 0.00");
  EXPECT_TRUE(request(
      {.method = code::kPut, .path = path, .no_response = kNoSuccess, .confirmable = false}));
  (void)sent();
  sends(Type::kNon, 900, 1, {.code = code::kForbidden});
  EXPECT_EQ(wants(), "Completed 5 not authorized 4.03");
  // where only errors are silent, success is not
  EXPECT_TRUE(request({.path = path, .no_response = kNoServerError, .confirmable = false}));
  server.after(std::chrono::seconds{30});
  EXPECT_EQ(wants(), "Completed 5 timed out 0.00");
}

// Each block needs its answer, and one option more or less makes it another body (RFC 9175 §3.3).
TEST_F(ClientExtensionsTest, BlocksWantTheirResponses) {
  EXPECT_TRUE(request({.method = code::kPut,
                       .path = path,
                       .payload = as_bytes(body),
                       .no_response = kNoResponseAtAll,
                       .confirmable = false}));
  EXPECT_EQ(sent(), "NON 0.03 #s0 t:0 Uri-Path:'r' Block1:0+/16 Size1:40 '" + first + "'");
  sends(Type::kNon, 900, 0, {.code = code::kContinue, .block1 = "0/1/16"});
  (void)sent();
  sends(Type::kNon, 901, 1, {.code = code::kContinue, .block1 = "1/1/16"});
  EXPECT_EQ(sent(), "NON 0.03 #s2 t:2 Uri-Path:'r' Block1:2/16 '" + third + "'");
  EXPECT_EQ(wants(), "");
  sends(Type::kNon, 902, 2, {.code = code::kChanged, .block1 = "2/0/16"});
  EXPECT_EQ(wants(), "Completed 5 ok 2.04");
}

}  // namespace
}  // namespace hermod::coap::test
