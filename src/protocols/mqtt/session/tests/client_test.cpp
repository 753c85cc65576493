// SPDX-License-Identifier: Apache-2.0
// The client session's connection: CONNECT, PINGREQ, DISCONNECT (MQTT 3.1.1 §3.1, §3.2, §3.12,
// §3.14).
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Credit;
using session::Opened;
using session::Publish;
using testkit::octets;

// client                server
//   | CONNECT ->          |
//   |   <- CONNACK 0      |   Opened, Credit
TEST(Mqtt311Client, MQTT_3_1_0_1_connect_is_the_first_packet) {
  ClientPeer peer(
      {.client_id = "me", .clean_session = false, .keep_alive_s = 7, .inflight_max = 9});
  peer.opens().expects(
      wire::connect({.clean_session = false, .keep_alive_s = 7, .client_id = "me"}));
  peer.expects_nothing();
  peer.sends(wire::connack(0, true));
  const auto opened = peer.effect<Opened>();
  EXPECT_EQ(opened.reason, Reason::kOk);
  EXPECT_TRUE(opened.session_present);
  EXPECT_EQ(peer.effect<Credit>().count, 9u);
  peer.expects_nothing();
}

TEST(Mqtt311Client, MQTT_3_1_3_1_all_fields_of_connect_are_sent) {
  ClientPeer peer({.client_id = "me",
                   .user_name = "anna",
                   .password = {{1, 2}},
                   .will = ClientOptions::Will{.topic = "gone",
                                               .payload = {'x'},
                                               .guarantee = Guarantee::kExactlyOnce,
                                               .retain = true}});
  const wire::Octets secret = octets("01 02");
  peer.opens().expects(wire::connect(
      {.keep_alive_s = 60,
       .client_id = "me",
       .will = WillView{.topic = "gone", .payload = as_bytes("x"), .qos = 2, .retain = true},
       .user_name = "anna",
       .password = secret}));
}

TEST(Mqtt311Client, MQTT_3_2_0_1_another_first_packet_closes) {
  for (const wire::Octets& packet : {wire::publish("a", "x"), wire::pingresp(), wire::puback(1),
                                     wire::suback(1, {0}), wire::connect()}) {
    ClientPeer peer;
    peer.opens();
    (void)peer.host().take_output();
    peer.sends(packet).expects_close(Reason::kProtocolError).expects_nothing();
  }
}

TEST(Mqtt311Client, MQTT_3_2_2_1_a_clean_session_cannot_be_present) {
  ClientPeer peer;
  peer.opens();
  (void)peer.host().take_output();
  peer.sends(wire::connack(0, true)).expects_effect<Opened>();
  peer.expects_close(Reason::kProtocolError).expects_nothing();
}

TEST(Mqtt311Client, MQTT_3_2_2_5_a_refusal_is_told_and_ends_the_connection) {
  const std::pair<std::uint8_t, Reason> refusals[] = {{1, Reason::kNotSupported},
                                                      {2, Reason::kBadName},
                                                      {3, Reason::kUnavailable},
                                                      {4, Reason::kBadCredentials},
                                                      {5, Reason::kNotAuthorized}};
  for (const auto& [code, reason] : refusals) {
    ClientPeer peer;
    peer.opens();
    (void)peer.host().take_output();
    peer.sends(wire::connack(code));
    const auto opened = peer.effect<Opened>();
    EXPECT_EQ(opened.reason, reason);
    EXPECT_EQ(opened.code, code);
    peer.expects_close(reason).expects_nothing();
  }
}

TEST(ClientConnect, ConnackMustComeInTime) {
  ClientPeer peer({.client_id = "me", .connect_timeout_s = 5});
  peer.opens();
  (void)peer.host().take_output();
  peer.after(4999ms).expects_nothing().after(1ms);
  EXPECT_EQ(peer.effect<Opened>().reason, Reason::kTimeout);
  peer.expects_close(Reason::kTimeout).expects_nothing();
}

