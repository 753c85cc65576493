// SPDX-License-Identifier: Apache-2.0
// Time in MQTT 5.0: messages that expire (§3.3.2.3.3), wills, their delay and expiry (§3.1.3.2).
// The clocks of sessions and wills run in the core: core_test.cpp.
#include <array>

#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Attach;
using session::Detach;
using session::Publish;
using session::Settle;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;

Properties expiry(std::uint32_t seconds) {
  return {number(kMessageExpiryInterval, seconds)};
}

// --- messages ---

TEST(Mqtt5, MQTT_3_3_2_5_a_message_expires_when_its_interval_is_over) {
  ServerPeer peer;
  peer.connects_v5().after(7s);
  peer.sends(wire::v5::publish("a", "x", {}, expiry(60)) +
             wire::v5::publish("a", "x", {}, expiry(UINT32_MAX)) + wire::v5::publish("a", "x"));
  const Instant now = peer.clock().now();
  EXPECT_EQ(peer.effect<Publish>().message.expires_at, now + 60s);
  EXPECT_EQ(peer.effect<Publish>().message.expires_at, now + std::chrono::seconds{UINT32_MAX});
  EXPECT_EQ(peer.effect<Publish>().message.expires_at, kNever);
}

class ExpiryTest : public testing::Test {
 protected:
  ExpiryTest() {
    peer.connects_v5();
    message.expires_at = peer.clock().now() + 10s;
  }
  void deliver(Guarantee guarantee, model::Tag tag, bool redelivered = false) {
    peer.delivers({.message = &message, .guarantee = guarantee, .redelivered = redelivered}, tag);
  }
  ServerPeer peer;
  model::Message message = message_of("a", "x");
};

TEST_F(ExpiryTest, MQTT_3_3_2_6_the_interval_is_counted_down) {
  deliver(Guarantee::kAtMostOnce, 0);
  peer.expects(wire::v5::publish("a", "x", {}, expiry(10)));
  peer.after(4s);
  deliver(Guarantee::kAtMostOnce, 0);
  peer.expects(wire::v5::publish("a", "x", {}, expiry(6)));
  peer.after(5999ms);  // whole seconds: never less than is left
  deliver(Guarantee::kAtLeastOnce, 1);
  peer.expects(wire::v5::publish("a", "x", {.qos = 1, .id = 1}, expiry(1))).expects_nothing();
}

TEST_F(ExpiryTest, MQTT_3_3_2_5_what_has_expired_is_not_sent_but_settled) {
  peer.after(10s);
  deliver(Guarantee::kAtMostOnce, 0);
  peer.expects_nothing();
  deliver(Guarantee::kAtLeastOnce, 1);
  EXPECT_EQ(peer.effect<Settle>().credit, 1u);
  deliver(Guarantee::kExactlyOnce, 2);
  EXPECT_EQ(peer.effect<Settle>().credit, 1u);
  peer.expects_nothing();
  peer.ends();
  EXPECT_EQ(peer.effect<Detach>().inflight.outgoing(), 0u);
}

TEST_F(ExpiryTest, MQTT_3_3_2_5_also_to_clients_of_3_1_1_and_in_a_shared_batch) {
  const model::Message lasting = message_of("b", "y");
  const std::array items{model::Delivery{.message = &message},
                         model::Delivery{.message = &lasting}};
  for (const bool v5 : {false, true}) {
    model::EncodeSlots slots;
    ServerPeer other;
    v5 ? other.connects_v5() : other.connects();
    other.after(10s).delivers({.items = items, .first_tag = 1, .slots = &slots});
    other.expects(v5 ? wire::v5::publish("b", "y") : wire::publish("b", "y")).expects_nothing();
  }
}

TEST_F(ExpiryTest, MQTT_3_3_2_6_a_shared_batch_says_what_is_left) {
  const std::array items{model::Delivery{.message = &message},
                         model::Delivery{.message = &message}};
  model::EncodeSlots slots;
  for (int round = 0; round < 2; ++round) {
    ServerPeer other;
    other.connects_v5().after(3s).delivers({.items = items, .first_tag = 1, .slots = &slots});
    other.expects(repeat(wire::v5::publish("a", "x", {}, expiry(7)), 2)).expects_nothing();
  }
}

