// SPDX-License-Identifier: Apache-2.0
// Messages and requests of the client in MQTT 5.0: reason codes, properties, aliases and the limits
// of both sides (§3.3, §3.4 to §3.11, §4.9).
#include <array>

#include "client_peers.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using model::Outcome;
using session::Completed;
using session::Publish;
using session::Settle;

Delivery delivery(Guarantee guarantee, const model::Message& message = kMessage) {
  return {.message = &message, .guarantee = guarantee, .retain = message.retain};
}

void expect_reject(ClientPeer& peer, model::Tag tag, ReasonCode code) {
  const auto settle = peer.effect<Settle>();
  EXPECT_EQ(settle.first, tag);
  EXPECT_EQ(settle.last, tag);
  EXPECT_EQ(settle.outcome, Outcome::kReject);
  EXPECT_EQ(settle.credit, 1u);
  EXPECT_EQ(settle.code, static_cast<std::uint8_t>(code));
}

// client                        server
//   | PUBLISH 1 ->                |
//   |   <- PUBACK 1 97 "full"     |   Settle kReject 97
TEST(ClientV5Publish, APubackThatRefusesTellsWhy) {
  ClientPeerV5 peer;
  peer.delivers(delivery(Guarantee::kAtLeastOnce), 4);
  peer.expects(wire5::publish("a/b", "x", {.qos = 1, .id = 1}));
  peer.sends(wire5::ack(PacketType::kPuback, 1, ReasonCode::kQuotaExceeded,
                        {text(PropertyId::kReasonString, "full")}));
  expect_reject(peer, 4, ReasonCode::kQuotaExceeded);
  EXPECT_EQ(peer.session().refusal().reason_string, "full");
  peer.expects_nothing();
}

TEST(ClientV5Publish, NoMatchingSubscribersIsNoRefusal) {
  ClientPeerV5 peer;
  peer.delivers(delivery(Guarantee::kAtLeastOnce), 4);
  (void)peer.host().take_output();
  peer.sends(wire5::ack(PacketType::kPuback, 1, ReasonCode::kNoMatchingSubscribers));
  EXPECT_EQ(peer.effect<Settle>().outcome, Outcome::kAccept);
  peer.expects_nothing();
}

// client                        server
//   | PUBLISH 1 ->                |
//   |   <- PUBREC 1 87            |   Settle kReject 87; no PUBREL, the id is free
TEST(Mqtt5Client, MQTT_4_3_3_4_a_pubrec_that_refuses_ends_the_exchange) {
  ClientPeerV5 peer;
  peer.delivers(delivery(Guarantee::kExactlyOnce), 9);
  (void)peer.host().take_output();
  peer.sends(wire5::ack(PacketType::kPubrec, 1, ReasonCode::kNotAuthorized));
  expect_reject(peer, 9, ReasonCode::kNotAuthorized);
  peer.expects_nothing();
  EXPECT_TRUE(peer.session().take_inflight().empty());
}

TEST(Mqtt5Client, MQTT_3_2_2_11_no_message_above_the_maximum_qos) {
  ClientPeerV5 peer({number(PropertyId::kMaximumQos, 1)});
  const std::array items{delivery(Guarantee::kAtLeastOnce), delivery(Guarantee::kExactlyOnce),
                         delivery(Guarantee::kAtMostOnce)};
  peer.delivers({.items = items, .first_tag = 1});
  peer.expects(wire5::publish("a/b", "x", {.qos = 1, .id = 1}) + wire5::publish("a/b", "x"));
  expect_reject(peer, 2, ReasonCode::kQosNotSupported);
  peer.expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_2_2_14_no_retained_message_where_there_is_no_retain) {
  ClientPeerV5 peer({number(PropertyId::kRetainAvailable, 0)});
  model::Message kept = kMessage;
  kept.retain = true;
  const std::array items{delivery(Guarantee::kAtLeastOnce, kept),
                         delivery(Guarantee::kAtMostOnce, kept)};
  peer.delivers({.items = items, .first_tag = 1});
  expect_reject(peer, 1, ReasonCode::kRetainNotSupported);
  peer.expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_2_2_15_no_packet_above_the_servers_maximum) {
  ClientPeerV5 peer({number(PropertyId::kMaximumPacketSize, 30)});
  const std::string long_text(40, 'x');
  const model::Message large = message_of("a", long_text);
  peer.delivers(delivery(Guarantee::kAtLeastOnce, large), 1);
  expect_reject(peer, 1, ReasonCode::kPacketTooLarge);
  EXPECT_FALSE(peer.subscribe({{long_text, 0}}));
  EXPECT_FALSE(peer.unsubscribe({long_text}, 1));
  EXPECT_TRUE(peer.subscribe({{"a", 0}}));
  peer.expects(testkit::octets("82 07 0001 00 0001 61 00"));
}

