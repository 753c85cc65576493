// SPDX-License-Identifier: Apache-2.0
// PUBLISH on its way in, and its acknowledgements (MQTT 3.1.1 §3.3, §4.3, §4.6).
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Publish;
using testkit::octets;

TEST(Mqtt311, MQTT_1_5_3_1_and_2_ill_formed_topics_close) {
  for (const std::string_view packet : {"30 03 0001 ff", "30 03 0001 00", "30 05 0003 eda080"}) {
    ServerPeer peer;
    peer.connects().sends(octets(packet)).expects_close(Reason::kMalformed);
  }
}

TEST(Mqtt311, MQTT_2_2_2_2_invalid_flags_close) {
  for (const std::string_view packet : {"41 02 0001", "60 02 0001", "80 06 0001 0001 61 00",
                                        "a0 05 0001 0001 61", "c1 00", "e1 00", "f0 00", "00 00"}) {
    ServerPeer peer;
    peer.connects().sends(octets(packet)).expects_close(Reason::kMalformed);
  }
}

TEST(Mqtt311, MQTT_2_3_1_1_packet_id_0_closes) {
  for (const std::string_view packet : {"32 05 0001 61 0000", "82 06 0000 0001 61 00",
                                        "a2 05 0000 0001 61", "40 02 0000", "62 02 0000"}) {
    ServerPeer peer;
    peer.connects().sends(octets(packet)).expects_close(Reason::kMalformed);
  }
}

TEST(Mqtt311, MQTT_3_3_1_2_dup_at_qos_0_closes) {
  ServerPeer peer;
  peer.connects().sends(octets("38 03 0001 61")).expects_close(Reason::kMalformed);
}

TEST(Mqtt311, MQTT_3_3_1_4_qos_3_closes) {
  ServerPeer peer;
  peer.connects().sends(octets("36 05 0001 61 0001")).expects_close(Reason::kMalformed);
}

TEST(Mqtt311, MQTT_3_3_1_5_and_12_retain_is_a_property_of_the_message) {
  for (const bool retain : {false, true}) {
    ServerPeer peer;
    peer.connects().sends(wire::publish("a", "x", {.retain = retain}));
    EXPECT_EQ(peer.effect<Publish>().message.retain, retain);
  }
}

TEST(Mqtt311, MQTT_3_3_1_10_an_empty_retained_message_is_passed_on) {
  ServerPeer peer;
  peer.connects().sends(wire::publish("a", "", {.retain = true}));
  const auto publish = peer.effect<Publish>();
  EXPECT_TRUE(publish.message.retain);
  EXPECT_TRUE(publish.message.payload.empty());
}

TEST(Mqtt311, MQTT_3_3_2_2_wildcards_in_a_topic_close) {
  for (const std::string_view topic : {"a/+", "#", "a+b"}) {
    ServerPeer peer;
    peer.connects().sends(wire::publish(topic, "x")).expects_close(Reason::kMalformed);
  }
}

// client                  server              broker
//   | PUBLISH QoS 0 ->      | Publish ->         |
//   | PUBLISH QoS 1, 5 ->   | Publish, ticket -> |
//   | PUBLISH QoS 2, 6 ->   | Publish, ticket -> |
//   |                       |       <- answers   |
//   |  <- PUBACK 5          |                    |
//   |  <- PUBREC 6          |                    |
TEST(Mqtt311, MQTT_3_3_4_1_the_answer_depends_on_the_qos) {
  ServerPeer peer;
  peer.connects().sends(wire::publish("a/b", "zero") +
                        wire::publish("a/b", "one", {.qos = 1, .id = 5}) +
                        wire::publish("a/b", "two", {.qos = 2, .id = 6}));
  const auto zero = peer.effect<Publish>();
  EXPECT_EQ(zero.ticket, 0u);
  EXPECT_EQ(zero.message.destination.kind, model::Destination::Kind::kTopic);
  EXPECT_EQ(zero.message.destination.address, "a/b");
  EXPECT_EQ(as_text(zero.message.payload), "zero");
  EXPECT_EQ(zero.message.guarantee, Guarantee::kAtMostOnce);
  EXPECT_EQ(zero.message.origin.protocol, static_cast<int>(session::ProtocolId::kMqtt));
  const auto one = peer.effect<Publish>();
  EXPECT_EQ(one.message.guarantee, Guarantee::kAtLeastOnce);
  const auto two = peer.effect<Publish>();
  EXPECT_EQ(two.message.guarantee, Guarantee::kExactlyOnce);
  peer.expects_nothing();
  peer.answers(one.ticket).expects(wire::puback(5));  // [MQTT-2.3.1-6]
  peer.answers(two.ticket).expects(wire::pubrec(6)).expects_nothing();
}

TEST(Mqtt311, MQTT_3_3_5_2_what_is_not_wanted_is_acknowledged_like_any_other) {
  for (const Reason reason : {Reason::kNoMatch, Reason::kNotAuthorized, Reason::kQuotaExceeded,
                              Reason::kTooLarge, Reason::kBadName}) {
    ServerPeer peer;
    peer.connects().sends(wire::publish("a", "x", {.qos = 1, .id = 1}));
    peer.answers(peer.effect<Publish>().ticket, reason).expects(wire::puback(1)).expects_nothing();
  }
}

