// SPDX-License-Identifier: Apache-2.0
// What a peer is sent whose address may be somebody else's (RFC 9175 §2.3, RFC 7252 §11.3), and
// what guessed message ids are worth.
#include <gtest/gtest.h>

#include <string>

#include "hermod/coap/session/server_session.hpp"
#include "hermod/coap/session/topic_properties.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using enum model::Reason;

class ServerAddressTest : public ::testing::Test {
 protected:
  // Octets sent since the last call.
  std::size_t sent_octets() {
    std::size_t octets = 0;
    for (const auto& datagram : peer.wire.sent) octets += datagram.size();
    peer.wire.sent.clear();
    return octets;
  }
  void gets(const Sends& request, const std::string& value) {
    peer.sends(request);
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers_value(0, value_of("a", value));
  }

  Settings settings;
  session::SessionLimits limits;
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
  const std::string large = std::string(500, 'x');
};

//   CON GET #7            ->
//                         <- ACK 2.05 #7 Block2 0+/32    what three times the request has room for
//   CON GET #8, 1/-/32    ->
TEST_F(ServerAddressTest, ALargeAnswerComesInSmallBlocks) {
  gets({.id = 7}, large);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t ETag:fbbaf1a8 Block2:0+/16 'xxxxxxxxxxxxxxxx'");
  std::string whole(16, 'x');
  for (std::uint32_t number = 1; whole.size() < large.size(); ++number) {
    gets({.id = static_cast<std::uint16_t>(7 + number),
          .block2 = Block{.number = number, .size_exponent = 0}},
         large);
    whole += as_text(decode(peer.wire.sent.at(0)).value().payload);
    (void)peer.sent();
  }
  EXPECT_EQ(whole, large);
}

TEST_F(ServerAddressTest, WhoHasConfirmedSomethingHasProvenItself) {
  peer.proves_itself();
  gets({.id = 8}, large);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #8 t:t '" + large + "'");
}

TEST_F(ServerAddressTest, TheLimitCanBeTakenAway) {
  settings.amplification_max = 0;
  gets({.id = 8}, large);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #8 t:t '" + large + "'");
}

TEST_F(ServerAddressTest, SmallAnswersNeedNoProof) {
  gets({.id = 7}, "0123456789");
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t '0123456789'");
}

// RFC 7252 §5.5.2: the diagnostic is for people; the code is what the client has to know.
TEST_F(ServerAddressTest, AnErrorLeavesItsWordsOutRatherThanAskForAProof) {
  peer.sends({.id = 7, .token = "", .path = "/", .odd_option = 9});
  EXPECT_EQ(peer.sent(), "ACK 4.02 #7");
  peer.proves_itself();
  peer.sends({.id = 8, .token = "", .path = "/", .odd_option = 9});
  EXPECT_EQ(peer.sent(), "ACK 4.02 #8 'option 9 is not supported here'");
}

// RFC 9175 §2.3: 4.01 with Echo, and the request again with it. A body that would take hundreds of
// small blocks is worth that.
TEST_F(ServerAddressTest, AVeryLargeAnswerNeedsAProofFirst) {
  settings.unproven_body_max = 499;
  gets({.type = Type::kNon, .id = 7}, large);
  ASSERT_EQ(peer.wire.sent.size(), 1u);
  const auto challenge = decode(peer.wire.sent[0]);
  ASSERT_TRUE(challenge.has_value());
  EXPECT_EQ(challenge->code, code::kUnauthorized);
  const std::string echo(as_text(challenge->options.find(OptionNumber::kEcho).value()));
  EXPECT_EQ(echo.size(), 8u);
  (void)peer.sent();
  gets({.type = Type::kNon, .id = 8, .echo = "87654321"}, large);  // not the right one
  EXPECT_TRUE(peer.sent().starts_with("NON 4.01"));
  gets({.type = Type::kNon, .id = 9, .echo = echo}, large);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s2 t:t '" + large + "'");
}

