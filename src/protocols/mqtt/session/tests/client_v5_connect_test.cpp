// SPDX-License-Identifier: Apache-2.0
// The client's connection in MQTT 5.0: CONNECT, the terms of CONNACK, DISCONNECT both ways (§3.1,
// §3.2, §3.14, §4.13).
#include "client_peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Credit;
using session::Opened;
using testkit::octets;

// client                      server
//   | CONNECT 5, all of it ->   |
TEST(Mqtt5Client, MQTT_3_1_0_1_connect_says_all_that_the_options_say) {
  ClientPeer peer(v5_options([](ClientOptions& o) {
    o.clean_session = false;
    o.packet_bytes_max = 5'000;
    o.session_expiry_s = 60;
    o.receive_max = 3;
    o.topic_alias_max = 4;
    o.request_response_information = true;
    o.request_problem_information = false;
    o.user_properties = {{"a", "1"}, {"a", "2"}};
    o.will = ClientOptions::Will{.topic = "gone", .payload = {'x'}, .delay_s = 9};
    o.will->properties = {.content_type = "text/plain",
                          .response_topic = "back",
                          .correlation_data = "id",
                          .expiry_s = 30,
                          .text = true,
                          .user = {{"b", "3"}}};
  }));
  const EncodedProperties about = block_of({number(PropertyId::kSessionExpiryInterval, 60),
                                            number(PropertyId::kReceiveMaximum, 3),
                                            number(PropertyId::kMaximumPacketSize, 5'000),
                                            number(PropertyId::kTopicAliasMaximum, 4),
                                            number(PropertyId::kRequestResponseInformation, 1),
                                            number(PropertyId::kRequestProblemInformation, 0),
                                            {.text = "a", .value = "1"},
                                            {.text = "a", .value = "2"}});
  const EncodedProperties will =
      block_of({number(PropertyId::kWillDelayInterval, 9),
                number(PropertyId::kMessageExpiryInterval, 30),
                number(PropertyId::kPayloadFormatIndicator, 1),
                text(PropertyId::kContentType, "text/plain"),
                text(PropertyId::kResponseTopic, "back"),
                {.id = PropertyId::kCorrelationData, .data = as_bytes("id")},
                {.text = "b", .value = "3"}});
  peer.opens().expects(wire5::encode(ConnectView{
      .version = Version::kV5,
      .clean_session = false,
      .keep_alive_s = 60,
      .client_id = "me",
      .will = WillView{.topic = "gone", .payload = as_bytes("x"), .properties = will.block()},
      .properties = about.block()}));
  peer.expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_1_0_1_what_is_not_said_is_not_sent) {
  ClientPeer peer(v5_options());
  peer.opens().expects(octets("10 0f 0004 4d515454 05 02 003c 00 0002 6d65")).expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_2_0_1_another_first_packet_closes) {
  ClientPeer peer(v5_options());
  peer.opens();
  (void)peer.host().take_output();
  peer.sends(wire5::disconnect(ReasonCode::kServerBusy)).expects_close(Reason::kProtocolError);
}

TEST(Mqtt5Client, MQTT_3_2_0_2_a_second_connack_closes) {
  ClientPeerV5 peer;
  peer.sends(wire5::connack()).expects(wire5::disconnect(ReasonCode::kProtocolError));
  peer.expects_close(Reason::kProtocolError);
}

TEST(Mqtt5Client, MQTT_3_2_2_7_a_refusal_is_told_with_its_reason_and_ends_the_connection) {
  ClientPeer peer(v5_options());
  peer.opens();
  (void)peer.host().take_output();
  peer.sends(wire5::connack({text(PropertyId::kReasonString, "too many of you"),
                             text(PropertyId::kServerReference, "elsewhere")},
                            false, ReasonCode::kQuotaExceeded));
  const auto opened = peer.effect<Opened>();
  EXPECT_EQ(opened.reason, Reason::kQuotaExceeded);
  EXPECT_EQ(opened.code, 0x97);
  EXPECT_EQ(peer.session().refusal().code, ReasonCode::kQuotaExceeded);
  EXPECT_EQ(peer.session().refusal().reason_string, "too many of you");
  EXPECT_EQ(peer.session().terms().server_reference, "elsewhere");
  peer.expects_close(Reason::kQuotaExceeded).expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_2_2_4_a_session_that_was_not_asked_for_closes) {
  ClientPeer peer(v5_options());
  peer.opens();
  (void)peer.host().take_output();
  peer.sends(wire5::connack({}, true)).expects_effect<Opened>();
  peer.expects(wire5::disconnect(ReasonCode::kProtocolError));
  peer.expects_close(Reason::kProtocolError);
}

TEST(Mqtt5Client, MQTT_3_2_2_5_a_session_that_is_not_present_is_forgotten) {
  model::Inflight inflight;
  inflight.release(*inflight.find(inflight.take(1, Guarantee::kExactlyOnce)));
  ASSERT_TRUE(inflight.note_incoming(5));
  ClientPeerV5 peer({}, v5_options([](ClientOptions& o) { o.clean_session = false; }), false,
                    std::move(inflight));
  peer.expects_nothing().sends(wire5::publish("a", "x", {.qos = 2, .id = 5}));
  peer.expects_effect<session::Publish>().expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_2_2_16_the_assigned_client_id_is_told) {
  ClientPeerV5 peer({text(PropertyId::kAssignedClientIdentifier, "auto-7")},
                    v5_options([](ClientOptions& o) { o.client_id.clear(); }));
  EXPECT_EQ(peer.session().terms().client_id, "auto-7");
}

TEST(Mqtt5Client, MQTT_3_2_2_21_the_keep_alive_of_the_server_counts) {
  ClientPeerV5 peer({number(PropertyId::kServerKeepAlive, 5)});
  EXPECT_EQ(peer.session().terms().keep_alive_s, 5);
  peer.after(4'999ms).expects_nothing().after(1ms).expects(wire::pingreq());
}

TEST(Mqtt5Client, MQTT_3_2_2_21_a_keep_alive_of_zero_turns_pings_off) {
  ClientPeerV5 peer({number(PropertyId::kServerKeepAlive, 0)});
  peer.after(24h).expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_1_2_20_without_another_keep_alive_the_own_one_counts) {
  ClientPeerV5 peer;
  peer.after(59'999ms).expects_nothing().after(1ms).expects(wire::pingreq());
}

TEST(ClientV5Terms, AllThatConnackSaysIsThere) {
  ClientPeerV5 peer({number(PropertyId::kSessionExpiryInterval, 11),
                     number(PropertyId::kReceiveMaximum, 12),
                     number(PropertyId::kMaximumQos, 1),
                     number(PropertyId::kRetainAvailable, 0),
                     number(PropertyId::kMaximumPacketSize, 1'300),
                     number(PropertyId::kTopicAliasMaximum, 14),
                     number(PropertyId::kWildcardSubscriptionAvailable, 0),
                     number(PropertyId::kSubscriptionIdentifierAvailable, 0),
                     number(PropertyId::kSharedSubscriptionAvailable, 0),
                     text(PropertyId::kResponseInformation, "replies/me"),
                     {.text = "n", .value = "v"}});
  const ServerTerms& terms = peer.session().terms();
  EXPECT_EQ(terms.session_expiry_s, 11u);
  EXPECT_EQ(terms.receive_max, 12);
  EXPECT_EQ(terms.guarantee_max, Guarantee::kAtLeastOnce);
  EXPECT_FALSE(terms.retain);
  EXPECT_EQ(terms.packet_bytes_max, 1'300u);
  EXPECT_EQ(terms.topic_alias_max, 14);
  EXPECT_FALSE(terms.wildcards);
  EXPECT_FALSE(terms.subscription_ids);
  EXPECT_FALSE(terms.shared_subscriptions);
  EXPECT_EQ(terms.response_information, "replies/me");
  EXPECT_EQ(terms.user_properties, (UserProperties{{"n", "v"}}));
}

TEST(ClientV5Terms, WhatConnackDoesNotSayIsAsTheClientAsked) {
  ClientPeerV5 peer({}, v5_options([](ClientOptions& o) { o.session_expiry_s = 77; }));
  const ServerTerms& terms = peer.session().terms();
  EXPECT_EQ(terms.session_expiry_s, 77u);
  EXPECT_EQ(terms.keep_alive_s, 60);
  EXPECT_EQ(terms.receive_max, 65'535);
  EXPECT_EQ(terms.guarantee_max, Guarantee::kExactlyOnce);
  EXPECT_TRUE(terms.retain && terms.wildcards && terms.subscription_ids &&
              terms.shared_subscriptions);
}

// client                       server
//   |   <- DISCONNECT 8B "bye"   |
//   | close ->                   |
TEST(ClientV5Disconnect, TheServersReasonEndsTheSession) {
  ClientPeerV5 peer;
  peer.sends(wire5::disconnect(ReasonCode::kSessionTakenOver,
                               {text(PropertyId::kReasonString, "somebody came")}));
  EXPECT_EQ(peer.session().refusal().code, ReasonCode::kSessionTakenOver);
  EXPECT_EQ(peer.session().refusal().reason_string, "somebody came");
  peer.expects_close(Reason::kTakenOver).expects_nothing();
}

TEST(ClientV5Disconnect, AServerThatLeavesWithoutReasonHasClosed) {
  ClientPeerV5 peer;
  peer.sends(wire5::disconnect()).expects_close(Reason::kPeerClosed).expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_14_2_2_a_server_says_no_session_expiry) {
  ClientPeerV5 peer;
  peer.sends(wire5::disconnect(ReasonCode::kServerShuttingDown,
                               {number(PropertyId::kSessionExpiryInterval, 1)}));
  peer.expects(wire5::disconnect(ReasonCode::kProtocolError));
  peer.expects_close(Reason::kProtocolError);
}

TEST(Mqtt5Client, MQTT_3_14_4_1_disconnect_is_the_last_packet_and_says_what_it_is_given) {
  ClientPeerV5 peer;
  const EncodedProperties why = block_of({text(PropertyId::kReasonString, "home")});
  peer.host().run([&](session::Effects& effects) {
    peer.session().disconnect(peer.clock().now(), effects,
                              {ReasonCode::kDisconnectWithWillMessage, why.block()});
  });
  peer.expects(wire5::disconnect(ReasonCode::kDisconnectWithWillMessage,
                                 {text(PropertyId::kReasonString, "home")}));
  EXPECT_FALSE(peer.subscribe({{"a", 0}}));
  peer.expects_close(Reason::kOk).expects_nothing();
}

TEST(Mqtt5Client, MQTT_3_14_2_3_a_reason_string_that_is_too_long_is_left_out) {
  ClientPeerV5 peer({number(PropertyId::kMaximumPacketSize, 20)});
  const EncodedProperties why =
      block_of({text(PropertyId::kReasonString, "much longer than twenty octets")});
  peer.host().run([&](session::Effects& effects) {
    peer.session().disconnect(peer.clock().now(), effects,
                              {ReasonCode::kDisconnectWithWillMessage, why.block()});
  });
  peer.expects(wire5::disconnect(ReasonCode::kDisconnectWithWillMessage));
  peer.expects_close(Reason::kOk);
}

TEST(Mqtt5Client, MQTT_4_13_1_1_a_malformed_packet_is_answered_with_its_reason) {
  const std::pair<std::string_view, ReasonCode> packets[] = {
      {"36 00", ReasonCode::kMalformedPacket},                       // QoS 3
      {"d1 00", ReasonCode::kMalformedPacket},                       // flags of PINGRESP
      {"30 05 0001 61 01 99", ReasonCode::kMalformedPacket},         // no such property
      {"30 07 0001 61 03 23 0000", ReasonCode::kTopicAliasInvalid},  // alias 0
  };
  for (const auto& [packet, code] : packets) {
    ClientPeerV5 peer;
    peer.sends(octets(packet)).expects(wire5::disconnect(code));
    peer.expects_close(Reason::kMalformed).expects_nothing();
  }
}

TEST(Mqtt5Client, MQTT_3_1_2_24_a_packet_above_the_own_maximum_closes) {
  ClientPeerV5 peer({}, v5_options([](ClientOptions& o) { o.packet_bytes_max = 100; }));
  peer.sends(octets("30 63")).expects(wire5::disconnect(ReasonCode::kPacketTooLarge));
  peer.expects_close(Reason::kTooLarge);
}

TEST(ClientV5Auth, AnExchangeThatWasNotAskedForCloses) {
  ClientPeerV5 peer;
  peer.sends(octets("f0 00"));
  peer.expects(wire5::disconnect(ReasonCode::kProtocolError));
  peer.expects_close(Reason::kProtocolError);
}

}  // namespace
}  // namespace hermod::mqtt