TEST(Mqtt311, MQTT_4_8_0_2_what_could_not_be_kept_is_not_acknowledged) {
  ServerPeer peer;
  peer.connects().sends(wire::publish("a", "x", {.qos = 2, .id = 1}) +
                        wire::publish("a", "y", {.qos = 1, .id = 2}));
  const auto first = peer.effect<Publish>();
  const auto second = peer.effect<Publish>();
  const session::Answer answers[] = {{.ticket = first.ticket, .reason = Reason::kUnavailable},
                                     {.ticket = second.ticket}};
  peer.host().answer(answers);
  peer.expects_close(Reason::kUnavailable);
  EXPECT_EQ(peer.effect<session::Detach>().inflight.incoming(), 0u);  // its repetition is new
}

// The first one closes the connection; those behind it are new as well when they come again.
TEST(Mqtt311, MQTT_4_8_0_2_none_of_those_that_could_not_be_kept_is_taken_for_a_repetition) {
  ServerPeer peer;
  peer.connects().sends(wire::publish("a", "x", {.qos = 2, .id = 1}) +
                        wire::publish("a", "y", {.qos = 2, .id = 2}) +
                        wire::publish("a", "z", {.qos = 2, .id = 3}));
  std::vector<session::Answer> answers;
  for (const Reason reason : {Reason::kNoRoom, Reason::kNoRoom, Reason::kOk}) {
    answers.push_back({.ticket = peer.effect<Publish>().ticket, .reason = reason});
  }
  peer.host().answer(answers);
  peer.expects_close(Reason::kNoRoom);
  const session::Detach detach = peer.effect<session::Detach>();
  EXPECT_FALSE(detach.inflight.has_incoming(1));
  EXPECT_FALSE(detach.inflight.has_incoming(2));
  EXPECT_TRUE(detach.inflight.has_incoming(3));
}

TEST(Mqtt311, MQTT_3_6_1_1_pubrel_with_other_flags_closes) {
  ServerPeer peer;
  peer.connects().sends(octets("60 02 0001")).expects_close(Reason::kMalformed);
}

TEST(Mqtt311, MQTT_4_3_2_2_after_puback_the_id_is_a_new_message) {
  ServerPeer peer;
  peer.connects().answers_all();
  for (const bool dup : {false, true}) {
    peer.sends(wire::publish("a", "x", {.qos = 1, .id = 1, .dup = dup}));
    peer.expects(wire::puback(1)).expects_effect<Publish>().expects_nothing();
  }
}

// client                      server          broker
//   | PUBLISH QoS 2, 1 ->       | Publish ->     |
//   |     <- PUBREC 1           |     <- answer  |
//   | PUBLISH QoS 2, 1, DUP ->  |                |
//   |     <- PUBREC 1           |                |
//   | PUBREL 1 ->               |                |
//   |     <- PUBCOMP 1          |                |
//   | PUBLISH QoS 2, 1 ->       | Publish ->     |
TEST(Mqtt311, MQTT_4_3_3_2_a_repeated_publish_is_acknowledged_and_not_published) {
  ServerPeer peer;
  const wire::Octets first = wire::publish("a", "x", {.qos = 2, .id = 1});
  const wire::Octets again = wire::publish("a", "x", {.qos = 2, .id = 1, .dup = true});
  peer.connects().answers_all();
  peer.sends(first).expects(wire::pubrec(1)).expects_effect<Publish>();
  peer.sends(again).expects(wire::pubrec(1)).expects_nothing();
  peer.sends(first).expects(wire::pubrec(1)).expects_nothing();
  peer.sends(wire::pubrel(1)).expects(wire::pubcomp(1)).expects_nothing();
  peer.sends(first).expects(wire::pubrec(1)).expects_effect<Publish>().expects_nothing();
}

// client                        server              broker
//   | PUBLISH QoS 2, 1 ->         | Publish, ticket -> |
//   | PUBLISH QoS 2, 1, DUP ->    | (left waiting)     |
//   |     <- PUBREC 1             |        <- answer   |
//   |     <- PUBREC 1             | (taken now)        |
TEST(Mqtt311, MQTT_4_3_3_2_a_repetition_is_not_acknowledged_before_the_first) {
  ServerPeer peer;
  const wire::Octets again = wire::publish("a", "x", {.qos = 2, .id = 1, .dup = true});
  peer.connects().sends(wire::publish("a", "x", {.qos = 2, .id = 1}) + again + wire::pingreq());
  const auto publish = peer.effect<Publish>();
  peer.expects_nothing();
  EXPECT_EQ(peer.host().waiting(), again.size() + 2);
  peer.answers(publish.ticket);
  peer.expects(wire::pubrec(1) + wire::pubrec(1) + wire::pingresp()).expects_nothing();
}

