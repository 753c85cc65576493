// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/session/plugin.hpp"

#include <gtest/gtest.h>

#include "packets_for_tests.hpp"

namespace hermod::mqtt {
namespace {

using session::Detection;
using testkit::octets;

TEST(Plugin, SaysWhatItIs) {
  EXPECT_EQ(protocol().id(), session::ProtocolId::kMqtt);
  EXPECT_EQ(protocol().name(), "mqtt");
  EXPECT_EQ(protocol().default_port(), 1883);
  EXPECT_EQ(protocol().transport(), session::Transport::kStream);
}

TEST(Plugin, MakesServerSessions) {
  const session::SessionLimits limits;
  EXPECT_NE(protocol().make_session({.limits = &limits, .rng = nullptr}), nullptr);
}

TEST(Plugin, DetectsConnectFromItsFirstOctets) {
  const wire::Octets connect = wire::connect();
  for (std::size_t size = 0; size <= connect.size(); ++size) {
    EXPECT_EQ(protocol().detect(Bytes(connect).first(size)),
              size < 8 ? Detection::kMaybe : Detection::kYes)
        << size;
  }
  EXPECT_EQ(protocol().detect(octets("10 80 80 01 0006 'MQIsdp'")), Detection::kYes);
}

TEST(Plugin, LeavesOtherProtocolsAlone) {
  for (const std::string_view first : {"'GET '", "'AMQP' 00", "16 03 01", "20 02 0000", "11",
                                       "10 0a 0004 'MQTX'", "10 ff ff ff ff", "10 0a 01"}) {
    EXPECT_EQ(protocol().detect(octets(first)), Detection::kNo) << first;
  }
}

}  // namespace
}  // namespace hermod::mqtt
