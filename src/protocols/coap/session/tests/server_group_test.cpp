// SPDX-License-Identifier: Apache-2.0
// Requests that came by multicast (RFC 7252 §8), as scripts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using enum model::Reason;

class ServerGroupTest : public ::testing::Test {
 protected:
  static Settings of_group() {
    Settings settings;
    settings.by_multicast = true;
    settings.idle = std::chrono::minutes{1};  // one peer for a whole test
    return settings;
  }
  // Answers the list that is wanted with topics a0, a1 ...
  void answers_topics(std::size_t count) {
    ASSERT_EQ(peer.wants(), "List # after ''");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back(fmt::format("a{}", i));
    std::vector<model::TopicEntry> topics;
    for (const std::string& name : names) topics.push_back({.topic = name});
    const session::TopicPage page{.topics = topics};
    peer.answers(0, session::Answer{.page = &page});
  }
  void asks(std::uint16_t id, const std::string& path = "/ps") {
    peer.sends({.type = Type::kNon, .id = id, .path = path});
  }
  // Octets that went.
  std::size_t sent_octets() {
    std::size_t octets = 0;
    for (const auto& datagram : peer.wire.sent) octets += datagram.size();
    return octets;
  }

  Settings settings = of_group();
  session::SessionLimits limits;
  SeededRng rng{1};
  session::Budget budget{4096};
  ServerSession session{settings, {.limits = &limits, .rng = &rng, .budget = &budget}};
  Script peer{session};
};

class Rfc7252Groups : public ServerGroupTest {};  // see tests/conformance/rfc7252.txt

//   NON GET /ps   ->
//                 ...       a random time within the leisure
//                 <-  NON 2.05
TEST_F(ServerGroupTest, AnswersAtARandomTimeWithinTheLeisure) {
  constexpr int kRounds = 100;
  Duration shortest = Duration::max();
  Duration longest{};
  for (int round = 0; round < kRounds; ++round) {
    asks(static_cast<std::uint16_t>(round));
    answers_topics(1);
    const Instant begin = peer.now;
    while (peer.wire.sent.empty() && peer.now <= begin + settings.leisure) {
      peer.after(std::chrono::milliseconds{10});
    }
    shortest = std::min(shortest, peer.now - begin);
    longest = std::max(longest, peer.now - begin);
    EXPECT_EQ(peer.sent(),
              fmt::format("NON 2.05 #s{} t:t Content-Format:40 '</ps/conf/a0>'", round));
  }
  EXPECT_LT(shortest, settings.leisure / 10);
  EXPECT_GT(longest, settings.leisure * 9 / 10);
}

TEST_F(ServerGroupTest, DiscoveryIsServedToo) {
  asks(1, "/.well-known/core?rt=core.ps.data");
  answers_topics(0);
  peer.after(settings.leisure);
  EXPECT_EQ(peer.sent(), "");  // no link that fits

  asks(2, "/.well-known/core?rt=core.ps");
  answers_topics(0);
  peer.after(settings.leisure);
  EXPECT_EQ(peer.sent(),
            "NON 2.05 #s0 t:t Content-Format:40 "
            "'</ps>;rt=\"core.ps core.ps.coll\";ct=40'");
}

// The endpoint is prepared for whatever is sent to a group, and ignores what it is not asked for.
TEST_F(Rfc7252Groups, RFC7252_8_1_what_comes_by_multicast_is_received) {
  for (const Code method : {code::kPost, code::kPut, code::kDelete, code::kFetch, code::kPatch,
                            code::kIPatch, Code{31}, code::kContent}) {
    peer.sends({.type = Type::kNon, .code = method, .id = 1, .path = "/ps"});
  }
  for (const char* path : {"/", "/ps/data/a", "/ps/conf/a", "/other", "/ps/data/a?x"}) {
    asks(2, path);
  }
  asks(3, "/ps?page=x");  // not understood
  peer.sends({.type = Type::kNon, .id = 4, .path = "/ps/data/a", .observe = 0});
  // RFC 7959 §2.8: only a first block comes from a group
  peer.sends({.type = Type::kNon, .id = 5, .path = "/ps", .block2 = Block{.number = 1}});
  peer.sends({.type = Type::kNon, .id = 6, .path = "/ps", .block1 = Block{}});
  peer.sends({.type = Type::kNon, .id = 7, .path = "/ps", .accept = 50});
  EXPECT_EQ(peer.wants(), "");
  peer.after(settings.leisure);
  EXPECT_EQ(peer.sent(), "");
  asks(8);
  answers_topics(1);
  peer.after(settings.leisure);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s0 t:t Content-Format:40 '</ps/conf/a0>'");
}

TEST_F(Rfc7252Groups, RFC7252_8_1_1_only_non_confirmable_requests_are_served) {
  peer.sends({.type = Type::kCon, .id = 1, .path = "/ps"});
  peer.sends({.type = Type::kAck, .id = 2, .path = "/ps"});
  peer.sends({.type = Type::kRst, .id = 3, .path = "/ps"});
  peer.octets("40 00 00 04");  // a ping
  peer.after(seconds{4});
  EXPECT_EQ(peer.wants(), "");
  EXPECT_EQ(peer.sent(), "");
}

