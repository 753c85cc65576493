// SPDX-License-Identifier: Apache-2.0
// PUBLISH of MQTT 5.0 on its way in: properties, reason codes, the exchanges (§3.3 to §3.7, §4.3,
// §4.6). What the packet must look like is tested in the codec: [MQTT-3.3.1-2], -4, [MQTT-3.3.2-1],
// -2, -8, -13, -14, -19, [MQTT-2.2.1-2], [MQTT-3.6.1-1].
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Publish;
using testkit::octets;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;

const Properties kAll{number(kPayloadFormatIndicator, 1),
                      wire::v5::text(kContentType, "text/plain"),
                      wire::v5::text(kResponseTopic, "answers/7"),
                      wire::v5::octets(kCorrelationData, std::string_view("\0\xff", 2)),
                      wire::v5::user("b", "1"),
                      wire::v5::user("b", "1"),
                      wire::v5::user("a", "2")};

void expect_all(const model::Properties& properties) {
  EXPECT_TRUE(properties.text);
  EXPECT_EQ(properties.content_type, "text/plain");
  EXPECT_EQ(properties.reply_to, "answers/7");
  EXPECT_EQ(as_text(properties.correlation), std::string_view("\0\xff", 2));
  ASSERT_EQ(properties.user.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(properties.user[i].name, i == 2 ? "a" : "b");
    EXPECT_EQ(std::get<std::string_view>(properties.user[i].value), i == 2 ? "2" : "1");
  }
}

// On the way in; on the way out they are in v5_publish_out_test.cpp.
TEST(Mqtt5, MQTT_3_3_2_4_and_15_to_18_and_20_properties_go_with_the_message) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::publish("a", "x", {.qos = 1, .id = 1}, kAll) +
                           wire::v5::publish("a", "y"));
  const auto with = peer.effect<Publish>();
  ASSERT_NE(with.message.properties, nullptr);
  expect_all(*with.message.properties);
  EXPECT_EQ(with.message.expires_at, kNever);
  const auto without = peer.effect<Publish>();  // their memory is not mixed up
  EXPECT_EQ(without.message.properties, nullptr);
}

TEST(Mqtt5, MQTT_3_3_2_17_many_messages_of_one_input_keep_their_own_properties) {
  ServerPeer peer;
  wire::Octets packets;
  for (const std::string_view value : {"0", "1", "2", "3", "4"}) {
    packets = packets + wire::v5::publish("a", "x", {}, {wire::v5::user("n", value)});
  }
  peer.connects_v5().sends(packets);
  for (const std::string_view value : {"0", "1", "2", "3", "4"}) {
    const auto publish = peer.effect<Publish>();
    ASSERT_NE(publish.message.properties, nullptr);
    EXPECT_EQ(std::get<std::string_view>(publish.message.properties->user[0].value), value);
  }
}

TEST(Mqtt5, MQTT_3_3_2_4_payload_format_0_is_the_same_as_none) {
  ServerPeer peer;
  peer.connects_v5().sends(
      wire::v5::publish("a", "\xff", {}, {number(kPayloadFormatIndicator, 0)}));
  EXPECT_EQ(peer.effect<Publish>().message.properties, nullptr);
}

// §3.3.2.3.2 lets the receiver check.
TEST(Mqtt5, Section_3_3_2_3_2_a_text_that_is_none_is_invalid) {
  ServerPeer peer;
  peer.connects_v5().sends(
      wire::v5::publish("a", "\xff", {.qos = 1, .id = 1}, {number(kPayloadFormatIndicator, 1)}));
  peer.expects_goodbye(ReasonCode::kPayloadFormatInvalid, Reason::kProtocolError);
  peer.expects_effect<session::Detach>().expects_nothing();
}

TEST(Mqtt5, MQTT_3_3_4_6_a_subscription_identifier_from_a_client_is_a_protocol_error) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::publish("a", "x", {}, {number(kSubscriptionIdentifier, 1)}));
  peer.expects_goodbye(ReasonCode::kProtocolError, Reason::kProtocolError);
  peer.expects_effect<session::Detach>().expects_nothing();
}

TEST(Mqtt5, MQTT_3_3_1_5_to_8_retain_is_a_property_of_the_message) {
  for (const bool retain : {false, true}) {
    for (const std::string_view payload : {"x", ""}) {
      ServerPeer peer;
      peer.connects_v5().sends(wire::v5::publish("a", payload, {.retain = retain}));
      const auto publish = peer.effect<Publish>();
      EXPECT_EQ(publish.message.retain, retain);
      EXPECT_EQ(as_text(publish.message.payload), payload);
    }
  }
}

