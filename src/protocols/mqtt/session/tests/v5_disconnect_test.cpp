// SPDX-License-Identifier: Apache-2.0
// How a connection of MQTT 5.0 ends: DISCONNECT both ways, AUTH, the code of each violation (§3.14,
// §3.15, §4.13). What the packets must look like is tested in the codec: [MQTT-3.14.2-1],
// [MQTT-3.15.1-1], [MQTT-3.15.2-1].
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Detach;
using testkit::octets;
using wire::v5::number;
using enum PropertyId;

const ConnectView kWithWill{.client_id = "peer",
                            .will = WillView{.topic = "gone", .payload = {}, .qos = 1}};

// [MQTT-3.1.2-8], [MQTT-3.1.2-10]
TEST(Mqtt5, MQTT_3_14_4_3_a_normal_disconnection_discards_the_will) {
  for (const wire::Octets& packet :
       {wire::v5::disconnect(), octets("e0 01 00"), octets("e0 02 00 00")}) {
    ServerPeer peer;
    peer.connects_v5({}, kWithWill).sends(packet);
    const auto detach = peer.effect<Detach>();
    EXPECT_TRUE(detach.discard_will);
    EXPECT_FALSE(detach.expiry_s);
    peer.expects_close(Reason::kOk).expects_nothing();
  }
}

TEST(Mqtt5, MQTT_3_1_2_8_every_other_code_keeps_the_will) {
  for (const ReasonCode code :
       {ReasonCode::kDisconnectWithWillMessage, ReasonCode::kUnspecifiedError,
        ReasonCode::kQuotaExceeded, ReasonCode::kAdministrativeAction}) {
    ServerPeer peer;
    peer.connects_v5({}, kWithWill).sends(wire::v5::disconnect(code));
    EXPECT_FALSE(peer.effect<Detach>().discard_will);
    peer.expects_close(Reason::kOk).expects_nothing();
  }
}

TEST(Mqtt5, MQTT_3_14_4_1_what_follows_a_disconnect_is_dropped) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::disconnect() + wire::v5::publish("a", "x"));
  peer.expects_effect<Detach>().expects_close(Reason::kOk).expects_nothing();
  EXPECT_EQ(peer.host().waiting(), 0u);
}

TEST(Mqtt5, Section_3_14_2_2_2_the_session_expiry_may_change_at_the_end) {
  for (const std::uint32_t expiry_s : {0u, 30u, UINT32_MAX}) {
    ServerPeer peer;
    peer.connects_v5({number(kSessionExpiryInterval, 60)});
    peer.sends(wire::v5::disconnect(ReasonCode::kNormalDisconnection,
                                    {number(kSessionExpiryInterval, expiry_s)}));
    EXPECT_EQ(peer.effect<Detach>().expiry_s, expiry_s);
    peer.expects_close(Reason::kOk).expects_nothing();
  }
}

TEST(Mqtt5, Section_3_14_2_2_2_but_not_from_0) {
  ServerPeer peer;
  peer.connects_v5({}, kWithWill);
  peer.sends(
      wire::v5::disconnect(ReasonCode::kNormalDisconnection, {number(kSessionExpiryInterval, 1)}));
  peer.expects_goodbye(ReasonCode::kProtocolError, Reason::kProtocolError);
  const auto detach = peer.effect<Detach>();
  EXPECT_FALSE(detach.discard_will);
  EXPECT_FALSE(detach.expiry_s);
  ServerPeer zero;  // saying 0 again is no change
  zero.connects_v5().sends(
      wire::v5::disconnect(ReasonCode::kNormalDisconnection, {number(kSessionExpiryInterval, 0)}));
  EXPECT_TRUE(zero.effect<Detach>().discard_will);
  zero.expects_close(Reason::kOk).expects_nothing();
}

TEST(Mqtt5, MQTT_3_14_1_1_reserved_bits_are_answered_with_malformed) {
  ServerPeer peer;
  peer.connects_v5({}, kWithWill).sends(octets("e1 00"));
  peer.expects_goodbye(ReasonCode::kMalformedPacket, Reason::kMalformed);
  EXPECT_FALSE(peer.effect<Detach>().discard_will);
}

TEST(Mqtt5, MQTT_3_14_2_1_a_server_reference_or_code_of_a_server_is_a_protocol_error) {
  ServerPeer reference;
  reference.connects_v5().sends(wire::v5::disconnect(
      ReasonCode::kNormalDisconnection, {wire::v5::text(kServerReference, "elsewhere")}));
  reference.expects_goodbye(ReasonCode::kProtocolError, Reason::kProtocolError);
  ServerPeer code;
  code.connects_v5().sends(octets("e0 01 01"));
  code.expects_goodbye(ReasonCode::kProtocolError, Reason::kMalformed);
}

TEST(Mqtt5, MQTT_3_15_1_1_auth_with_flags_is_malformed_and_unknown_to_3_1_1) {
  ServerPeer peer;
  peer.connects_v5().sends(octets("f1 00"));
  peer.expects_goodbye(ReasonCode::kMalformedPacket, Reason::kMalformed);
  ServerPeer older;
  older.connects().sends(octets("f0 00")).expects_close(Reason::kMalformed);
}

