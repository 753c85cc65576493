// SPDX-License-Identifier: Apache-2.0
// Bodies in blocks through a server session (RFC 7959), as scripts.
#include <gtest/gtest.h>

#include <string>

#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
using enum model::Reason;

constexpr Block block(std::uint32_t number, bool more, std::uint8_t size_exponent = 0) {
  return {.number = number, .more = more, .size_exponent = size_exponent};
}

class ServerBlocksTest : public ::testing::Test {
 protected:
  ServerBlocksTest() {
    limits.packet_bytes_max = 100;
    // What is sent here is more than three times what comes: the peer confirms something first.
    peer.proves_itself();
  }
  // The value of `a` is `value`, with version 5.
  void gets(const Sends& request, const std::string& value) {
    peer.sends(request);
    ASSERT_EQ(peer.wants(), "Lookup a");
    peer.answers_value(0, value_of("a", value, 5));
  }

  Settings settings{.seen_bodies_max = 0, .transfers_max = 2};
  session::SessionLimits limits{.packet_bytes_max = 100};
  session::Budget budget{1000};
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng, .budget = &budget}};
  Script peer{session};
  const std::string body = "0123456789abcdef0123456789ABCDEF!";  // 33 octets
};

// --- Block2 ---

//   CON GET           ->   the value has 2,500 octets
//                     <-   ACK 2.05 Block2 0+/1024
//   CON GET 1/-/1024  ->                            RFC 7959 §3.3 Figure 4: late negotiation
TEST_F(ServerBlocksTest, AValueThatDoesNotFitComesInBlocks) {
  const std::string value = std::string(1024, 'a') + std::string(1024, 'b') + "end";
  gets({.id = 1}, value);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t ETag:05 Block2:0+/1024 '" + value.substr(0, 1024) + "'");
  gets({.id = 2, .block2 = block(1, false, 6)}, value);
  EXPECT_EQ(peer.sent(),
            "ACK 2.05 #2 t:t ETag:05 Block2:1+/1024 '" + value.substr(1024, 1024) + "'");
  gets({.id = 3, .block2 = block(2, false, 6)}, value);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #3 t:t ETag:05 Block2:2/1024 'end'");
}

// RFC 7959 §3.3 Figure 3: early negotiation; §2.4: any block, in any order.
TEST_F(ServerBlocksTest, BlocksHaveTheSizeThatIsAskedFor) {
  gets({.id = 1, .block2 = block(0, false)}, body);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t ETag:05 Block2:0+/16 '0123456789abcdef'");
  gets({.id = 2, .block2 = block(2, false)}, body);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #2 t:t ETag:05 Block2:2/16 '!'");
  gets({.id = 3, .block2 = block(1, false)}, body);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #3 t:t ETag:05 Block2:1+/16 '0123456789ABCDEF'");
  gets({.id = 4, .block2 = block(0, false, 2)}, body);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #4 t:t ETag:05 Block2:0/64 '" + body + "'");
  gets({.id = 5, .block2 = block(3, false)}, body);
  EXPECT_EQ(peer.sent(), "ACK 4.00 #5 t:t 'the body has no such block'");
}

TEST_F(ServerBlocksTest, BlocksAreNoLargerThanTheListenersAre) {
  settings.block_bytes_max = 32;
  gets({.id = 1}, body);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t ETag:05 Block2:0+/32 '" + body.substr(0, 32) + "'");
  gets({.id = 2, .block2 = block(0, false, 6)}, body);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #2 t:t ETag:05 Block2:0+/32 '" + body.substr(0, 32) + "'");
}

// RFC 7959 §4.
TEST_F(ServerBlocksTest, SaysHowLargeABodyIsWhenAsked) {
  gets({.id = 1, .block2 = block(0, false), .size2 = true}, body);
  EXPECT_EQ(peer.sent(), "ACK 2.05 #1 t:t ETag:05 Block2:0+/16 Size2:33 '0123456789abcdef'");
}

// --- Block1 ---

