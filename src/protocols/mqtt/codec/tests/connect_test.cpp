// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/connect.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hermod/testkit/octets.hpp"

namespace hermod::mqtt {
namespace {

using testkit::octets;

constexpr const char* kEverything =
    "10 24 0004 'MQTT' 04 ee 000a 0002 'id' 0003 'w/t' 0003 'bye' 0004 'user' 0004 'pass'";

std::vector<std::uint8_t> written(const ConnectView& connect) {
  std::vector<std::uint8_t> out(connect_size(connect));
  EXPECT_EQ(write_connect(out.data(), connect), out.data() + out.size());
  return out;
}

WireResult<ConnectView> read(Bytes packet) {
  const FixedHeader header = read_fixed_header(packet).value();
  return read_connect(header, packet.subspan(header.header_size));
}

TEST(ConnectTest, ReadsEveryField) {
  const std::vector<std::uint8_t> packet = octets(kEverything);
  const ConnectView connect = read(packet).value();
  EXPECT_EQ(connect.version, Version::kV311);
  EXPECT_TRUE(connect.clean_session);
  EXPECT_EQ(connect.keep_alive_s, 10);
  EXPECT_EQ(connect.client_id, "id");
  ASSERT_TRUE(connect.will);
  EXPECT_EQ(connect.will->topic, "w/t");
  EXPECT_EQ(as_text(connect.will->payload), "bye");
  EXPECT_EQ(connect.will->qos, 1);
  EXPECT_TRUE(connect.will->retain);
  EXPECT_EQ(connect.user_name, "user");
  ASSERT_TRUE(connect.password);
  EXPECT_EQ(as_text(*connect.password), "pass");
}

TEST(ConnectTest, AbsentFieldsAreAbsentAndEmptyOnesAreEmpty) {
  const std::vector<std::uint8_t> smallest = octets("10 0d 0004 'MQTT' 04 00 ffff 0001 'c'");
  const ConnectView connect = read(smallest).value();
  EXPECT_FALSE(connect.clean_session);
  EXPECT_EQ(connect.keep_alive_s, 65'535);
  EXPECT_FALSE(connect.will);
  EXPECT_FALSE(connect.user_name);
  EXPECT_FALSE(connect.password);

  const std::vector<std::uint8_t> empty =
      octets("10 15 0004 'MQTT' 04 c6 0000 0000 0001 'w' 0000 0000 0000");
  const ConnectView with_empty = read(empty).value();
  EXPECT_TRUE(with_empty.will->payload.empty());
  EXPECT_EQ(with_empty.user_name, "");
  EXPECT_TRUE(with_empty.password->empty());
}

TEST(ConnectTest, WritesTheOctetsOfTheSpecification) {
  EXPECT_EQ(written({.client_id = "c"}), octets("10 0d 0004 'MQTT' 04 02 0000 0001 'c'"));
  EXPECT_EQ(written({.clean_session = false, .keep_alive_s = 60, .client_id = "c"}),
            octets("10 0d 0004 'MQTT' 04 00 003c 0001 'c'"));
  EXPECT_EQ(written({.keep_alive_s = 10,
                     .client_id = "id",
                     .will = WillView{"w/t", as_bytes("bye"), 1, true},
                     .user_name = "user",
                     .password = as_bytes("pass")}),
            octets(kEverything));
}

TEST(ConnectTest, SizeIsZeroForAFieldAbove65535Octets) {
  const std::string longest(65'535, 'x');
  const std::string longer(65'536, 'x');
  EXPECT_EQ(connect_size({.client_id = longest}), 65'551u);
  EXPECT_EQ(connect_size({.client_id = longer}), 0u);
  EXPECT_EQ(connect_size({.will = WillView{longer, {}}}), 0u);
  EXPECT_EQ(connect_size({.will = WillView{"w", as_bytes(longer)}}), 0u);
  EXPECT_EQ(connect_size({.user_name = longer}), 0u);
  EXPECT_EQ(connect_size({.user_name = "u", .password = as_bytes(longer)}), 0u);
}

constexpr const char* kFigure36 =
    "10 2b 0004 'MQTT' 05 ce 000a 05 11 0000000a"
    " 0002 'id' 00 0003 'w/t' 0003 'bye' 0004 'user' 0004 'pass'";

TEST(ConnectTest, ReadsEveryFieldOfMqtt5) {
  const std::vector<std::uint8_t> packet = octets(kFigure36);
  const ConnectView connect = read(packet).value();
  EXPECT_EQ(connect.version, Version::kV5);
  EXPECT_TRUE(connect.clean_session);
  EXPECT_EQ(connect.keep_alive_s, 10);
  EXPECT_EQ(connect.properties.number_or(PropertyId::kSessionExpiryInterval, 0), 10u);
  EXPECT_EQ(connect.client_id, "id");
  ASSERT_TRUE(connect.will);
  EXPECT_EQ(connect.will->topic, "w/t");
  EXPECT_EQ(as_text(connect.will->payload), "bye");
  EXPECT_TRUE(connect.will->properties.empty());
  EXPECT_EQ(connect.user_name, "user");
  EXPECT_EQ(as_text(*connect.password), "pass");
}

TEST(ConnectTest, WritesTheOctetsOfFigure36) {
  std::uint8_t memory[5];
  const Property expiry[] = {{.id = PropertyId::kSessionExpiryInterval, .number = 10}};
  EXPECT_EQ(written({.version = Version::kV5,
                     .keep_alive_s = 10,
                     .client_id = "id",
                     .will = WillView{"w/t", as_bytes("bye"), 1},
                     .user_name = "user",
                     .password = as_bytes("pass"),
                     .properties = encode_properties(memory, expiry)}),
            octets(kFigure36));
}

TEST(ConnectTest, PropertiesOfTheWillAreItsOwn) {
  const std::vector<std::uint8_t> packet =
      octets("10 1e 0004 'MQTT' 05 06 0000 05 11 00000001 0001 'c' 05 18 00000002 0001 'w' 0000");
  const ConnectView connect = read(packet).value();
  EXPECT_EQ(connect.properties.number_or(PropertyId::kSessionExpiryInterval, 0), 1u);
  EXPECT_FALSE(connect.properties.has(PropertyId::kWillDelayInterval));
  EXPECT_EQ(connect.will->properties.number_or(PropertyId::kWillDelayInterval, 0), 2u);
}

TEST(ConnectTest, Version31HasItsOwnName) {
  const std::vector<std::uint8_t> packet = octets("10 0f 0006 'MQIsdp' 03 02 0000 0001 'c'");
  EXPECT_EQ(read(packet).value().version, Version::kV31);
  EXPECT_EQ(written({.version = Version::kV31, .client_id = "c"}), packet);
}

// MQTT 3.1 §3.1: "the Remaining Length field [...] takes precedence over the User Name flag".
TEST(ConnectTest, Version31LetsAnnouncedFieldsBeMissing) {
  const auto user_and_password = [](const char* notation) {
    static std::vector<std::uint8_t> packet;
    packet = octets(notation);
    const ConnectView connect = read(packet).value();
    return std::pair(connect.user_name.has_value(), connect.password.has_value());
  };
  EXPECT_EQ(user_and_password("10 0f 0006 'MQIsdp' 03 c2 0000 0001 'c'"), std::pair(false, false));
  EXPECT_EQ(user_and_password("10 12 0006 'MQIsdp' 03 c2 0000 0001 'c' 0001 'u'"),
            std::pair(true, false));
  EXPECT_EQ(user_and_password("10 15 0006 'MQIsdp' 03 c2 0000 0001 'c' 0001 'u' 0001 'p'"),
            std::pair(true, true));
}

// The fixed header of the first packet is read before its version is known.
TEST(ConnectTest, MQTT_1_5_5_1_a_padded_length_is_refused_when_the_version_is_known) {
  const std::vector<std::uint8_t> v5 = octets("10 8d 00 0004 'MQTT' 05 02 0000 00 0000");
  const auto refused = read(v5);
  ASSERT_FALSE(refused);
  EXPECT_STREQ(refused.error().statement, "MQTT-1.5.5-1");
  EXPECT_EQ(refused.error().offset, 2u);
  EXPECT_EQ(refused.error().code, 0x81);
  const std::vector<std::uint8_t> v311 = octets("10 8c 00 0004 'MQTT' 04 02 0000 0000");
  EXPECT_TRUE(read(v311));
}

// A refusal is told in the form that the client reads.
TEST(ConnectTest, AnUnknownLevelIsRefusedInTheFormOfItsGeneration) {
  for (int level = 0; level < 256; ++level) {
    std::vector<std::uint8_t> packet = octets("10 0c 0004 'MQTT' 00 02 0000 0000");
    packet[8] = static_cast<std::uint8_t>(level);
    const auto connect = read(packet);
    if (level == 4) {
      EXPECT_TRUE(connect);
    } else if (level == 5) {
      EXPECT_EQ(connect.error().code, 0x81);  // it is known, but the packet is 3.1.1's
    } else {
      ASSERT_FALSE(connect);
      EXPECT_STREQ(connect.error().statement, "MQTT-3.1.2-2");
      EXPECT_EQ(connect.error().code, (level & 0x7F) >= 5 ? 0x84 : 1) << level;
    }
  }
}

}  // namespace
}  // namespace hermod::mqtt
