// SPDX-License-Identifier: Apache-2.0
// Reader and Writer: big-endian, one failure that stays, nothing read outside the input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "hermod/base/reader.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/base/writer.hpp"

namespace hermod {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

TEST(Reader, ReadsBigEndian) {
  const std::vector<std::uint8_t> input = {0xFF, 1, 2, 3,  4,  5,  6,  0x81,
                                           8,    9, 7, 11, 12, 13, 14, 0xFE};
  Reader reader(input);
  EXPECT_EQ(reader.u8(), 0xFFu);
  EXPECT_EQ(reader.u16(), 0x0102u);
  EXPECT_EQ(reader.u32(), 0x03040506u);
  EXPECT_EQ(reader.offset(), 7u);
  EXPECT_EQ(reader.remaining(), 9u);
  EXPECT_EQ(reader.u64(), 0x810809070B0C0D0Eu);
  EXPECT_THAT(reader.rest(), ElementsAre(0xFE));
  EXPECT_FALSE(reader.at_end());
  EXPECT_EQ(reader.u8(), 0xFEu);
  EXPECT_TRUE(reader.at_end());
  EXPECT_TRUE(reader.ok());
}

TEST(Reader, BytesAreBorrowedNotCopied) {
  const std::vector<std::uint8_t> input = {0, 2, 7, 8, 0, 0, 9};
  Reader reader(input);
  const Bytes first = reader.prefixed16();
  EXPECT_EQ(first.data(), input.data() + 2);
  EXPECT_THAT(first, ElementsAre(7, 8));
  EXPECT_TRUE(reader.prefixed16().empty());
  EXPECT_TRUE(reader.bytes(0).empty());
  EXPECT_THAT(reader.bytes(1), ElementsAre(9));
  EXPECT_TRUE(reader.ok());
}

// Every field, on an input that ends one octet too early.
TEST(Reader, PastTheEndIsZeroAndStaysFailed) {
  const std::vector<std::uint8_t> ones(8, 0xFF);
  const auto short_input = [&](std::size_t size) { return Reader(Bytes(ones).first(size)); };
  Reader none = short_input(0);
  EXPECT_EQ(none.u8(), 0u);
  EXPECT_FALSE(none.ok());
  Reader one = short_input(1);
  EXPECT_EQ(one.u16(), 0u);
  EXPECT_FALSE(one.ok());
  EXPECT_TRUE(one.at_end()) << "what was left is not handed to the next field";
  EXPECT_EQ(one.u8(), 0u);
  EXPECT_FALSE(one.ok());
  Reader three = short_input(3);
  EXPECT_EQ(three.u32() & 0xFFFFu, 0u);
  EXPECT_FALSE(three.ok());
  Reader seven = short_input(7);
  EXPECT_EQ(seven.u64() & 0xFFFFu, 0u);
  EXPECT_FALSE(seven.ok());
  Reader bytes = short_input(3);
  EXPECT_TRUE(bytes.bytes(4).empty());
  EXPECT_FALSE(bytes.ok());
  EXPECT_TRUE(bytes.rest().empty());
}

TEST(Reader, LengthAboveTheInputIsRefused) {
  const std::vector<std::uint8_t> input = {0xFF, 0xFF, 1};
  Reader reader(input);
  EXPECT_TRUE(reader.prefixed16().empty());
  EXPECT_FALSE(reader.ok());
  Reader huge(input);
  EXPECT_TRUE(huge.bytes(SIZE_MAX).empty());
  EXPECT_FALSE(huge.ok());
}

TEST(Writer, WritesBigEndian) {
  std::array<std::uint8_t, 22> out{};
  Writer writer(out.data());
  writer.u8(0xFF);
  writer.u16(0x0102);
  writer.u32(0x03040506);
  writer.u64(0x810809070B0C0D0E);
  writer.text("ab");
  writer.prefixed16(as_bytes("c"));
  writer.bytes({});
  writer.prefixed16({});
  EXPECT_EQ(writer.position(), out.data() + out.size());
  EXPECT_THAT(out, ElementsAreArray({0xFF, 1,  2,  3,  4,  5,  6, 0x81, 8,  9, 7,
                                     11,   12, 13, 14, 97, 98, 0, 1,    99, 0, 0}));
}

TEST(Writer, WhatIsWrittenIsReadBack) {
  SeededRng rng(7);
  for (int round = 0; round < 200; ++round) {
    std::array<std::uint8_t, 64> memory{};
    const std::uint64_t a = rng.next();
    const auto b = static_cast<std::uint16_t>(rng.next());
    const std::vector<std::uint8_t> c(rng.below(40), static_cast<std::uint8_t>(rng.next()));
    Writer writer(memory.data());
    writer.u64(a);
    writer.prefixed16(c);
    writer.u16(b);
    Reader reader(Bytes(memory.data(), writer.position()));
    EXPECT_EQ(reader.u64(), a);
    EXPECT_THAT(reader.prefixed16(), ElementsAreArray(c));
    EXPECT_EQ(reader.u16(), b);
    EXPECT_TRUE(reader.ok());
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(WireError, SaysWhichKind) {
  const WireResult<int> more = incomplete(12);
  ASSERT_FALSE(more.has_value());
  EXPECT_TRUE(more.error().incomplete());
  EXPECT_EQ(more.error().bytes_needed, 12u);
  const WireResult<int> wrong = malformed(0x81, 3, "MQTT-3.3.1-4");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_FALSE(wrong.error().incomplete());
  EXPECT_EQ(wrong.error().code, 0x81);
  EXPECT_EQ(wrong.error().offset, 3u);
  EXPECT_STREQ(wrong.error().statement, "MQTT-3.3.1-4");
}

}  // namespace
}  // namespace hermod
