// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7959 that a client keeps which transfers blocks.
// Names: tests/conformance/rfc7959.txt. A block is written as the RFC does,
// number/more/size.
#include <gmock/gmock.h>

#include <algorithm>

#include "client_script.hpp"
#include "hermod/coap/codec/block.hpp"

namespace hermod::coap::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A response in the Acknowledgement, as the server composes it.
struct BlockResponse {
  Code code = code::kContent;
  std::string etag;
  std::optional<std::uint32_t> observe;
  std::optional<Block> block2;
  std::optional<Block> block1;
  std::string_view payload;
};

class Rfc7959Client : public ClientTest {
 protected:
  // Answers the request that was sent last; sent() has not been called since.
  void answers(const BlockResponse& response) {
    using enum OptionNumber;
    const MessageView request = last();
    std::vector<std::uint8_t> out(4096);
    BodyWriter body(
        write_head(out.data(), Type::kAck, response.code, request.message_id, request.token));
    if (!response.etag.empty()) body.option(kETag, response.etag);
    if (response.observe) body.uint_option(kObserve, *response.observe);
    if (response.block2) body.uint_option(kBlock2, response.block2->value());
    if (response.block1) body.uint_option(kBlock1, response.block1->value());
    body.payload(as_bytes(response.payload));
    out.resize(static_cast<std::size_t>(body.position() - out.data()));
    server.wire.sent.clear();
    server.datagram(std::move(out));
  }
  MessageView last() {
    EXPECT_EQ(server.wire.sent.size(), 1u);
    if (server.wire.sent.empty()) return {};
    return decode(server.wire.sent.back()).value();
  }
  std::optional<Block> block_of(OptionNumber number) {
    const auto option = last().options.find(number);
    return option ? read_block(*option) : std::nullopt;
  }
};

//   GET           -->  <-- 2:0/1/64
//   GET 2:1/0/64  -->  <-- 2:1/1/64
//   GET 2:2/0/64  -->  <-- 2:2/0/64      Figure 2: M is 0 in every request
TEST_F(Rfc7959Client, RFC7959_2_2_1_and_2_3_3_and_2_4_1_and_3_and_4_figure_2_a_value_in_blocks) {
  ASSERT_TRUE(request({.path = path}, 5));
  const std::string body = std::string(64, '0') + std::string(64, '1') + "2";
  for (std::uint32_t number = 0; number < 3; ++number) {
    if (number > 0) {
      EXPECT_EQ(block_of(OptionNumber::kBlock2), (Block{.number = number, .size_exponent = 2}));
    }
    answers({.etag = "e",
             .block2 = Block{.number = number, .more = number < 2, .size_exponent = 2},
             .payload = std::string_view(body).substr(std::size_t{64} * number, 64)});
  }
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 '" + body + "'");
}

// The value changes between two blocks: what is of two versions is never shown.
TEST_F(Rfc7959Client, RFC7959_2_4_6_blocks_of_two_versions_are_not_put_together) {
  ASSERT_TRUE(request({.path = path}, 5));
  const std::string one(16, '1');
  const std::string two(16, '2');
  answers({.etag = "1", .block2 = Block{.more = true, .size_exponent = 0}, .payload = one});
  answers({.etag = "2", .block2 = Block{.number = 1, .size_exponent = 0}, .payload = two});
  const std::string wants = server.wants();
  EXPECT_THAT(wants, Not(HasSubstr(one + two)));
  EXPECT_THAT(wants, Not(HasSubstr("Completed 5 ok")));
}

// The same of a notification, whose first block came by itself.
TEST_F(Rfc7959Client, RFC7959_2_6_1_nor_are_those_of_a_notification) {
  ASSERT_TRUE(request({.path = path, .observe = true}, 5));
  const std::string one(16, '1');
  const std::string two(16, '2');
  answers({.etag = "1",
           .observe = 1,
           .block2 = Block{.more = true, .size_exponent = 0},
           .payload = one});
  EXPECT_FALSE(last().options.find(OptionNumber::kObserve).has_value());  // §2.6
  answers({.etag = "2", .block2 = Block{.number = 1, .size_exponent = 0}, .payload = two});
  EXPECT_THAT(server.wants(), Not(HasSubstr(one + two)));
}