TEST(ClientConnect, WhatDoesNotFitConnectIsNotSent) {
  ClientPeer peer({.client_id = std::string(65'536, 'a')});
  peer.opens();
  EXPECT_EQ(peer.effect<Opened>().reason, Reason::kTooLarge);
  peer.expects_close(Reason::kTooLarge).expects_nothing();
}

TEST(ClientConnect, BehindConnackTheServerMaySendAtOnce) {
  ClientPeer peer;
  peer.opens();
  (void)peer.host().take_output();
  peer.sends(wire::connack() + wire::publish("a", "x"));
  peer.expects_effect<Opened>().expects_effect<Credit>().expects_effect<Publish>();
}

TEST(Mqtt311Client, MQTT_4_8_0_1_what_only_clients_send_closes) {
  for (const wire::Octets& packet :
       {wire::connect(), wire::connack(), wire::subscribe(1, {{"a", 0}}),
        wire::unsubscribe(1, {"a"}), wire::pingreq(), wire::disconnect()}) {
    ClientPeer peer;
    peer.connects().sends(packet).expects_close(Reason::kProtocolError).expects_nothing();
  }
}

// client              server
//   |     60 s          |
//   | PINGREQ ->        |
//   |   <- PINGRESP     |
TEST(Mqtt311Client, MQTT_3_1_2_23_pingreq_when_nothing_was_sent_for_the_keep_alive) {
  ClientPeer peer;
  peer.connects();
  for (int i = 0; i < 3; ++i) {
    peer.after(59'999ms).expects_nothing().after(1ms).expects(wire::pingreq());
    peer.sends(wire::pingresp()).expects_nothing();
  }
}

TEST(Mqtt311Client, MQTT_3_1_2_23_what_is_sent_puts_pingreq_off) {
  ClientPeer peer;
  const model::Message message = message_of("a", "x");
  peer.connects().sends(wire::publish("b", "y", {.qos = 1, .id = 1}));
  const auto ticket = peer.effect<Publish>().ticket;
  peer.after(50s).answers(ticket).expects(wire::puback(1));
  peer.sends(wire::publish("c", "z")).expects_effect<Publish>();  // heard now, too
  peer.after(50s).delivers({.message = &message}, 0).expects(wire::publish("a", "x"));
  peer.after(9'999ms).expects_nothing().after(1ms).expects(wire::pingreq());  // nothing heard
}

TEST(Mqtt311Client, MQTT_3_1_2_23_what_is_heard_does_not_put_pingreq_off) {
  ClientPeer peer;
  peer.connects();
  for (int i = 0; i < 5; ++i) peer.after(11s).sends(wire::publish("a", "x"));
  for (int i = 0; i < 5; ++i) peer.expects_effect<Publish>();
  peer.after(4'999ms).expects_nothing().after(1ms).expects(wire::pingreq());
}

TEST(ClientKeepAlive, AReplyIsAPacketThatWasSent) {
  ClientPeer peer;
  peer.connects().after(50s).sends(wire::pubrel(1)).expects(wire::pubcomp(1));
  peer.after(59'999ms).expects_nothing().after(1ms).expects(wire::pingreq());
}

TEST(ClientKeepAlive, AServerThatDoesNotAnswerIsGone) {
  ClientPeer peer;
  peer.connects().after(60s).expects(wire::pingreq());
  peer.after(59'999ms).expects_nothing().after(1ms).expects_close(Reason::kTimeout);
}

TEST(ClientKeepAlive, AnAnswerThatIsNotReadIsNotMissing) {
  ClientPeer peer;
  peer.connects().takes(Intake::kRepliesOnly).sends(wire::publish("a", "x"));
  peer.after(60s).expects(wire::pingreq()).sends(wire::pingresp());
  peer.after(60s).expects(wire::pingreq()).after(60s).expects(wire::pingreq());
  peer.takes(Intake::kEverything).expects_effect<Publish>().expects_nothing();
  peer.after(60s).expects(wire::pingreq());
}

TEST(ClientKeepAlive, ZeroTurnsItOff) {
  ClientPeer peer({.client_id = "me", .keep_alive_s = 0});
  peer.connects().after(24h).expects_nothing();
}

// client              server
//   | DISCONNECT ->     |
//   | close ->          |
TEST(Mqtt311Client, MQTT_3_14_4_1_and_2_disconnect_is_the_last_packet) {
  ClientPeer peer;
  const model::Message message = message_of("a", "x");
  peer.connects().disconnects().expects(wire::disconnect());
  peer.delivers({.message = &message}, 0).sends(wire::publish("a", "x", {.qos = 1, .id = 1}));
  EXPECT_FALSE(peer.subscribe({{"a", 0}}, 1));
  peer.disconnects().expects_close(Reason::kOk).expects_nothing();
}

TEST(ClientLimits, ATooLargePacketClosesBeforeItsBodyIsHere) {
  ClientPeer peer({.client_id = "me", .packet_bytes_max = 100});
  peer.connects().sends(octets("30 63")).expects_close(Reason::kTooLarge);
}

TEST(ClientLimits, MalformedPacketsClose) {
  for (const std::string_view packet : {"d1 00", "d0 01 00", "90 02 0001", "b0 02 0000", "36 00"}) {
    ClientPeer peer;
    peer.connects().sends(octets(packet)).expects_close(Reason::kMalformed);
  }
}

}  // namespace
}  // namespace hermod::mqtt
