// SPDX-License-Identifier: Apache-2.0
// CONNECT and CONNACK of MQTT 5.0 as the server sees them (§3.1, §3.2). What the packet itself must
// look like is tested in the codec: [MQTT-3.1.2-1] to -3, -11 to -13, -16 to -19, [MQTT-3.1.3-1],
// -3, -4, -11, -12, [MQTT-3.2.2-1].
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Attach;
using session::Credit;
using session::Detach;
using testkit::octets;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;

// What a server of default limits tells every client.
const Properties kOffer{number(kReceiveMaximum, 512), number(kTopicAliasMaximum, 10)};

Properties offer_after(Properties first) {
  first.insert(first.end(), kOffer.begin(), kOffer.end());
  return first;
}

// [MQTT-3.14.0-1]: no DISCONNECT before CONNACK. Nobody has said yet that this is MQTT 5, so AUTH
// is no packet.
TEST(Mqtt5, MQTT_3_1_0_1_first_packet_must_be_connect) {
  for (const wire::Octets& packet :
       {wire::v5::publish("a", "x"), wire::v5::disconnect(), wire::pingreq()}) {
    ServerPeer peer;
    peer.opens().sends(packet).expects_close(Reason::kProtocolError).expects_nothing();
  }
  ServerPeer auth;
  auth.opens().sends(octets("f0 00")).expects_close(Reason::kMalformed).expects_nothing();
}

TEST(Mqtt5, MQTT_3_1_0_2_second_connect_is_a_protocol_error) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::connect());
  peer.expects_goodbye(ReasonCode::kProtocolError, Reason::kProtocolError);
  EXPECT_FALSE(peer.effect<Detach>().discard_will);
  peer.expects_nothing();
}

TEST(Mqtt5, MQTT_3_1_2_2_unknown_versions_are_refused_in_the_form_of_3_1_1) {
  for (const std::string_view level : {"06", "00", "7f"}) {
    ServerPeer peer;
    peer.opens().sends(octets("10 0e 0004 'MQTT'") + octets(level) + octets("02 003c 00 0001 'a'"));
    peer.expects(wire::connack(1)).expects_close(Reason::kNotSupported).expects_nothing();
  }
}

TEST(Mqtt5, MQTT_3_1_2_4_to_6_clean_start_and_session_expiry_are_two_things) {
  for (const bool clean : {false, true}) {
    for (const std::uint32_t expiry_s : {0u, 1u, 3600u, UINT32_MAX}) {
      ServerPeer peer;
      peer.opens().sends(wire::v5::connect({.clean_session = clean, .client_id = "peer"},
                                           {number(kSessionExpiryInterval, expiry_s)}));
      const auto attach = peer.effect<Attach>();
      EXPECT_EQ(attach.clean_start, clean);
      EXPECT_EQ(attach.expiry_s, expiry_s);  // [MQTT-3.1.2-23]
    }
  }
}

TEST(Mqtt5, MQTT_3_1_2_23_without_session_expiry_the_session_ends_with_the_connection) {
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect({.clean_session = false, .client_id = "peer"}));
  EXPECT_EQ(peer.effect<Attach>().expiry_s, 0u);
}

TEST(Mqtt5, MQTT_3_1_2_28_there_is_no_response_information) {
  for (const std::uint32_t asked : {0u, 1u}) {
    ServerPeer peer;
    peer.opens().sends(
        wire::v5::connect({.client_id = "peer"}, {number(kRequestResponseInformation, asked)}));
    peer.accepts(peer.effect<Attach>().ticket).expects(wire::v5::connack(kOffer));
    peer.expects_effect<Credit>().expects_nothing();
  }
}

TEST(Mqtt5, MQTT_3_1_3_2_and_5_the_client_id_names_the_session) {
  for (const std::string_view id : {"a", "0123456789abcdefghijklm", "Kitchen7"}) {
    ServerPeer peer;
    peer.opens().sends(wire::v5::connect({.client_id = id}));
    EXPECT_EQ(peer.effect<Attach>().client_id, id);
  }
}