// [MQTT-3.14.2-1], -2: a code of DISCONNECT alone, no properties; [MQTT-3.14.4-2]
TEST(Mqtt5, Section_4_13_each_violation_has_its_code) {
  const std::pair<const char*, ReasonCode> violations[] = {
      {"00 00", ReasonCode::kMalformedPacket},                       // packet type 0
      {"36 06 0001 61 0001 00", ReasonCode::kMalformedPacket},       // QoS 3 [MQTT-3.3.1-4]
      {"38 04 0001 61 00", ReasonCode::kMalformedPacket},            // DUP at QoS 0 [MQTT-3.3.1-2]
      {"30 04 0001 ff 00", ReasonCode::kMalformedPacket},            // no UTF-8 [MQTT-1.5.4-1]
      {"30 04 0001 00 00", ReasonCode::kMalformedPacket},            // U+0000 [MQTT-1.5.4-2]
      {"30 03 0000 00", ReasonCode::kProtocolError},                 // neither topic nor alias
      {"30 04 0001 '#' 00", ReasonCode::kProtocolError},             // wildcard [MQTT-3.3.2-2]
      {"32 06 0001 61 0000 00", ReasonCode::kProtocolError},         // id 0 [MQTT-2.2.1-3]
      {"30 08 0001 61 04 02 000001", ReasonCode::kMalformedPacket},  // cut short
      {"30 0a 0001 61 06 01 01 01 01 0000", ReasonCode::kProtocolError},  // twice
      {"30 06 0001 61 02 01 02", ReasonCode::kProtocolError},             // format 2
      {"30 08 0001 61 04 08 0001 '+'", ReasonCode::kProtocolError},       // [MQTT-3.3.2-14]
      {"30 05 0001 61 80 00", ReasonCode::kMalformedPacket},              // [MQTT-1.5.5-1]
      {"40 03 0001 01", ReasonCode::kProtocolError},                      // [MQTT-3.4.2-1]
      {"60 02 0001", ReasonCode::kMalformedPacket},                       // [MQTT-3.6.1-1]
      {"80 07 0001 00 0001 61 00", ReasonCode::kMalformedPacket},         // [MQTT-3.8.1-1]
      {"82 03 0001 00", ReasonCode::kProtocolError},                      // [MQTT-3.8.3-2]
      {"a0 06 0001 00 0001 61", ReasonCode::kMalformedPacket},            // [MQTT-3.10.1-1]
      {"a2 03 0001 00", ReasonCode::kProtocolError},                      // [MQTT-3.10.3-2]
      {"20 03 00 00 00", ReasonCode::kProtocolError},                     // CONNACK
      {"90 04 0001 00 00", ReasonCode::kProtocolError},                   // SUBACK
      {"b0 04 0001 00 00", ReasonCode::kProtocolError},                   // UNSUBACK
      {"d0 00", ReasonCode::kProtocolError}};                             // PINGRESP
  for (const auto& [packet, code] : violations) {
    SCOPED_TRACE(packet);
    ServerPeer peer;
    peer.connects_v5({}, kWithWill).sends(octets(packet) + wire::pingreq());
    peer.expects(wire::v5::disconnect(code)).expects_no_octets();
    const auto close = peer.effect<session::Close>();
    EXPECT_TRUE(close.reason == Reason::kMalformed || close.reason == Reason::kProtocolError);
    peer.ends(close.reason);
    EXPECT_FALSE(peer.effect<Detach>().discard_will);
    peer.expects_nothing();  // [MQTT-3.14.4-1]
  }
}

TEST(Mqtt5, Section_4_13_ends_that_the_server_wants_have_their_code) {
  const std::pair<Reason, ReasonCode> ends[] = {
      {Reason::kShutdown, ReasonCode::kServerShuttingDown},
      {Reason::kTakenOver, ReasonCode::kSessionTakenOver},
      {Reason::kQuotaExceeded, ReasonCode::kQuotaExceeded},
      {Reason::kTooLarge, ReasonCode::kPacketTooLarge},
      {Reason::kTimeout, ReasonCode::kKeepAliveTimeout},
      {Reason::kUnavailable, ReasonCode::kServerBusy}};
  for (const auto& [reason, code] : ends) {
    ServerPeer peer;
    peer.connects_v5().ends(reason);
    peer.expects(wire::v5::disconnect(code)).expects_effect<Detach>().expects_nothing();
  }
  ServerPeer lost;  // nobody is there to be told
  lost.connects_v5().ends().expects_effect<Detach>().expects_nothing();
}

TEST(Mqtt5, MQTT_4_1_0_1_the_exchanges_are_kept_until_the_connection_ends) {
  const model::Message message = message_of("a", "x");
  ServerPeer peer;
  peer.connects_v5();
  peer.delivers({.message = &message, .guarantee = Guarantee::kAtLeastOnce}, 1);
  (void)peer.host().take_output();
  peer.after(1h).expects_nothing();
  peer.sends(wire::v5::disconnect());
  EXPECT_EQ(peer.effect<Detach>().inflight.outgoing(), 1u);
}

}  // namespace
}  // namespace hermod::mqtt
