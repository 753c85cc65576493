// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/option.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "hermod/testkit/octets.hpp"

namespace hermod::coap::test {
namespace {

using testkit::octets;

// RFC 7252 §5.10 Table 4, columns C, U, N.
TEST(OptionNumber, CarriesItsClassInItsBits) {
  struct Row {
    OptionNumber number;
    bool critical, is_unsafe, no_cache_key;
  };
  using enum OptionNumber;
  for (const Row& row :
       {Row{kIfMatch, true, false, false}, Row{kUriHost, true, true, false},
        Row{kETag, false, false, false}, Row{kIfNoneMatch, true, false, false},
        Row{kObserve, false, true, false}, Row{kUriPort, true, true, false},
        Row{kLocationPath, false, false, false}, Row{kUriPath, true, true, false},
        Row{kContentFormat, false, false, false}, Row{kMaxAge, false, true, false},
        Row{kUriQuery, true, true, false}, Row{kAccept, true, false, false},
        Row{kLocationQuery, false, false, false}, Row{kProxyUri, true, true, false},
        Row{kProxyScheme, true, true, false}, Row{kSize1, false, false, true},
        // RFC 7959 §2.1 Table 1 and §4, RFC 8768 §3, RFC 9175 §2.2.1 and §3.2.1, RFC 7967 §2
        Row{kBlock2, true, true, false}, Row{kBlock1, true, true, false},
        Row{kSize2, false, false, true}, Row{kHopLimit, false, false, false},
        Row{kEcho, false, false, true}, Row{kRequestTag, false, false, false},
        Row{kNoResponse, false, true, false}}) {
    SCOPED_TRACE(static_cast<unsigned>(row.number));
    EXPECT_EQ(is_critical(row.number), row.critical);
    EXPECT_EQ(is_unsafe(row.number), row.is_unsafe);
    EXPECT_EQ(is_no_cache_key(row.number), row.no_cache_key);
    EXPECT_NE(find_rule(row.number), nullptr);
  }
}

TEST(FindRule, KnowsNothingElse) {
  int known = 0;
  for (unsigned number = 0; number <= 0xffff; ++number) {
    const OptionRule* rule = find_rule(static_cast<OptionNumber>(number));
    if (rule == nullptr) continue;
    ++known;
    EXPECT_EQ(rule->number, static_cast<OptionNumber>(number));
  }
  EXPECT_EQ(known, 23);
}

// RFC 7252 §5.4.3 and the Length column of Table 4.
TEST(OptionRule, BoundsTheLength) {
  const OptionRule* etag = find_rule(OptionNumber::kETag);
  EXPECT_FALSE(etag->allows_length(0));
  EXPECT_TRUE(etag->allows_length(1));
  EXPECT_TRUE(etag->allows_length(8));
  EXPECT_FALSE(etag->allows_length(9));
  EXPECT_TRUE(find_rule(OptionNumber::kObserve)->allows_length(3));  // RFC 7641 §2
  EXPECT_FALSE(find_rule(OptionNumber::kObserve)->allows_length(4));
  EXPECT_FALSE(find_rule(OptionNumber::kIfNoneMatch)->allows_length(1));
  EXPECT_TRUE(find_rule(OptionNumber::kProxyUri)->allows_length(1034));
  EXPECT_FALSE(find_rule(OptionNumber::kProxyUri)->allows_length(1035));
}

TEST(OptionCursor, TellsWhyItStopped) {
  struct Row {
    std::string_view hex;
    OptionFault fault;
    std::size_t offset;
  };
  for (const Row& row :
       {Row{"", OptionFault::kNone, 0}, Row{"b161", OptionFault::kNone, 2},
        Row{"b161ff62", OptionFault::kNone, 2}, Row{"b161f0", OptionFault::kReservedDelta, 2},
        Row{"0f", OptionFault::kReservedLength, 0}, Row{"b261", OptionFault::kTruncated, 0},
        Row{"e0fef210", OptionFault::kNumberTooLarge, 3}}) {
    SCOPED_TRACE(row.hex);
    const auto bytes = octets(row.hex);
    OptionCursor cursor(bytes);
    while (cursor.next()) {
    }
    EXPECT_EQ(cursor.fault(), row.fault);
    EXPECT_EQ(cursor.offset(), row.offset);
    EXPECT_FALSE(cursor.next());  // it stays there
    EXPECT_EQ(cursor.offset(), row.offset);
  }
}

TEST(Options, FindTakesTheFirst) {
  const auto bytes = octets("b1610162d13163");  // 11:61 11:62 73:63
  const Options options{bytes};
  EXPECT_EQ(std::ranges::distance(options.begin(), options.end()), 3);
  ASSERT_TRUE(options.find(OptionNumber::kUriPath).has_value());
  EXPECT_EQ(as_text(*options.find(OptionNumber::kUriPath)), "a");
  EXPECT_FALSE(options.find(OptionNumber::kAccept).has_value());
  EXPECT_FALSE(options.find(OptionNumber{0}).has_value());
  EXPECT_TRUE(Options{}.empty());
  EXPECT_FALSE(Options{}.find(OptionNumber::kUriPath).has_value());
}

TEST(UintValue, ReadsUpToFourOctets) {
  EXPECT_EQ(uint_value({}), 0u);
  EXPECT_EQ(uint_value(octets("01")), 1u);
  EXPECT_EQ(uint_value(octets("0000003c")), 60u);  // leading zeros are legal: RFC 7252 §3.2
  EXPECT_EQ(uint_value(octets("ffffffff")), 0xffffffffu);
  EXPECT_FALSE(uint_value(octets("0000000001")).has_value());
}

}  // namespace
}  // namespace hermod::coap::test