// Requests that wait for the hub, while answers to others take all that may be sent.
TEST_F(ServerAddressTest, AnAnswerThatNothingIsLeftForGoesWhenTheRequestIsRepeated) {
  constexpr std::uint16_t kCount = 12;
  const std::string larger(4'000, 'x');
  std::size_t came = 0;
  const auto sends = [&](const Sends& request) {
    came += encode(request).size();
    peer.sends(request);
  };
  const auto put = [](std::uint16_t id) {
    return Sends{.code = code::kPut, .id = id, .token = "", .path = "/ps/data/p", .payload = "1"};
  };
  for (std::uint16_t i = 0; i < kCount; ++i) sends(put(i));
  (void)peer.wants();
  for (std::uint16_t i = 0; i < kCount; ++i) peer.answers(i, kOk);
  for (std::uint16_t i = 0; i < kCount; ++i) {
    sends({.type = Type::kNon, .id = static_cast<std::uint16_t>(100 + i)});
  }
  (void)peer.wants();
  for (std::uint16_t i = 0; i < kCount; ++i) {
    peer.answers_value(kCount + i, value_of("a", larger));
  }
  std::size_t went = sent_octets();
  for (std::uint16_t i = 0; i < kCount; ++i) peer.answers(i, kOk);
  const std::size_t answered = peer.wire.sent.size();
  EXPECT_LT(answered, kCount);
  went += sent_octets();
  EXPECT_LE(went, 3 * came);
  for (std::uint16_t i = static_cast<std::uint16_t>(answered); i < kCount; ++i) {
    peer.sends(put(i));
    EXPECT_EQ(peer.sent(), fmt::format("ACK 2.04 #{}", i));
  }
  EXPECT_EQ(peer.wants(), "") << "none has acted twice";
}

// Reliability catalogue R23: a spoofed source, whatever is asked in its name.
TEST_F(ServerAddressTest, NobodyIsSentMoreThanThreeTimesWhatCame) {
  std::size_t came = 0;
  std::size_t went = 0;
  const auto sends = [&](const Sends& request) {
    came += encode(request).size();
    peer.sends(request);
    while (!peer.wants().empty()) peer.answers_value(0, value_of("a", large, 1));
    peer.delivers(value_of("a", large, 1'000'000 + came));
    went += sent_octets();
    ASSERT_LE(went, 3 * came);
  };
  std::uint16_t id = 0;
  for (int round = 0; round < 50; ++round) {
    for (const Type type : {Type::kCon, Type::kNon}) {
      sends({.type = type, .id = ++id, .token = "1"});
      sends({.type = type, .id = ++id, .token = "2", .path = "/.well-known/core"});
      sends({.type = type, .id = ++id, .token = "3", .observe = 0});
      sends({.type = type, .id = id, .token = "3", .observe = 0});
    }
    peer.after(seconds{7});
    went += sent_octets();
    ASSERT_LE(went, 3 * came);
  }
  peer.after(hours{1});
  went += sent_octets();
  EXPECT_LE(went, 3 * came);
}

// R23: one notification, and nothing more until it is confirmed.
TEST_F(ServerAddressTest, AnUnprovenObserverIsNotifiedOnce) {
  peer.sends({.id = 7, .observe = 0});
  EXPECT_EQ(peer.wants(), "Attach");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.wants(), "Subscribe a");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #7 t:t Observe:n Max-Age:600");
  for (int i = 0; i < 100; ++i) peer.delivers(value_of("a", std::to_string(i)));
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t Observe:n Max-Age:600 '0'");
  peer.after(hours{1});
  EXPECT_EQ(peer.wants(), "Unsubscribe a | Close ok");
}