// In MQTT 5 that is allowed without clean start too.
TEST(Mqtt5, MQTT_3_1_3_6_and_7_and_3_2_2_16_the_assigned_client_id_is_told) {
  for (const bool clean : {false, true}) {
    ServerPeer peer;
    peer.opens().sends(wire::v5::connect({.clean_session = clean, .client_id = ""}));
    const auto attach = peer.effect<Attach>();
    EXPECT_EQ(attach.client_id, "");
    model::Inflight lent;
    peer.answers({.ticket = attach.ticket, .client_id = "auto-1", .inflight = &lent});
    peer.expects(
        wire::v5::connack(offer_after({wire::v5::text(kAssignedClientIdentifier, "auto-1")})));
  }
}

TEST(Mqtt5, MQTT_3_1_4_1_what_is_wrong_with_a_connect_is_told_in_connack) {
  struct Wrong {
    const char* packet;
    ReasonCode code;
    const char* why;
  };
  const Wrong wrong[] = {
      // reserved flag, receive maximum 0, maximum packet size 0, octets behind the end, a topic
      // alias that does not belong there
      {"10 0e 0004 'MQTT' 05 03 003c 00 0001 'a'", ReasonCode::kMalformedPacket,
       "MQTT-3.1.2-3 is broken at octet 9 of the packet."},
      {"10 11 0004 'MQTT' 05 02 003c 03 21 0000 0001 'a'", ReasonCode::kProtocolError,
       "MQTT 5.0 §3.1.2.11.3 is broken at octet 14 of the packet."},
      {"10 13 0004 'MQTT' 05 02 003c 05 27 00000000 0001 'a'", ReasonCode::kProtocolError,
       "MQTT 5.0 §3.1.2.11.4 is broken at octet 14 of the packet."},
      {"10 0f 0004 'MQTT' 05 02 003c 00 0001 'a' 00", ReasonCode::kMalformedPacket,
       "MQTT-3.1.4-1 is broken at octet 16 of the packet."},
      {"10 11 0004 'MQTT' 05 02 003c 03 23 0001 0001 'a'", ReasonCode::kMalformedPacket,
       "MQTT 5.0 §2.2.2.2 is broken at octet 13 of the packet."}};
  for (const auto& [packet, code, why] : wrong) {
    ServerPeer peer;
    peer.opens().sends(octets(packet));
    peer.expects(wire::v5::connack(code, {wire::v5::text(kReasonString, why)}));
    peer.expects_close(Reason::kMalformed).expects_nothing();
  }
}

// [MQTT-3.1.4-2], [MQTT-3.1.3-8], [MQTT-3.2.2-6] to -8
TEST(Mqtt5, MQTT_3_2_2_7_a_refusal_has_its_code_no_session_and_ends_the_connection) {
  const std::pair<Reason, ReasonCode> refusals[] = {
      {Reason::kBadName, ReasonCode::kClientIdentifierNotValid},
      {Reason::kBadCredentials, ReasonCode::kBadUserNameOrPassword},
      {Reason::kNotAuthorized, ReasonCode::kNotAuthorized},
      {Reason::kQuotaExceeded, ReasonCode::kQuotaExceeded},
      {Reason::kUnavailable, ReasonCode::kServerUnavailable},
      {Reason::kShutdown, ReasonCode::kServerUnavailable},
      {Reason::kTimeout, ReasonCode::kUnspecifiedError}};
  for (const auto& [reason, code] : refusals) {
    ServerPeer peer;
    peer.opens().sends(wire::v5::connect() + wire::v5::publish("a", "x"));  // [MQTT-3.1.4-6]
    peer.answers(
        {.ticket = peer.effect<Attach>().ticket, .reason = reason, .session_present = true});
    peer.expects(wire::v5::connack(code)).expects_close(reason).expects_nothing();
  }
}

// old connection                        server
//   |   <- DISCONNECT, session taken over |  on_close for the new connection
TEST(Mqtt5, MQTT_3_1_4_3_the_connection_that_is_taken_over_hears_of_it) {
  ServerPeer peer;
  peer.connects_v5().ends(Reason::kTakenOver);
  peer.expects(wire::v5::disconnect(ReasonCode::kSessionTakenOver));
  EXPECT_FALSE(peer.effect<Detach>().discard_will);
  peer.expects_nothing();
}

TEST(Mqtt5, MQTT_3_1_4_5_and_3_2_0_1_and_2_one_connack_before_anything_else) {
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect() + wire::pingreq());
  const auto attach = peer.effect<Attach>();
  peer.expects_nothing();
  peer.accepts(attach.ticket).expects(wire::v5::connack(kOffer)).expects(wire::pingresp());
  peer.expects_effect<Credit>().expects_nothing();
}

