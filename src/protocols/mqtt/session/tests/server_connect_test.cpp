// SPDX-License-Identifier: Apache-2.0
// CONNECT and CONNACK as the server sees them (MQTT 3.1.1 §3.1, §3.2).
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Attach;
using session::Credit;
using session::Detach;
using testkit::octets;

// client                server
//   | any but CONNECT ->  |
//   |          <- close   |
TEST(Mqtt311, MQTT_3_1_0_1_first_packet_must_be_connect) {
  for (const wire::Octets& packet :
       {wire::connack(), wire::publish("a", "x"), wire::puback(1), wire::pubrec(1), wire::pubrel(1),
        wire::pubcomp(1), wire::subscribe(1, {{"a", 0}}), wire::suback(1, {0}),
        wire::unsubscribe(1, {"a"}), wire::unsuback(1), wire::pingreq(), wire::pingresp(),
        wire::disconnect()}) {
    ServerPeer peer;
    peer.opens().sends(packet).expects_close(Reason::kProtocolError).expects_nothing();
  }
}

TEST(Mqtt311, MQTT_3_1_0_1_other_octets_are_closed_without_answer) {
  ServerPeer http;
  http.opens().sends(as_bytes("GET / HTTP/1.1\r\n")).expects_close(Reason::kMalformed);
  ServerPeer tls;
  tls.opens().sends(octets("16 03 01")).expects_close(Reason::kMalformed);
}

// client             server
//   | CONNECT ->       |
//   |     <- CONNACK   |
//   | CONNECT ->       |
//   |       <- close   |
TEST(Mqtt311, MQTT_3_1_0_2_second_connect_closes) {
  ServerPeer peer;
  peer.connects().sends(wire::connect()).expects_close(Reason::kProtocolError);
  peer.expects_effect<Detach>().expects_nothing();
}

TEST(Mqtt311, MQTT_3_1_2_1_wrong_protocol_name_closes) {
  ServerPeer peer;
  peer.opens().sends(octets("10 0d 0004 'QMTT' 04 02 003c 0001 'a'"));
  peer.expects_close(Reason::kMalformed).expects_nothing();
}

TEST(Mqtt311, MQTT_3_1_2_2_unsupported_level_is_answered_with_1) {
  ServerPeer peer;
  peer.opens().sends(octets("10 0d 0004 'MQTT' 06 02 003c 0001 'a'"));
  peer.expects(wire::connack(1)).expects_close(Reason::kNotSupported).expects_nothing();
}

// In 3.1 the octet before the return code is reserved: it says nothing of a session.
TEST(ServerConnect, Mqtt31IsSpoken) {
  ServerPeer peer;
  peer.opens().sends(octets("10 0f 0006 'MQIsdp' 03 00 003c 0001 'a'"));
  const auto attach = peer.effect<Attach>();
  EXPECT_EQ(attach.client_id, "a");
  peer.accepts(attach.ticket, true).expects(octets("20 02 00 00"));
}

TEST(ServerConnect, Mqtt31RefusesLongClientIds) {
  ServerPeer peer;
  peer.opens().sends(octets("10 26 0006 'MQIsdp' 03 02 003c 0018 '123456789012345678901234'"));
  peer.expects(wire::connack(2)).expects_close(Reason::kBadName).expects_nothing();
}

TEST(Mqtt311, MQTT_3_1_2_3_reserved_connect_flag_closes) {
  ServerPeer peer;
  peer.opens().sends(octets("10 0d 0004 'MQTT' 04 03 003c 0001 'a'"));
  peer.expects_close(Reason::kMalformed);
}

TEST(Mqtt311, MQTT_3_1_2_4_without_clean_session_the_session_lasts) {
  ServerPeer peer;
  peer.opens().sends(wire::connect({.clean_session = false, .client_id = "peer"}));
  const auto attach = peer.effect<Attach>();
  EXPECT_FALSE(attach.clean_start);
  EXPECT_EQ(attach.expiry_s, UINT32_MAX);
}

