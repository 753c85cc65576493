// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/response.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/coap/codec/option.hpp"

namespace hermod::coap::test {
namespace {

TEST(WriteBody, StaysWithinItsPrediction) {
  const std::string long_text(255, 'x');
  const std::array<std::string_view, 2> texts{long_text, "y"};
  const std::array<std::uint8_t, 40> echo{};
  const Block block{.number = Block::kNumberMax};
  const Response response{.code = code::kContent,
                          .content = {.etag = EntityTag{as_bytes("12345678")},
                                      .format = ContentFormat{65'535},
                                      .max_age_s = 0xffff'ffff,
                                      .payload = as_bytes("payload")},
                          .location_path = texts,
                          .location_query = texts,
                          .size1 = 0xffff'ffff};
  const TransferOptions options{
      .observe = 0xff'ffff, .block2 = block, .block1 = block, .size2 = 0xffff'ffff, .echo = echo};
  std::vector<std::uint8_t> out(body_size_max(response, options));
  const std::uint8_t* end = write_body(out.data(), response, options);
  EXPECT_LE(end, out.data() + out.size());
  EXPECT_EQ(*(end - 8), kPayloadMarker);
  std::size_t count = 0;
  for (const OptionView& option : Options{{out.data(), end}}) {
    ++count;
    EXPECT_TRUE(find_rule(option.number)->allows_length(option.value.size()));
  }
  EXPECT_EQ(count, 13u);
}

TEST(WriteBody, HasNothingToSayOfACode) {
  std::array<std::uint8_t, 64> out{};
  EXPECT_EQ(write_body(out.data(), {.code = code::kChanged}, {}), out.data());
}

TEST(MaxAge, IsInWholeSeconds) {
  const Instant now{std::chrono::hours{1}};
  EXPECT_FALSE(max_age(kNever, now).has_value());
  EXPECT_EQ(max_age(now + std::chrono::milliseconds{1999}, now), 1u);
  EXPECT_EQ(max_age(now - std::chrono::seconds{1}, now), 0u);
  EXPECT_EQ(max_age(now + std::chrono::hours{24 * 365 * 200}, now), 0xffff'ffffu);
}

}  // namespace
}  // namespace hermod::coap::test
