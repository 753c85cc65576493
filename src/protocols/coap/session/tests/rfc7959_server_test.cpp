// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7959 that a server keeps which transfers blocks, and the figures of its
// section 3 that concern one. Names: tests/conformance/rfc7959.txt. A block is written as the RFC
// does, number/more/size.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/session/server_session.hpp"
#include "script.hpp"

namespace hermod::coap::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using enum model::Reason;

// A body in which no two blocks are alike.
std::string body_of(std::size_t size) {
  std::string out;
  while (out.size() < size) out += fmt::format("{:06} ", out.size());
  out.resize(size);
  return out;
}

struct BlockRequest {
  Code code = code::kGet;
  std::uint16_t id = 1;
  std::optional<std::uint32_t> format;
  std::optional<Block> block2;
  std::optional<Block> block1;
  std::optional<std::uint32_t> size2;
  std::string_view payload;
  Type type = Type::kCon;
  bool if_none_match = false;
};

class Rfc7959Server : public ::testing::Test {
 protected:
  // Blocks are more than three times what asks for them: the peer shows first that it is there
  // (RFC 9175 §2.3).
  void SetUp() override {
    peer.sends({.id = 60'000, .path = "/ps/data/long"});
    ASSERT_EQ(peer.wants(), "Lookup long");
    peer.after(settings.ack_delay);
    peer.answers_value(0, value_of("long", "v"));
    ASSERT_EQ(peer.sent(), "ACK 0.00 #60000 | CON 2.05 #s0 t:t 'v'");
    peer.acknowledges(0);
  }
  // Sends a request for /ps/data/a and serves what the session looks up and publishes; returns the
  // response.
  MessageView exchange(const BlockRequest& request) {
    peer.wire.sent.clear();
    peer.datagram(encode(request));
    for (std::string wants = peer.wants(); !wants.empty(); wants = peer.wants()) {
      if (wants == "Lookup a") {
        if (value.empty()) {
          peer.answers(0, kNotFound);
        } else {
          peer.answers_value(0, value_of("a", value, version));
        }
      } else {
        published.push_back(wants);
        peer.answers(0, kOk);
      }
    }
    EXPECT_EQ(peer.wire.sent.size(), 1u);
    if (peer.wire.sent.empty()) return {};
    kept_ = peer.wire.sent.back();
    return decode(kept_).value();
  }
  MessageView get(std::optional<Block> block, std::uint16_t id = 1) {
    return exchange({.id = id, .block2 = block});
  }
  MessageView put(Block block, std::string_view payload, std::uint16_t id,
                  std::optional<std::uint32_t> format = {}) {
    return exchange(
        {.code = code::kPut, .id = id, .format = format, .block1 = block, .payload = payload});
  }
  static std::optional<Block> block_of(const MessageView& message, OptionNumber number) {
    const auto option = message.options.find(number);
    return option ? read_block(*option) : std::nullopt;
  }
  static std::optional<Block> block2_of(const MessageView& message) {
    return block_of(message, OptionNumber::kBlock2);
  }
  static std::optional<Block> block1_of(const MessageView& message) {
    return block_of(message, OptionNumber::kBlock1);
  }

  static std::vector<std::uint8_t> encode(const BlockRequest& request) {
    using enum OptionNumber;
    std::vector<std::uint8_t> out(8192);
    BodyWriter body(write_head(out.data(), request.type, request.code, request.id, as_bytes("t")));
    if (request.if_none_match) body.option(kIfNoneMatch, Bytes{});
    for (const char* segment : {"ps", "data", "a"}) body.option(kUriPath, segment);
    if (request.format) body.uint_option(kContentFormat, *request.format);
    if (request.block2) body.uint_option(kBlock2, request.block2->value());
    if (request.block1) body.uint_option(kBlock1, request.block1->value());
    if (request.size2) body.uint_option(kSize2, *request.size2);
    body.payload(as_bytes(request.payload));
    out.resize(static_cast<std::size_t>(body.position() - out.data()));
    return out;
  }

  Settings settings;
  session::SessionLimits limits{.packet_bytes_max = 320};
  SeededRng rng{1};
  ServerSession session{settings, {.limits = &limits, .rng = &rng}};
  Script peer{session};
  std::string value;  // of the topic; empty: none
  std::uint64_t version = 7;
  std::vector<std::string> published;

 private:
  std::vector<std::uint8_t> kept_;
};

// --- Block2 ---

//   GET           -->   <-- 2.05 2:0/1/1024
//   GET 2:1/0/... -->   <-- 2.05 2:1/1/1024   and so on: Figure 2
TEST_F(Rfc7959Server, RFC7959_2_1_1_and_2_3_1_figure_2_a_large_value_comes_in_blocks) {
  value = body_of(10'000);
  std::string read;
  std::optional<Block> next;
  for (std::uint16_t id = 1; id < 100; ++id) {
    const MessageView response = get(next, id);
    ASSERT_EQ(response.code, code::kContent);
    const auto block = block2_of(response);
    ASSERT_TRUE(block.has_value());
    ASSERT_EQ(block->offset(), read.size());
    read += as_text(response.payload);
    if (!block->more) break;
    ASSERT_EQ(response.payload.size(), block->size());
    next = Block{.number = block->number + 1, .size_exponent = block->size_exponent};
  }
  EXPECT_EQ(read, value);
}

// Figure 3, early negotiation, with every size; the last block is what is left.
TEST_F(Rfc7959Server, RFC7959_2_4_2_and_5_figure_3_the_size_asked_for_or_a_smaller_one) {
  value = body_of(2500);
  for (std::uint8_t exponent = 0; exponent <= Block::kExponentMax; ++exponent) {
    std::string read;
    std::optional<std::uint8_t> used;
    Block next{.size_exponent = exponent};
    for (std::uint16_t id = 1; id < 300; ++id) {
      const MessageView response = get(next, id);
      const auto block = block2_of(response);
      ASSERT_TRUE(block.has_value());
      ASSERT_LE(block->size_exponent, exponent);
      ASSERT_EQ(block->size_exponent, used.value_or(block->size_exponent));
      used = block->size_exponent;
      ASSERT_EQ(block->offset(), read.size());
      read += as_text(response.payload);
      if (!block->more) break;
      next = {.number = block->number + 1, .size_exponent = block->size_exponent};
    }
    EXPECT_EQ(read, value);
  }
}

//   GET -->  <-- 2:0/1/1024;  GET 2:16/0/64 --> <-- 2:16/1/64: late negotiation, Figure 4
TEST_F(Rfc7959Server, RFC7959_2_4_2_figure_4_a_smaller_size_later) {
  value = body_of(10'000);
  const auto first = block2_of(get(std::nullopt));
  ASSERT_TRUE(first.has_value());
  const auto number = static_cast<std::uint32_t>(first->size() / 64);
  const MessageView second = get(Block{.number = number, .size_exponent = 2}, 2);
  EXPECT_EQ(block2_of(second), (Block{.number = number, .more = true, .size_exponent = 2}));
  EXPECT_EQ(as_text(second.payload), value.substr(first->size(), 64));
}

// A small value that is asked for in blocks of more than it has: one block, 0/0.
TEST_F(Rfc7959Server, RFC7959_2_1_1_a_small_value_is_one_block) {
  value = "v";
  const MessageView response = get(Block{.size_exponent = 6});
  EXPECT_EQ(as_text(response.payload), "v");
  if (const auto block = block2_of(response)) {
    EXPECT_EQ(block->number, 0u);
    EXPECT_FALSE(block->more);
  }
}

TEST_F(Rfc7959Server, RFC7959_2_2_1_and_2_4_1_more_in_a_request_means_nothing) {
  value = body_of(2500);
  for (const bool more : {false, true}) {
    const MessageView response = get(Block{.number = 2, .more = more, .size_exponent = 4}, 1);
    EXPECT_EQ(block2_of(response), (Block{.number = 2, .more = true, .size_exponent = 4}));
    EXPECT_EQ(as_text(response.payload), value.substr(512, 256));
  }
}

// Size exponent 7 is value 7 of the option; Block2 in a GET, Block1 in a PUT.
TEST_F(Rfc7959Server, RFC7959_2_2_2_the_reserved_size_is_a_bad_request) {
  value = body_of(100);
  peer.octets("4001 0001 b2'ps' 04'data' 01'a' c1 07");
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.00 #1"));
  peer.octets("4003 0002 b2'ps' 04'data' 01'a' d1 03 07 ff 'x'");
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.00 #2"));
  EXPECT_THAT(peer.wants(), Not(HasSubstr("Publish")));
}

// Beyond the end there is no block: 4.00 or 4.02 (§2.4 says what the client did wrong).
TEST_F(Rfc7959Server, ABlockBeyondTheEndIsAnError) {
  value = body_of(100);
  EXPECT_EQ(get(Block{.number = 7, .size_exponent = 0}).code.code_class(), 4u);
  EXPECT_TRUE(get(Block{.number = 6, .size_exponent = 0}, 2).code.is_success());
}

// All blocks of one version have one ETag, those of another have another.
TEST_F(Rfc7959Server, BlocksTellTheirVersion) {
  value = body_of(2500);
  const auto etag = [&](std::uint32_t number, std::uint16_t id) {
    const auto option =
        get(Block{.number = number, .size_exponent = 6}, id).options.find(OptionNumber::kETag);
    return option ? std::string(as_text(*option)) : std::string("none");
  };
  const std::string first = etag(0, 1);
  EXPECT_NE(first, "none");
  EXPECT_EQ(etag(1, 2), first);
  version = 8;
  EXPECT_NE(etag(2, 3), first);
}

// Who may no longer read gets no further block.
TEST_F(Rfc7959Server, RFC7959_7_1_every_block_is_under_access_control) {
  value = body_of(2500);
  EXPECT_EQ(get(Block{.size_exponent = 6}).code, code::kContent);
  peer.wire.sent.clear();
  peer.datagram(encode({.id = 2, .block2 = Block{.number = 1, .size_exponent = 6}}));
  ASSERT_EQ(peer.wants(), "Lookup a");
  peer.answers(0, kNotAuthorized);
  EXPECT_THAT(peer.sent(), StartsWith("ACK 4.03 #2"));
}

// Size2 0 asks for the size; the answer is an estimate, or none.
TEST_F(Rfc7959Server, TheSizeMayBeAskedFor) {
  value = body_of(2500);
  const MessageView response = exchange({.block2 = Block{.size_exponent = 6}, .size2 = 0});
  EXPECT_EQ(response.code, code::kContent);
  if (const auto size = response.options.find(OptionNumber::kSize2)) {
    EXPECT_EQ(uint_value(*size), 2500u);
  }
}

// --- Block1 ---

//   PUT 1:0/1/128 -->  <-- 2.31 1:0/1/128
//   PUT 1:1/1/128 -->  <-- 2.31 1:1/1/128
//   PUT 1:2/0/128 -->  <-- 2.04 1:2/0/128    Figure 7: nothing happens before the last block
TEST_F(Rfc7959Server, RFC7959_2_1_1_and_2_3_4_and_5_figure_7_a_value_is_put_in_blocks) {
  const std::string body = body_of(300);
  value = "before";
  for (const std::uint32_t number : {0u, 1u}) {
    const MessageView response = put({.number = number, .more = true, .size_exponent = 3},
                                     std::string_view(body).substr(128 * number, 128),
                                     static_cast<std::uint16_t>(number), 50);
    EXPECT_EQ(to_string(response.code), "2.31");
    EXPECT_FALSE(block2_of(response).has_value());
    const auto block = block1_of(response);
    ASSERT_TRUE(block.has_value());
    EXPECT_EQ(block->number, number);
    EXPECT_TRUE(block->more);
  }
  EXPECT_TRUE(published.empty());
  const MessageView response =
      put({.number = 2, .size_exponent = 3}, std::string_view(body).substr(256), 2, 50);
  EXPECT_EQ(response.code, code::kChanged);
  const auto block = block1_of(response);
  ASSERT_TRUE(block.has_value());
  EXPECT_EQ(block->number, 2u);
  EXPECT_FALSE(block->more);
  ASSERT_EQ(published.size(), 1u);
  EXPECT_EQ(published[0], "Publish a retain q1 ct:application/json '" + body + "'");
}

TEST_F(Rfc7959Server, RFC7959_2_3_1_a_block_that_goes_on_is_full) {
  const MessageView response = put({.more = true, .size_exponent = 3}, "short", 1);
  EXPECT_EQ(response.code.code_class(), 4u);
  EXPECT_TRUE(published.empty());
}

TEST_F(Rfc7959Server, RFC7959_2_3_6_blocks_of_two_formats_are_not_put_together) {
  const std::string body = body_of(32);
  const auto view = std::string_view(body);
  EXPECT_EQ(to_string(put({.more = true, .size_exponent = 0}, view.substr(0, 16), 1, 50).code),
            "2.31");
  EXPECT_EQ(to_string(put({.number = 1, .size_exponent = 0}, view.substr(16), 2, 60).code), "4.08");
  EXPECT_TRUE(published.empty());
}

TEST_F(Rfc7959Server, RFC7959_2_5_1_without_all_blocks_the_transfer_fails) {
  const std::string body = body_of(48);
  const auto view = std::string_view(body);
  EXPECT_EQ(to_string(put({.number = 2, .size_exponent = 0}, view.substr(32), 1).code), "4.08");
  EXPECT_EQ(to_string(put({.more = true, .size_exponent = 0}, view.substr(0, 16), 2).code), "2.31");
  EXPECT_EQ(to_string(put({.number = 2, .size_exponent = 0}, view.substr(32), 3).code), "4.08");
  EXPECT_TRUE(published.empty());
}

//   PUT 1:0/1/16 If-None-Match  -->
//   PUT 1:1/0/16                -->   the condition is that of the whole
TEST_F(Rfc7959Server, RFC7959_2_10_1_if_none_match_comes_with_the_first_block) {
  const std::string body = body_of(20);
  const auto view = std::string_view(body);
  std::uint16_t id = 0;
  const auto puts = [&](bool condition) {
    EXPECT_EQ(to_string(exchange({.code = code::kPut,
                                  .id = ++id,
                                  .block1 = Block{.more = true, .size_exponent = 0},
                                  .payload = view.substr(0, 16),
                                  .if_none_match = condition})
                            .code),
              "2.31");
    return put({.number = 1, .size_exponent = 0}, view.substr(16), ++id).code;
  };
  EXPECT_EQ(puts(true), code::kCreated);
  value = "there";
  EXPECT_EQ(puts(true), code::kPreconditionFailed);
  EXPECT_EQ(puts(false), code::kChanged);
  EXPECT_EQ(published.size(), 2u);
}

// A block that comes twice is answered twice and counted once (RFC 7252 §4.5).
TEST_F(Rfc7959Server, ABlockThatComesTwiceCountsOnce) {
  const std::string body = body_of(40);
  const auto view = std::string_view(body);
  for (int i = 0; i < 2; ++i) {
    const MessageView response = put({.more = true, .size_exponent = 0}, view.substr(0, 16), 1);
    EXPECT_EQ(to_string(response.code), "2.31");
  }
  for (int i = 0; i < 2; ++i) {
    const MessageView response =
        put({.number = 1, .more = true, .size_exponent = 0}, view.substr(16, 16), 2);
    EXPECT_EQ(to_string(response.code), "2.31");
  }
  EXPECT_EQ(put({.number = 2, .size_exponent = 0}, view.substr(32), 3).code, code::kCreated);
  ASSERT_EQ(published.size(), 1u);
  EXPECT_THAT(published[0], HasSubstr("'" + body + "'"));
}

// §2.5: block 0 begins anew, whatever was there.
TEST_F(Rfc7959Server, TheFirstBlockBeginsAnew) {
  const std::string old = body_of(16);
  const std::string body = std::string(16, 'n') + "ew";
  EXPECT_EQ(to_string(put({.more = true, .size_exponent = 0}, old, 1).code), "2.31");
  const auto view = std::string_view(body);
  EXPECT_EQ(to_string(put({.more = true, .size_exponent = 0}, view.substr(0, 16), 2).code), "2.31");
  EXPECT_EQ(put({.number = 1, .size_exponent = 0}, view.substr(16), 3).code, code::kCreated);
  ASSERT_EQ(published.size(), 1u);
  EXPECT_THAT(published[0], HasSubstr("'" + body + "'"));
}

// §2.5: a peer that has begun another body, without a tag, and goes on with the first one.
TEST_F(Rfc7959Server, BlocksOfTwoBodiesAreNotPutTogether) {
  const std::string large(64, 'n');
  const auto put_large = [&](std::uint16_t id) {
    return to_string(put({.more = true, .size_exponent = 2}, large, id).code);
  };
  EXPECT_EQ(put_large(1), "2.31");
  EXPECT_EQ(put({.number = 1, .size_exponent = 0}, "the end", 2).code,
            code::kRequestEntityIncomplete)
      << "the body would end before what is there";
  EXPECT_EQ(put_large(3), "2.31");
  EXPECT_EQ(put({.number = 1, .size_exponent = 1}, std::string(32, 'o'), 4).code,
            code::kRequestEntityIncomplete)
      << "other octets than those that are there";
  EXPECT_EQ(put_large(5), "2.31");
  EXPECT_EQ(put({.number = 1, .size_exponent = 1}, std::string(32, 'n'), 6).code, code::kCreated);
  ASSERT_EQ(published.size(), 1u);
  EXPECT_THAT(published[0], HasSubstr("'" + large + "'"));
}

// §2.9.3: more than the broker takes.
TEST_F(Rfc7959Server, TooMuchInBlocksIsTooMuch) {
  const std::string body = body_of(336);
  std::string last;
  for (std::uint32_t number = 0; number < 21; ++number) {
    const MessageView response = put({.number = number, .more = number < 20, .size_exponent = 0},
                                     std::string_view(body).substr(std::size_t{16} * number, 16),
                                     static_cast<std::uint16_t>(number));
    last = to_string(response.code);
    if (last != "2.31") break;
  }
  EXPECT_EQ(last, "4.13");
  EXPECT_TRUE(published.empty());
}

}  // namespace
}  // namespace hermod::coap::test