//   CON PUT 0/1/16 -> <- ACK 2.31 1:0+/16
//   CON PUT 1/1/16 -> <- ACK 2.31 1:1+/16
//   CON PUT 2/0/16 ->        Publish, whole            RFC 7959 §2.5: atomically
//                     <- ACK 2.01 1:2/16
TEST_F(ServerBlocksTest, PublishesABodyWhenItIsWhole) {
  peer.sends(
      {.code = code::kPut, .id = 1, .payload = body.substr(0, 16), .block1 = block(0, true)});
  EXPECT_EQ(peer.sent(), "ACK 2.31 #1 t:t Block1:0+/16");
  peer.sends(
      {.code = code::kPut, .id = 2, .payload = body.substr(16, 16), .block1 = block(1, true)});
  EXPECT_EQ(peer.sent(), "ACK 2.31 #2 t:t Block1:1+/16");
  EXPECT_EQ(peer.wants(), "");
  const Sends last{.code = code::kPut, .id = 3, .payload = "!", .block1 = block(2, false)};
  peer.sends(last);
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.wants(), "Publish a retain q1 '" + body + "'");
  peer.answers(0, kOk);
  EXPECT_EQ(peer.sent(), "ACK 2.01 #3 t:t Block1:2/16");
  peer.sends(last);  // the Acknowledgement was lost
  EXPECT_EQ(peer.sent(), "ACK 2.01 #3 t:t Block1:2/16");
  EXPECT_EQ(peer.wants(), "");
  EXPECT_EQ(budget.used(), 0u);
}

// RFC 7252 §4.5 holds for each block; and what comes late does not begin the body anew.
TEST_F(ServerBlocksTest, ADuplicateOfABlockChangesNothing) {
  const Sends first{.code = code::kPut,
                    .id = 1,
                    .payload = std::string_view{body}.substr(0, 16),
                    .block1 = block(0, true)};
  peer.sends(first);
  peer.sends(first);
  EXPECT_EQ(peer.sent(), "ACK 2.31 #1 t:t Block1:0+/16 | ACK 2.31 #1 t:t Block1:0+/16");
  peer.sends(
      {.code = code::kPut, .id = 2, .payload = body.substr(16, 16), .block1 = block(1, true)});
  peer.sends(first);
  EXPECT_EQ(peer.sent(), "ACK 2.31 #2 t:t Block1:1+/16 | ACK 2.31 #1 t:t Block1:0+/16");
  peer.sends({.code = code::kPut, .id = 3, .payload = "!", .block1 = block(2, false)});
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.wants(), "Publish a retain q1 '" + body + "'");
}

// RFC 7959 §2.9.2, §2.9.3, §2.2.
TEST_F(ServerBlocksTest, RefusesBlocksThatDoNotFit) {
  peer.sends(
      {.code = code::kPut, .id = 1, .payload = body.substr(0, 16), .block1 = block(1, true)});
  EXPECT_EQ(peer.sent(), "ACK 4.08 #1 t:t Block1:1+/16 'the blocks before this one are missing'");
  peer.sends({.code = code::kPut, .id = 2, .payload = "short", .block1 = block(0, true)});
  EXPECT_EQ(peer.sent(),
            "ACK 4.00 #2 t:t Block1:0+/16 'a block is not as long as its option says'");
  peer.sends({.code = code::kPut,
              .id = 3,
              .payload = body.substr(0, 16),
              .block1 = block(0, true),
              .size1 = 101});
  EXPECT_EQ(peer.sent(), "ACK 4.13 #3 t:t Block1:0+/16 Size1:100");
  for (std::uint16_t i = 0; i < 6; ++i) {
    peer.sends({.code = code::kPut,
                .id = static_cast<std::uint16_t>(10 + i),
                .payload = body.substr(0, 16),
                .block1 = block(i, true)});
    EXPECT_EQ(peer.sent(), fmt::format("ACK 2.31 #{} t:t Block1:{}+/16", 10 + i, i));
  }
  peer.sends(
      {.code = code::kPut, .id = 20, .payload = body.substr(0, 16), .block1 = block(6, true)});
  EXPECT_EQ(peer.sent(), "ACK 4.13 #20 t:t Block1:6+/16 Size1:100");
  EXPECT_EQ(peer.wants(), "");
  EXPECT_EQ(budget.used(), 0u);
}

