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

struct Case {
  Version version;
  WireVector vector;
};

void PrintTo(const Case& c, std::ostream* out) {
  PrintTo(c.vector, out);
}

std::vector<Case> cases(Version version) {
  std::vector<Case> out;
  for (const WireVector& vector : wire_vectors(version)) out.push_back({version, vector});
  return out;
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.vector.name;
}

class VectorTest : public testing::TestWithParam<Case> {
 protected:
  const WireVector vector_ = GetParam().vector;
  const PacketCodec codec_{GetParam().version};
  const std::vector<std::uint8_t> bytes_ = octets(vector_.octets);
};

TEST_P(VectorTest, HasTheOutcomeItNames) {
  const testkit::ExactCopy copy(bytes_);
  const auto read = read_packet(copy.bytes(), codec_.version);
  switch (vector_.outcome) {
    case WireVector::Outcome::kValid:
      ASSERT_TRUE(read) << testkit::describe(read.error());
      EXPECT_EQ(read->size, bytes_.size());
      break;
    case WireVector::Outcome::kMalformed:
      ASSERT_FALSE(read);
      ASSERT_FALSE(read.error().incomplete());
      EXPECT_STREQ(read.error().statement, vector_.statement);
      EXPECT_EQ(read.error().offset, vector_.offset);
      EXPECT_EQ(read.error().code, vector_.code);
      break;
    case WireVector::Outcome::kIncomplete:
      ASSERT_FALSE(read);
      ASSERT_TRUE(read.error().incomplete()) << testkit::describe(read.error());
      EXPECT_EQ(read.error().bytes_needed, vector_.bytes_needed);
      break;
  }
}

TEST_P(VectorTest, HasTheCodecProperties) {
  EXPECT_EQ(testkit::pieces_agree(codec_, bytes_), "");
  EXPECT_EQ(testkit::decodes_without_allocating(codec_, bytes_), "");
  if (vector_.outcome != WireVector::Outcome::kValid) return;
  EXPECT_EQ(testkit::reencodes(codec_, bytes_), "");
  EXPECT_EQ(testkit::prefixes_are_incomplete(codec_, bytes_), "");
}

TEST_P(VectorTest, IsWrittenInTheSameOctets) {
  if (vector_.outcome != WireVector::Outcome::kValid) return;
  const auto read = read_packet(bytes_, codec_.version);
  ASSERT_TRUE(read);
  std::vector<std::uint8_t> written;
  ASSERT_EQ(testkit::encode_checked(codec_, read->packet, written), "");
  EXPECT_EQ(written == bytes_, vector_.shortest) << testkit::hex(written);
}

INSTANTIATE_TEST_SUITE_P(Mqtt31, VectorTest, testing::ValuesIn(cases(Version::kV31)), name_of);
INSTANTIATE_TEST_SUITE_P(Mqtt311, VectorTest, testing::ValuesIn(cases(Version::kV311)), name_of);
INSTANTIATE_TEST_SUITE_P(Mqtt5, VectorTest, testing::ValuesIn(cases(Version::kV5)), name_of);

class PacketTest : public testing::TestWithParam<Version> {
 protected:
  const PacketCodec codec_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Versions, PacketTest, testing::ValuesIn(kVersions));

TEST_P(PacketTest, RandomPacketsHaveTheCodecProperties) {
  RandomPacket random(20'141'029, codec_.version);
  for (int i = 0; i < 3'000; ++i) {
    const Packet packet = random.draw();
    ASSERT_EQ(testkit::round_trip(codec_, packet), "") << "packet " << i;
    std::vector<std::uint8_t> encoded;
    ASSERT_EQ(testkit::encode_checked(codec_, packet, encoded), "");
    if (encoded.size() > 300) continue;
    ASSERT_EQ(testkit::prefixes_are_incomplete(codec_, encoded), "") << "packet " << i;
  }
}