TEST(Mqtt5Client, MQTT_3_3_4_7_no_more_messages_than_the_receive_maximum) {
  ClientPeerV5 peer({number(PropertyId::kReceiveMaximum, 2)});
  EXPECT_EQ(peer.credit, 2u);
}

TEST(Mqtt5Client, MQTT_3_3_4_8_only_messages_wait_for_the_receive_maximum) {
  ClientPeerV5 peer({number(PropertyId::kReceiveMaximum, 1)});
  peer.delivers(delivery(Guarantee::kAtLeastOnce), 4);
  peer.expects(wire5::publish("a/b", "x", {.qos = 1, .id = 1}));
  ASSERT_TRUE(peer.subscribe({{"b", 0}}));
  peer.expects(testkit::octets("82 07 0002 00 0001 62 00"));
  ASSERT_TRUE(peer.unsubscribe({"b"}, 8));
  peer.expects(testkit::octets("a2 06 0003 00 0001 62"));
  peer.sends(wire5::publish("a", "1", {.qos = 1, .id = 1}));
  peer.answers(peer.effect<Publish>().ticket, Reason::kOk);
  peer.expects(testkit::octets("40 02 0001"));
}

TEST(Mqtt5Client, MQTT_4_9_0_1_the_own_limit_counts_where_it_is_lower) {
  ClientPeerV5 peer({number(PropertyId::kReceiveMaximum, 2)},
                    v5_options([](ClientOptions& o) { o.inflight_max = 1; }));
  EXPECT_EQ(peer.credit, 1u);
}

TEST(Mqtt5Client, MQTT_3_3_4_9_a_server_that_sends_more_than_the_receive_maximum) {
  ClientPeerV5 peer({}, v5_options([](ClientOptions& o) { o.receive_max = 1; }));
  peer.sends(wire5::publish("a", "1", {.qos = 1, .id = 1})).expects_effect<Publish>();
  peer.sends(wire5::publish("a", "2", {.qos = 2, .id = 2}));
  peer.expects(wire5::disconnect(ReasonCode::kReceiveMaximumExceeded));
  peer.expects_close(Reason::kProtocolError);
}

// client, receive maximum 1                     server
//   | (PUBREC 9 was sent, PUBREL has not come) <- CONNACK, session present |
//   | <- PUBLISH 1 (QoS 1), that stands before 9                            |
//   | PUBACK 1 ->                                          <- PUBREL 9      |
//   | PUBCOMP 9 ->                                  <- PUBLISH 2, PUBLISH 3 |
//   | DISCONNECT 0x93 ->                                                    |
TEST(Mqtt5Client, Section_4_9_what_an_earlier_connection_left_does_not_count) {
  model::Inflight left;
  (void)left.note_incoming(9);
  ClientPeerV5 peer({}, v5_options([](ClientOptions& o) {
                      o.receive_max = 1;
                      o.clean_session = false;
                      o.session_expiry_s = 60;
                    }),
                    true, std::move(left));
  peer.sends(wire5::publish("a", "1", {.qos = 1, .id = 1}));
  peer.answers(peer.effect<Publish>().ticket, Reason::kOk);
  peer.expects(wire5::ack(PacketType::kPuback, 1));
  peer.sends(wire5::ack(PacketType::kPubrel, 9)).expects(wire5::ack(PacketType::kPubcomp, 9));
  peer.sends(wire5::publish("a", "2", {.qos = 2, .id = 2})).expects_effect<Publish>();
  peer.sends(wire5::publish("a", "3", {.qos = 1, .id = 3}));
  peer.expects(wire5::disconnect(ReasonCode::kReceiveMaximumExceeded));
}