TEST(Mqtt311, MQTT_3_1_2_6_a_clean_session_starts_anew_and_ends_with_the_connection) {
  ServerPeer peer;
  peer.opens().sends(wire::connect({.clean_session = true, .client_id = "peer"}));
  const auto attach = peer.effect<Attach>();
  EXPECT_TRUE(attach.clean_start);
  EXPECT_EQ(attach.expiry_s, 0u);
}

const ConnectView kWithWill{
    .client_id = "peer",
    .will = WillView{.topic = "gone", .payload = {}, .qos = 1, .retain = true}};

TEST(Mqtt311, MQTT_3_1_2_8_the_will_goes_with_attach_and_is_kept_when_the_connection_ends) {
  ServerPeer peer;
  peer.opens().sends(wire::connect(kWithWill));
  const auto attach = peer.effect<Attach>();
  ASSERT_TRUE(attach.will);
  EXPECT_EQ(attach.will->destination.address, "gone");
  EXPECT_EQ(attach.will->guarantee, Guarantee::kAtLeastOnce);  // [MQTT-3.1.2-9]
  peer.accepts(attach.ticket).expects(wire::connack()).expects_effect<Credit>();
  peer.ends();
  EXPECT_FALSE(peer.effect<Detach>().discard_will);
}

TEST(Mqtt311, MQTT_3_1_2_10_disconnect_discards_the_will) {
  ServerPeer peer;
  peer.connects(kWithWill).sends(wire::disconnect());
  EXPECT_TRUE(peer.effect<Detach>().discard_will);
  peer.expects_close(Reason::kOk).expects_nothing();
}

TEST(Mqtt311, MQTT_3_1_2_12_without_will_flag_there_is_no_will) {
  ServerPeer peer;
  peer.opens().sends(wire::connect());
  EXPECT_FALSE(peer.effect<Attach>().will);
}

TEST(Mqtt311, MQTT_3_1_2_16_and_17_will_retain) {
  for (const bool retain : {false, true}) {
    ConnectView connect = kWithWill;
    connect.will->retain = retain;
    ServerPeer peer;
    peer.opens().sends(wire::connect(connect));
    EXPECT_EQ(peer.effect<Attach>().will->retain, retain);
  }
}

TEST(Mqtt311, MQTT_3_1_2_19_and_21_credentials_go_with_attach) {
  ServerPeer peer;
  peer.opens().sends(
      wire::connect({.client_id = "peer", .user_name = "anna", .password = as_bytes("secret")}));
  const auto attach = peer.effect<Attach>();
  EXPECT_TRUE(attach.has_credentials);
  EXPECT_EQ(attach.username, "anna");
  EXPECT_EQ(as_text(attach.password), "secret");
  ServerPeer anonymous;
  anonymous.opens().sends(wire::connect());
  EXPECT_FALSE(anonymous.effect<Attach>().has_credentials);
}

TEST(Mqtt311, MQTT_3_1_3_2_the_client_id_names_the_subscriber) {
  ServerPeer peer;
  peer.opens().sends(wire::connect({.client_id = "kitchen-7"}));
  EXPECT_EQ(peer.effect<Attach>().client_id, "kitchen-7");
}

TEST(Mqtt311, MQTT_3_1_3_6_an_empty_client_id_is_assigned_one) {
  ServerPeer peer;
  peer.opens().sends(wire::connect({.client_id = ""}));
  const auto attach = peer.effect<Attach>();
  EXPECT_EQ(attach.client_id, "");
  peer.accepts(attach.ticket).expects(wire::connack());
}

TEST(Mqtt311, MQTT_3_1_3_8_an_empty_client_id_cannot_have_a_lasting_session) {
  ServerPeer peer;
  peer.opens().sends(octets("10 0c 0004 'MQTT' 04 00 003c 0000"));
  peer.expects(wire::connack(2)).expects_close(Reason::kBadName).expects_nothing();
}