// client                  server              broker
//   | PUBLISH QoS 0 ->      | Publish ->         |
//   | PUBLISH QoS 1, 5 ->   | Publish, ticket -> |
//   | PUBLISH QoS 2, 6 ->   | Publish, ticket -> |
//   |                       |       <- answers   |
//   |  <- PUBACK 5          |                    |
//   |  <- PUBREC 6          |                    |
TEST(Mqtt5, MQTT_3_3_4_1_and_4_3_2_4_and_4_3_3_8_the_answer_depends_on_the_qos) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::publish("a", "0") +
                           wire::v5::publish("a", "1", {.qos = 1, .id = 5}) +
                           wire::v5::publish("a", "2", {.qos = 2, .id = 6}));
  EXPECT_EQ(peer.effect<Publish>().ticket, 0u);
  const auto one = peer.effect<Publish>();
  const auto two = peer.effect<Publish>();
  peer.expects_nothing();
  peer.answers(one.ticket).expects(wire::v5::puback(5));  // [MQTT-2.2.1-5]
  peer.answers(two.ticket).expects(wire::v5::pubrec(6)).expects_nothing();
}

// [MQTT-3.5.2-1], [MQTT-3.1.2-29]: the code alone, without a reason string
TEST(Mqtt5, MQTT_3_4_2_1_the_fate_of_a_message_is_told) {
  const std::pair<Reason, ReasonCode> fates[] = {
      {Reason::kNoMatch, ReasonCode::kNoMatchingSubscribers},
      {Reason::kNotAuthorized, ReasonCode::kNotAuthorized},
      {Reason::kBadName, ReasonCode::kTopicNameInvalid},
      {Reason::kQuotaExceeded, ReasonCode::kQuotaExceeded},
      {Reason::kTooLarge, ReasonCode::kImplementationSpecificError},
      {Reason::kUnavailable, ReasonCode::kImplementationSpecificError},
      {Reason::kTimeout, ReasonCode::kUnspecifiedError}};
  for (const auto& [reason, code] : fates) {
    ServerPeer peer;
    peer.connects_v5().sends(wire::v5::publish("a", "x", {.qos = 1, .id = 1}) +
                             wire::v5::publish("a", "x", {.qos = 2, .id = 2}));
    const auto one = peer.effect<Publish>();
    const auto two = peer.effect<Publish>();
    peer.answers(one.ticket, reason).expects(wire::v5::puback(1, code));
    peer.answers(two.ticket, reason).expects(wire::v5::pubrec(2, code)).expects_nothing();
  }
}

// client                         server                broker
//   | PUBLISH QoS 1, 1 to 4 ->     | 4 x Publish ->       |
//   |                              |  <- no, yes, no, yes |
//   | <- PUBACK 1 to 4, in order   |                      |
TEST(Mqtt5, MQTT_4_6_0_2_and_3_refusals_keep_the_order_of_arrival) {
  ServerPeer peer;
  wire::Octets packets;
  wire::Octets expected;
  for (std::uint16_t id = 1; id <= 40; ++id) {
    const bool twice = id % 3 == 0;
    packets = packets + wire::v5::publish(
                            "a", "x", {.qos = twice ? std::uint8_t{2} : std::uint8_t{1}, .id = id});
    const ReasonCode code = id % 2 == 0 ? ReasonCode::kSuccess : ReasonCode::kNotAuthorized;
    expected = expected + (twice ? wire::v5::pubrec(id, code) : wire::v5::puback(id, code));
  }
  peer.connects_v5().sends(packets);
  std::vector<session::Answer> answers;
  for (std::uint16_t id = 1; id <= 40; ++id) {
    answers.push_back({.ticket = peer.effect<Publish>().ticket,
                       .reason = id % 2 == 0 ? Reason::kOk : Reason::kNotAuthorized});
  }
  peer.host().answer(answers);
  peer.expects(expected).expects_nothing();
}

TEST(Mqtt5, MQTT_4_3_2_5_after_puback_the_id_is_a_new_message) {
  ServerPeer peer;
  peer.connects_v5().answers_all();
  for (const bool dup : {false, true}) {
    peer.sends(wire::v5::publish("a", "x", {.qos = 1, .id = 1, .dup = dup}));
    peer.expects(wire::v5::puback(1)).expects_effect<Publish>().expects_nothing();
  }
}