TEST(Mqtt5Client, MQTT_3_3_4_1_the_application_may_refuse_a_message) {
  ClientPeerV5 peer;
  peer.sends(wire5::publish("a", "1", {.qos = 1, .id = 1}) +
             wire5::publish("a", "2", {.qos = 2, .id = 2}));
  const auto one = peer.effect<Publish>().ticket;
  const auto two = peer.effect<Publish>().ticket;
  peer.answers(one, Reason::kQuotaExceeded).answers(two, Reason::kNotAuthorized);
  peer.expects(wire5::ack(PacketType::kPuback, 1, ReasonCode::kQuotaExceeded) +
               wire5::ack(PacketType::kPubrec, 2, ReasonCode::kNotAuthorized));
  peer.sends(wire5::publish("a", "3", {.qos = 2, .id = 2})).expects_effect<Publish>();  // new
}

// --- aliases ---

// client                             server (allows 1)
//   | PUBLISH "a/b" alias 1 ->         |
//   | PUBLISH "" alias 1 ->            |
//   | PUBLISH "c" ->                   |
TEST(Mqtt5Client, MQTT_3_2_2_17_aliases_up_to_the_servers_maximum) {
  ClientPeerV5 peer({number(PropertyId::kTopicAliasMaximum, 1)},
                    v5_options([](ClientOptions& o) { o.own_topic_alias_max = 9; }));
  const model::Message other = message_of("c", "x");
  for (const model::Message* message : {&kMessage, &kMessage, &other}) {
    peer.delivers(delivery(Guarantee::kAtMostOnce, *message), 0);
  }
  const Property alias = number(PropertyId::kTopicAlias, 1);
  peer.expects(wire5::publish("a/b", "x", {}, {alias}) + wire5::publish("", "x", {}, {alias}) +
               wire5::publish("c", "x"));
}

TEST(Mqtt5Client, MQTT_3_2_2_18_no_alias_where_the_server_allows_none) {
  ClientPeerV5 peer({}, v5_options([](ClientOptions& o) { o.own_topic_alias_max = 9; }));
  peer.delivers(delivery(Guarantee::kAtMostOnce), 0).expects(wire5::publish("a/b", "x"));
}

TEST(Mqtt5Client, MQTT_3_3_2_10_aliases_of_the_server_are_understood_up_to_the_own_maximum) {
  ClientPeerV5 peer({}, v5_options([](ClientOptions& o) { o.topic_alias_max = 2; }));
  const Property alias = number(PropertyId::kTopicAlias, 2);
  peer.sends(wire5::publish("t", "1", {}, {alias}) + wire5::publish("", "2", {}, {alias}));
  for (const std::string_view payload : {"1", "2"}) {
    const auto publish = peer.effect<Publish>();
    EXPECT_EQ(publish.message.destination.address, "t");
    EXPECT_EQ(as_text(publish.message.payload), payload);
  }
  peer.sends(wire5::publish("t", "3", {}, {number(PropertyId::kTopicAlias, 3)}));
  peer.expects(wire5::disconnect(ReasonCode::kTopicAliasInvalid));
  peer.expects_close(Reason::kProtocolError);
}

// --- properties ---

TEST(Mqtt5Client, MQTT_3_3_4_3_subscription_identifiers_are_told) {
  ClientPeerV5 peer;
  peer.sends(wire5::publish("t", "1", {},
                            {number(PropertyId::kSubscriptionIdentifier, 5),
                             number(PropertyId::kSubscriptionIdentifier, 6)}) +
             wire5::publish("t", "2", {}, {text(PropertyId::kContentType, "text")}));
  const auto first = peer.effect<Publish>();
  const auto ids = peer.session().subscription_ids(first.message);
  EXPECT_EQ(std::vector(ids.begin(), ids.end()), (std::vector<std::uint32_t>{5, 6}));
  const auto second = peer.effect<Publish>();
  EXPECT_TRUE(peer.session().subscription_ids(second.message).empty());
  EXPECT_EQ(second.message.properties->content_type, "text");
}

