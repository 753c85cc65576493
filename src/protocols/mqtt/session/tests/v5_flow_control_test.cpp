// SPDX-License-Identifier: Apache-2.0
// The receive maximum of MQTT 5.0 in both directions (§3.3.4, §4.9).
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Attach;
using session::Credit;
using session::Publish;
using session::Settle;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;

using Ids = std::initializer_list<std::uint16_t>;
constexpr ConnectView kSamePeer{.clean_session = false, .client_id = "peer"};
const model::Message kShortMessage = message_of("a", "x");

session::SessionLimits limits_of(std::uint16_t inflight_max) {
  return limits_with([&](auto& limits) { limits.inflight_max = inflight_max; });
}

// Exactly-once exchanges of an earlier connection that wait for PUBCOMP.
model::Inflight released(model::Tag count) {
  model::Inflight inflight;
  for (model::Tag tag = 1; tag <= count; ++tag) {
    inflight.release(*inflight.find(inflight.take(tag, Guarantee::kExactlyOnce)));
  }
  return inflight;
}

TEST(Mqtt5, MQTT_3_3_4_9_credit_is_the_lower_of_both_maxima) {
  const std::tuple<std::uint32_t, std::uint16_t, std::uint32_t> cases[] = {
      {1, 512, 1}, {3, 512, 3}, {512, 512, 512}, {65'535, 512, 512}, {20, 10, 10}};
  for (const auto& [asked, own, credit] : cases) {
    ServerPeer peer(limits_of(own));
    peer.opens().sends(wire::v5::connect({.client_id = "p"}, {number(kReceiveMaximum, asked)}));
    peer.accepts(peer.effect<Attach>().ticket);
    EXPECT_EQ(peer.effect<Credit>().count, credit);
  }
  ServerPeer absent(limits_of(65'535));
  absent.opens().sends(wire::v5::connect());
  absent.accepts(absent.effect<Attach>().ticket);
  EXPECT_EQ(absent.effect<Credit>().count, 65'535u);
}

TEST(Mqtt5, MQTT_3_3_4_9_a_credit_comes_back_with_puback_pubcomp_and_a_pubrec_that_refuses) {
  ServerPeer peer;
  peer.connects_v5({number(kReceiveMaximum, 3)});
  peer.delivers({.message = &kShortMessage, .guarantee = Guarantee::kAtLeastOnce}, 1);
  peer.delivers({.message = &kShortMessage, .guarantee = Guarantee::kExactlyOnce}, 2);
  peer.delivers({.message = &kShortMessage, .guarantee = Guarantee::kExactlyOnce}, 3);
  (void)peer.host().take_output();
  peer.sends(wire::v5::puback(1, ReasonCode::kUnspecifiedError));
  EXPECT_EQ(peer.effect<Settle>().credit, 1u);
  peer.sends(wire::v5::pubrec(2));
  EXPECT_EQ(peer.effect<Settle>().credit, 0u);
  peer.sends(wire::v5::pubrec(3, ReasonCode::kUnspecifiedError));
  EXPECT_EQ(peer.effect<Settle>().credit, 1u);
  peer.expects_no_effect().sends(wire::v5::pubcomp(2));
  EXPECT_EQ(peer.effect<Credit>().count, 1u);
  peer.expects_no_effect();
}

// A credit is what may be unfinished beside PUBRELs that are: five of those are more than the new
// connection allows, so the first three PUBCOMPs free nothing.
TEST(Mqtt5, MQTT_3_3_4_9_a_resumed_session_obeys_the_new_maximum) {
  ServerPeer peer({}, released(5));
  peer.opens().sends(wire::v5::connect(
      kSamePeer, {number(kSessionExpiryInterval, 60), number(kReceiveMaximum, 2)}));
  peer.accepts(peer.effect<Attach>().ticket, true, 60);
  peer.expects_no_effect();
  for (std::uint16_t id = 1; id <= 3; ++id) peer.sends(wire::v5::pubcomp(id)).expects_no_effect();
  peer.sends(wire::v5::pubcomp(4));
  EXPECT_EQ(peer.effect<Credit>().count, 1u);
  peer.sends(wire::v5::pubcomp(5));
  EXPECT_EQ(peer.effect<Credit>().count, 1u);
  peer.expects_no_effect();
}

TEST(Mqtt5, MQTT_3_3_4_9_a_lower_limit_of_the_server_holds_for_3_1_1_too) {
  ServerPeer peer(limits_of(2), released(3));
  peer.opens().sends(wire::connect(kSamePeer));
  peer.accepts(peer.effect<Attach>().ticket, true);
  peer.expects_no_effect().sends(wire::pubcomp(1)).expects_no_effect();
  peer.sends(wire::pubcomp(2)).expects_effect<Credit>();
  peer.sends(wire::pubcomp(3)).expects_effect<Credit>().expects_no_effect();
}

// [MQTT-3.3.4-8] is the same for clients
TEST(Mqtt5, MQTT_3_3_4_10_other_packets_are_not_held_back) {
  ServerPeer peer;
  peer.connects_v5({number(kReceiveMaximum, 1)}).answers_all();
  peer.delivers({.message = &kShortMessage, .guarantee = Guarantee::kAtLeastOnce}, 1);
  peer.expects(wire::v5::publish("a", "x", {.qos = 1, .id = 1}));
  peer.sends(wire::pingreq() + wire::v5::subscribe(1, {{"a", 0}}) +
             wire::v5::publish("b", "y", {.qos = 1, .id = 1}));
  peer.expects(wire::pingresp() + wire::v5::suback(1, {0}) + wire::v5::puback(1));
  peer.delivers({.message = &kShortMessage}, 0).expects(wire::v5::publish("a", "x"));
}

// client                           server
//   | PUBLISH QoS 1, 1 ->            |
//   | PUBLISH QoS 2, 2 ->            |
//   | PUBLISH QoS 1, 3 ->            |
//   |  <- DISCONNECT, receive max    |
TEST(Mqtt5, MQTT_3_3_4_7_more_than_the_receive_maximum_ends_the_connection) {
  ServerPeer peer(limits_of(2));
  peer.connects_v5();
  peer.sends(wire::v5::publish("a", "x", {.qos = 1, .id = 1}) +
             wire::v5::publish("a", "x", {.qos = 2, .id = 2}) + wire::v5::publish("a", "0"));
  peer.expects_effect<Publish>().expects_effect<Publish>().expects_effect<Publish>();
  peer.sends(wire::v5::publish("a", "x", {.qos = 1, .id = 3}));
  peer.expects_goodbye(ReasonCode::kReceiveMaximumExceeded, Reason::kProtocolError);
}

TEST(Mqtt5, MQTT_3_3_4_7_puback_pubcomp_and_a_refusing_pubrec_make_room) {
  ServerPeer peer(limits_of(1));
  peer.connects_v5();
  for (int round = 0; round < 3; ++round) {
    peer.sends(wire::v5::publish("a", "x", {.qos = 1, .id = 1}));
    peer.answers(peer.effect<Publish>().ticket).expects(wire::v5::puback(1));
    peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 2}));
    peer.answers(peer.effect<Publish>().ticket).expects(wire::v5::pubrec(2));
    peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 2, .dup = true}));  // the same one
    peer.expects(wire::v5::pubrec(2));
    peer.sends(wire::v5::pubrel(2)).expects(wire::v5::pubcomp(2));
    peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 3}));
    peer.answers(peer.effect<Publish>().ticket, Reason::kNotAuthorized);
    peer.expects(wire::v5::pubrec(3, ReasonCode::kNotAuthorized)).expects_nothing();
  }
  peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 4}));
  peer.answers(peer.effect<Publish>().ticket).expects(wire::v5::pubrec(4));
  peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 5}));
  peer.expects_goodbye(ReasonCode::kReceiveMaximumExceeded, Reason::kProtocolError);
}

