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

}  // namespace
}  // namespace hermod::mqtt
