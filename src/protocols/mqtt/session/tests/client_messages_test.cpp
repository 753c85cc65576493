// SPDX-License-Identifier: Apache-2.0
// Messages and requests of the client session (MQTT 3.1.1 §3.8 to §3.11, §4.3, §4.4).
#include <array>

#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using session::Completed;
using session::Credit;
using session::Publish;
using session::Settle;

const ClientOptions kLasting{.client_id = "me", .clean_session = false};

Delivery delivery_of(Guarantee guarantee, bool redelivered = false) {
  return {.message = &kMessage, .guarantee = guarantee, .redelivered = redelivered};
}

void expect_completed(ClientPeer& peer, session::Ticket ticket, Reason reason, std::uint8_t code,
                      Guarantee granted = Guarantee::kAtMostOnce) {
  const auto completed = peer.effect<Completed>();
  EXPECT_EQ(completed.ticket, ticket);
  EXPECT_EQ(completed.reason, reason);
  EXPECT_EQ(completed.code, code);
  EXPECT_EQ(completed.granted, granted);
}

TEST(Mqtt311Client, MQTT_4_5_0_2_what_arrives_is_acknowledged_when_the_application_has_it) {
  ClientPeer peer;
  peer.connects().sends(wire::publish("a", "0", {.retain = true}) +
                        wire::publish("a", "1", {.qos = 1, .id = 1}) +
                        wire::publish("a", "2", {.qos = 2, .id = 2}));
  EXPECT_TRUE(peer.effect<Publish>().message.retain);
  const auto one = peer.effect<Publish>();
  const auto two = peer.effect<Publish>();
  peer.expects_nothing().answers(one.ticket).answers(two.ticket);
  peer.expects(wire::puback(1) + wire::pubrec(2));
  peer.sends(wire::pubrel(2)).expects(wire::pubcomp(2)).expects_nothing();
}

TEST(Mqtt311Client, MQTT_4_3_2_1_and_4_3_3_1_messages_are_settled_by_their_answers) {
  ClientPeer peer;
  const std::array items{delivery_of(Guarantee::kAtMostOnce), delivery_of(Guarantee::kAtLeastOnce),
                         delivery_of(Guarantee::kExactlyOnce)};
  peer.connects().delivers({.items = items, .first_tag = 10});
  peer.expects(wire::publish("a/b", "x") + wire::publish("a/b", "x", {.qos = 1, .id = 1}) +
               wire::publish("a/b", "x", {.qos = 2, .id = 2}));
  peer.sends(wire::puback(1));
  EXPECT_EQ(peer.effect<Settle>().first, 11u);
  peer.sends(wire::pubrec(2)).expects(wire::pubrel(2));
  EXPECT_EQ(peer.effect<Settle>().first, 12u);
  peer.sends(wire::pubcomp(2)).expects_effect<Credit>().expects_nothing();
}

TEST(Mqtt311Client, MQTT_4_4_0_1_a_session_that_is_present_goes_on) {
  ClientPeer first(kLasting);
  first.connects().delivers(delivery_of(Guarantee::kExactlyOnce), 1);
  first.delivers(delivery_of(Guarantee::kAtLeastOnce), 2);
  (void)first.host().take_output();
  first.sends(wire::pubrec(1)).expects(wire::pubrel(1)).expects_effect<Settle>().ends();

  ClientPeer second(kLasting, first.session().take_inflight());
  second.opens();
  (void)second.host().take_output();
  second.sends(wire::connack(0, true)).expects(wire::pubrel(1));
  second.expects_effect<session::Opened>();
  EXPECT_EQ(second.effect<Credit>().count, 19u);
  second.delivers(delivery_of(Guarantee::kAtLeastOnce, true), 2);
  second.expects(wire::publish("a/b", "x", {.qos = 1, .id = 2, .dup = true})).expects_nothing();
}

TEST(ClientMessages, ASessionThatIsNotPresentBeginsAnew) {
  model::Inflight inflight;
  inflight.release(*inflight.find(inflight.take(1, Guarantee::kExactlyOnce)));
  (void)inflight.take(2, Guarantee::kAtLeastOnce);
  ASSERT_TRUE(inflight.note_incoming(5));
  ClientPeer peer(kLasting, std::move(inflight));
  peer.connects().expects_nothing();
  peer.delivers(delivery_of(Guarantee::kAtLeastOnce, true), 2);
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1}));
  peer.sends(wire::publish("a", "x", {.qos = 2, .id = 5})).expects_effect<Publish>();
}

TEST(ClientMessages, ACleanSessionForgetsItsExchanges) {  // [MQTT-3.1.2-6]
  model::Inflight inflight;
  (void)inflight.take(2, Guarantee::kAtLeastOnce);
  ClientPeer peer({.client_id = "me"}, std::move(inflight));
  EXPECT_TRUE(peer.session().take_inflight().empty());
}