TEST(Mqtt5Client, MQTT_3_3_2_18_properties_of_a_message_are_sent_in_their_order) {
  ClientPeerV5 peer;
  const MessageProperties properties{.content_type = "c",
                                     .response_topic = "r",
                                     .correlation_data = "d",
                                     .text = true,
                                     .user = {{"z", "1"}, {"a", "2"}, {"z", "1"}}};
  const HubProperties hub(properties);
  model::Message message = kMessage;
  message.properties = hub.get();
  message.expires_at = peer.clock().now() + 10s;
  peer.after(4s).delivers(delivery(Guarantee::kAtMostOnce, message), 0);
  peer.expects(wire5::publish("a/b", "x", {},
                              {number(PropertyId::kMessageExpiryInterval, 6),
                               number(PropertyId::kPayloadFormatIndicator, 1),
                               text(PropertyId::kContentType, "c"),
                               text(PropertyId::kResponseTopic, "r"),
                               {.id = PropertyId::kCorrelationData, .data = as_bytes("d")},
                               {.text = "z", .value = "1"},
                               {.text = "a", .value = "2"},
                               {.text = "z", .value = "1"}}));
}

// --- requests ---

// client                                  server
//   | SUBSCRIBE id 3, options ->            |
//   |   <- SUBACK 01 87 "not you"           |   Completed 1, Completed 87
TEST(Mqtt5Client, MQTT_3_9_3_1_reason_codes_come_in_the_order_of_the_filters) {
  ClientPeerV5 peer;
  const std::vector<SubscribeEntry> entries{{"a/#", 1, true, true, RetainHandling::kDoNotSend},
                                            {"b", 2}};
  ASSERT_TRUE(peer.subscribe(entries, {number(PropertyId::kSubscriptionIdentifier, 3)}));
  peer.expects(testkit::octets("82 0f 0001 02 0b 03 0003 612f23 2d 0001 62 02"));
  const EncodedProperties why = block_of({text(PropertyId::kReasonString, "not you")});
  const wire::Octets codes{1, 0x87};
  peer.sends(wire5::encode(SubackView{1, codes, why.block()}));
  const auto granted = peer.effect<Completed>();
  EXPECT_EQ(granted.reason, Reason::kOk);
  EXPECT_EQ(granted.granted, Guarantee::kAtLeastOnce);
  const auto refused = peer.effect<Completed>();
  EXPECT_EQ(refused.reason, Reason::kNotAuthorized);
  EXPECT_EQ(refused.code, 0x87);
  EXPECT_EQ(peer.session().refusal().reason_string, "not you");
  peer.expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_8_3_4_no_local_is_not_asked_for_with_a_share) {
  ClientPeerV5 peer;
  EXPECT_FALSE(peer.subscribe({{"$share/g/a", 1, true}}));
  EXPECT_FALSE(peer.subscribe({{"$share//a", 1}}));
  peer.expects_nothing();
}

TEST(ClientV5Requests, WhatTheServerDoesNotOfferIsNotAskedFor) {
  ClientPeerV5 peer({number(PropertyId::kWildcardSubscriptionAvailable, 0),
                     number(PropertyId::kSubscriptionIdentifierAvailable, 0),
                     number(PropertyId::kSharedSubscriptionAvailable, 0)});
  EXPECT_FALSE(peer.subscribe({{"a/+", 0}}));
  EXPECT_FALSE(peer.subscribe({{"$share/g/a", 0}}));
  EXPECT_FALSE(peer.subscribe({{"a", 0}}, {number(PropertyId::kSubscriptionIdentifier, 3)}));
  peer.expects_nothing();
  EXPECT_TRUE(peer.subscribe({{"a", 0}}));
}

TEST(Mqtt5Client, MQTT_3_11_3_1_unsuback_has_a_code_for_each_filter) {
  for (const wire::Octets& codes : {wire::Octets{0x11, 0x87}, wire::Octets{0x11}}) {
    ClientPeerV5 peer;
    ASSERT_TRUE(peer.unsubscribe({"a", "b"}, 3));
    (void)peer.host().take_output();
    peer.sends(wire5::encode(UnsubackView{1, codes}));
    const auto completed = peer.effect<Completed>();
    EXPECT_EQ(completed.ticket, 3u);
    if (codes.size() == 2) {
      EXPECT_EQ(completed.reason, Reason::kNotAuthorized);
      EXPECT_EQ(completed.code, 0x87);
      peer.expects_nothing();
    } else {
      peer.expects(wire5::disconnect(ReasonCode::kProtocolError));
      peer.expects_close(Reason::kProtocolError);
    }
  }
}

}  // namespace
}  // namespace hermod::mqtt