// first connection             second connection
//   | PUBLISH QoS 2, 1 ->  |     |   20 s later              |
//   | PUBLISH QoS 1, 2 ->  |     | PUBLISH QoS 2, 1, DUP ->  |
//                                | PUBLISH QoS 1, 2, DUP ->  |
TEST_F(ExpiryTest, MQTT_4_3_3_7_and_4_4_0_1_what_was_sent_is_completed_however_old) {
  deliver(Guarantee::kExactlyOnce, 1);
  deliver(Guarantee::kAtLeastOnce, 2);
  peer.ends();
  ServerPeer second({}, peer.effect<Detach>().inflight);
  second.connects_v5({}, {.clean_session = false, .client_id = "peer"}, true).after(20s);
  const std::array items{
      model::Delivery{
          .message = &message, .guarantee = Guarantee::kExactlyOnce, .redelivered = true},
      model::Delivery{
          .message = &message, .guarantee = Guarantee::kAtLeastOnce, .redelivered = true}};
  second.delivers({.items = items, .first_tag = 1});
  second.expects(wire::v5::publish("a", "x", {.qos = 2, .id = 1, .dup = true}, expiry(0)) +
                 wire::v5::publish("a", "x", {.qos = 1, .id = 2, .dup = true}, expiry(0)));
  second.expects_nothing();
}

// It was sent to another member of a group, which has gone: to this client it was not begun.
TEST_F(ExpiryTest, MQTT_3_3_2_5_what_was_sent_to_somebody_else_expires) {
  peer.after(10s);
  deliver(Guarantee::kAtLeastOnce, 7, true);
  EXPECT_EQ(peer.effect<Settle>().credit, 1u);
  peer.expects_nothing();
}

// --- wills ---

Attach attach_with_will(ServerPeer& peer, const Properties& will, std::string_view payload = "x") {
  peer.opens().sends(wire::v5::connect(
      {.client_id = "peer",
       .will = WillView{.topic = "gone", .payload = as_bytes(payload), .qos = 1, .retain = true}},
      {}, will));
  return peer.effect<Attach>();
}

// [MQTT-3.1.2-9], -14, -15
TEST(Mqtt5, MQTT_3_1_2_7_the_will_goes_with_attach) {
  ServerPeer peer;
  const Attach attach = attach_with_will(peer, {});
  ASSERT_TRUE(attach.will);
  EXPECT_EQ(attach.will->destination.address, "gone");
  EXPECT_EQ(as_text(attach.will->payload), "x");
  EXPECT_EQ(attach.will->guarantee, Guarantee::kAtLeastOnce);
  EXPECT_TRUE(attach.will->retain);
  EXPECT_EQ(attach.will->properties, nullptr);
  EXPECT_EQ(attach.will_delay_s, 0u);
  EXPECT_FALSE(attach.will_expiry_s);
}

TEST(Mqtt5, MQTT_3_1_3_10_the_will_keeps_its_properties_in_order) {
  ServerPeer peer;
  const Attach attach = attach_with_will(
      peer, {number(kPayloadFormatIndicator, 1), wire::v5::text(kContentType, "text/plain"),
             wire::v5::text(kResponseTopic, "answers"), wire::v5::octets(kCorrelationData, "7"),
             wire::v5::user("b", "1"), wire::v5::user("a", "2")});
  ASSERT_TRUE(attach.will);
  const model::Properties* properties = attach.will->properties;
  ASSERT_NE(properties, nullptr);
  EXPECT_TRUE(properties->text);
  EXPECT_EQ(properties->content_type, "text/plain");
  EXPECT_EQ(properties->reply_to, "answers");
  EXPECT_EQ(as_text(properties->correlation), "7");
  ASSERT_EQ(properties->user.size(), 2u);
  EXPECT_EQ(properties->user[0].name, "b");
  EXPECT_EQ(properties->user[1].name, "a");
}

// The interval begins with the publication (§3.1.3.2.4), which may be hours after CONNECT.
TEST(Mqtt5, MQTT_3_1_2_8_the_will_has_its_delay_and_expiry) {
  ServerPeer peer;
  const Attach attach =
      attach_with_will(peer, {number(kWillDelayInterval, 30), number(kMessageExpiryInterval, 5)});
  EXPECT_EQ(attach.will_delay_s, 30u);
  EXPECT_EQ(attach.will_expiry_s, 5u);
  EXPECT_EQ(attach.will->expires_at, kNever);
}

TEST(Mqtt5, Section_3_1_3_2_3_a_will_whose_text_is_none_is_refused) {
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect(
      {.client_id = "peer", .will = WillView{.topic = "gone", .payload = as_bytes("\xff")}}, {},
      {number(kPayloadFormatIndicator, 1)}));
  peer.expects(wire::v5::connack(ReasonCode::kPayloadFormatInvalid));
  peer.expects_close(Reason::kProtocolError).expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