// client                            server
//   | SUBSCRIBE 1: a 0, b 1, c 2 ->   |
//   |     <- SUBACK 1: 0, 0x80, 2     |   three times Completed
TEST(Mqtt311Client, MQTT_3_8_4_5_each_entry_is_completed_in_order) {
  ClientPeer peer;
  peer.connects();
  ASSERT_TRUE(peer.subscribe({{"a", 0}, {"b", 1}, {"c", 2}}, 70));
  peer.expects(wire::subscribe(1, {{"a", 0}, {"b", 1}, {"c", 2}})).expects_nothing();
  peer.sends(wire::suback(1, {0, 0x80, 2}));
  expect_completed(peer, 70, Reason::kOk, 0);
  expect_completed(peer, 70, Reason::kNotAuthorized, 0x80);
  expect_completed(peer, 70, Reason::kOk, 2, Guarantee::kExactlyOnce);
  peer.expects_nothing();
}

TEST(Mqtt311Client, MQTT_2_3_1_2_requests_and_messages_do_not_share_ids) {
  ClientPeer peer;
  peer.connects().delivers(delivery_of(Guarantee::kAtLeastOnce), 1);
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1}));
  ASSERT_TRUE(peer.subscribe({{"a", 0}}, 70));
  ASSERT_TRUE(peer.unsubscribe({"a", "b"}, 71));
  peer.expects(wire::subscribe(2, {{"a", 0}}) + wire::unsubscribe(3, {"a", "b"}));
  peer.sends(wire::unsuback(3));
  expect_completed(peer, 71, Reason::kOk, 0);
  peer.sends(wire::suback(2, {1}));
  expect_completed(peer, 70, Reason::kOk, 1, Guarantee::kAtLeastOnce);
  peer.expects_nothing().ends();
  EXPECT_EQ(peer.session().take_inflight().outgoing(), 1u);
}

TEST(Mqtt311Client, MQTT_2_3_1_7_answers_to_what_was_not_asked_close) {
  for (const wire::Octets& packet : {wire::suback(1, {0}), wire::unsuback(2), wire::suback(9, {0}),
                                     wire::puback(2), wire::pubrec(1)}) {
    ClientPeer peer;
    peer.connects();
    ASSERT_TRUE(peer.unsubscribe({"a"}, 1));
    ASSERT_TRUE(peer.subscribe({{"a", 0}}, 2));
    (void)peer.host().take_output();
    peer.sends(packet).expects_close(Reason::kProtocolError);
  }
}

TEST(Mqtt311Client, MQTT_3_8_4_5_too_few_or_too_many_codes_close) {
  for (const wire::Octets& codes : {wire::Octets{0}, wire::Octets{0, 0, 0}}) {
    ClientPeer peer;
    peer.connects();
    ASSERT_TRUE(peer.subscribe({{"a", 0}, {"b", 0}}, 1));
    (void)peer.host().take_output();
    peer.sends(wire::suback(1, codes));
    for (std::size_t i = 0; i < std::min<std::size_t>(codes.size(), 2); ++i) {
      peer.expects_effect<Completed>();
    }
    peer.expects_close(Reason::kProtocolError);
  }
}

TEST(ClientRequests, WhatIsOpenAtTheEndIsCompleted) {
  ClientPeer peer(kLasting);
  peer.connects();
  ASSERT_TRUE(peer.subscribe({{"a", 0}, {"b", 0}}, 1));
  ASSERT_TRUE(peer.unsubscribe({"c", "d"}, 2));
  peer.ends(Reason::kTimeout);
  expect_completed(peer, 1, Reason::kTimeout, 0);
  expect_completed(peer, 1, Reason::kTimeout, 0);
  expect_completed(peer, 2, Reason::kTimeout, 0);
  (void)peer.host().take_output();
  peer.expects_nothing();
  EXPECT_TRUE(peer.session().take_inflight().empty());
}

TEST(ClientRequests, WhatCannotBeSaidIsRefused) {
  ClientPeer peer;
  EXPECT_FALSE(peer.subscribe({{"a", 0}}, 1));  // not open
  EXPECT_FALSE(peer.unsubscribe({"a"}, 1));
  peer.connects();
  EXPECT_FALSE(peer.subscribe({}, 1));
  EXPECT_FALSE(peer.unsubscribe({}, 1));
  EXPECT_FALSE(peer.subscribe({{"a", 0}, {"a#", 0}}, 1));
  EXPECT_FALSE(peer.subscribe({{"a", 3}}, 1));
  EXPECT_FALSE(peer.unsubscribe({""}, 1));
  const std::string filter(65'535, 'f');
  EXPECT_FALSE(peer.subscribe(std::vector<SubscribeEntry>(4100, {filter, 0}), 1));
  EXPECT_FALSE(peer.unsubscribe(std::vector<std::string_view>(4100, filter), 1));
  peer.expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
