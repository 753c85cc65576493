// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/topic_properties.hpp"

#include <gtest/gtest.h>

#include "hermod/cbor/diagnostic.hpp"
#include "hermod/testkit/codec_properties.hpp"
#include "hermod/testkit/octets.hpp"
#include "property_vectors.hpp"

namespace hermod::coap::test {
namespace {

using testkit::octets;

std::string written(const PropertySet& set, PropertyKeys which = kAllProperties) {
  std::vector<std::uint8_t> out;
  cbor::Writer writer(out);
  write_properties(writer, set, which);
  return cbor::diagnostic(out).value();
}

TEST(TopicProperties, WritesBackWhatItReads) {
  for (const PropertyVector& vector : kProperties) {
    const auto body = octets(vector.octets);
    const auto set = read_properties(body);
    ASSERT_TRUE(set.has_value()) << vector.octets << ": " << set.error().reason;
    std::vector<std::uint8_t> out;
    cbor::Writer writer(out);
    write_properties(writer, *set);
    EXPECT_EQ(testkit::hex(out), testkit::hex(body));
    EXPECT_EQ(cbor::diagnostic(out).value(), vector.diagnostic);
  }
}

TEST(TopicProperties, ReadsEachValue) {
  const auto body = octets(
      "a9 00 61 'n' 01 62 '/d' 02 61 'r' 03 1870 04 61 't' 05 c11a65dfc4ff 06 05 07 190e10 "
      "08 4180");
  const auto set = read_properties(body);
  ASSERT_TRUE(set.has_value()) << set.error().reason;
  EXPECT_EQ(set->topic_name, "n");
  EXPECT_EQ(set->topic_name->data(), reinterpret_cast<const char*>(body.data()) + 3);  // borrowed
  EXPECT_EQ(set->topic_data, "/d");
  EXPECT_EQ(set->resource_type, "r");
  EXPECT_EQ(set->topic_content_format, static_cast<ContentFormat>(112));
  EXPECT_EQ(set->topic_type, "t");
  EXPECT_EQ(set->expires_at_s, 1709163775);
  EXPECT_EQ(set->max_subscribers, 5u);
  EXPECT_EQ(set->observer_check_s, 3600u);
  ASSERT_TRUE(set->initialize.has_value());
  EXPECT_EQ(testkit::hex(*set->initialize), "80 ");
  EXPECT_EQ(set->keys(), kAllProperties);
}

// Any order, a map without length, and heads longer than need be are well-formed.
TEST(TopicProperties, ReadsOtherFormsOfTheSame) {
  const auto body = octets("bf 08 4180 1803 19003c 00 7800 ff");
  const auto set = read_properties(body);
  ASSERT_TRUE(set.has_value()) << set.error().reason;
  EXPECT_EQ(written(*set), "{0: \"\", 3: 60, 8: h'80'}");
}

TEST(TopicProperties, TakesDatesWithAFraction) {
  const auto date = [](std::string_view notation) {
    const auto set = read_properties(octets(notation));
    return set ? set->expires_at_s : std::nullopt;
  };
  EXPECT_EQ(date("a1 05 c1fb41d452d9ec200000"), 1363896240);  // 1363896240.5
  EXPECT_EQ(date("a1 05 c1f9be00"), -2);                      // -1.5
  EXPECT_EQ(date("a1 05 c1fa47c35000"), 100000);
  EXPECT_EQ(date("a1 05 c1fbc3e0000000000000"), std::numeric_limits<std::int64_t>::min());
}

TEST(TopicProperties, RefusesAndNamesTheProperty) {
  for (const BadPropertyVector& vector : kBadProperties) {
    const auto body = octets(vector.octets);
    const auto set = read_properties(body);
    ASSERT_FALSE(set.has_value()) << vector.octets;
    EXPECT_EQ(set.error().reason, vector.reason) << vector.octets;
    EXPECT_LE(set.error().offset, body.size());
  }
}

TEST(TopicProperties, CutMapsAreErrors) {
  for (const PropertyVector& vector : kProperties) {
    const auto body = octets(vector.octets);
    for (std::size_t size = 0; size < body.size(); ++size) {
      const testkit::ExactCopy cut(Bytes(body).first(size));
      EXPECT_FALSE(read_properties(cut.bytes()).has_value()) << vector.octets << " to " << size;
    }
  }
}

TEST(TopicProperties, WritesAChosenSubset) {
  const PropertySet set{.topic_name = "a",
                        .topic_data = "/ps/data/a",
                        .topic_content_format = static_cast<ContentFormat>(112),
                        .max_subscribers = 5};
  EXPECT_EQ(written(set), "{0: \"a\", 1: \"/ps/data/a\", 3: 112, 6: 5}");
  // draft, Getting part of a topic: what was asked for and is there
  EXPECT_EQ(written(set, read_property_keys(octets("82 01 03")).value()),
            "{1: \"/ps/data/a\", 3: 112}");
  EXPECT_EQ(written(set, key_of(Property::kTopicType) | key_of(Property::kTopicName)),
            "{0: \"a\"}");
  EXPECT_EQ(written(set, 0), "{}");
}

TEST(TopicProperties, ReadsAndWritesKeys) {
  const auto keys = [](std::string_view notation) {
    return read_property_keys(octets(notation)).value_or(0xffff);
  };
  EXPECT_EQ(keys("80"), 0);
  EXPECT_EQ(keys("82 01 03"), key_of(Property::kTopicData) | key_of(Property::kTopicContentFormat));
  EXPECT_EQ(keys("9f 08 00 08 ff"), key_of(Property::kInitialize) | key_of(Property::kTopicName));
  EXPECT_EQ(keys("84 09 20 1903e8 02"), key_of(Property::kResourceType));  // others: none has them
  std::vector<std::uint8_t> out;
  cbor::Writer writer(out);
  write_property_keys(writer, kAllProperties);
  EXPECT_EQ(cbor::diagnostic(out).value(), "[0, 1, 2, 3, 4, 5, 6, 7, 8]");
  EXPECT_EQ(read_property_keys(out).value(), kAllProperties);

  const auto reason = [](std::string_view notation) {
    const auto read = read_property_keys(octets(notation));
    return read ? "" : read.error().reason;
  };
  EXPECT_EQ(reason(""), "not well-formed CBOR: an item is missing at the end");
  EXPECT_EQ(reason("a0"), "the keys are not a CBOR array");
  EXPECT_EQ(reason("81 61 '0'"), "a key is no integer: properties are named by numbers");
  EXPECT_EQ(reason("81 80"), "a key is no integer: properties are named by numbers");
  EXPECT_EQ(reason("80 00"), "not well-formed CBOR: there are octets behind the item");
  EXPECT_EQ(reason("9f 00"), "not well-formed CBOR: an item is missing at the end");
}

// draft, Getting Topics by Topic Properties: each property present with the indicated value.
TEST(TopicProperties, FiltersBySomeOfThem) {
  const auto body = octets(kProperties[2].octets);
  const PropertySet topic = read_properties(body).value();
  EXPECT_TRUE(topic.has_all({}));
  EXPECT_TRUE(topic.has_all(topic));
  EXPECT_TRUE(topic.has_all({.resource_type = "core.ps.data", .max_subscribers = 100}));
  EXPECT_FALSE(topic.has_all({.topic_name = "living-room"}));
  EXPECT_FALSE(topic.has_all({.topic_data = "/"}));
  EXPECT_FALSE(topic.has_all({.resource_type = "core.ps"}));
  EXPECT_FALSE(topic.has_all({.topic_content_format = ContentFormat::kCbor}));
  EXPECT_FALSE(topic.has_all({.topic_type = "t"}));
  EXPECT_FALSE(topic.has_all({.expires_at_s = 1}));
  EXPECT_FALSE(topic.has_all({.resource_type = "core.ps.data", .max_subscribers = 5}));
  EXPECT_FALSE(topic.has_all({.observer_check_s = 1}));  // it has none
  EXPECT_FALSE(topic.has_all({.initialize = Bytes{}}));
  const PropertySet initialized{.initialize = as_bytes("x")};
  EXPECT_TRUE(initialized.has_all({.initialize = as_bytes("x")}));
  EXPECT_FALSE(initialized.has_all({.initialize = as_bytes("y")}));
}

}  // namespace
}  // namespace hermod::coap::test