TEST_F(Rfc7252Groups, RFC7252_8_1_2_nothing_is_reset) {
  peer.octets("40 01 00 01 ff");  // Confirmable, a format error
  peer.octets("50 01 00 02 ff");  // the same, Non-confirmable
  peer.octets("50 00 00 03");     // Empty, Non-confirmable
  peer.octets("50 45 00 04");     // a response to nothing
  peer.octets("50 20 00 05");     // a reserved class
  peer.octets("");
  const std::string long_token(2049, 't');
  peer.sends({.type = Type::kNon, .id = 6, .token = long_token, .path = "/ps"});
  // a critical option that nobody knows
  peer.sends({.type = Type::kNon, .id = 7, .path = "/ps", .odd_option = 65'001});
  peer.after(seconds{4});
  EXPECT_EQ(peer.wants(), "");
  EXPECT_EQ(peer.sent(), "");
}

// RFC 7252 §8.2: what fails is not told by every server of a group.
TEST_F(ServerGroupTest, ErrorsAreNotTold) {
  asks(1);
  ASSERT_EQ(peer.wants(), "List # after ''");
  peer.answers(0, kUnavailable);
  asks(2);
  answers_topics(0);  // an empty list
  peer.after(settings.leisure);
  EXPECT_EQ(peer.sent(), "");
}

// RFC 7967 §2.1, bit 2: no interest in 2.xx.
TEST_F(ServerGroupTest, NoResponseIsHonoured) {
  peer.sends({.type = Type::kNon, .id = 1, .path = "/ps", .no_response = 2});
  answers_topics(1);
  peer.sends({.type = Type::kNon, .id = 2, .token = "u", .path = "/ps", .no_response = 24});
  answers_topics(1);
  peer.after(settings.leisure);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s0 t:u Content-Format:40 '</ps/conf/a0>'");
}

// RFC 7959 §2.8: the first block; the others are asked of this server alone. RFC 9175 §2.3: the
// address may be somebody else's, so what goes is at most three times what came.
TEST_F(ServerGroupTest, ALargeListIsABlockOfThreeTimesTheRequest) {
  std::size_t came = 0;
  std::size_t went = 0;
  for (std::uint16_t id = 1; id <= 20; ++id) {
    const std::vector<std::uint8_t> request =
        encode({.type = Type::kNon, .id = id, .path = "/ps?href=/ps/conf/*"});
    peer.datagram(request);
    answers_topics(100);
    peer.after(settings.leisure);
    ASSERT_EQ(peer.wire.sent.size(), 1u);
    came += request.size();
    went += sent_octets();
    ASSERT_LE(went, 3 * came);
    const auto answer = decode(peer.wire.sent[0]).value();
    const Block block = read_block(answer.options.find(OptionNumber::kBlock2).value()).value();
    EXPECT_EQ(block.number, 0u);
    EXPECT_TRUE(block.more);
    EXPECT_EQ(block.size(), answer.payload.size());
    EXPECT_TRUE(answer.options.find(OptionNumber::kETag).has_value());
    peer.wire.sent.clear();
  }
}

// A request that is too short for any answer gets none.
TEST_F(ServerGroupTest, WhatMayNotBeSentIsNot) {
  settings.amplification_max = 1;
  peer.sends({.type = Type::kNon, .id = 1, .token = "", .path = "/ps"});
  answers_topics(10);
  peer.after(settings.leisure);
  EXPECT_EQ(peer.sent(), "");
  settings.amplification_max = 0;
  asks(2);
  answers_topics(100);
  peer.after(settings.leisure);
  EXPECT_GT(sent_octets(), 1000u);
}

TEST_F(ServerGroupTest, DuplicatesHaveOneAnswer) {
  asks(1);
  asks(1);
  answers_topics(1);
  asks(1);
  EXPECT_EQ(peer.wants(), "");
  peer.after(settings.leisure);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s0 t:t Content-Format:40 '</ps/conf/a0>'");
}

TEST_F(ServerGroupTest, OnlySoManyAnswersWait) {
  settings.amplification_max = 0;
  for (std::uint16_t id = 1; id <= 10; ++id) {
    asks(id);
    answers_topics(1);
  }
  peer.after(settings.leisure);
  EXPECT_EQ(peer.wire.sent.size(), settings.group_answers_max);
  peer.wire.sent.clear();
  asks(11);  // room again
  answers_topics(1);
  peer.after(settings.leisure);
  EXPECT_EQ(peer.wire.sent.size(), 1u);
}

// What waits for all peers of a shard comes from one budget.
TEST_F(ServerGroupTest, TheirOctetsAreBounded) {
  settings.amplification_max = 0;
  settings.group_answers_max = 100;
  for (std::uint16_t id = 1; id <= 10; ++id) {
    asks(id);
    answers_topics(60);  // near 1,000 octets
  }
  EXPECT_GT(budget.used(), 2048u);
  EXPECT_LE(budget.used(), 4096u);
  peer.after(settings.leisure);
  EXPECT_EQ(peer.wire.sent.size(), 4u);
  EXPECT_EQ(budget.used(), 0u);
}

// The peer is remembered as long as its answer waits, and not longer than others.
TEST_F(ServerGroupTest, APeerIsForgottenWhenItIsAnswered) {
  settings.idle = seconds{5};
  settings.leisure = std::chrono::hours{1};
  asks(1);
  answers_topics(1);
  const Instant due = peer.now + settings.leisure;
  while (peer.wire.sent.empty() && peer.now < due) {
    EXPECT_EQ(peer.wants(), "");
    peer.after(seconds{10});
  }
  EXPECT_EQ(peer.sent(), "NON 2.05 #s0 t:t Content-Format:40 '</ps/conf/a0>'");
  peer.after(2 * settings.idle);
  EXPECT_EQ(peer.wants(), "Close ok");
}

TEST_F(ServerGroupTest, NothingIsSaidAtTheEnd) {
  asks(1);
  answers_topics(1);
  peer.closes(kShutdown);
  EXPECT_EQ(peer.sent(), "");
}

}  // namespace
}  // namespace hermod::coap::test