TEST_P(PacketTest, StreamsOfPacketsAgreeHoweverTheyAreCut) {
  RandomPacket random(7, codec_.version);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::uint8_t> stream;
    for (int i = 0; i < 8; ++i) {
      std::vector<std::uint8_t> encoded;
      ASSERT_EQ(testkit::encode_checked(codec_, random.draw(), encoded), "");
      stream.insert(stream.end(), encoded.begin(), encoded.end());
    }
    ASSERT_EQ(testkit::pieces_agree(codec_, stream), "") << "round " << round;
    EXPECT_EQ(testkit::transcript(codec_, stream, 1).size(), 8u);
  }
}

// Change any octet of a packet: whatever still decodes must be a packet that can be written.
TEST_P(PacketTest, DamagedPacketsAreRefusedOrReencode) {
  SeededRng rng(311);
  for (const WireVector& vector : wire_vectors(codec_.version)) {
    const std::vector<std::uint8_t> good = octets(vector.octets);
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::vector<std::uint8_t> damaged = good;
      damaged[at] = static_cast<std::uint8_t>(rng.next());
      if (!read_packet(damaged, codec_.version)) continue;
      ASSERT_EQ(testkit::reencodes(codec_, damaged), "") << vector.name << " at " << at;
    }
  }
}

TEST_P(PacketTest, WritingAllocatesNothing) {
  RandomPacket random(3, codec_.version);
  for (int i = 0; i < 200; ++i) {
    const Packet packet = random.draw();
    std::vector<std::uint8_t> out(encoded_size(packet, codec_.version));
    const std::size_t before = testkit::allocation_count();
    write_packet(out.data(), packet, codec_.version);
    ASSERT_EQ(testkit::allocation_count(), before);
  }
}

// What only MQTT 5 can say is left out before it, and the size says so.
TEST(PacketOfV5Test, IsWrittenWithoutItsNewsBeforeMqtt5) {
  RandomPacket random(5, Version::kV5);
  for (int i = 0; i < 1'000; ++i) {
    const Packet packet = random.draw();
    if (std::holds_alternative<ConnectView>(packet) || std::holds_alternative<AuthView>(packet) ||
        std::holds_alternative<SubackView>(packet)) {
      continue;  // one names its version, one is not known, one needs other codes
    }
    if (const auto* publish = std::get_if<PublishView>(&packet);
        publish && publish->topic.empty()) {
      continue;
    }
    std::vector<std::uint8_t> old;
    ASSERT_EQ(testkit::encode_checked(PacketCodec{Version::kV311}, packet, old), "");
    EXPECT_TRUE(read_packet(old, Version::kV311)) << testkit::hex(old);
  }
}

TEST(ShortPacketTest, CarryTheirFields) {
  const auto read = [](std::string_view notation) {
    static std::vector<std::uint8_t> bytes;
    bytes = octets(notation);
    return read_packet(bytes, Version::kV311).value().packet;
  };
  EXPECT_EQ(std::get<AckView>(read("40 02 1234")), (AckView{PacketType::kPuback, 0x1234}));
  EXPECT_EQ(std::get<AckView>(read("50 02 0001")), (AckView{PacketType::kPubrec, 1}));
  EXPECT_EQ(std::get<AckView>(read("62 02 0100")), (AckView{PacketType::kPubrel, 0x100}));
  EXPECT_EQ(std::get<AckView>(read("70 02 ffff")), (AckView{PacketType::kPubcomp, 0xffff}));
  EXPECT_EQ(std::get<UnsubackView>(read("b0 02 1234")).packet_id, 0x1234);
  EXPECT_EQ(std::get<ConnackView>(read("20 02 01 00")), ConnackView{true});
  EXPECT_EQ(std::get<ConnackView>(read("20 02 00 04")),
            (ConnackView{false, ConnectReturnCode::kBadUserNameOrPassword}));
  EXPECT_TRUE(std::holds_alternative<Pingreq>(read("c0 00")));
  EXPECT_TRUE(std::holds_alternative<Pingresp>(read("d0 00")));
  EXPECT_TRUE(std::holds_alternative<DisconnectView>(read("e0 00")));
}

}  // namespace
}  // namespace hermod::mqtt