// However long the registration's answer is, there is room left to ask whether its peer is there.
TEST_F(ServerAddressTest, WhoObservesCanBeAskedWhetherItIsThere) {
  std::size_t registered = 0;
  for (std::size_t size = 0; size <= 60; ++size) {
    ServerSession fresh{settings, {.limits = &limits, .rng = &rng}};
    Script observer{fresh};
    observer.sends({.type = Type::kNon, .id = 7, .observe = 0});
    ASSERT_EQ(observer.wants(), "Attach");
    observer.answers(0, kOk);
    ASSERT_EQ(observer.wants(), "Subscribe a");
    observer.answers(0, kOk);
    ASSERT_EQ(observer.wants(), "Lookup a");
    observer.answers_value(0, value_of("a", std::string(size, 'x'), 1));
    const std::string answer = observer.sent();
    if (answer.starts_with("NON 4.01")) continue;
    ASSERT_TRUE(answer.contains("Observe:n")) << answer;
    ++registered;
    observer.delivers(value_of("a", std::string(60, 'y'), 2));
    EXPECT_EQ(observer.sent(), "CON 0.00 #s1") << "after an answer with " << size << " octets";
  }
  EXPECT_GT(registered, 16u);
}

// Where other answers have used that room up, an observer is not kept for ever.
TEST_F(ServerAddressTest, AnObserverThatCannotBeAskedIsLost) {
  peer.sends({.type = Type::kNon, .id = 7, .observe = 0});
  ASSERT_EQ(peer.wants(), "Attach");
  peer.answers(0, kOk);
  ASSERT_EQ(peer.wants(), "Subscribe a");
  peer.answers(0, kOk);
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  std::size_t came = encode({.id = 7, .observe = 0}).size();
  std::size_t went = sent_octets();
  for (std::uint16_t id = 8; went + kHeaderSize <= 3 * came; ++id) {
    const Sends request{.type = Type::kNon, .id = id, .token = ""};
    // Its answer has five octets and the value's.
    const std::size_t room = 3 * (came + encode(request).size()) - went - kHeaderSize - 1;
    gets(request, std::string(room, 'x'));
    came += encode(request).size();
    went += sent_octets();
    ASSERT_LT(id, 100) << went << " of " << came;
  }
  peer.delivers(value_of("a", "y", 2));
  EXPECT_EQ(peer.sent(), "");
  peer.after(settings.prove_within);
  EXPECT_EQ(peer.wants(), "Unsubscribe a");
  peer.after(hours{1});
  EXPECT_EQ(peer.sent(), "");
  EXPECT_EQ(peer.wants(), "Close ok");
}

// What has acted is not asked to come again: its answer comes in small blocks, kept for them.
TEST_F(ServerAddressTest, AnActionIsNotAskedToComeAgain) {
  std::string body;
  cbor::Writer writer(body);
  const model::TopicProperties declared{.topic_type = std::string(500, 'x')};
  write_properties(writer, {.topic_name = "a", .resource_type = "core.ps.data"});
  peer.sends({.code = code::kPost, .id = 1, .path = "/ps", .format = 606, .payload = body});
  ASSERT_EQ(peer.wants(), "Declare a create ct: max:0");
  peer.answers(0, session::Answer{.declared = &declared});
  const auto first = decode(peer.wire.sent.at(0)).value();
  EXPECT_EQ(first.code, code::kCreated);
  const Block block = read_block(first.options.find(OptionNumber::kBlock2).value()).value();
  EXPECT_TRUE(block.more);
  (void)peer.sent();
  peer.sends({.code = code::kPost,
              .id = 2,
              .path = "/ps",
              .format = 606,
              .block2 = Block{.number = 1, .size_exponent = block.size_exponent}});
  EXPECT_EQ(peer.wants(), "");
  EXPECT_EQ(decode(peer.wire.sent.at(0)).value().code, code::kCreated);
}

// R24: whoever guesses has few guesses.
TEST_F(ServerAddressTest, GuessedMessageIdsProveNothing) {
  peer.sends({.id = 60'000, .path = "/ps/data/proof"});
  ASSERT_EQ(peer.wants(), "Lookup proof");
  peer.after(seconds{1});
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.sent(), "ACK 0.00 #60000 | CON 4.04 #s0 t:t");
  for (unsigned guess = 1; guess <= settings.mismatches_max; ++guess) peer.resets(guess);
  peer.acknowledges(0);  // right at last, and too late
  gets({.id = 8}, large);
  EXPECT_TRUE(peer.sent().starts_with("ACK 2.05 #8 t:t ETag:fbbaf1a8 Block2:0+/"));
}

}  // namespace
}  // namespace hermod::coap::test