TEST(Mqtt5, MQTT_4_3_3_10_to_12_a_repeated_publish_is_acknowledged_and_not_published) {
  ServerPeer peer;
  const wire::Octets first = wire::v5::publish("a", "x", {.qos = 2, .id = 1});
  const wire::Octets again = wire::v5::publish("a", "x", {.qos = 2, .id = 1, .dup = true});
  peer.connects_v5().answers_all();
  peer.sends(first).expects(wire::v5::pubrec(1)).expects_effect<Publish>();
  peer.sends(again + first).expects(repeat(wire::v5::pubrec(1), 2)).expects_nothing();
  peer.sends(wire::v5::pubrel(1)).expects(wire::v5::pubcomp(1)).expects_nothing();
  peer.sends(first).expects(wire::v5::pubrec(1)).expects_effect<Publish>().expects_nothing();
}

// client                       server             broker
//   | PUBLISH QoS 2, 1 ->        | Publish ->        |
//   |                            |     <- refused    |
//   | <- PUBREC 1, code          |                   |
//   | PUBLISH QoS 2, 1, DUP ->   | Publish ->        |
TEST(Mqtt5, MQTT_4_3_3_9_after_a_refusal_the_id_is_a_new_message) {
  ServerPeer peer;
  peer.connects_v5();
  for (const bool dup : {false, true}) {
    peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 1, .dup = dup}));
    peer.answers(peer.effect<Publish>().ticket, Reason::kQuotaExceeded);
    peer.expects(wire::v5::pubrec(1, ReasonCode::kQuotaExceeded)).expects_nothing();
  }
  peer.sends(wire::v5::pubrel(1));  // there is nothing to release
  peer.expects(wire::v5::pubcomp(1, ReasonCode::kPacketIdentifierNotFound)).expects_nothing();
}

// Two copies under way; the first is refused, the second is then a message of its own.
TEST(Mqtt5, MQTT_4_3_3_9_also_for_a_repetition_that_waits) {
  ServerPeer peer;
  const wire::Octets again = wire::v5::publish("a", "x", {.qos = 2, .id = 1, .dup = true});
  peer.connects_v5().sends(wire::v5::publish("a", "x", {.qos = 2, .id = 1}) + again);
  const auto first = peer.effect<Publish>();
  peer.expects_nothing();
  EXPECT_EQ(peer.host().waiting(), again.size());
  peer.answers(first.ticket, Reason::kNotAuthorized);
  peer.expects(wire::v5::pubrec(1, ReasonCode::kNotAuthorized));
  const auto second = peer.effect<Publish>();
  peer.answers(second.ticket).expects(wire::v5::pubrec(1)).expects_nothing();
}

// [MQTT-3.7.2-1]
TEST(Mqtt5, MQTT_4_3_3_11_pubrel_of_an_unknown_id_is_answered_with_its_code) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::pubrel(77));
  peer.expects(wire::v5::pubcomp(77, ReasonCode::kPacketIdentifierNotFound)).expects_nothing();
}

TEST(Mqtt5, MQTT_4_3_3_11_pubrel_with_a_code_of_its_own_ends_the_exchange) {
  ServerPeer peer;
  peer.connects_v5().answers_all().sends(wire::v5::publish("a", "x", {.qos = 2, .id = 3}));
  peer.expects(wire::v5::pubrec(3)).expects_effect<Publish>();
  peer.sends(wire::v5::ack(PacketType::kPubrel, 3, ReasonCode::kPacketIdentifierNotFound,
                           {wire::v5::text(kReasonString, "lost it"), wire::v5::user("k", "v")}));
  peer.expects(wire::v5::pubcomp(3)).expects_nothing();
}

TEST(Mqtt5, MQTT_4_3_3_10_ids_are_known_across_connections) {
  model::Inflight inflight;
  ASSERT_TRUE(inflight.note_incoming(9));
  ServerPeer peer({}, std::move(inflight));
  peer.connects_v5({number(kSessionExpiryInterval, 60)}, {.clean_session = false, .client_id = "p"},
                   true);
  peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 9, .dup = true}));
  peer.expects(wire::v5::pubrec(9)).expects_nothing();
  peer.sends(wire::v5::pubrel(9)).expects(wire::v5::pubcomp(9)).expects_nothing();
}

// The message is dropped for the subscribers; the exchange with the publisher goes on.
TEST(Mqtt5, MQTT_4_3_3_13_an_expired_message_is_acknowledged_to_the_end) {
  ServerPeer peer;
  peer.connects_v5().sends(
      wire::v5::publish("a", "x", {.qos = 2, .id = 1}, {number(kMessageExpiryInterval, 1)}));
  const auto publish = peer.effect<Publish>();
  peer.after(5s).answers(publish.ticket).expects(wire::v5::pubrec(1));
  peer.sends(wire::v5::pubrel(1)).expects(wire::v5::pubcomp(1)).expects_nothing();
}

TEST(Mqtt5, MQTT_3_12_4_1_pingreq_is_answered) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::pingreq()).expects(wire::pingresp()).expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
