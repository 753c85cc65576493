// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/publish.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hermod/testkit/octets.hpp"

namespace hermod::mqtt {
namespace {

using testkit::octets;

std::vector<std::uint8_t> written_v311(const PublishView& publish) {
  std::vector<std::uint8_t> out(publish_size(publish, Version::kV311));
  EXPECT_EQ(write_publish(out.data(), publish, Version::kV311), out.data() + out.size());
  return out;
}

WireResult<PublishView> read_v311(Bytes packet) {
  const FixedHeader header = read_fixed_header(packet).value();
  return read_publish(header, packet.subspan(header.header_size), Version::kV311);
}

TEST(PublishTest, ReadsSpansOfTheInput) {
  const std::vector<std::uint8_t> packet = octets("3d 09 0003 'a/b' 1234 'hi'");
  const PublishView publish = read_v311(packet).value();
  EXPECT_EQ(publish.topic, "a/b");
  EXPECT_EQ(as_text(publish.payload), "hi");
  EXPECT_EQ(publish.packet_id, 0x1234);
  EXPECT_EQ(publish.qos, 2);
  EXPECT_TRUE(publish.retain);
  EXPECT_TRUE(publish.dup);
  EXPECT_EQ(as_bytes(publish.topic).data(), packet.data() + 4);
  EXPECT_EQ(publish.payload.data(), packet.data() + 9);
}

TEST(PublishTest, QoS0HasNoPacketIdentifier) {  // [MQTT-2.3.1-5]
  const std::vector<std::uint8_t> packet = octets("30 07 0003 'a/b' 'hi'");
  const PublishView publish = read_v311(packet).value();
  EXPECT_EQ(publish.packet_id, 0);
  EXPECT_EQ(publish.qos, 0);
  EXPECT_FALSE(publish.retain);
  EXPECT_FALSE(publish.dup);
  EXPECT_EQ(as_text(publish.payload), "hi");
}

TEST(PublishTest, BodyIsWhatTheHeaderSaysEvenWhenMoreFollows) {
  const std::vector<std::uint8_t> two = octets("30 06 0003 'a/b' '1' 30 06 0003 'c/d' '2'");
  EXPECT_EQ(as_text(read_v311(two).value().payload), "1");
}

TEST(PublishTest, WritesTheOctetsOfTheSpecification) {
  EXPECT_EQ(written_v311({.topic = "a/b", .payload = as_bytes("hi")}),
            octets("30 07 0003 'a/b' 'hi'"));
  EXPECT_EQ(written_v311({.topic = "a/b", .packet_id = 10, .qos = 1}),
            octets("32 07 0003 'a/b' 000a"));
  EXPECT_EQ(written_v311({.topic = "a/b",
                          .payload = as_bytes("hi"),
                          .packet_id = 0x1234,
                          .qos = 2,
                          .retain = true,
                          .dup = true}),
            octets("3d 09 0003 'a/b' 1234 'hi'"));
}

TEST(PublishTest, HeaderIsWrittenApartFromThePayload) {
  const std::string payload(300, 'p');
  const PublishView publish{.topic = "a/b", .payload = as_bytes(payload), .packet_id = 7, .qos = 1};
  std::vector<std::uint8_t> header(publish_header_size(publish, Version::kV311));
  EXPECT_EQ(write_publish_header(header.data(), publish, Version::kV311),
            header.data() + header.size());
  header.insert(header.end(), payload.begin(), payload.end());
  EXPECT_EQ(header, written_v311(publish));
}

TEST(PublishTest, SizeIsZeroForWhatMqttCannotSay) {
  const std::string topic(65'535, 't');
  EXPECT_EQ(publish_size({.topic = topic}, Version::kV311), 65'541u);
  EXPECT_EQ(publish_size({.topic = topic + "t"}, Version::kV311), 0u);
  EXPECT_EQ(publish_header_size({.topic = topic + "t"}, Version::kV311), 0u);
  // Only the size of the payload is looked at.
  static constexpr std::uint8_t kOctet = 0;
  const auto payload_of = [](std::size_t size) { return Bytes(&kOctet, size); };
  EXPECT_EQ(
      publish_size({.topic = "a", .payload = payload_of(kRemainingLengthMax - 3)}, Version::kV311),
      kRemainingLengthMax + 5);
  EXPECT_EQ(publish_header_size({.topic = "a", .payload = payload_of(kRemainingLengthMax - 3)},
                                Version::kV311),
            8u);
  EXPECT_EQ(
      publish_size({.topic = "a", .payload = payload_of(kRemainingLengthMax - 2)}, Version::kV311),
      0u);
}

TEST(PublishTest, LongestTopicGoesThrough) {
  const std::string topic(65'535, 't');
  const std::vector<std::uint8_t> packet = written_v311({.topic = topic, .packet_id = 1, .qos = 1});
  EXPECT_EQ(read_v311(packet).value().topic, topic);
}

// [MQTT-3.3.1-3]: one encoding serves every delivery; identifier and DUP belong to the delivery.
TEST(PublishTest, AnEncodingIsPatchedForAnotherDelivery) {
  for (const std::size_t size : {0, 100, 20'000, 3'000'000}) {
    const std::string payload(size, 'p');
    PublishView publish{.topic = "some/topic",
                        .payload = as_bytes(payload),
                        .packet_id = 1,
                        .qos = 1,
                        .retain = true};
    std::vector<std::uint8_t> cached = written_v311(publish);
    const std::size_t at = publish_packet_id_offset(cached);

    publish.packet_id = 0xABCD;
    publish.dup = true;
    patch_publish(cached.data(), at, 0xABCD, true);
    EXPECT_EQ(cached, written_v311(publish)) << size;

    publish.packet_id = 2;
    publish.dup = false;
    patch_publish(cached.data(), at, 2, false);
    EXPECT_EQ(cached, written_v311(publish)) << size;
  }
}

class PublishV5Test : public testing::Test {
 protected:
  static std::vector<std::uint8_t> written_v5(const PublishView& publish) {
    std::vector<std::uint8_t> out(publish_size(publish, Version::kV5));
    EXPECT_EQ(write_publish(out.data(), publish, Version::kV5), out.data() + out.size());
    return out;
  }
  static WireResult<PublishView> read_v5(Bytes packet) {
    const FixedHeader header = read_fixed_header(packet, Version::kV5).value();
    return read_publish(header, packet.subspan(header.header_size), Version::kV5);
  }

  std::uint8_t memory_[300];
};

TEST_F(PublishV5Test, WritesTheOctetsOfFigure39) {
  EXPECT_EQ(written_v5({.topic = "a/b", .packet_id = 10, .qos = 1}),
            octets("32 08 0003 'a/b' 000a 00"));
}

TEST_F(PublishV5Test, PropertiesStandBetweenIdentifierAndPayload) {
  const Property list[] = {{.id = PropertyId::kMessageExpiryInterval, .number = 60},
                           {.id = PropertyId::kContentType, .text = "t"}};
  const PublishView publish{.topic = "a/b",
                            .payload = as_bytes("hi"),
                            .packet_id = 10,
                            .qos = 2,
                            .properties = encode_properties(memory_, list)};
  const char* const kPacket = "34 13 0003 'a/b' 000a 09 02 0000003c 03 0001 't' 'hi'";
  EXPECT_EQ(written_v5(publish), octets(kPacket));
  EXPECT_EQ(written_v311(publish), octets("34 09 0003 'a/b' 000a 'hi'")) << "3.1.1 cannot say them";

  const std::vector<std::uint8_t> packet = octets(kPacket);
  const PublishView found = read_v5(packet).value();
  EXPECT_EQ(found.topic, "a/b");
  EXPECT_EQ(as_text(found.payload), "hi");
  EXPECT_EQ(found.packet_id, 10);
  EXPECT_EQ(found.properties, publish.properties);
  EXPECT_EQ(found.properties.octets().data(), packet.data() + 10);
}

TEST_F(PublishV5Test, AnEmptyTopicNeedsAnAlias) {
  const std::vector<std::uint8_t> packet = octets("30 08 0000 03 23 0007 'hi'");
  const PublishView publish = read_v5(packet).value();
  EXPECT_EQ(publish.topic, "");
  EXPECT_EQ(publish.properties.number_or(PropertyId::kTopicAlias, 0), 7u);
  EXPECT_EQ(written_v5(publish), packet);
  EXPECT_FALSE(read_v311(packet)) << "3.1.1 has no alias";
}

TEST_F(PublishV5Test, AnEncodingWithPropertiesIsPatchedToo) {
  const Property list[] = {{.id = PropertyId::kUserProperty,
                            .text = "name",
                            .value =
                                "a value long enough for a length of two octets, which takes "
                                "more than one hundred and twenty-seven octets of properties"}};
  PublishView publish{.topic = "some/topic",
                      .payload = as_bytes("payload"),
                      .packet_id = 1,
                      .qos = 1,
                      .properties = encode_properties(memory_, list)};
  ASSERT_GT(publish.properties.octets().size(), 127u);
  std::vector<std::uint8_t> cached = written_v5(publish);
  publish.packet_id = 0xABCD;
  publish.dup = true;
  patch_publish(cached.data(), publish_packet_id_offset(cached), 0xABCD, true);
  EXPECT_EQ(cached, written_v5(publish));
}

TEST_F(PublishV5Test, SizeCountsTheProperties) {
  static constexpr std::uint8_t kOctet = 0;
  const auto payload_of = [](std::size_t size) { return Bytes(&kOctet, size); };
  EXPECT_EQ(
      publish_size({.topic = "a", .payload = payload_of(kRemainingLengthMax - 4)}, Version::kV5),
      kRemainingLengthMax + 5);
  EXPECT_EQ(
      publish_size({.topic = "a", .payload = payload_of(kRemainingLengthMax - 3)}, Version::kV5),
      0u);
  EXPECT_EQ(publish_header_size({.topic = "a", .payload = payload_of(300)}, Version::kV5), 7u);
}

// The example of the README.
std::vector<std::uint8_t> encode_request(std::string_view topic, std::string_view answer_to) {
  const mqtt::Property list[] = {{.id = mqtt::PropertyId::kResponseTopic, .text = answer_to}};
  const auto size = mqtt::properties_size(list);
  if (!size) return {};  // MQTT cannot say it
  std::vector<std::uint8_t> memory(*size);
  const mqtt::PublishView publish{.topic = topic,
                                  .properties = mqtt::encode_properties(memory.data(), list)};
  std::vector<std::uint8_t> out(mqtt::publish_size(publish, mqtt::Version::kV5));
  mqtt::write_publish(out.data(), publish, mqtt::Version::kV5);
  return out;
}

TEST(Readme, EncodeRequest) {
  EXPECT_EQ(encode_request("a/b", "r/t"), octets("30 0c 0003 'a/b' 06 08 0003 'r/t'"));
  EXPECT_TRUE(encode_request("a/b", std::string(65'536, 'r')).empty());
}

}  // namespace
}  // namespace hermod::mqtt