// A message that is the topic's value for nobody else: what it was told of may be fetched.
TEST_F(ServerBlocksTest, ALiveMessageIsKeptForItsObservers) {
  peer.sends({.id = 1, .observe = 0, .block2 = block(0, false)});
  ASSERT_EQ(peer.wants(), "Attach");
  peer.answers(0, kOk);
  ASSERT_EQ(peer.wants(), "Subscribe a");
  peer.answers(0, kOk);
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  (void)peer.sent();
  model::Message message = value_of("a", body);
  message.retain = false;
  peer.delivers(message);
  const std::string told = peer.sent();
  const std::string tag = told.substr(told.find("ETag:"), 13);
  EXPECT_EQ(told, fmt::format("CON 2.05 #s1 t:t {} Observe:n Max-Age:600 Block2:0+/16 '{}'", tag,
                              body.substr(0, 16)));
  peer.acknowledges(1);
  EXPECT_EQ(budget.used(), body.size());
  const auto fetch = [&](std::uint16_t id, std::uint32_t number) {
    peer.sends({.id = id, .token = "u", .block2 = block(number, false)});
    EXPECT_EQ(peer.wants(), "Lookup a");  // it may be forbidden by now
    peer.answers(0, kNotFound);
    return peer.sent();
  };
  EXPECT_EQ(fetch(2, 1),
            fmt::format("ACK 2.05 #2 t:u {} Block2:1+/16 '{}'", tag, body.substr(16, 16)));
  EXPECT_EQ(fetch(3, 2), fmt::format("ACK 2.05 #3 t:u {} Block2:2/16 '!'", tag));
  EXPECT_EQ(fetch(4, 0), "ACK 4.04 #4 t:u");  // it is not the value
  peer.after(settings.transmission.exchange_lifetime());
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(fetch(5, 1), "ACK 4.04 #5 t:u");
  peer.delivers(message);
  EXPECT_EQ(budget.used(), body.size());
  message.payload = as_bytes("short");
  peer.delivers(message);
  EXPECT_EQ(budget.used(), 0u);
  ASSERT_TRUE(budget.take(1000));  // and without room nothing is kept
  message.payload = as_bytes(body);
  peer.delivers(message);
  (void)peer.sent();
  EXPECT_EQ(fetch(6, 1), "ACK 4.04 #6 t:u");
}

// RFC 9175 §3: two bodies to one resource at once.
TEST_F(ServerBlocksTest, RequestTagsTellBodiesApart) {
  const std::string other(16, 'y');
  const auto sends = [&](std::uint16_t id, std::string_view tag, std::string_view payload,
                         Block part) {
    peer.sends(
        {.code = code::kPut, .id = id, .payload = payload, .block1 = part, .request_tag = tag});
  };
  sends(1, "1", body.substr(0, 16), block(0, true));
  sends(2, "2", other, block(0, true));
  sends(3, "1", "!", block(1, false));
  EXPECT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotFound);
  EXPECT_EQ(peer.wants(), "Publish a retain q1 '" + body.substr(0, 16) + "!'");
}

// The one that has waited longest makes room, and the peer hears of it.
TEST_F(ServerBlocksTest, BoundsTheBodiesOfAPeer) {
  for (std::uint16_t i = 0; i < 3; ++i) {
    peer.sends({.code = code::kPut,
                .id = i,
                .path = fmt::format("/ps/data/{}", i),
                .payload = body.substr(0, 16),
                .block1 = block(0, true)});
    peer.after(seconds{1});
  }
  EXPECT_EQ(budget.used(), 32u);
  (void)peer.sent();
  peer.sends({.code = code::kPut,
              .id = 9,
              .path = "/ps/data/0",
              .payload = "!",
              .block1 = block(1, false)});
  EXPECT_EQ(peer.sent(), "ACK 4.08 #9 t:t Block1:1/16 'the blocks before this one are missing'");
}

TEST_F(ServerBlocksTest, BoundsTheMemoryOfAllPeers) {
  ASSERT_TRUE(budget.take(budget.used() + 1000 - 15));
  peer.sends(
      {.code = code::kPut, .id = 1, .payload = body.substr(0, 16), .block1 = block(0, true)});
  EXPECT_EQ(peer.sent(), "ACK 5.03 #1 t:t Block1:0+/16");
}

TEST_F(ServerBlocksTest, ForgetsWhatIsNeverFinished) {
  peer.sends(
      {.code = code::kPut, .id = 1, .payload = body.substr(0, 16), .block1 = block(0, true)});
  EXPECT_EQ(budget.used(), 16u);
  peer.after(seconds{248});
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(peer.wants(), "Close ok");
}

}  // namespace
}  // namespace hermod::coap::test
