// SPDX-License-Identifier: Apache-2.0
// The packets that answer, and those that end, with the reason codes and properties of MQTT 5.
#include "hermod/mqtt/codec/acks.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hermod/mqtt/codec/packet.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::mqtt {
namespace {

using testkit::octets;

constexpr Property kWhy[] = {{.id = PropertyId::kReasonString, .text = "why"}};

// Owns the octets of the properties that a test writes.
class AnswersTest : public testing::Test {
 protected:
  PropertyBlock block(std::span<const Property> list) {
    memory_.resize(properties_size(list).value());
    return encode_properties(memory_.data(), list);
  }

  static std::vector<std::uint8_t> written(const Packet& packet, Version version = Version::kV5) {
    std::vector<std::uint8_t> out(encoded_size(packet, version));
    EXPECT_EQ(write_packet(out.data(), packet, version), out.data() + out.size());
    return out;
  }

  template <typename T>
  T read(std::string_view notation) {
    bytes_ = octets(notation);
    return std::get<T>(read_packet(bytes_, Version::kV5).value().packet);
  }

 private:
  std::vector<std::uint8_t> memory_;
  std::vector<std::uint8_t> bytes_;
};

TEST_F(AnswersTest, AnAckIsWrittenAsShortAsItCanBeSaid) {
  const AckView bare{PacketType::kPuback, 0x1234};
  const AckView with_reason{PacketType::kPubrec, 7, ReasonCode::kQuotaExceeded};
  const AckView with_all{PacketType::kPubrel, 7, ReasonCode::kPacketIdentifierNotFound,
                         block(kWhy)};
  EXPECT_EQ(written(bare), octets("40 02 1234"));
  EXPECT_EQ(written(with_reason), octets("50 03 0007 97"));
  EXPECT_EQ(written(with_all), octets("62 0a 0007 92 06 1f 0003 'why'"));
  EXPECT_EQ(written(with_reason, Version::kV311), octets("50 02 0007"));
  EXPECT_EQ(written(with_all, Version::kV31), octets("62 02 0007"));
}

TEST_F(AnswersTest, WhatAnAckLeavesOutIsSuccessWithoutProperties) {
  EXPECT_EQ(read<AckView>("70 02 0007"), (AckView{PacketType::kPubcomp, 7}));
  EXPECT_EQ(read<AckView>("70 03 0007 92"),
            (AckView{PacketType::kPubcomp, 7, ReasonCode::kPacketIdentifierNotFound}));
  const AckView ack = read<AckView>("40 0a 0007 10 06 1f 0003 'why'");
  EXPECT_EQ(ack.reason, ReasonCode::kNoMatchingSubscribers);
  EXPECT_EQ(ack.properties.find(PropertyId::kReasonString)->text, "why");
}

TEST_F(AnswersTest, ConnackSaysNoInTheWordsOfItsVersion) {
  const ConnackView no{.return_code = ConnectReturnCode::kNotAuthorized,
                       .reason = ReasonCode::kBanned,
                       .properties = block(kWhy)};
  EXPECT_EQ(written(no), octets("20 09 00 8a 06 1f 0003 'why'"));
  EXPECT_EQ(written(no, Version::kV311), octets("20 02 00 05"));
  EXPECT_EQ(written(no, Version::kV31), octets("20 02 00 05"));
  const ConnackView present{.session_present = true};
  EXPECT_EQ(written(present), octets("20 03 01 00 00"));
  EXPECT_EQ(written(present, Version::kV311), octets("20 02 01 00"));
  EXPECT_EQ(written(present, Version::kV31), octets("20 02 00 00"));
}

TEST_F(AnswersTest, ConnackCarriesReasonAndProperties) {
  const ConnackView connack = read<ConnackView>("20 09 00 9c 06 1c 0003 'b:1'");
  EXPECT_FALSE(connack.session_present);
  EXPECT_EQ(connack.reason, ReasonCode::kUseAnotherServer);
  EXPECT_EQ(connack.properties.find(PropertyId::kServerReference)->text, "b:1");
}

TEST_F(AnswersTest, DisconnectIsWrittenAsShortAsItCanBeSaid) {
  const DisconnectView with_reason{ReasonCode::kSessionTakenOver};
  const Property expiry[] = {{.id = PropertyId::kSessionExpiryInterval, .number = 0}};
  const DisconnectView figure_3_24{ReasonCode::kNormalDisconnection, block(expiry)};
  EXPECT_EQ(written(DisconnectView{}), octets("e0 00"));
  EXPECT_EQ(written(with_reason), octets("e0 01 8e"));
  EXPECT_EQ(written(figure_3_24), octets("e0 07 00 05 11 00000000"));
  EXPECT_EQ(written(figure_3_24, Version::kV311), octets("e0 00"));
}

TEST_F(AnswersTest, DisconnectCarriesReasonAndProperties) {
  EXPECT_EQ(read<DisconnectView>("e0 00").reason, ReasonCode::kNormalDisconnection);
  EXPECT_EQ(read<DisconnectView>("e0 01 04").reason, ReasonCode::kDisconnectWithWillMessage);
  const DisconnectView disconnect = read<DisconnectView>("e0 07 00 05 11 0000000a");
  EXPECT_EQ(disconnect.properties.number_or(PropertyId::kSessionExpiryInterval, 99), 10u);
}

TEST_F(AnswersTest, AuthGoesOutAndComesBack) {
  const Property list[] = {{.id = PropertyId::kAuthenticationMethod, .text = "SCRAM"},
                           {.id = PropertyId::kAuthenticationData, .data = as_bytes("data")}};
  const AuthView auth{ReasonCode::kContinueAuthentication, block(list)};
  const char* const kPacket = "f0 11 18 0f 15 0005 'SCRAM' 16 0004 'data'";
  EXPECT_EQ(written(auth), octets(kPacket));
  EXPECT_EQ(read<AuthView>(kPacket), auth);
  EXPECT_EQ(written(AuthView{}), octets("f0 00"));
  EXPECT_EQ(read<AuthView>("f0 00"), AuthView{});
}

TEST_F(AnswersTest, UnsubackListsReasonCodes) {
  const UnsubackView unsuback = read<UnsubackView>("b0 05 000a 00 00 11");
  EXPECT_EQ(unsuback.packet_id, 10);
  EXPECT_EQ(std::vector<std::uint8_t>(unsuback.reason_codes.begin(), unsuback.reason_codes.end()),
            octets("00 11"));
  EXPECT_EQ(written(unsuback), octets("b0 05 000a 00 00 11"));
  EXPECT_EQ(written(unsuback, Version::kV311), octets("b0 02 000a"));
}

TEST_F(AnswersTest, SubackHasPropertiesInFrontOfItsCodes) {
  const std::vector<std::uint8_t> codes = octets("01 a1");
  const SubackView suback{10, codes, block(kWhy)};
  EXPECT_EQ(written(suback), octets("90 0b 000a 06 1f 0003 'why' 01 a1"));
  EXPECT_EQ(written(suback, Version::kV311), octets("90 04 000a 01 a1"));
}

}  // namespace
}  // namespace hermod::mqtt