TEST(Mqtt311, MQTT_3_1_4_1_malformed_connect_is_closed_without_connack) {
  for (const std::string_view packet :
       {"10 0e 0004 'MQTT' 04 02 003c 0001 'a' 00", "10 0c 0004 'MQTT' 04 02 003c 0001",
        "10 0d 0004 'MQTT' 04 02 003c 0001 ff", "10 0d 0004 'MQTT' 04 02 003c 0001 00",
        "10 0d 0004 'MQTT' 04 42 003c 0001 'a'", "11 0d 0004 'MQTT' 04 02 003c 0001 'a'"}) {
    ServerPeer peer;
    peer.opens().sends(octets(packet)).expects_close(Reason::kMalformed).expects_nothing();
  }
}

TEST(Mqtt311, MQTT_3_1_4_4_an_accepted_connect_is_answered_with_0) {
  ServerPeer peer;
  peer.opens().sends(wire::connect());
  peer.expects_no_octets();
  peer.accepts(peer.effect<Attach>().ticket);
  peer.expects(wire::connack(0));
}

// client                    server              broker
//   | CONNECT, PUBLISH ->     | Attach ->          |
//   |                         |          <- no     |
//   |     <- CONNACK 5, close |                    |
TEST(Mqtt311, MQTT_3_1_4_5_what_follows_a_rejected_connect_is_not_processed) {
  ServerPeer peer;
  peer.opens().sends(wire::connect() + wire::publish("a", "x"));
  peer.answers(peer.effect<Attach>().ticket, Reason::kNotAuthorized);
  peer.expects(wire::connack(5)).expects_close(Reason::kNotAuthorized).expects_nothing();
}

TEST(Mqtt311, MQTT_3_2_0_1_nothing_is_sent_or_asked_before_connack) {
  ServerPeer peer;
  peer.opens().sends(wire::connect() + wire::pingreq() + wire::publish("a", "x"));
  const auto attach = peer.effect<Attach>();
  peer.expects_nothing();
  EXPECT_EQ(peer.host().waiting(), (wire::pingreq() + wire::publish("a", "x")).size());
  peer.accepts(attach.ticket).expects(wire::connack()).expects(wire::pingresp());
  peer.expects_effect<Credit>().expects_effect<session::Publish>().expects_nothing();
}

TEST(Mqtt311, MQTT_3_2_2_1_to_3_session_present) {
  for (const bool clean : {false, true}) {
    for (const bool stored : {false, true}) {
      ServerPeer peer;
      peer.opens().sends(wire::connect({.clean_session = clean, .client_id = "peer"}));
      peer.accepts(peer.effect<Attach>().ticket, stored);
      peer.expects(wire::connack(0, stored && !clean));
    }
  }
}

TEST(Mqtt311, MQTT_3_2_2_4_and_5_a_refusal_has_its_code_no_session_and_ends_the_connection) {
  const std::pair<Reason, std::uint8_t> refusals[] = {
      {Reason::kBadName, 2},  // [MQTT-3.1.3-9]
      {Reason::kUnavailable, 3},    {Reason::kQuotaExceeded, 3}, {Reason::kShutdown, 3},
      {Reason::kBadCredentials, 4}, {Reason::kNotAuthorized, 5}};
  for (const auto& [reason, code] : refusals) {
    ServerPeer peer;
    peer.opens().sends(wire::connect());
    peer.answers(
        {.ticket = peer.effect<Attach>().ticket, .reason = reason, .session_present = true});
    peer.expects(wire::connack(code)).expects_close(reason).expects_nothing();
  }
}

TEST(Mqtt311, MQTT_3_2_2_6_a_refusal_without_code_is_closed_without_connack) {
  ServerPeer peer;
  peer.opens().sends(wire::connect());
  peer.answers(peer.effect<Attach>().ticket, Reason::kTimeout);
  peer.expects_close(Reason::kTimeout).expects_nothing();
}