TEST(Mqtt311, MQTT_4_3_3_2_ids_are_known_across_connections) {
  model::Inflight inflight;
  ASSERT_TRUE(inflight.note_incoming(9));
  ServerPeer peer({}, std::move(inflight));
  peer.connects({.clean_session = false, .client_id = "peer"}, true);
  peer.sends(wire::publish("a", "x", {.qos = 2, .id = 9, .dup = true}));
  peer.expects(wire::pubrec(9)).expects_nothing();
  peer.ends();
  EXPECT_EQ(peer.effect<session::Detach>().inflight.incoming(), 1u);
}

TEST(Mqtt311, MQTT_4_3_3_2_pubrel_of_an_unknown_id_is_answered_with_pubcomp) {
  ServerPeer peer;
  peer.connects().sends(wire::pubrel(77)).expects(wire::pubcomp(77)).expects_nothing();
}

TEST(Mqtt311, MQTT_4_6_0_2_and_3_acknowledgements_leave_in_order_of_arrival) {
  ServerPeer peer;
  peer.connects().answers_all();
  wire::Octets packets;
  wire::Octets expected;
  for (std::uint16_t id = 1; id <= 300; ++id) {
    const auto qos = static_cast<std::uint8_t>(1 + id % 2);
    packets = packets + wire::publish("a", "x", {.qos = qos, .id = id});
    expected = expected + (qos == 1 ? wire::puback(id) : wire::pubrec(id));
  }
  peer.sends(packets).expects(expected);
  for (int i = 0; i < 300; ++i) peer.expects_effect<Publish>();
  peer.expects_nothing();
}

TEST(ServerPublish, ArrivesInAnyPieces) {
  const wire::Octets packets = wire::publish("a", "x", {.qos = 1, .id = 1}) +
                               wire::publish("b", std::string(200, 'y')) +
                               wire::publish("c", std::string(2'000, 'z'));
  ServerPeer peer;
  peer.connects().answers_all().sends_slowly(packets).expects(wire::puback(1));
  EXPECT_EQ(as_text(peer.effect<Publish>().message.payload), "x");
  EXPECT_EQ(peer.effect<Publish>().message.payload.size(), 200u);
  EXPECT_EQ(peer.effect<Publish>().message.payload.size(), 2'000u);
  peer.expects_nothing();
}

TEST(ServerPublish, IsLeftWhileOnlyRepliesAreTaken) {
  ServerPeer peer;
  peer.connects().takes(Intake::kRepliesOnly);
  peer.sends(wire::pingreq() + wire::pubrel(3) + wire::puback(4) + wire::publish("a", "x") +
             wire::pingreq());
  peer.expects(wire::pingresp() + wire::pubcomp(3)).expects_nothing();
  EXPECT_EQ(peer.host().waiting(), (wire::publish("a", "x") + wire::pingreq()).size());
  peer.takes(Intake::kEverything).expects(wire::pingresp()).expects_effect<Publish>();
}

TEST(ServerPublish, TooLargeIsClosedBeforeItsBodyIsHere) {
  ServerPeer peer(limits_with([](auto& limits) { limits.packet_bytes_max = 100; }));
  peer.connects().sends(octets("30 62 0001 61 'x'*95")).expects_effect<Publish>();
  peer.sends(octets("30 63")).expects_close(Reason::kTooLarge);
}

TEST(ServerPublish, AboveTheHighestQosIsClosed) {
  ServerPeer peer(limits_with([](auto& l) { l.guarantee_max = Guarantee::kAtLeastOnce; }));
  peer.connects().answers_all().sends(wire::publish("a", "x", {.qos = 1, .id = 1}));
  peer.expects(wire::puback(1)).expects_effect<Publish>();
  peer.sends(wire::publish("a", "x", {.qos = 2, .id = 2})).expects_close(Reason::kNotSupported);
}

TEST(ServerPublish, MoreLevelsThanAllowedAreClosed) {
  ServerPeer peer(limits_with([](auto& limits) { limits.topic_levels_max = 3; }));
  peer.connects().sends(wire::publish("a/b/c", "x") + wire::publish("//", "x"));
  peer.expects_effect<Publish>().expects_effect<Publish>();
  peer.sends(wire::publish("///", "x")).expects_close(Reason::kBadName);
}

TEST(ServerPublish, WhatOnlyServersSendIsAViolation) {
  for (const wire::Octets& packet :
       {wire::connack(), wire::suback(1, {0}), wire::unsuback(1), wire::pingresp()}) {
    ServerPeer peer;
    peer.connects().sends(packet).expects_close(Reason::kProtocolError);
  }
}

TEST(Mqtt311, MQTT_3_12_4_1_pingreq_is_answered) {
  ServerPeer peer;
  peer.connects().sends(repeat(wire::pingreq(), 2));
  peer.expects(repeat(wire::pingresp(), 2)).expects_nothing();
}

TEST(Mqtt311, MQTT_3_14_1_1_disconnect_with_flags_closes_and_keeps_the_will) {
  ServerPeer peer;
  peer.connects().sends(octets("e1 00")).expects_close(Reason::kMalformed);
  EXPECT_FALSE(peer.effect<session::Detach>().discard_will);
}

}  // namespace
}  // namespace hermod::mqtt
