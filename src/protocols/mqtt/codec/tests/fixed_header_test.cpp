// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/fixed_header.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hermod/testkit/octets.hpp"

namespace hermod::mqtt {
namespace {

// Table 2.4 of MQTT 3.1.1: the edges of each number of length octets.
struct LengthEdge {
  std::size_t length;
  const char* octets;
};
constexpr LengthEdge kEdges[] = {
    {0, "00"},          {127, "7f"},           {128, "80 01"},          {16'383, "ff 7f"},
    {16'384, "808001"}, {2'097'151, "ffff7f"}, {2'097'152, "80808001"}, {268'435'455, "ffffff7f"},
};

TEST(FixedHeaderTest, RemainingLengthHasTheOctetsOfTable24) {
  for (const LengthEdge& edge : kEdges) {
    std::vector<std::uint8_t> expected = testkit::octets(edge.octets);
    expected.insert(expected.begin(), 0x30);
    ASSERT_EQ(fixed_header_size(edge.length), expected.size()) << edge.length;

    std::vector<std::uint8_t> written(expected.size());
    EXPECT_EQ(write_fixed_header(written.data(), PacketType::kPublish, 0, edge.length),
              written.data() + written.size());
    EXPECT_EQ(written, expected) << edge.length;

    const auto read = read_fixed_header(expected);
    ASSERT_TRUE(read) << edge.length;
    EXPECT_EQ(read->type, PacketType::kPublish);
    EXPECT_EQ(read->remaining_length, edge.length);
    EXPECT_EQ(read->header_size, expected.size());
    EXPECT_EQ(read->packet_size(), expected.size() + edge.length);
  }
}

TEST(FixedHeaderTest, SizeSaysWhenAPacketIsTooLong) {
  EXPECT_EQ(size_with_fixed_header(0), 2u);
  EXPECT_EQ(size_with_fixed_header(kRemainingLengthMax), kRemainingLengthMax + 5);
  EXPECT_EQ(size_with_fixed_header(kRemainingLengthMax + 1), 0u);
}

// Every first octet against table 2.2 of each version, spelt out here a second time.
bool first_octet_is_valid(int octet, Version version) {
  const int type = octet >> 4;
  const int flags = octet & 15;
  if (type == 0) return false;
  if (type == 15) return version == Version::kV5 && flags == 0;
  if (type == 3) return (flags & 6) != 6 && (flags & 14) != 8;
  const bool sent_again = type == 6 || type == 8 || type == 10;
  if (sent_again && version == Version::kV31 && flags == 10) return true;
  return flags == (sent_again ? 2 : 0);
}

TEST(FixedHeaderTest, EveryFirstOctetIsJudgedByTable22) {
  for (const Version version : {Version::kV31, Version::kV311, Version::kV5}) {
    for (int octet = 0; octet < 256; ++octet) {
      const bool valid = first_octet_is_valid(octet, version);
      const std::uint8_t short_form[] = {static_cast<std::uint8_t>(octet), 0x05};
      const auto read = read_fixed_header(short_form, version);
      ASSERT_EQ(read.has_value(), valid) << octet;
      if (valid) {
        EXPECT_EQ(static_cast<int>(read->type), octet >> 4);
        EXPECT_EQ(read->flags, octet & 15);
        EXPECT_EQ(read->remaining_length, 5u);
        EXPECT_EQ(read->header_size, 2u);
      } else {
        EXPECT_EQ(read.error().code, version == Version::kV5 ? 0x81 : 0);
      }
      const std::uint8_t long_form[] = {static_cast<std::uint8_t>(octet), 0x85, 0x01};
      const auto read_long = read_fixed_header(long_form, version);
      ASSERT_EQ(read_long.has_value(), valid) << octet;
      if (valid) {
        EXPECT_EQ(read_long->flags, octet & 15);
        EXPECT_EQ(read_long->remaining_length, 133u);
      }
      // An octet that is wrong is refused before anything follows it.
      const auto alone = read_fixed_header(Bytes(short_form).first(1), version);
      ASSERT_FALSE(alone);
      EXPECT_EQ(alone.error().incomplete(), valid) << octet;
    }
  }
}

}  // namespace
}  // namespace hermod::mqtt