TEST(ServerConnect, ArrivesInAnyPieces) {
  ServerPeer peer;
  peer.opens().sends_slowly(wire::connect());
  peer.accepts(peer.effect<Attach>().ticket).expects(wire::connack());
}

TEST(ServerConnect, GrantsCreditForAsManyMessagesAsMayBeUnderWay) {
  ServerPeer peer(limits_with([](auto& limits) { limits.inflight_max = 7; }));
  peer.opens().sends(wire::connect());
  peer.accepts(peer.effect<Attach>().ticket);
  EXPECT_EQ(peer.effect<Credit>().count, 7u);
}

TEST(ServerConnect, TooLargeIsClosedBeforeItsBodyIsHere) {
  ServerPeer peer(limits_with([](auto& limits) { limits.connect_bytes_max = 20; }));
  peer.opens().sends(octets("10 13")).expects_close(Reason::kTooLarge);
  ServerPeer fitting(limits_with([](auto& limits) { limits.connect_bytes_max = 20; }));
  fitting.opens().sends(octets("10 12 0004 'MQTT' 04 02 003c 0006 'abcdef'"));
  fitting.expects_effect<Attach>();
}

TEST(ServerConnect, MustBeOverInTime) {
  ServerPeer silent;
  silent.opens().after(9999ms).expects_nothing();
  silent.after(1ms).expects_close(Reason::kTimeout).expects_nothing();
  ServerPeer slow;
  slow.opens().after(9s).sends(octets("10")).after(1s).expects_close(Reason::kTimeout);
}

// client          server                broker
//   | CONNECT ->    | Attach ->            |
//   |      10 s     | Close ->             |
//   |               |        <- accepted   |
//   |               | on_close: Detach ->  |
TEST(ServerConnect, AnAcceptanceThatComesTooLateIsReturned) {
  model::Inflight lent;
  (void)lent.take(7, Guarantee::kAtLeastOnce);
  ServerPeer peer({}, std::move(lent));
  peer.opens().sends(wire::connect());
  const auto attach = peer.effect<Attach>();
  peer.after(10s);
  peer.accepts(attach.ticket).expects_close(Reason::kTimeout);
  EXPECT_EQ(peer.effect<Detach>().inflight.outgoing(), 1u);
  peer.expects_nothing();
}

TEST(ServerConnect, WithoutAnAcceptanceThereIsNothingToDetach) {
  ServerPeer peer;
  peer.opens().sends(wire::connect()).expects_effect<Attach>().ends().expects_nothing();
}

TEST(ServerConnect, AWillAboveTheLimitsIsClosedWithoutConnack) {
  ServerPeer qos(limits_with([](auto& l) { l.guarantee_max = Guarantee::kAtMostOnce; }));
  qos.opens().sends(wire::connect(kWithWill)).expects_close(Reason::kNotSupported);
  ServerPeer levels(limits_with([](auto& l) { l.topic_levels_max = 1; }));
  ConnectView deep = kWithWill;
  deep.will->topic = "a/b";
  levels.opens().sends(wire::connect(deep)).expects_close(Reason::kProtocolError);
}

TEST(ServerConnect, WaitsWhileOnlyRepliesAreTaken) {
  ServerPeer peer;
  peer.opens().takes(Intake::kRepliesOnly).sends(wire::connect()).expects_nothing();
  peer.takes(Intake::kEverything).expects_effect<Attach>();
}

TEST(ServerConnect, OctetsBehindTheEndAreDropped) {
  ServerPeer peer;
  peer.connects().sends(wire::disconnect() + wire::publish("a", "x"));
  peer.expects_effect<Detach>();
  EXPECT_EQ(peer.host().waiting(), 0u);
  peer.sends(wire::pingreq());
  EXPECT_EQ(peer.host().waiting(), 0u);
  peer.expects_close(Reason::kOk).expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