// Figure 7: every block but the last is full, and each waits for its 2.31.
TEST_F(Rfc7959Client, RFC7959_2_3_1_figure_7_a_large_value_is_put_in_blocks) {
  std::string body;
  while (body.size() < 5000) body += fmt::format("{:06} ", body.size());
  ASSERT_TRUE(request({.method = code::kPut, .path = path, .payload = as_bytes(body)}, 5));
  std::string put;
  for (int i = 0; i < 400; ++i) {
    const auto block = block_of(OptionNumber::kBlock1);
    ASSERT_TRUE(block.has_value());
    ASSERT_EQ(block->offset(), put.size());
    put += as_text(last().payload);
    if (!block->more) break;
    ASSERT_EQ(last().payload.size(), block->size());
    answers({.code = Code::of(2, 31), .block1 = block});
  }
  EXPECT_EQ(put, body);
  const auto block = block_of(OptionNumber::kBlock1);
  answers({.code = code::kChanged, .block1 = block});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.04");
}

TEST_F(Rfc7959Client, RFC7959_2_10_1_if_none_match_goes_with_the_first_block_only) {
  const std::string body(3000, 'x');
  ASSERT_TRUE(request(
      {.method = code::kPut, .path = path, .payload = as_bytes(body), .if_none_match = true}));
  for (const bool with : {true, false, false}) {
    EXPECT_EQ(last().options.find(OptionNumber::kIfNoneMatch).has_value(), with);
    const auto block = block_of(OptionNumber::kBlock1);
    ASSERT_TRUE(block.has_value());
    answers({.code = block->more ? code::kContinue : code::kCreated, .block1 = block});
  }
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.01");
}

//   POST 1:0/1/16 --> <-- 2.31
//   POST 1:1/0/16 --> <-- 2.04 1:1/0/16 2:0/1/16
//   POST 2:1/0/16 --> <-- 2.04 2:1/1/16
//   POST 2:2/0/16 --> <-- 2.04 2:3/0/16    out of order: not a body
TEST_F(Rfc7959Client, RFC7959_2_7_1_the_blocks_of_the_answer_to_a_body_go_in_order) {
  const std::string body(20, 'x');
  const std::string part(16, 'y');
  ASSERT_TRUE(request({.method = code::kPost,
                       .path = path,
                       .payload = as_bytes(body),
                       .block = Block{.size_exponent = 0}}));
  answers({.code = code::kContinue, .block1 = block_of(OptionNumber::kBlock1)});
  answers({.code = code::kChanged,
           .block2 = Block{.more = true, .size_exponent = 0},
           .block1 = block_of(OptionNumber::kBlock1),
           .payload = part});
  for (const std::uint32_t number : {1u, 2u}) {
    EXPECT_EQ(block_of(OptionNumber::kBlock2), (Block{.number = number, .size_exponent = 0}));
    EXPECT_FALSE(last().options.find(OptionNumber::kBlock1).has_value());
    EXPECT_TRUE(last().payload.empty());
    const bool in_order = number == 1;
    answers({.code = code::kChanged,
             .block2 = Block{.number = in_order ? 1u : 3u, .more = in_order, .size_exponent = 0},
             .payload = part});
  }
  EXPECT_EQ(server.wants(), "Completed 5 protocol error 0.00");
}

// Figure 9: the server takes smaller blocks; the number counts in the new size, from what the
// server has on.
TEST_F(Rfc7959Client, RFC7959_2_3_2_and_3_2_1_figure_9_goes_on_in_smaller_blocks) {
  const std::string body(5000, 'x');
  ASSERT_TRUE(request({.method = code::kPut, .path = path, .payload = as_bytes(body)}, 5));
  const auto first = block_of(OptionNumber::kBlock1);
  ASSERT_TRUE(first.has_value());
  const std::size_t had = first->size();
  ASSERT_GT(had, 32u);
  answers({.code = Code::of(2, 31), .block1 = Block{.more = true, .size_exponent = 1}});
  EXPECT_EQ(
      block_of(OptionNumber::kBlock1),
      (Block{.number = static_cast<std::uint32_t>(had / 32), .more = true, .size_exponent = 1}));
}

// Whoever does not know Size2 still gets the value.
TEST_F(Rfc7959Client, RFC7959_4_1_to_3_the_size_is_asked_for_with_0_and_once) {
  ASSERT_TRUE(request({.path = path}, 5));
  const MessageView message = last();
  EXPECT_LE(std::ranges::count_if(
                message.options,
                [](const OptionView& option) { return option.number == OptionNumber::kSize2; }),
            1);
  if (const auto size = message.options.find(OptionNumber::kSize2)) {
    EXPECT_EQ(uint_value(*size), 0u);
  }
  answers({.payload = "v"});
  EXPECT_EQ(server.wants(), "Completed 5 ok 2.05 'v'");
}

}  // namespace
}  // namespace hermod::coap::test
