// SPDX-License-Identifier: Apache-2.0
// RFC 3629 §4: every boundary of the table, at every place relative to the eight-octet steps, and
// all sequences of up to three octets against the definition (encode every code point).
#include "hermod/base/utf8.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace hermod {
namespace {

using namespace std::string_literals;

std::string encoded(std::uint32_t point) {
  const auto low = [&](unsigned shift) {
    return static_cast<char>(0x80 | ((point >> shift) & 0x3F));
  };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xC0 | point >> 6), low(0)};
  if (point < 0x10000) return {static_cast<char>(0xE0 | point >> 12), low(6), low(0)};
  return {static_cast<char>(0xF0 | point >> 18), low(12), low(6), low(0)};
}

bool valid(const std::string& text) {
  return is_utf8(as_bytes(text));
}

TEST(Utf8, BoundariesOfTheTable) {
  for (const std::string& good :
       {"\x00"s, "\x7F"s, "\xC2\x80"s, "\xDF\xBF"s, "\xE0\xA0\x80"s, "\xEC\xBF\xBF"s,
        "\xED\x80\x80"s, "\xED\x9F\xBF"s, "\xEE\x80\x80"s, "\xEF\xBF\xBF"s, "\xEF\xBB\xBF"s,
        "\xF0\x90\x80\x80"s, "\xF3\xBF\xBF\xBF"s, "\xF4\x80\x80\x80"s, "\xF4\x8F\xBF\xBF"s}) {
    EXPECT_TRUE(valid(good)) << ::testing::PrintToString(good);
  }
  for (const std::string& bad : {"\x80"s,
                                 "\xBF"s,
                                 "\xC0\x80"s,
                                 "\xC1\xBF"s,
                                 "\xC2\x7F"s,
                                 "\xC2\xC0"s,
                                 "\xC2"s,
                                 "\xE0\x9F\xBF"s,
                                 "\xE0\x80\x80"s,
                                 "\xE1\x80"s,
                                 "\xE1\x80\x7F"s,
                                 "\xE1\xC0\x80"s,
                                 "\xED\xA0\x80"s,
                                 "\xED\xBF\xBF"s,
                                 "\xF0\x8F\xBF\xBF"s,
                                 "\xF0\x80\x80\x80"s,
                                 "\xF1\x80\x80"s,
                                 "\xF1\x80\x80\xC0"s,
                                 "\xF4\x90\x80\x80"s,
                                 "\xF5\x80\x80\x80"s,
                                 "\xF8\x88\x80\x80\x80"s,
                                 "\xFE"s,
                                 "\xFF"s}) {
    EXPECT_FALSE(valid(bad)) << ::testing::PrintToString(bad);
  }
}

TEST(Utf8, SameAnswerAtEveryPlaceInALongText) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      const auto between = [&](const std::string& middle) {
        return std::string(before, 'a').append(middle).append(after, 'z');
      };
      EXPECT_TRUE(valid(between("\xF0\x9F\x8C\xA1")));
      EXPECT_FALSE(valid(between("\xED\xA0\x80")));
      EXPECT_FALSE(valid(between("\x80")));
    }
    EXPECT_FALSE(valid(std::string(before, 'a') + "\xF0\x9F\x8C")) << "cut off";
  }
}

TEST(Utf8, EveryCodePointAndNothingElse) {
  std::set<std::string> all;  // the valid sequences of one to three octets
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    const std::string text = encoded(point);
    ASSERT_EQ(valid(text), !surrogate) << point;
    if (!surrogate && text.size() == 3) all.insert(text);
  }
  // Three octets with a leading octet of three: valid exactly when some code point encodes so.
  for (std::uint32_t lead = 0xE0; lead <= 0xEF; ++lead) {
    for (std::uint32_t rest = 0; rest < 0x10000; ++rest) {
      const std::string text = {static_cast<char>(lead), static_cast<char>(rest >> 8),
                                static_cast<char>(rest)};
      ASSERT_EQ(valid(text), all.contains(text)) << lead << " " << rest;
    }
  }
}

TEST(Utf8, EmptyIsValid) {
  EXPECT_TRUE(is_utf8({}));
}

}  // namespace
}  // namespace hermod
