// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/topic.hpp"

#include <gtest/gtest.h>

#include <string>

#include "hermod/base/bytes.hpp"
#include "hermod/mqtt/codec/text.hpp"

namespace hermod::mqtt {
namespace {

// The definition, octet by octet, for ASCII.
TopicFault plain_definition(std::string_view name) {
  if (name.empty()) return TopicFault::kEmpty;
  if (name.find('\0') != std::string_view::npos) return TopicFault::kNul;
  if (name.find('+') != std::string_view::npos) return TopicFault::kWildcard;
  return name.find('#') != std::string_view::npos ? TopicFault::kWildcard : TopicFault::kNone;
}

// The name lies between octets that are plain, so that looking at those instead is noticed.
TEST(TopicNameTest, EveryAsciiOctetAtEveryPlaceOfEveryShortLength) {
  constexpr std::size_t kStart = 64;
  std::string memory(2 * kStart + 33, 'x');
  for (std::size_t size = 0; size <= 33; ++size) {
    const std::string_view name = std::string_view(memory).substr(kStart, size);
    for (std::size_t at = kStart; at < kStart + size; ++at) {
      for (int octet = 0; octet < 128; ++octet) {
        memory[at] = static_cast<char>(octet);
        ASSERT_EQ(topic_name_fault(name), plain_definition(name))
            << "octet " << octet << " at " << at - kStart << " of " << size;
      }
      memory[at] = 'x';
    }
  }
}

// In the word-wide test, neighbours must not hide a wildcard or look like one.
TEST(TopicNameTest, NeighboursInOneWordDoNotInfluenceEachOther) {
  for (int first = 0; first < 128; ++first) {
    for (int second = 0; second < 128; ++second) {
      std::string name = "abcdefgh";
      name[3] = static_cast<char>(first);
      name[4] = static_cast<char>(second);
      ASSERT_EQ(topic_name_fault(name), plain_definition(name)) << first << ' ' << second;
    }
  }
}

TEST(TopicNameTest, Utf8IsCheckedAndWildcardsBesideItAreFound) {
  EXPECT_TRUE(
      is_topic_name("K\xc3\xbc"
                    "che/Temperatur"));
  EXPECT_TRUE(is_topic_name("\xef\xbb\xbf"));  // [MQTT-1.5.3-3]
  EXPECT_EQ(topic_name_fault("K\xc3\xbc"
                             "che/+"),
            TopicFault::kWildcard);
  EXPECT_EQ(topic_name_fault("#/K\xc3\xbc"
                             "che"),
            TopicFault::kWildcard);
  EXPECT_EQ(topic_name_fault(std::string_view("K\xc3\xbc\0", 4)), TopicFault::kNul);
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string name(size, 'x');
      name[at] = '\x80';
      ASSERT_EQ(topic_name_fault(name), TopicFault::kUtf8) << at << " of " << size;
    }
  }
}