// The client's quota begins anew with the connection (§4.9); what an earlier one left does not
// count.
TEST(Mqtt5, Section_4_9_the_quota_of_a_resumed_session_is_whole) {
  model::Inflight lent;
  for (const auto id : Ids{1, 2}) ASSERT_TRUE(lent.note_incoming(id));
  ServerPeer peer(limits_of(2), std::move(lent));
  peer.connects_v5({number(kSessionExpiryInterval, 60)}, kSamePeer, true).answers_all();
  peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 3}) +
             wire::v5::publish("a", "x", {.qos = 2, .id = 4}));
  peer.expects(wire::v5::pubrec(3) + wire::v5::pubrec(4));
  peer.expects_effect<Publish>().expects_effect<Publish>().expects_nothing();
  for (const auto id : Ids{1, 2, 3, 4}) {
    peer.sends(wire::v5::pubrel(id)).expects(wire::v5::pubcomp(id));
  }
  for (const auto id : Ids{5, 6}) {
    peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = id})).expects(wire::v5::pubrec(id));
    peer.expects_effect<Publish>();
  }
  peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 7}));
  peer.expects_goodbye(ReasonCode::kReceiveMaximumExceeded, Reason::kProtocolError);
}

}  // namespace
}  // namespace hermod::mqtt
