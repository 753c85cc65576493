// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/block.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "hermod/testkit/octets.hpp"

namespace hermod::coap::test {
namespace {

using testkit::octets;

TEST(Block, ReadsNumberMoreAndSize) {
  EXPECT_EQ(read_block({}), (Block{.number = 0, .more = false, .size_exponent = 0}));
  EXPECT_EQ(read_block(octets("0e")), (Block{.number = 0, .more = true, .size_exponent = 6}));
  EXPECT_EQ(read_block(octets("12")), (Block{.number = 1, .more = false, .size_exponent = 2}));
  EXPECT_EQ(read_block(octets("fffffe")),
            (Block{.number = Block::kNumberMax, .more = true, .size_exponent = 6}));
  EXPECT_EQ(read_block(octets("fffffe"))->offset(), 1'073'740'800u);
}

TEST(Block, TheReservedSizeAndLongValuesAreNone) {
  EXPECT_FALSE(read_block(octets("07")).has_value());  // RFC 7959 §2.2
  EXPECT_FALSE(read_block(octets("0f")).has_value());
  EXPECT_FALSE(read_block(octets("00000006")).has_value());
}

TEST(Block, WhatIsReadIsWrittenBack) {
  for (std::uint32_t value = 0; value <= 0xffff; ++value) {
    const std::array<std::uint8_t, 2> bytes{static_cast<std::uint8_t>(value >> 8),
                                            static_cast<std::uint8_t>(value)};
    const auto block = read_block(bytes);
    ASSERT_EQ(block.has_value(), (value & 7) != 7);
    if (block) {
      ASSERT_EQ(block->value(), value);
    }
  }
}

TEST(Block, TheSizeThatFits) {
  for (const auto& [octets, exponent] :
       {std::pair{0, 0}, {15, 0}, {16, 0}, {31, 0}, {32, 1}, {1023, 5}, {1024, 6}, {100'000, 6}}) {
    EXPECT_EQ(size_exponent_for(static_cast<std::size_t>(octets)), exponent) << octets;
  }
}

}  // namespace
}  // namespace hermod::coap::test