TEST(Mqtt5, MQTT_3_2_2_2_and_3_session_present) {
  for (const bool clean : {false, true}) {
    for (const bool stored : {false, true}) {
      ServerPeer peer;
      peer.opens().sends(wire::v5::connect({.clean_session = clean, .client_id = "peer"}));
      peer.accepts(peer.effect<Attach>().ticket, stored);
      peer.expects(wire::v5::connack(kOffer, stored && !clean));
    }
  }
}

TEST(Mqtt5, MQTT_3_2_2_9_and_12_a_maximum_qos_is_told_and_obeyed_by_the_will) {
  for (const Guarantee max : {Guarantee::kAtMostOnce, Guarantee::kAtLeastOnce}) {
    const auto limits = limits_with([&](auto& l) { l.guarantee_max = max; });
    ServerPeer peer(limits);
    peer.opens().sends(wire::v5::connect());
    peer.accepts(peer.effect<Attach>().ticket);
    Properties told = kOffer;
    told.push_back(number(kMaximumQos, to_qos(max)));
    peer.expects(wire::v5::connack(told));
    ServerPeer above(limits);
    above.opens().sends(wire::v5::connect(
        {.client_id = "peer", .will = WillView{.topic = "gone", .payload = {}, .qos = 2}}));
    above.expects(wire::v5::connack(ReasonCode::kQosNotSupported));
    above.expects_close(Reason::kNotSupported).expects_nothing();
  }
}

// Absent: as asked (§3.2.2.3.2).
TEST(Mqtt5, Section_3_2_2_3_2_a_shorter_session_expiry_is_told) {
  for (const std::uint32_t granted : {0u, 60u, 3600u}) {
    ServerPeer peer;
    peer.opens().sends(
        wire::v5::connect({.client_id = "peer"}, {number(kSessionExpiryInterval, 3600)}));
    peer.accepts(peer.effect<Attach>().ticket, false, granted);
    const Properties told =
        granted == 3600 ? kOffer : offer_after({number(kSessionExpiryInterval, granted)});
    peer.expects(wire::v5::connack(told)).expects_effect<Credit>().expects_nothing();
  }
}

TEST(Mqtt5, MQTT_3_2_2_21_and_22_and_3_1_2_22_the_server_keep_alive_is_told_when_it_differs) {
  for (const auto asked : std::initializer_list<std::uint16_t>{0, 5, 10, 11, 65'535}) {
    const bool cut = asked == 0 || asked > 10;
    ServerPeer peer(limits_with([](auto& limits) { limits.keep_alive_s_max = 10; }));
    peer.opens().sends(wire::v5::connect({.keep_alive_s = asked, .client_id = "peer"}));
    peer.accepts(peer.effect<Attach>().ticket);
    peer.expects(wire::v5::connack(cut ? offer_after({number(kServerKeepAlive, 10)}) : kOffer));
    peer.expects_effect<Credit>();
    peer.after((cut ? 10 : asked) * 1500ms - 1ms).expects_nothing();
    peer.after(1ms);
    peer.expects_goodbye(ReasonCode::kKeepAliveTimeout, Reason::kTimeout);
    EXPECT_FALSE(peer.effect<Detach>().discard_will);
  }
}

TEST(Mqtt5, MQTT_3_2_2_21_without_a_limit_0_turns_the_keep_alive_off) {
  ServerPeer peer;
  peer.connects_v5().after(24h * 365).expects_nothing();
}

TEST(Mqtt5, MQTT_3_14_0_1_a_handshake_that_takes_too_long_ends_without_disconnect) {
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect()).expects_effect<Attach>();
  peer.after(10s).expects_close(Reason::kTimeout).expects_nothing();
}

TEST(Mqtt5, MQTT_1_5_7_1_and_3_1_2_29_user_properties_of_connect_change_nothing) {
  ServerPeer peer;
  peer.opens().sends(wire::v5::connect(
      {.client_id = "peer"},
      {number(kRequestProblemInformation, 0), wire::v5::user("k", "v"), wire::v5::user("k", "w")}));
  peer.accepts(peer.effect<Attach>().ticket).expects(wire::v5::connack(kOffer));
}

}  // namespace
}  // namespace hermod::mqtt
