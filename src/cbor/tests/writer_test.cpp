// SPDX-License-Identifier: Apache-2.0
#include "hermod/cbor/writer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cbor_vectors.hpp"
#include "copy.hpp"
#include "hermod/cbor/reader.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::cbor::test {
namespace {

using testkit::hex;
using testkit::octets;

template <typename Write>
std::string written(Write write) {
  std::vector<std::uint8_t> out;
  Writer writer(out);
  write(writer);
  return hex(out);
}

// RFC 8949 Appendix A is written in preferred form, but for infinities and NaN in all three widths.
TEST(Writer, ReproducesAppendixA) {
  for (const ItemVector& vector : kAppendixA) {
    const auto bytes = octets(vector.octets);
    const bool special = vector.diagnostic.contains("Infinity") || vector.diagnostic == "NaN";
    if (special && bytes.size() > 3) continue;
    EXPECT_EQ(hex(copy(bytes).value()), hex(bytes)) << vector.diagnostic;
  }
}

TEST(Writer, WritesItemsWithoutLength) {
  std::string out;
  Writer writer(out);
  writer.begin_array();
  writer.begin_map();
  writer.end();
  writer.begin_bytes();
  writer.bytes(as_bytes("a"));
  writer.end();
  writer.begin_text();
  writer.text("b");
  writer.end();
  writer.end();
  EXPECT_EQ(hex(as_bytes(out)), hex(octets("9f bfff 5f41 'a' ff 7f61 'b' ff ff")));
}

TEST(Writer, WritesIntegersOfBothSigns) {
  const auto integer = [](std::int64_t value) {
    return written([&](Writer& writer) { writer.integer(value); });
  };
  EXPECT_EQ(integer(0), "00 ");
  EXPECT_EQ(integer(-1), "20 ");
  EXPECT_EQ(integer(-24), "37 ");
  EXPECT_EQ(integer(-25), "38 18 ");
  EXPECT_EQ(integer(65536), "1a 00 01 00 00 ");
  EXPECT_EQ(integer(std::numeric_limits<std::int64_t>::max()), "1b 7f ff ff ff ff ff ff ff ");
  EXPECT_EQ(integer(std::numeric_limits<std::int64_t>::min()), "3b 7f ff ff ff ff ff ff ff ");
}

TEST(Writer, WritesTheNamedSimpleValues) {
  EXPECT_EQ(written([](Writer& writer) {
              writer.boolean(false);
              writer.boolean(true);
              writer.null();
              writer.undefined();
            }),
            "f4 f5 f6 f7 ");
}

// RFC 8949 §4.1: the shortest float that keeps the value.
TEST(Writer, ShortensFloatsWithoutLoss) {
  const auto size_of = [](double value) {
    std::vector<std::uint8_t> out;
    Writer writer(out);
    writer.number(value);
    const auto item = Reader(out).next();
    EXPECT_TRUE(item.has_value());
    EXPECT_TRUE(item->number == value || (std::isnan(value) && std::isnan(item->number))) << value;
    EXPECT_EQ(std::signbit(item->number), std::signbit(value)) << value;
    return out.size();
  };
  EXPECT_EQ(size_of(0.0), 3u);
  EXPECT_EQ(size_of(-0.0), 3u);
  EXPECT_EQ(size_of(65504.0), 3u);
  EXPECT_EQ(size_of(65505.0), 5u);
  EXPECT_EQ(size_of(65536.0), 5u);
  EXPECT_EQ(size_of(std::ldexp(1.0, -24)), 3u);     // the smallest half
  EXPECT_EQ(size_of(std::ldexp(1023.0, -24)), 3u);  // the largest subnormal half
  EXPECT_EQ(size_of(std::ldexp(1.0, -25)), 5u);
  EXPECT_EQ(size_of(std::ldexp(3.0, -25)), 5u);
  EXPECT_EQ(size_of(1.0 / 3.0), 9u);
  EXPECT_EQ(size_of(static_cast<double>(1.0f / 3.0f)), 5u);
  EXPECT_EQ(size_of(std::numeric_limits<float>::max()), 5u);
  EXPECT_EQ(size_of(1e39), 9u);
  EXPECT_EQ(size_of(std::numeric_limits<double>::denorm_min()), 9u);
  EXPECT_EQ(size_of(std::numeric_limits<double>::infinity()), 3u);
  EXPECT_EQ(size_of(-std::numeric_limits<double>::infinity()), 3u);
  EXPECT_EQ(size_of(std::numeric_limits<double>::quiet_NaN()), 3u);
}

TEST(WriterDeathTest, RefusesSimpleValuesThatAreNone) {
  std::string out;
  Writer writer(out);
  EXPECT_DEATH(writer.simple(24), "broken invariant");
  EXPECT_DEATH(writer.simple(31), "broken invariant");
}

}  // namespace
}  // namespace hermod::cbor::test
