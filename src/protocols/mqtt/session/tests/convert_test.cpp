// SPDX-License-Identifier: Apache-2.0
// Nothing that an MQTT 3.1.1 PUBLISH says is lost in the hub message and back.
#include "hermod/mqtt/session/convert.hpp"

#include <gtest/gtest.h>

#include "packets_for_tests.hpp"

namespace hermod::mqtt {
namespace {

using model::Reason;

TEST(Convert, APublishComesBackOctetForOctet) {
  for (const std::string_view topic : {"a", "/", "a/b/c", "$SYS/x", "Küche/Öl"}) {
    for (const std::uint8_t qos : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}}) {
      for (const bool retain : {false, true}) {
        const PublishView received{.topic = topic,
                                   .payload = as_bytes("payload"),
                                   .packet_id = static_cast<std::uint16_t>(qos > 0 ? 7 : 0),
                                   .qos = qos,
                                   .retain = retain,
                                   .dup = qos > 0};
        model::Message message;
        fill_message(message, received);
        const model::MessageRef owned = message.own();
        const PublishView sent = to_publish(*owned, {.guarantee = owned->guarantee,
                                                     .packet_id = received.packet_id,
                                                     .retain = owned->retain,
                                                     .dup = received.dup});
        EXPECT_EQ(wire::encode(sent), wire::encode(received)) << topic << int{qos} << retain;
      }
    }
  }
}

TEST(Convert, DupAndPacketIdStayBehind) {  // [MQTT-3.3.1-3]
  model::Message message;
  fill_message(message, {.topic = "a", .packet_id = 7, .qos = 1, .dup = true});
  const PublishView sent = to_publish(message, {.guarantee = message.guarantee});
  EXPECT_FALSE(sent.dup);
  EXPECT_EQ(sent.packet_id, 0);
}

TEST(Convert, AWillIsAMessage) {
  const model::Message message =
      to_message(WillView{.topic = "gone", .payload = as_bytes("x"), .qos = 2, .retain = true});
  EXPECT_EQ(message.destination.address, "gone");
  EXPECT_EQ(as_text(message.payload), "x");
  EXPECT_EQ(message.guarantee, model::Guarantee::kExactlyOnce);
  EXPECT_TRUE(message.retain);
}

TEST(Convert, EveryReturnCodeHasAReasonThatLeadsBack) {
  for (std::uint8_t value = 0; value <= 5; ++value) {
    const auto code = static_cast<ConnectReturnCode>(value);
    const Reason reason = to_reason(code);
    if (code == ConnectReturnCode::kUnacceptableProtocolVersion) continue;  // the codec's to say
    EXPECT_EQ(to_return_code(reason), code) << int{value};
  }
}

// [MQTT-3.2.2-8], [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.9.3-2], [MQTT-3.14.2-1]
TEST(Convert, EveryReasonHasACodeOfItsPacket) {
  for (int i = 0; i <= static_cast<int>(Reason::kNoRoom); ++i) {
    const auto reason = static_cast<Reason>(i);
    SCOPED_TRACE(to_text(reason));
    EXPECT_TRUE(is_allowed(to_connect_code(reason), PacketType::kConnack));
    EXPECT_TRUE(is_allowed(to_publish_code(reason), PacketType::kPuback));
    EXPECT_TRUE(is_allowed(to_publish_code(reason), PacketType::kPubrec));
    EXPECT_TRUE(is_allowed(to_disconnect_code(reason), PacketType::kDisconnect));
    if (reason != Reason::kOk) {
      EXPECT_TRUE(is_allowed(to_subscribe_code(reason), PacketType::kSuback));
      EXPECT_EQ(is_failure(to_connect_code(reason)), true);
      EXPECT_EQ(is_failure(to_subscribe_code(reason)), true);
    }
  }
}

TEST(Convert, OnlyWhatMayBeAcceptedLaterIsNotAcknowledged) {
  for (int value = 0; value <= static_cast<int>(Reason::kNoRoom); ++value) {
    const auto reason = static_cast<Reason>(value);
    const bool refused = reason == Reason::kBadCredentials || reason >= Reason::kUnavailable;
    EXPECT_EQ(is_acknowledged(reason), !refused) << to_text(reason);
  }
}

}  // namespace
}  // namespace hermod::mqtt