TEST(TopicNameTest, AtMost65535Octets) {
  EXPECT_TRUE(is_topic_name(std::string(65'535, 'a')));
  EXPECT_TRUE(is_topic_filter(std::string(65'535, 'a')));
  EXPECT_EQ(topic_name_fault(std::string(65'536, 'a')), TopicFault::kTooLong);
  EXPECT_EQ(topic_filter_fault(std::string(65'536, 'a')), TopicFault::kTooLong);
}

struct FilterCase {
  std::string_view filter;
  TopicFault fault;
};

// The examples of MQTT 3.1.1 §4.7.1 and what lies beside them.
constexpr FilterCase kFilters[] = {
    {"sport/tennis/player1/#", TopicFault::kNone},
    {"sport/#", TopicFault::kNone},
    {"#", TopicFault::kNone},
    {"sport/tennis/#", TopicFault::kNone},
    {"sport/tennis#", TopicFault::kMultiLevel},
    {"sport/tennis/#/ranking", TopicFault::kMultiLevel},
    {"##", TopicFault::kMultiLevel},
    {"#/", TopicFault::kMultiLevel},
    {"+", TopicFault::kNone},
    {"+/tennis/#", TopicFault::kNone},
    {"sport+", TopicFault::kSingleLevel},
    {"sport/+/player1", TopicFault::kNone},
    {"/+", TopicFault::kNone},
    {"+/+", TopicFault::kNone},
    {"++", TopicFault::kSingleLevel},
    {"+#", TopicFault::kSingleLevel},
    {"+/#", TopicFault::kNone},
    {"a/+b", TopicFault::kSingleLevel},
    {"a+/b", TopicFault::kSingleLevel},
    {"a/+/b+", TopicFault::kSingleLevel},
    {"a/b", TopicFault::kNone},
    {"/", TopicFault::kNone},
    {"//", TopicFault::kNone},
    {"$SYS/#", TopicFault::kNone},
    {"", TopicFault::kEmpty},
    {std::string_view("a\0", 2), TopicFault::kNul},
    {"a/\xff", TopicFault::kUtf8},
    {"\xe2\x82\xac/+", TopicFault::kNone},
};

TEST(TopicFilterTest, WildcardsStandWhereTheyMay) {
  for (const FilterCase& c : kFilters) EXPECT_EQ(topic_filter_fault(c.filter), c.fault) << c.filter;
}

TEST(TopicTest, FaultsNameTheirStatements) {
  EXPECT_STREQ(statement(TopicFault::kNone), "");
  EXPECT_STREQ(statement(TopicFault::kEmpty), "MQTT-4.7.3-1");
  EXPECT_STREQ(statement(TopicFault::kTooLong), "MQTT-4.7.3-3");
  EXPECT_STREQ(statement(TopicFault::kNul), "MQTT-4.7.3-2");
  EXPECT_STREQ(statement(TopicFault::kUtf8), "MQTT-1.5.3-1");
  EXPECT_STREQ(statement(TopicFault::kWildcard), "MQTT-4.7.1-1");
  EXPECT_STREQ(statement(TopicFault::kMultiLevel), "MQTT-4.7.1-2");
  EXPECT_STREQ(statement(TopicFault::kSingleLevel), "MQTT-4.7.1-3");
}

TEST(TopicTest, FaultsNameTheStatementsOfMqtt5) {
  EXPECT_STREQ(statement(TopicFault::kNone, Version::kV5), "");
  EXPECT_STREQ(statement(TopicFault::kEmpty, Version::kV5), "MQTT-4.7.3-1");
  EXPECT_STREQ(statement(TopicFault::kTooLong, Version::kV5), "MQTT-4.7.3-3");
  EXPECT_STREQ(statement(TopicFault::kNul, Version::kV5), "MQTT-4.7.3-2");
  EXPECT_STREQ(statement(TopicFault::kUtf8, Version::kV5), "MQTT-1.5.4-1");
  EXPECT_STREQ(statement(TopicFault::kWildcard, Version::kV5), "MQTT-4.7.0-1");
  EXPECT_STREQ(statement(TopicFault::kMultiLevel, Version::kV5), "MQTT-4.7.1-1");
  EXPECT_STREQ(statement(TopicFault::kSingleLevel, Version::kV5), "MQTT-4.7.1-2");
  EXPECT_STREQ(statement(TopicFault::kShareName, Version::kV5), "MQTT-4.8.2-1");
  EXPECT_STREQ(statement(TopicFault::kShareFilter, Version::kV5), "MQTT-4.8.2-2");
}

// The examples of MQTT 5.0 §4.8.2 and what lies beside them.
constexpr FilterCase kSharedFilters[] = {
    {"$share/consumer1/sport/tennis/+", TopicFault::kNone},
    {"$share/consumer1//finance", TopicFault::kNone},
    {"$share/consumer1/#", TopicFault::kNone},
    {"$share/a/b", TopicFault::kNone},
    {"$share/a//", TopicFault::kNone},
    {"$share/$share/a", TopicFault::kNone},
    {"$share", TopicFault::kNone},  // not a shared subscription
    {"$shared/a", TopicFault::kNone},
    {"x/$share//a", TopicFault::kNone},
    {"$share/", TopicFault::kShareName},
    {"$share//a", TopicFault::kShareName},
    {"$share/a", TopicFault::kShareFilter},
    {"$share/a/", TopicFault::kShareFilter},
    {"$share/+/a", TopicFault::kShareFilter},
    {"$share/#", TopicFault::kShareFilter},
    {"$share/a#/b", TopicFault::kMultiLevel},
    {"$share/a/b#", TopicFault::kMultiLevel},
};

TEST(TopicFilterTest, SharedFiltersHaveANameAndAFilterInMqtt5) {
  for (const FilterCase& c : kSharedFilters) {
    EXPECT_EQ(topic_filter_fault(c.filter, Version::kV5), c.fault) << c.filter;
    const bool share = c.fault == TopicFault::kShareName || c.fault == TopicFault::kShareFilter;
    EXPECT_EQ(topic_filter_fault(c.filter), share ? TopicFault::kNone : c.fault) << c.filter;
  }
  EXPECT_TRUE(is_shared_filter("$share/a/b"));
  EXPECT_FALSE(is_shared_filter("$share"));
}

TEST(TopicTest, EmptyLevelsCount) {
  EXPECT_EQ(topic_levels("a"), 1u);
  EXPECT_EQ(topic_levels("/"), 2u);
  EXPECT_EQ(topic_levels("a/b//c"), 4u);
}

TEST(TextTest, NulAndIllFormedAreRefusedAndTheRestPasses) {
  EXPECT_EQ(text_fault({}), nullptr);
  EXPECT_EQ(text_fault(as_bytes("plain \x01 \xf4\x8f\xbf\xbf")), nullptr);
  EXPECT_STREQ(text_fault(as_bytes(std::string_view("a\0b", 3))), "MQTT-1.5.3-2");
  EXPECT_STREQ(text_fault(as_bytes("\xed\xa0\x80")), "MQTT-1.5.3-1");
  EXPECT_STREQ(text_fault(as_bytes(std::string_view("a\0b", 3)), Version::kV5), "MQTT-1.5.4-2");
  EXPECT_STREQ(text_fault(as_bytes("\xed\xa0\x80"), Version::kV5), "MQTT-1.5.4-1");
}

}  // namespace
}  // namespace hermod::mqtt
