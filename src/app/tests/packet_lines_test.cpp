// SPDX-License-Identifier: Apache-2.0
// The lines of -d. Those that mosquitto's programs have are theirs, word for word.
#include "commands/packet_lines.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace hermod::app {
namespace {

std::string octets(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

class PacketLinesTest : public testing::Test {
 protected:
  void start(mqtt::Version version, Task task = Task::kSub, std::string id = "me") {
    ClientOptions options;
    options.program = {.task = task, .mosquitto = true};
    options.id = std::move(id);
    options.protocol = version;
    lines_.emplace(options);
  }
  std::string sent(std::string_view hex) { return lines_->lines(true, as_bytes(octets(hex))); }
  std::string received(std::string_view hex) { return lines_->lines(false, as_bytes(octets(hex))); }

  std::optional<PacketLines> lines_;
};

TEST_F(PacketLinesTest, ConnectionsAndMessages) {
  start(mqtt::Version::kV311);
  EXPECT_EQ(sent("100d00044d5154540402003c000163"), "Client me sending CONNECT");
  EXPECT_EQ(received("20020005"), "Client me received CONNACK (5)");
  EXPECT_EQ(sent("3004000161ff"), "Client me sending PUBLISH (d0, q0, r0, m1, 'a', ... (1 bytes))");
  EXPECT_EQ(sent("3b06000161000778"),
            "Client me sending PUBLISH (d1, q1, r1, m7, 'a', ... (1 bytes))");
  EXPECT_EQ(sent("3003000161"), "Client me sending PUBLISH (d0, q0, r0, m8, 'a', ... (0 bytes))");
  EXPECT_EQ(received("3003000161"),
            "Client me received PUBLISH (d0, q0, r0, m0, 'a', ... (0 bytes))");
  EXPECT_EQ(sent("e000"), "Client me sending DISCONNECT");
  EXPECT_EQ(sent("c000"), "Client me sending PINGREQ");
  EXPECT_EQ(received("d000"), "Client me received PINGRESP");
}

TEST_F(PacketLinesTest, Acknowledgements) {
  start(mqtt::Version::kV5);
  EXPECT_EQ(received("40020007"), "Client me received PUBACK (Mid: 7, RC:0)");
  EXPECT_EQ(received("4003000787"), "Client me received PUBACK (Mid: 7, RC:135)");
  EXPECT_EQ(received("50020007"), "Client me received PUBREC (Mid: 7)");
  EXPECT_EQ(received("62020007"), "Client me received PUBREL (Mid: 7)");
  EXPECT_EQ(received("70020007"), "Client me received PUBCOMP (Mid: 7, RC:0)");
  EXPECT_EQ(sent("40020007"), "Client me sending PUBACK (m7, rc0)");
  EXPECT_EQ(sent("50020007"), "Client me sending PUBREC (m7, rc0)");
  EXPECT_EQ(sent("62020007"), "Client me sending PUBREL (m7)");
  EXPECT_EQ(sent("70020007"), "Client me sending PUBCOMP (m7)");
}

TEST_F(PacketLinesTest, Subscriptions) {
  start(mqtt::Version::kV5);
  EXPECT_EQ(sent("820b0003000001612a00016202"),
            "Client me sending SUBSCRIBE (Mid: 3, Topic: a, QoS: 2, Options: 0x28)\n"
            "Client me sending SUBSCRIBE (Mid: 3, Topic: b, QoS: 2, Options: 0x00)");
  EXPECT_EQ(received("90050003000287"), "Client me received SUBACK\nSubscribed (mid: 3): 2, 135");
  EXPECT_EQ(sent("a2060004"), "");  // not whole
  EXPECT_EQ(sent("a206000400000161"), "Client me sending UNSUBSCRIBE (Mid: 4, Topic: a)");
  EXPECT_EQ(received("b00400040000"), "Client me received UNSUBACK");
  start(mqtt::Version::kV5, Task::kRr);
  EXPECT_EQ(received("900400030002"), "Client me received SUBACK");
}

TEST_F(PacketLinesTest, TheServerMayAssignTheId) {
  start(mqtt::Version::kV5, Task::kPub, "");
  EXPECT_EQ(sent("100d00044d5154540502003c000000"), "Client (null) sending CONNECT");
  EXPECT_EQ(received("200a0000071200046175746f"), "Client auto received CONNACK (0)");
  EXPECT_EQ(received("e0018b"), "Client auto received DISCONNECT (139)");
}

}  // namespace
}  // namespace hermod::app
