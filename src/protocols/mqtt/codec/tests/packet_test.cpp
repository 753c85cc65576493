// SPDX-License-Identifier: Apache-2.0
// All vectors, and the properties that every codec has.
#include "hermod/mqtt/codec/packet.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "hermod/testkit/allocations.hpp"
#include "hermod/testkit/codec_properties.hpp"
#include "hermod/testkit/octets.hpp"
#include "mqtt_codec_under_test.hpp"
#include "mqtt_vectors.hpp"
#include "random_packet.hpp"

namespace hermod::mqtt {

void PrintTo(const WireVector& vector, std::ostream* out) {
  *out << vector.octets;
}

namespace {

using testkit::octets;

class VectorTest : public testing::TestWithParam<WireVector> {
 protected:
  const std::vector<std::uint8_t> bytes_ = octets(GetParam().octets);
};

TEST_P(VectorTest, HasTheOutcomeItNames) {
  const WireVector& vector = GetParam();
  const testkit::ExactCopy copy(bytes_);
  const auto read = read_packet(copy.bytes(), Version::kV311);
  switch (vector.outcome) {
    case WireVector::Outcome::kValid:
      ASSERT_TRUE(read) << testkit::describe(read.error());
      EXPECT_EQ(read->size, bytes_.size());
      break;
    case WireVector::Outcome::kMalformed:
      ASSERT_FALSE(read);
      ASSERT_FALSE(read.error().incomplete());
      EXPECT_STREQ(read.error().statement, vector.statement);
      EXPECT_EQ(read.error().offset, vector.offset);
      EXPECT_EQ(read.error().code, vector.code);
      break;
    case WireVector::Outcome::kIncomplete:
      ASSERT_FALSE(read);
      ASSERT_TRUE(read.error().incomplete()) << testkit::describe(read.error());
      EXPECT_EQ(read.error().bytes_needed, vector.bytes_needed);
      break;
  }
}

TEST_P(VectorTest, HasTheCodecProperties) {
  EXPECT_EQ(testkit::pieces_agree(PacketCodec{}, bytes_), "");
  EXPECT_EQ(testkit::decodes_without_allocating(PacketCodec{}, bytes_), "");
  if (GetParam().outcome != WireVector::Outcome::kValid) return;
  EXPECT_EQ(testkit::reencodes(PacketCodec{}, bytes_), "");
  EXPECT_EQ(testkit::prefixes_are_incomplete(PacketCodec{}, bytes_), "");
}

INSTANTIATE_TEST_SUITE_P(Mqtt311, VectorTest, testing::ValuesIn(wire_vectors()),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(PacketTest, RandomPacketsHaveTheCodecProperties) {
  RandomPacket random(20'141'029);
  for (int i = 0; i < 3'000; ++i) {
    const Packet packet = random.draw();
    ASSERT_EQ(testkit::round_trip(PacketCodec{}, packet), "") << "packet " << i;
    std::vector<std::uint8_t> encoded;
    ASSERT_EQ(testkit::encode_checked(PacketCodec{}, packet, encoded), "");
    if (encoded.size() > 300) continue;
    ASSERT_EQ(testkit::prefixes_are_incomplete(PacketCodec{}, encoded), "") << "packet " << i;
  }
}

TEST(PacketTest, StreamsOfPacketsAgreeHoweverTheyAreCut) {
  RandomPacket random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::uint8_t> stream;
    for (int i = 0; i < 8; ++i) {
      std::vector<std::uint8_t> encoded;
      ASSERT_EQ(testkit::encode_checked(PacketCodec{}, random.draw(), encoded), "");
      stream.insert(stream.end(), encoded.begin(), encoded.end());
    }
    ASSERT_EQ(testkit::pieces_agree(PacketCodec{}, stream), "") << "round " << round;
    EXPECT_EQ(testkit::transcript(PacketCodec{}, stream, 1).size(), 8u);
  }
}

// Change any octet of a valid packet: whatever still decodes must be a packet that can be written.
TEST(PacketTest, DamagedPacketsAreRefusedOrReencode) {
  SeededRng rng(311);
  for (const WireVector& vector : wire_vectors()) {
    const std::vector<std::uint8_t> good = octets(vector.octets);
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::vector<std::uint8_t> damaged = good;
      damaged[at] = static_cast<std::uint8_t>(rng.next());
      if (!read_packet(damaged, Version::kV311)) continue;
      ASSERT_EQ(testkit::reencodes(PacketCodec{}, damaged), "") << vector.name << " at " << at;
    }
  }
}

TEST(PacketTest, WritingAllocatesNothing) {
  RandomPacket random(3);
  for (int i = 0; i < 200; ++i) {
    const Packet packet = random.draw();
    std::vector<std::uint8_t> out(encoded_size(packet, Version::kV311));
    const std::size_t before = testkit::allocation_count();
    write_packet(out.data(), packet, Version::kV311);
    ASSERT_EQ(testkit::allocation_count(), before);
  }
}

TEST(PacketTest, ShortPacketsCarryTheirFields) {
  const auto read = [](std::string_view notation) {
    static std::vector<std::uint8_t> bytes;
    bytes = octets(notation);
    return read_packet(bytes, Version::kV311).value().packet;
  };
  EXPECT_EQ(std::get<AckPacket>(read("40 02 1234")), (AckPacket{PacketType::kPuback, 0x1234}));
  EXPECT_EQ(std::get<AckPacket>(read("50 02 0001")), (AckPacket{PacketType::kPubrec, 1}));
  EXPECT_EQ(std::get<AckPacket>(read("62 02 0100")), (AckPacket{PacketType::kPubrel, 0x100}));
  EXPECT_EQ(std::get<AckPacket>(read("70 02 ffff")), (AckPacket{PacketType::kPubcomp, 0xffff}));
  EXPECT_EQ(std::get<Unsuback>(read("b0 02 1234")), Unsuback{0x1234});
  EXPECT_EQ(std::get<Connack>(read("20 02 01 00")), Connack{true});
  EXPECT_EQ(std::get<Connack>(read("20 02 00 04")),
            (Connack{false, ConnectReturnCode::kBadUserNameOrPassword}));
  EXPECT_TRUE(std::holds_alternative<Pingreq>(read("c0 00")));
  EXPECT_TRUE(std::holds_alternative<Pingresp>(read("d0 00")));
  EXPECT_TRUE(std::holds_alternative<Disconnect>(read("e0 00")));
}

}  // namespace
}  // namespace hermod::mqtt
