// SPDX-License-Identifier: Apache-2.0
// Bodies in blocks of the client role, against responses written by hand.
#include "client_script.hpp"

namespace hermod::coap::test {
namespace {

class ClientBlocksTest : public ClientScriptTest {
 protected:
  ClientRequest put() const {
    return {.method = code::kPut, .path = path, .payload = as_bytes(body)};
  }
};

// --- request bodies ---

//   CON PUT 1:0/1/16 ->
//                    <- ACK 2.31 1:0/1/16
//   CON PUT 1:1/1/16 ->
//                    <- ACK 2.31 1:1/1/16
//   CON PUT 1:2/0/16 ->
//                    <- ACK 2.04 1:2/0/16
TEST_F(ClientBlocksTest, SendsALargeBodyInBlocks) {
  EXPECT_TRUE(request(put()));
  EXPECT_EQ(sent(), "CON 0.03 #s0 t:0 Uri-Path:'r' Block1:0+/16 Size1:40 '" + first + "'");
  acknowledges(0, {.code = code::kContinue, .block1 = "0/1/16"});
  EXPECT_EQ(sent(), "CON 0.03 #s1 t:1 Uri-Path:'r' Block1:1+/16 '" + second + "'");
  acknowledges(1, {.code = code::kContinue, .block1 = "1/1/16"});
  EXPECT_EQ(sent(), "CON 0.03 #s2 t:2 Uri-Path:'r' Block1:2/16 '" + third + "'");
  EXPECT_EQ(wants(), "");
  acknowledges(2, {.code = code::kChanged, .block1 = "2/0/16"});
  EXPECT_EQ(wants(), "Completed 5 ok 2.04");
  EXPECT_EQ(session.open(), 0u);
  EXPECT_EQ(sent(), "");
}

TEST_F(ClientBlocksTest, ABodyOfOneBlockGoesAsItIs) {
  EXPECT_TRUE(request({.method = code::kPut, .path = path, .payload = as_bytes(first)}));
  EXPECT_EQ(sent(), "CON 0.03 #s0 t:0 Uri-Path:'r' '" + first + "'");
}

TEST_F(ClientBlocksTest, RepeatsALostBlock) {
  EXPECT_TRUE(request(put()));
  (void)sent();
  acknowledges(0, {.code = code::kContinue, .block1 = "0/1/16"});
  (void)sent();
  server.after(std::chrono::seconds{3});
  EXPECT_EQ(sent(), "CON 0.03 #s1 t:1 Uri-Path:'r' Block1:1+/16 '" + second + "'");
  server.after(std::chrono::seconds{100});
  EXPECT_EQ(wants(), "Completed 5 timed out 0.00");
}

// RFC 7959 §2.5: 1:0/1/32 answered by 1:0/1/16 goes on with block 2 of 16.
TEST_F(ClientBlocksTest, TakesTheSmallerSizeThatTheServerPrefers) {
  settings.block_exponent = 1;
  EXPECT_TRUE(request(put()));
  EXPECT_EQ(sent(), "CON 0.03 #s0 t:0 Uri-Path:'r' Block1:0+/32 Size1:40 '" + first + second + "'");
  acknowledges(0, {.code = code::kContinue, .block1 = "0/1/16"});
  EXPECT_EQ(sent(), "CON 0.03 #s1 t:1 Uri-Path:'r' Block1:2/16 '" + third + "'");
  acknowledges(1, {.code = code::kCreated, .block1 = "2/0/16"});
  EXPECT_EQ(wants(), "Completed 5 ok 2.01");
}

// RFC 7959 §2.9.3.
TEST_F(ClientBlocksTest, TriesTheSmallerSizeOfATooLargeAnswer) {
  settings.block_exponent = 1;
  EXPECT_TRUE(request(put()));
  (void)sent();
  acknowledges(0, {.code = code::kRequestEntityTooLarge, .block1 = "0/1/16"});
  EXPECT_EQ(sent(), "CON 0.03 #s1 t:1 Uri-Path:'r' Block1:0+/16 Size1:40 '" + first + "'");
  acknowledges(1, {.code = code::kRequestEntityTooLarge, .block1 = "0/1/16"});
  EXPECT_EQ(wants(), "Completed 5 too large 4.13");  // not smaller again
}

TEST_F(ClientBlocksTest, TriesBlocksWhereTheWholeIsTooLarge) {
  settings.block_exponent = 2;
  EXPECT_TRUE(request(put()));
  EXPECT_EQ(sent(), "CON 0.03 #s0 t:0 Uri-Path:'r' '" + body + "'");
  acknowledges(0, {.code = code::kRequestEntityTooLarge, .block1 = "0/0/16"});
  EXPECT_EQ(sent(), "CON 0.03 #s1 t:1 Uri-Path:'r' Block1:0+/16 Size1:40 '" + first + "'");
}

TEST_F(ClientBlocksTest, TellsThatABodyIsTooLargeForTheServer) {
  EXPECT_TRUE(request(put()));
  (void)sent();
  acknowledges(0, {.code = code::kRequestEntityTooLarge, .payload = "no"});
  EXPECT_EQ(wants(), "Completed 5 too large 4.13 'no'");
}

// RFC 7959 §2.9.2: the server has lost what it had.
TEST_F(ClientBlocksTest, StartsAgainOnceWhenBlocksAreMissing) {
  EXPECT_TRUE(request(put()));
  (void)sent();
  acknowledges(0, {.code = code::kContinue, .block1 = "0/1/16"});
  (void)sent();
  acknowledges(1, {.code = code::kRequestEntityIncomplete, .block1 = "1/1/16"});
  EXPECT_EQ(sent(), "CON 0.03 #s2 t:2 Uri-Path:'r' Block1:0+/16 Size1:40 '" + first + "'");
  acknowledges(2, {.code = code::kContinue, .block1 = "0/1/16"});
  (void)sent();
  acknowledges(3, {.code = code::kRequestEntityIncomplete, .block1 = "1/1/16"});
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(wants(), "Completed 5 protocol error 4.08");
}

// RFC 7959 §2.3: a server that acts on each block answers each with a final code.
TEST_F(ClientBlocksTest, GoesOnWhereEachBlockIsARequestOfItsOwn) {
  EXPECT_TRUE(request(put()));
  (void)sent();
  acknowledges(0, {.code = code::kCreated, .block1 = "0/0/16"});
  acknowledges_next(1, {.code = code::kChanged, .block1 = "1/0/16"});
  EXPECT_EQ(wants(), "");
  (void)sent();
  acknowledges(2, {.code = code::kChanged, .block1 = "2/0/16"});
  EXPECT_EQ(wants(), "Completed 5 ok 2.04");
}

TEST_F(ClientBlocksTest, AnErrorEndsTheTransfer) {
  EXPECT_TRUE(request(put()));
  (void)sent();
  acknowledges(0, {.code = code::kForbidden});
  EXPECT_EQ(wants(), "Completed 5 not authorized 4.03");
  EXPECT_EQ(sent(), "");
}

// A success that says nothing of blocks would leave a part of the body behind.
TEST_F(ClientBlocksTest, RefusesAnAnswerThatIgnoresTheBlock) {
  EXPECT_TRUE(request(put()));
  (void)sent();
  acknowledges(0, {.code = code::kChanged});
  EXPECT_EQ(wants(), "Completed 5 protocol error 2.04");
  EXPECT_TRUE(request(put()));
  (void)sent();
  acknowledges(1, {.code = code::kContinue, .block1 = "1/1/16"});
  EXPECT_EQ(wants(), "Completed 5 protocol error 2.31");
}

TEST_F(ClientBlocksTest, BoundsBodiesThatAreSent) {
  const std::string largest(64, 'x'), larger(65, 'x');
  EXPECT_TRUE(request({.method = code::kPut, .path = path, .payload = as_bytes(largest)}));
  EXPECT_FALSE(request({.method = code::kPut, .path = path, .payload = as_bytes(larger)}));
  EXPECT_EQ(session.open(), 1u);
}

TEST_F(ClientBlocksTest, BoundsTheNumberOfBlocks) {
  settings.body_bytes_max = std::size_t{32} << 20;
  const std::string large((std::size_t{16} << 20) + 1, 'x');  // 2^20 blocks of 16, and one octet
  EXPECT_FALSE(request({.method = code::kPut, .path = path, .payload = as_bytes(large)}));
}

TEST_F(ClientBlocksTest, PutsLargeDeliveriesInBlocks) {
  const model::Message message = value_of("a", body);
  const std::array<model::Delivery, 1> items{
      model::Delivery{.message = &message, .guarantee = model::Guarantee::kAtLeastOnce}};
  server.run([&](session::Effects& effects) {
    session.on_deliveries({.items = items, .first_tag = 40}, server.now, effects);
  });
  for (unsigned n = 0; n < 2; ++n) {
    EXPECT_NE(sent(), "");
    acknowledges(n, {.code = code::kContinue, .block1 = n == 0 ? "0/1/16" : "1/1/16"});
    EXPECT_EQ(wants(), "");
  }
  (void)sent();
  acknowledges(2, {.code = code::kChanged, .block1 = "2/0/16"});
  EXPECT_EQ(wants(), "Settle 40-40 0 +1");
}

// --- Request-Tag: RFC 9175 §3.4 ---

TEST_F(ClientBlocksTest, TagsABodyThatAnotherMayOverlap) {
  settings.transmission.nstart = 3;
  const std::vector<std::string> elsewhere{"s"};
  EXPECT_TRUE(request(put(), 1));
  EXPECT_TRUE(request(put(), 2));
  EXPECT_TRUE(request({.method = code::kPut, .path = elsewhere, .payload = as_bytes(body)}, 3));
  const std::string prefix = "Block1:0+/16 Size1:40";
  EXPECT_EQ(sent(), "CON 0.03 #s0 t:0 Uri-Path:'r' " + prefix + " '" + first +
                        "' | CON 0.03 #s1 t:1 Uri-Path:'r' " + prefix + " Request-Tag:'\x01' '" +
                        first + "' | CON 0.03 #s2 t:2 Uri-Path:'s' " + prefix + " '" + first + "'");
  acknowledges(1, {.code = code::kContinue, .block1 = "0/1/16"});
  EXPECT_EQ(sent(),
            "CON 0.03 #s3 t:3 Uri-Path:'r' Block1:1+/16 Request-Tag:'\x01' '" + second + "'");
}

// --- response bodies ---

//   CON GET          ->
//                    <- ACK 2.05 2:0/1/16
//   CON GET 2:1/0/16 ->
//                    <- ACK 2.05 2:1/1/16
//   CON GET 2:2/0/16 ->
//                    <- ACK 2.05 2:2/0/16
TEST_F(ClientBlocksTest, PutsAResponseTogether) {
  EXPECT_TRUE(request({.path = path, .accept = ContentFormat::kTextPlain}));
  EXPECT_EQ(sent(), "CON 0.01 #s0 t:0 Uri-Path:'r' Accept:0");
  acknowledges(0, {.block2 = "0/1/16", .etag = "e", .max_age = 9, .size2 = 40, .payload = first});
  EXPECT_EQ(sent(), "CON 0.01 #s1 t:1 Uri-Path:'r' Accept:0 Block2:1/16");
  acknowledges(1, {.block2 = "1/1/16", .etag = "e", .payload = second});
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:2 Uri-Path:'r' Accept:0 Block2:2/16");
  EXPECT_EQ(wants(), "");
  acknowledges(2, {.block2 = "2/0/16", .etag = "e", .payload = third});
  // the options of the first block go with it
  const Options options = session.options_of(5);
  EXPECT_EQ(uint_value(options.find(OptionNumber::kMaxAge).value()), 9u);
  EXPECT_EQ(as_text(options.find(OptionNumber::kETag).value()), "e");
  EXPECT_EQ(wants(), "Completed 5 ok 2.05 '" + body + "'");
  EXPECT_EQ(session.open(), 0u);
}

TEST_F(ClientBlocksTest, PutsAResponseTogetherThatIsAMultipleOfBlocks) {
  EXPECT_TRUE(request({.path = path}));
  (void)sent();
  acknowledges(0, {.block2 = "0/1/16", .payload = first});
  (void)sent();
  acknowledges(1, {.block2 = "1/0/16", .payload = second});
  EXPECT_EQ(wants(), "Completed 5 ok 2.05 '" + first + second + "'");
}

TEST_F(ClientBlocksTest, AsksForABlockSizeFromTheStart) {
  EXPECT_TRUE(request({.path = path, .block = Block{.size_exponent = 1}}));
  EXPECT_EQ(sent(), "CON 0.01 #s0 t:0 Uri-Path:'r' Block2:0/32");
  // RFC 7959 §2.4: the server may choose a smaller one, which then holds
  acknowledges(0, {.block2 = "0/1/16", .payload = first});
  EXPECT_EQ(sent(), "CON 0.01 #s1 t:1 Uri-Path:'r' Block2:1/16");
}

TEST_F(ClientBlocksTest, BeginsWithTheBlockAskedFor) {
  EXPECT_TRUE(request({.path = path, .block = Block{.number = 1, .size_exponent = 0}}));
  EXPECT_EQ(sent(), "CON 0.01 #s0 t:0 Uri-Path:'r' Block2:1/16");
  acknowledges(0, {.block2 = "1/1/16", .payload = second});
  EXPECT_EQ(sent(), "CON 0.01 #s1 t:1 Uri-Path:'r' Block2:2/16");
  acknowledges(1, {.block2 = "2/0/16", .payload = third});
  EXPECT_EQ(wants(), "Completed 5 ok 2.05 '" + second + third + "'");
}

TEST_F(ClientBlocksTest, TakesSeparateResponsesForBlocks) {
  EXPECT_TRUE(request({.path = path}));
  (void)sent();
  server.acknowledges(0);
  sends(Type::kCon, 900, 0, {.block2 = "0/1/16", .payload = first});
  EXPECT_EQ(sent(), "ACK 0.00 #900 | CON 0.01 #s1 t:1 Uri-Path:'r' Block2:1/16");
  sends(Type::kCon, 900, 0, {.block2 = "0/1/16", .payload = first});
  EXPECT_EQ(sent(), "ACK 0.00 #900");  // again
  sends(Type::kNon, 901, 1, {.block2 = "1/0/16", .payload = "x"});
  EXPECT_EQ(wants(), "Completed 5 ok 2.05 '" + first + "x'");
}

// RFC 7959 §2.4: blocks of two representations do not make one.
TEST_F(ClientBlocksTest, StartsAgainWhenTheETagChanges) {
  EXPECT_TRUE(request({.path = path}));
  (void)sent();
  acknowledges(0, {.block2 = "0/1/16", .etag = "e", .payload = "################"});
  (void)sent();
  acknowledges(1, {.block2 = "1/1/16", .etag = "f", .payload = second});
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:2 Uri-Path:'r' Block2:0/16");
  acknowledges(2, {.block2 = "0/1/16", .etag = "f", .payload = first});
  EXPECT_EQ(sent(), "CON 0.01 #s3 t:3 Uri-Path:'r' Block2:1/16");
  acknowledges(3, {.block2 = "1/0/16", .etag = "f", .payload = second});
  EXPECT_EQ(wants(), "Completed 5 ok 2.05 '" + first + second + "'");
}

TEST_F(ClientBlocksTest, GivesUpOnWhatNeverStaysTheSame) {
  EXPECT_TRUE(request({.path = path}));
  unsigned n = 0;
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(wants(), "");
    acknowledges_next(n++, {.block2 = "0/1/16", .etag = "e", .payload = first});
    acknowledges_next(n++, {.block2 = "1/1/16", .etag = "f", .payload = second});
  }
  EXPECT_EQ(wants(), "Completed 5 unavailable 0.00");
  EXPECT_EQ(sent(), "");
}

TEST_F(ClientBlocksTest, DoesNotRepeatWhatHasEffects) {
  EXPECT_TRUE(request({.method = code::kPost, .path = path}));
  (void)sent();
  acknowledges(0, {.code = code::kChanged, .block2 = "0/1/16", .etag = "e", .payload = first});
  (void)sent();
  acknowledges(1, {.code = code::kChanged, .block2 = "1/1/16", .etag = "f", .payload = second});
  EXPECT_EQ(wants(), "Completed 5 unavailable 0.00");
  EXPECT_EQ(sent(), "");
}

TEST_F(ClientBlocksTest, RefusesBlocksOutOfOrderOrShort) {
  EXPECT_TRUE(request({.path = path}));
  acknowledges_next(0, {.block2 = "0/1/16", .payload = first});
  acknowledges_next(1, {.block2 = "2/1/16", .payload = second});
  EXPECT_EQ(wants(), "Completed 5 protocol error 0.00");
  EXPECT_TRUE(request({.path = path}));
  acknowledges_next(2, {.block2 = "0/1/16", .payload = "short"});
  EXPECT_EQ(wants(), "Completed 5 protocol error 0.00");
}

TEST_F(ClientBlocksTest, AnErrorWithinABodyIsTheResult) {
  EXPECT_TRUE(request({.path = path}));
  acknowledges_next(0, {.block2 = "0/1/16", .payload = first});
  acknowledges_next(1, {.code = code::kNotFound, .payload = "gone"});
  EXPECT_EQ(wants(), "Completed 5 not found 4.04 'gone'");
}

TEST_F(ClientBlocksTest, BoundsBodiesThatArePutTogether) {
  EXPECT_TRUE(request({.path = path}));
  for (unsigned n = 0; n < 4; ++n) {
    EXPECT_EQ(wants(), "");
    const std::string at = fmt::format("{}/1/16", n);
    acknowledges_next(n, {.block2 = at, .payload = first});
  }
  acknowledges_next(4, {.block2 = "4/0/16", .payload = "x"});  // 65 octets
  EXPECT_EQ(wants(), "Completed 5 too large 0.00");
  // Size2 tells it before
  EXPECT_TRUE(request({.path = path}));
  acknowledges_next(5, {.block2 = "0/1/16", .size2 = 65, .payload = first});
  EXPECT_EQ(wants(), "Completed 5 too large 0.00");
  EXPECT_EQ(session.open(), 0u);
}

// --- both: RFC 7959 §3.3, figure 11 ---

TEST_F(ClientBlocksTest, ALargeRequestMayHaveALargeResponse) {
  EXPECT_TRUE(request({.method = code::kPost,
                       .path = path,
                       .payload = as_bytes(body),
                       .block = Block{.size_exponent = 0}}));
  EXPECT_EQ(sent(), "CON 0.02 #s0 t:0 Uri-Path:'r' Block1:0+/16 Size1:40 '" + first + "'");
  acknowledges(0, {.code = code::kContinue, .block1 = "0/1/16"});
  (void)sent();
  acknowledges(1, {.code = code::kContinue, .block1 = "1/1/16"});
  EXPECT_EQ(sent(), "CON 0.02 #s2 t:2 Uri-Path:'r' Block2:0/16 Block1:2/16 '" + third + "'");
  acknowledges(2,
               {.code = code::kChanged, .block1 = "2/0/16", .block2 = "0/1/16", .payload = first});
  EXPECT_EQ(sent(), "CON 0.02 #s3 t:3 Uri-Path:'r' Block2:1/16");
  acknowledges(3, {.code = code::kChanged, .block2 = "1/0/16", .payload = "end"});
  EXPECT_EQ(wants(), "Completed 5 ok 2.04 '" + first + "end'");
}

TEST_F(ClientBlocksTest, FetchesAgainWithItsBodyWhenTheResultChanges) {
  EXPECT_TRUE(request({.method = code::kFetch, .path = path, .payload = as_bytes(body)}));
  acknowledges_next(0, {.code = code::kContinue, .block1 = "0/1/16"});
  acknowledges_next(1, {.code = code::kContinue, .block1 = "1/1/16"});
  acknowledges_next(2, {.block1 = "2/0/16", .block2 = "0/1/16", .etag = "e", .payload = first});
  acknowledges_next(3, {.block2 = "1/0/16", .etag = "f", .payload = second});
  EXPECT_EQ(sent(), "CON 0.05 #s4 t:4 Uri-Path:'r' Block1:0+/16 Size1:40 '" + first + "'");
}

// --- observed: RFC 7959 §2.6, §3.4 ---

class ClientBlocksObserveTest : public ClientBlocksTest {
 protected:
  void observes() {
    ASSERT_TRUE(request({.path = path, .observe = true}));
    ASSERT_EQ(sent(), "CON 0.01 #s0 t:0 Observe:0 Uri-Path:'r'");
  }
  void observes_small() {
    observes();
    acknowledges(0, {.observe = 10, .payload = "0"});
    ASSERT_EQ(wants(), "Completed 5 ok 2.05 | Publish /r retain q1 '0'");
  }
};

TEST_F(ClientBlocksObserveTest, FetchesTheRestOfANotification) {
  observes_small();
  sends(Type::kNon, 900, 0, {.block2 = "0/1/16", .observe = 11, .etag = "e", .payload = first});
  EXPECT_EQ(sent(), "CON 0.01 #s1 t:1 Uri-Path:'r' Block2:1/16");
  EXPECT_EQ(wants(), "");
  acknowledges(1, {.block2 = "1/0/16", .etag = "e", .payload = second});
  EXPECT_EQ(as_text(session.options_of(5).find(OptionNumber::kETag).value()), "e");
  EXPECT_EQ(wants(), "Publish /r q0 '" + first + second + "'");
  EXPECT_EQ(session.open(), 1u);
  sends(Type::kNon, 901, 0, {.observe = 12, .payload = "1"});  // it goes on
  EXPECT_EQ(wants(), "Publish /r q0 '1'");
}

TEST_F(ClientBlocksObserveTest, FetchesTheRestOfTheFirstValue) {
  observes();
  acknowledges(0, {.block2 = "0/1/16", .observe = 10, .payload = first});
  EXPECT_EQ(wants(), "Completed 5 ok 2.05");
  EXPECT_EQ(sent(), "CON 0.01 #s1 t:1 Uri-Path:'r' Block2:1/16");
  acknowledges(1, {.block2 = "1/0/16", .payload = second});
  EXPECT_EQ(wants(), "Publish /r retain q1 '" + first + second + "'");
}

TEST_F(ClientBlocksObserveTest, ANewerNotificationTakesThePlaceOfAFetch) {
  observes_small();
  sends(Type::kNon, 900, 0, {.block2 = "0/1/16", .observe = 11, .etag = "e", .payload = second});
  EXPECT_EQ(sent(), "CON 0.01 #s1 t:1 Uri-Path:'r' Block2:1/16");
  sends(Type::kNon, 901, 0, {.block2 = "0/1/16", .observe = 12, .etag = "f", .payload = first});
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:2 Uri-Path:'r' Block2:1/16");
  acknowledges(1, {.block2 = "1/0/16", .etag = "e", .payload = second});  // too late
  EXPECT_EQ(wants(), "");
  acknowledges(2, {.block2 = "1/0/16", .etag = "f", .payload = third});
  EXPECT_EQ(wants(), "Publish /r q0 '" + first + third + "'");
  // and so does one that is whole
  sends(Type::kNon, 902, 0, {.block2 = "0/1/16", .observe = 13, .payload = second});
  sends(Type::kNon, 903, 0, {.observe = 14, .payload = "4"});
  EXPECT_EQ(wants(), "Publish /r q0 '4'");
  server.after(std::chrono::seconds{20});
  (void)sent();
  EXPECT_EQ(session.open(), 1u);
}

TEST_F(ClientBlocksObserveTest, AFloodOfNotificationsIsBounded) {
  observes_small();
  settings.transmission.nstart = 1;
  EXPECT_TRUE(request({.method = code::kPut, .path = path}, 6));  // keeps the turn
  (void)sent();
  for (std::uint16_t i = 0; i < 1000; ++i) {
    sends(Type::kNon, static_cast<std::uint16_t>(1000 + i), 0,
          {.block2 = "0/1/16", .observe = 100u + i, .payload = first});
  }
  EXPECT_EQ(sent(), "");
  acknowledges(1, {.code = code::kChanged});
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:2 Uri-Path:'r' Block2:1/16");  // of the last one, alone
  EXPECT_EQ(session.open(), 1u);
}

TEST_F(ClientBlocksObserveTest, StartsAgainWhenTheETagChanges) {
  observes_small();
  sends(Type::kNon, 900, 0, {.block2 = "0/1/16", .observe = 11, .etag = "e", .payload = second});
  (void)sent();
  acknowledges(1, {.block2 = "1/0/16", .etag = "f", .payload = third});
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:2 Uri-Path:'r' Block2:0/16");
  acknowledges(2, {.block2 = "0/1/16", .etag = "f", .payload = first});
  (void)sent();
  acknowledges(3, {.block2 = "1/0/16", .etag = "f", .payload = third});
  EXPECT_EQ(wants(), "Publish /r q0 '" + first + third + "'");
}

// A value that only passed by: the resource is again, or still, what it was.
TEST_F(ClientBlocksObserveTest, DoesNotShowTheOldValueForTheNewOne) {
  observes();
  acknowledges(0, {.observe = 10, .etag = "e", .payload = "old"});
  (void)wants();
  sends(Type::kNon, 900, 0, {.block2 = "0/1/16", .observe = 11, .etag = "f", .payload = second});
  (void)sent();
  acknowledges(1, {.block2 = "1/0/16", .etag = "e", .payload = first});
  (void)sent();
  acknowledges(2, {.block2 = "0/0/16", .etag = "e", .payload = "old"});
  EXPECT_EQ(wants(), "");
}

TEST_F(ClientBlocksObserveTest, RenewsWhenAFetchFails) {
  observes_small();
  sends(Type::kNon, 900, 0, {.block2 = "0/1/16", .observe = 11, .payload = first});
  (void)sent();
  acknowledges(1, {.code = code::kServiceUnavailable});
  EXPECT_EQ(wants(), "");
  server.after(std::chrono::seconds{2});
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:0 Observe:0 Uri-Path:'r'");
}

TEST_F(ClientBlocksObserveTest, AValueAboveTheLimitEndsIt) {
  observes_small();
  sends(Type::kNon, 900, 0, {.block2 = "0/1/16", .observe = 11, .size2 = 65, .payload = first});
  EXPECT_EQ(wants(), "Completed 5 too large 0.00");
  EXPECT_EQ(session.open(), 0u);
  sends(Type::kNon, 901, 0, {.observe = 12, .payload = "1"});
  EXPECT_EQ(sent(), "RST 0.00 #901");  // which ends it at the server
}

TEST_F(ClientBlocksObserveTest, CancellingStopsTheFetch) {
  observes_small();
  sends(Type::kNon, 900, 0, {.block2 = "0/1/16", .observe = 11, .payload = first});
  (void)sent();
  EXPECT_TRUE(cancel(5));
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:0 Observe:1 Uri-Path:'r'");
  acknowledges(2, 0, {.payload = "x"});
  EXPECT_EQ(wants(), "Completed 5 ok 2.05");
  EXPECT_EQ(session.open(), 0u);
}

TEST_F(ClientBlocksObserveTest, ARenewalThatBringsNothingNewIsNotFetched) {
  observes();
  acknowledges(0,
               {.block2 = "0/1/16", .observe = 10, .etag = "e", .max_age = 60, .payload = first});
  (void)sent();
  acknowledges(1, {.block2 = "1/0/16", .etag = "e", .payload = second});
  (void)wants();
  while (server.wire.sent.empty()) server.after(std::chrono::seconds{1});
  EXPECT_EQ(sent(), "CON 0.01 #s2 t:0 Observe:0 Uri-Path:'r'");
  acknowledges(2, 0, {.block2 = "0/1/16", .observe = 11, .etag = "e", .payload = first});
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(wants(), "");
}

TEST_F(ClientBlocksObserveTest, ClosingEndsAFetchToo) {
  observes_small();
  sends(Type::kNon, 900, 0, {.block2 = "0/1/16", .observe = 11, .payload = first});
  server.closes(model::Reason::kShutdown);
  EXPECT_EQ(wants(), "Completed 5 shutting down 0.00");
  EXPECT_EQ(session.open(), 0u);
  EXPECT_EQ(session.next_deadline(), kNever);
}

}  // namespace
}  // namespace hermod::coap::test
