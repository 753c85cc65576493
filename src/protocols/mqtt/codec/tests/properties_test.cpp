// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/properties.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "hermod/mqtt/codec/reason_code.hpp"
#include "hermod/testkit/allocations.hpp"
#include "hermod/testkit/codec_properties.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::mqtt {
namespace {

using testkit::octets;
using enum PropertyId;

static_assert(std::forward_iterator<PropertyBlock::Iterator>);
static_assert(sizeof(PropertyBlock) == 16);

constexpr PropertyPlace kPlaces[] = {
    PropertyPlace::kWill,       PropertyPlace::kConnect,     PropertyPlace::kConnack,
    PropertyPlace::kPublish,    PropertyPlace::kPuback,      PropertyPlace::kPubrec,
    PropertyPlace::kPubrel,     PropertyPlace::kPubcomp,     PropertyPlace::kSubscribe,
    PropertyPlace::kSuback,     PropertyPlace::kUnsubscribe, PropertyPlace::kUnsuback,
    PropertyPlace::kDisconnect, PropertyPlace::kAuth};

// Table 2-4 of MQTT 5.0, by place and spelt out a second time.
std::vector<int> ids_at(PropertyPlace place) {
  switch (place) {
    case PropertyPlace::kWill:
      return {1, 2, 3, 8, 9, 24, 38};
    case PropertyPlace::kConnect:
      return {17, 21, 22, 23, 25, 33, 34, 38, 39};
    case PropertyPlace::kConnack:
      return {17, 18, 19, 21, 22, 26, 28, 31, 33, 34, 36, 37, 38, 39, 40, 41, 42};
    case PropertyPlace::kPublish:
      return {1, 2, 3, 8, 9, 11, 35, 38};
    case PropertyPlace::kSubscribe:
      return {11, 38};
    case PropertyPlace::kUnsubscribe:
      return {38};
    case PropertyPlace::kDisconnect:
      return {17, 28, 31, 38};
    case PropertyPlace::kAuth:
      return {21, 22, 31, 38};
    default:
      return {31, 38};
  }
}

bool is_at(int id, PropertyPlace place) {
  return std::ranges::count(ids_at(place), id) == 1;
}

// The value of each property in octets, a valid one.
const char* value_of(int id) {
  switch (id) {
    case 1:
    case 23:
    case 25:
    case 36:
    case 37:
    case 40:
    case 41:
    case 42:
      return "01";
    case 19:
    case 33:
    case 34:
    case 35:
      return "0102";
    case 2:
    case 17:
    case 24:
    case 39:
      return "01020304";
    case 11:
      return "81 01";
    case 38:
      return "0001 'k' 0002 'vv'";
    default:
      return "0003 't/t'";  // texts and data look the same
  }
}

std::vector<std::uint8_t> encoded(int id) {
  std::vector<std::uint8_t> out = octets(value_of(id));
  out.insert(out.begin(), static_cast<std::uint8_t>(id));
  return out;
}

std::vector<std::uint8_t> encoded(std::span<const Property> list) {
  std::vector<std::uint8_t> out(properties_size(list).value());
  EXPECT_EQ(encode_properties(out.data(), list).octets().size(), out.size());
  return out;
}

// A block with what its place asks for besides the properties of the test.
std::vector<std::uint8_t> completed(std::vector<std::uint8_t> block, int id, PropertyPlace place) {
  const bool lacks_method =
      id != 21 && (place == PropertyPlace::kAuth || (place == PropertyPlace::kConnect && id == 22));
  const std::vector<std::uint8_t> method = encoded(21);
  if (lacks_method) block.insert(block.end(), method.begin(), method.end());
  return block;
}

std::uint16_t code(ReasonCode reason) {
  return static_cast<std::uint16_t>(reason);
}

TEST(PropertiesTest, EveryIdentifierIsJudgedByTable24) {
  for (const PropertyPlace place : kPlaces) {
    for (int id = 0; id < 128; ++id) {
      const std::vector<std::uint8_t> block = completed(encoded(id), id, place);
      const auto read = check_properties(block, place);
      ASSERT_EQ(read.has_value(), is_at(id, place)) << id << " at " << static_cast<int>(place);
      if (read) {
        EXPECT_TRUE(read->has(PropertyId{static_cast<std::uint8_t>(id)}));
        EXPECT_EQ(static_cast<int>((*read->begin()).id), id);
      } else {
        EXPECT_EQ(read.error().code, code(ReasonCode::kMalformedPacket)) << id;
        EXPECT_STREQ(read.error().statement, "MQTT 5.0 §2.2.2.2");
        EXPECT_EQ(read.error().offset, 0u);
      }
    }
  }
}

TEST(PropertiesTest, OnlyUserPropertiesAndSubscriptionIdentifiersOfPublishStandTwice) {
  for (const PropertyPlace place : kPlaces) {
    for (const int id : ids_at(place)) {
      std::vector<std::uint8_t> twice = encoded(id);
      const std::size_t second_at = twice.size();
      const std::vector<std::uint8_t> again = encoded(id);
      twice.insert(twice.end(), again.begin(), again.end());
      const auto read = check_properties(completed(twice, id, place), place, 100);
      const bool may = id == 38 || (id == 11 && place == PropertyPlace::kPublish);
      ASSERT_EQ(read.has_value(), may) << id << " at " << static_cast<int>(place);
      if (read) continue;
      EXPECT_EQ(read.error().code, code(ReasonCode::kProtocolError));
      EXPECT_EQ(read.error().offset, 100 + second_at);
      EXPECT_TRUE(std::string_view(read.error().statement).starts_with("MQTT 5.0 §3."));
    }
  }
}

TEST(PropertiesTest, OctetsThatSayYesOrNoAreZeroOrOne) {
  for (const PropertyPlace place : kPlaces) {
    for (const int id : ids_at(place)) {
      if (std::string_view(value_of(id)) != "01") continue;
      for (int value = 0; value < 256; ++value) {
        const std::uint8_t block[] = {static_cast<std::uint8_t>(id),
                                      static_cast<std::uint8_t>(value)};
        const auto read = check_properties(block, place);
        ASSERT_EQ(read.has_value(), value <= 1) << id << " = " << value;
        if (read) {
          EXPECT_EQ((*read->begin()).number, static_cast<std::uint32_t>(value));
        } else {
          EXPECT_EQ(read.error().code, code(ReasonCode::kProtocolError));
        }
      }
    }
  }
}

TEST(PropertiesTest, NumbersThatMayNotBeZero) {
  const auto zero = [](const char* block, PropertyPlace place) {
    const auto read = check_properties(octets(block), place);
    return read ? 0 : read.error().code;
  };
  EXPECT_EQ(zero("21 0000", PropertyPlace::kConnect), 0x82);
  EXPECT_EQ(zero("21 0000", PropertyPlace::kConnack), 0x82);
  EXPECT_EQ(zero("27 00000000", PropertyPlace::kConnect), 0x82);
  EXPECT_EQ(zero("27 00000000", PropertyPlace::kConnack), 0x82);
  EXPECT_EQ(zero("23 0000", PropertyPlace::kPublish), 0x94);  // [MQTT-3.3.2-8]
  EXPECT_EQ(zero("0b 00", PropertyPlace::kPublish), 0x82);
  EXPECT_EQ(zero("0b 00", PropertyPlace::kSubscribe), 0x82);
  // And those that may.
  EXPECT_EQ(zero("22 0000", PropertyPlace::kConnect), 0);
  EXPECT_EQ(zero("11 00000000", PropertyPlace::kConnect), 0);
  EXPECT_EQ(zero("13 0000", PropertyPlace::kConnack), 0);
  EXPECT_EQ(zero("02 00000000", PropertyPlace::kPublish), 0);
  EXPECT_EQ(zero("18 00000000", PropertyPlace::kWill), 0);
}

const Property kList[] = {
    {.id = kPayloadFormatIndicator, .number = 1},
    {.id = kMessageExpiryInterval, .number = 0xFFFF'FFFF},
    {.id = kUserProperty, .text = "first", .value = "1"},
    {.id = kTopicAlias, .number = 0xFFFF},
    {.id = kSubscriptionIdentifier, .number = 268'435'455},
    {.id = kUserProperty, .text = "first", .value = "2"},
    {.id = kSubscriptionIdentifier, .number = 127},
    {.id = kContentType, .text = "text/plain"},
    {.id = kUserProperty, .text = "", .value = ""},
    {.id = kCorrelationData, .data = as_bytes("\xff\x01")},
    {.id = kResponseTopic, .text = "r/t"},
};
constexpr const char* kListOctets =
    "01 01  02 ffffffff  26 0005 'first' 0001 '1'  23 ffff  0b ff ff ff 7f"
    "  26 0005 'first' 0001 '2'  0b 7f  03 000a 'text/plain'  26 0000 0000"
    "  09 0002 ff 01  08 0003 'r/t'";

TEST(PropertiesTest, AreWrittenAsTheSpecificationSays) {
  EXPECT_EQ(encoded(kList), octets(kListOctets));
}

// [MQTT-3.3.2-18]: user properties keep their order, and so does everything else.
TEST(PropertiesTest, ComeBackInOrder) {
  const std::vector<std::uint8_t> block = octets(kListOctets);
  const PropertyBlock read = check_properties(block, PropertyPlace::kPublish).value();
  const std::vector<Property> list(read.begin(), read.end());
  EXPECT_TRUE(std::ranges::equal(list, kList));
  EXPECT_EQ(read.octets().data(), block.data());
  EXPECT_EQ(read.octets().size(), block.size());
}

TEST(PropertiesTest, AreFoundByIdentifier) {
  const std::vector<std::uint8_t> block = octets(kListOctets);
  std::vector<std::uint8_t> out(block.size());
  for (const PropertyBlock& properties : {check_properties(block, PropertyPlace::kPublish).value(),
                                          encode_properties(out.data(), kList)}) {
    EXPECT_FALSE(properties.empty());
    EXPECT_EQ(properties.find(kUserProperty)->value, "1");
    EXPECT_EQ(properties.find(kResponseTopic)->text, "r/t");
    EXPECT_EQ(as_text(properties.find(kCorrelationData)->data), "\xff\x01");
    EXPECT_EQ(properties.number_or(kTopicAlias, 0), 0xFFFFu);
    EXPECT_EQ(properties.number_or(kReceiveMaximum, 65'535), 65'535u);
    EXPECT_FALSE(properties.find(kReasonString));
    for (const PropertyId id : kPropertyIds) {
      EXPECT_EQ(properties.has(id), std::ranges::count(kList, id, &Property::id) > 0);
    }
  }
}

TEST(PropertiesTest, NoneAreAnEmptyRange) {
  const PropertyBlock none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.begin(), none.end());
  EXPECT_FALSE(none.has(kUserProperty));
  EXPECT_EQ(none, check_properties({}, PropertyPlace::kConnect).value());
  EXPECT_EQ(block_size(none, Version::kV5), 1u);
  EXPECT_EQ(block_size(none, Version::kV311), 0u);
}

// Wherever a block is cut, nothing behind the cut is read, and what is no boundary is malformed.
TEST(PropertiesTest, EveryCutIsABoundaryOrMalformed) {
  const std::vector<std::uint8_t> block = octets(kListOctets);
  std::size_t boundaries = 0;
  for (std::size_t size = 0; size <= block.size(); ++size) {
    const testkit::ExactCopy copy(Bytes(block).first(size));
    const auto read = check_properties(copy.bytes(), PropertyPlace::kPublish);
    if (read) {
      ++boundaries;
    } else {
      EXPECT_EQ(read.error().code, code(ReasonCode::kMalformedPacket)) << size;
    }
  }
  EXPECT_EQ(boundaries, std::size(kList) + 1);
}

TEST(PropertiesTest, TheLengthIsReadAndWritten) {
  for (const std::size_t size : {0, 1, 118, 119, 16'373, 16'374, 65'535}) {
    const std::string value(size, 'v');
    const Property list[] = {{.id = kUserProperty, .text = "name", .value = value}};
    const std::vector<std::uint8_t> block = encoded(list);
    ASSERT_EQ(block.size(), size + 9);
    std::vector<std::uint8_t> memory(block.size());
    const PropertyBlock properties = encode_properties(memory.data(), list);
    std::vector<std::uint8_t> out(block_size(properties, Version::kV5));
    ASSERT_EQ(out.size(), block.size() + (block.size() < 128 ? 1 : block.size() < 16'384 ? 2 : 3));
    EXPECT_EQ(write_block(out.data(), properties, Version::kV5), out.data() + out.size());
    EXPECT_EQ(write_block(out.data(), properties, Version::kV311), out.data());

    Reader reader(out);
    EXPECT_EQ(read_properties(reader, PropertyPlace::kPublish, 0).value(), properties);
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(PropertiesTest, SizeSaysWhatMqttCannotSay) {
  const std::string longest(65'535, 'x');
  const std::string longer(65'536, 'x');
  EXPECT_EQ(property_size({.id = kContentType, .text = longest}), 65'538u);
  EXPECT_EQ(property_size({.id = kContentType, .text = longer}), 0u);
  EXPECT_EQ(property_size({.id = kUserProperty, .text = longest, .value = longest}), 131'075u);
  EXPECT_EQ(property_size({.id = kUserProperty, .text = longer, .value = "v"}), 0u);
  EXPECT_EQ(property_size({.id = kUserProperty, .text = "k", .value = longer}), 0u);
  EXPECT_EQ(property_size({.id = kCorrelationData, .data = as_bytes(longest)}), 65'538u);
  EXPECT_EQ(property_size({.id = kCorrelationData, .data = as_bytes(longer)}), 0u);
  EXPECT_EQ(property_size({.id = kMaximumQos, .number = 255}), 2u);
  EXPECT_EQ(property_size({.id = kMaximumQos, .number = 256}), 0u);
  EXPECT_EQ(property_size({.id = kTopicAlias, .number = 65'535}), 3u);
  EXPECT_EQ(property_size({.id = kTopicAlias, .number = 65'536}), 0u);
  EXPECT_EQ(property_size({.id = kSubscriptionIdentifier, .number = 268'435'455}), 5u);
  EXPECT_EQ(property_size({.id = kSubscriptionIdentifier, .number = 268'435'456}), 0u);

  const Property with_bad[] = {{.id = kMaximumQos, .number = 1},
                               {.id = kContentType, .text = longer}};
  EXPECT_FALSE(properties_size(with_bad));
  EXPECT_EQ(properties_size({}), 0u);
  const Property large{.id = kUserProperty, .text = longest, .value = longest};
  EXPECT_TRUE(properties_size(std::vector<Property>(2'047, large)));
  EXPECT_FALSE(properties_size(std::vector<Property>(2'049, large)));  // above 268,435,455
}

TEST(PropertiesTest, NothingIsAllocated) {
  const std::vector<std::uint8_t> block = octets(kListOctets);
  std::vector<std::uint8_t> out(block.size());
  const std::size_t before = testkit::allocation_count();
  const auto read = check_properties(block, PropertyPlace::kPublish);
  std::size_t count = 0;
  for (const Property property : *read) count += property_size(property);
  encode_properties(out.data(), kList);
  EXPECT_EQ(testkit::allocation_count(), before);
  EXPECT_EQ(count, block.size());
  EXPECT_EQ(out, block);
}

TEST(VarintTest, HasTheOctetsOfTable11) {
  struct Edge {
    std::uint32_t value;
    const char* octets;
  };
  constexpr Edge kOctets[] = {{0, "00"},
                              {127, "7f"},
                              {128, "80 01"},
                              {16'383, "ff 7f"},
                              {16'384, "808001"},
                              {2'097'151, "ffff7f"},
                              {2'097'152, "80808001"},
                              {268'435'455, "ffffff7f"}};
  for (const Edge& edge : kOctets) {
    const std::vector<std::uint8_t> expected = octets(edge.octets);
    ASSERT_EQ(varint_size(edge.value), expected.size());
    std::vector<std::uint8_t> written(expected.size());
    EXPECT_EQ(write_varint(written.data(), edge.value), written.data() + written.size());
    EXPECT_EQ(written, expected);
    Reader reader(expected);
    EXPECT_EQ(read_varint(reader), edge.value);
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(VarintTest, MQTT_1_5_5_1_takes_no_more_octets_than_it_needs) {
  for (const char* bad : {"80 00", "81 00", "ff ff 00", "80 80 80 00", "ff ff ff ff 00"}) {
    const std::vector<std::uint8_t> bytes = octets(bad);
    Reader reader(bytes);
    EXPECT_EQ(read_varint(reader), kNoVarint) << bad;
    EXPECT_TRUE(reader.ok()) << bad;
  }
  for (const char* cut : {"", "80", "ff ff", "ff ff ff"}) {
    const std::vector<std::uint8_t> bytes = octets(cut);
    Reader reader(bytes);
    EXPECT_EQ(read_varint(reader), kNoVarint) << cut;
    EXPECT_FALSE(reader.ok()) << cut;
  }
}

}  // namespace
}  // namespace hermod::mqtt
