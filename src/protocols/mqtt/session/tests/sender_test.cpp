// SPDX-License-Identifier: Apache-2.0
// PUBLISH on its way out (MQTT 3.1.1 §4.3, §4.4, §4.6), seen through the server session.
#include <array>

#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using session::Credit;
using session::Detach;
using session::Settle;

constexpr ConnectView kLasting{.clean_session = false, .client_id = "peer"};

Delivery delivery(Guarantee guarantee, bool redelivered = false,
                  const model::Message& message = kMessage) {
  return {.message = &message, .guarantee = guarantee, .redelivered = redelivered};
}

void expect_settled(ServerPeer& peer, model::Tag first, model::Tag last, std::uint32_t credit) {
  const auto settle = peer.effect<Settle>();
  EXPECT_EQ(settle.first, first);
  EXPECT_EQ(settle.last, last);
  EXPECT_EQ(settle.outcome, model::Outcome::kAccept);
  EXPECT_EQ(settle.credit, credit);
}

TEST(Mqtt311, MQTT_4_3_1_1_qos_0_is_sent_once_without_id) {
  ServerPeer peer;
  peer.connects().delivers(delivery(Guarantee::kAtMostOnce), 0);
  peer.expects(wire::publish("a/b", "x")).expects_nothing();
}

TEST(Mqtt311, MQTT_3_3_1_8_and_9_retain_says_that_it_is_the_last_value) {
  ServerPeer peer;
  Delivery last_value = delivery(Guarantee::kAtMostOnce);
  last_value.retain = true;
  peer.connects().delivers(last_value, 0);
  peer.expects(wire::publish("a/b", "x", {.retain = true})).expects_nothing();
}

// server                 client
//   | PUBLISH QoS 1, 1 ->  |
//   |       <- PUBACK 1    |   Settle, a credit back
TEST(Mqtt311, MQTT_4_3_2_1_qos_1_is_unacknowledged_until_puback) {
  ServerPeer peer;
  peer.connects().delivers(delivery(Guarantee::kAtLeastOnce), 41);
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1})).expects_nothing();
  peer.sends(wire::puback(1));
  expect_settled(peer, 41, 41, 1);
  peer.sends(wire::puback(1)).expects_nothing();
}

// server                 client
//   | PUBLISH QoS 2, 1 ->  |
//   |       <- PUBREC 1    |   Settle
//   | PUBREL 1 ->          |
//   |       <- PUBCOMP 1   |   a credit back
TEST(Mqtt311, MQTT_4_3_3_1_qos_2_is_settled_by_pubrec_and_over_with_pubcomp) {
  ServerPeer peer;
  peer.connects().delivers(delivery(Guarantee::kExactlyOnce), 8);
  peer.expects(wire::publish("a/b", "x", {.qos = 2, .id = 1})).expects_nothing();
  peer.sends(wire::pubrec(1)).expects(wire::pubrel(1));
  expect_settled(peer, 8, 8, 0);
  peer.sends(wire::pubrec(1)).expects(wire::pubrel(1)).expects_nothing();
  peer.sends(wire::pubcomp(1));
  EXPECT_EQ(peer.effect<Credit>().count, 1u);
  peer.sends(wire::pubcomp(1)).expects_nothing();
}

TEST(Mqtt311, MQTT_2_3_1_4_ids_in_use_are_not_used_again) {
  ServerPeer peer(limits_with([](auto& limits) { limits.inflight_max = 10; }));
  peer.connects();
  for (model::Tag tag = 1; tag <= 3; ++tag) {
    peer.delivers(delivery(Guarantee::kAtLeastOnce), tag);
    peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = static_cast<std::uint16_t>(tag)}));
  }
  peer.sends(wire::puback(2)).expects_effect<Settle>();
  peer.delivers(delivery(Guarantee::kAtLeastOnce), 4);
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 4})).expects_nothing();
}

TEST(Mqtt311, MQTT_4_6_0_4_pubrel_follows_the_order_of_pubrec) {
  ServerPeer peer;
  peer.connects();
  for (model::Tag tag = 1; tag <= 3; ++tag) {
    peer.delivers(delivery(Guarantee::kExactlyOnce), tag);
  }
  (void)peer.host().take_output();
  peer.sends(wire::pubrec(3) + wire::pubrec(1) + wire::pubrec(2));
  peer.expects(wire::pubrel(3) + wire::pubrel(1) + wire::pubrel(2));
}

// What the broker sends as a sender gains by waiting for more; what the peer waits for must not.
TEST(Sender, PublishAndPubrelMayWaitForMoreOfTheirKind) {
  const std::string large(Output::kShareFrom, 'x');
  const model::MessageRef shared = message_of("a/b", large).own();
  ServerPeer peer;
  peer.connects().answers_all();
  EXPECT_TRUE(peer.host().hasty());  // CONNACK
  peer.delivers(delivery(Guarantee::kAtMostOnce), 0);
  EXPECT_FALSE(peer.host().hasty());
  peer.delivers(delivery(Guarantee::kExactlyOnce, false, *shared), 1);
  EXPECT_FALSE(peer.host().hasty());
  peer.sends(wire::pubrec(1));
  EXPECT_FALSE(peer.host().hasty());
  peer.sends(wire::pubrec(1) + wire::pingreq());
  EXPECT_TRUE(peer.host().hasty());
  peer.sends(wire::publish("a/b", "x", {.qos = 1, .id = 7}));
  EXPECT_TRUE(peer.host().hasty());  // PUBACK
  peer.sends(wire::publish("a/b", "x", {.qos = 2, .id = 8}));
  EXPECT_TRUE(peer.host().hasty());  // PUBREC
  peer.sends(wire::pubrel(8));
  EXPECT_TRUE(peer.host().hasty());  // PUBCOMP
  (void)peer.host().take_output();
}

TEST(Sender, AcknowledgementsInOrderAreSettledInOneEffect) {
  ServerPeer peer;
  peer.connects();
  for (model::Tag tag = 1; tag <= 3; ++tag) {
    peer.delivers(delivery(Guarantee::kAtLeastOnce), tag);
  }
  (void)peer.host().take_output();
  peer.sends(wire::puback(1) + wire::puback(2) + wire::puback(3));
  expect_settled(peer, 1, 3, 3);
  peer.expects_nothing();
}

TEST(Sender, AcknowledgementsOfUnknownIds) {
  ServerPeer peer;
  peer.connects().sends(wire::puback(9) + wire::pubcomp(9)).expects_nothing();
  peer.sends(wire::pubrec(9)).expects(wire::pubrel(9)).expects_nothing();
}

TEST(Mqtt311, MQTT_4_8_0_1_acknowledgements_of_the_wrong_kind_close) {
  const std::pair<Guarantee, wire::Octets> wrong[] = {{Guarantee::kAtLeastOnce, wire::pubrec(1)},
                                                      {Guarantee::kAtLeastOnce, wire::pubcomp(1)},
                                                      {Guarantee::kExactlyOnce, wire::puback(1)},
                                                      {Guarantee::kExactlyOnce, wire::pubcomp(1)}};
  for (const auto& [guarantee, packet] : wrong) {
    ServerPeer peer;
    peer.connects().delivers(delivery(guarantee), 1);
    (void)peer.host().take_output();
    peer.sends(packet).expects_close(Reason::kProtocolError);
  }
}

// first connection                     second connection
//   | PUBLISH QoS 2, 1 ->  |             | CONNACK ->              |
//   | PUBLISH QoS 1, 2 ->  |             | PUBREL 1 ->             |
//   | PUBLISH QoS 2, 3 ->  |             | PUBLISH QoS 1, 2, DUP ->|
//   |   <- PUBREC 1        |             | PUBLISH QoS 2, 3, DUP ->|
//   | PUBREL 1 ->          |
TEST(Mqtt311, MQTT_4_4_0_1_and_4_6_0_1_unfinished_exchanges_go_on_with_their_ids_in_order) {
  ServerPeer first;
  first.connects(kLasting);
  first.delivers(delivery(Guarantee::kExactlyOnce), 11);
  first.delivers(delivery(Guarantee::kAtLeastOnce), 12);
  first.delivers(delivery(Guarantee::kExactlyOnce), 13);
  (void)first.host().take_output();
  first.sends(wire::pubrec(1)).expects(wire::pubrel(1));
  expect_settled(first, 11, 11, 0);
  first.ends();

  ServerPeer second(limits_with([](auto& limits) { limits.inflight_max = 5; }),
                    first.effect<Detach>().inflight);
  second.opens().sends(wire::connect(kLasting));
  second.accepts(second.effect<session::Attach>().ticket, true);
  second.expects(wire::connack(0, true) + wire::pubrel(1));
  EXPECT_EQ(second.effect<Credit>().count, 4u);
  const std::array again{delivery(Guarantee::kAtLeastOnce, true),
                         delivery(Guarantee::kExactlyOnce, true),
                         delivery(Guarantee::kAtLeastOnce)};
  second.delivers({.items = again, .first_tag = 12});
  second.expects(wire::publish("a/b", "x", {.qos = 1, .id = 2, .dup = true}) +  // [MQTT-3.3.1-1]
                 wire::publish("a/b", "x", {.qos = 2, .id = 3, .dup = true}) +
                 wire::publish("a/b", "x", {.qos = 1, .id = 4}));
  second.sends(wire::pubcomp(1));
  EXPECT_EQ(second.effect<Credit>().count, 1u);
  second.sends(wire::puback(2));
  expect_settled(second, 12, 12, 1);
  second.expects_nothing();
}

// The subscription was lowered while the connection was away: what was sent stays what it was.
TEST(Sender, ARepetitionKeepsTheQosOfItsExchange) {
  model::Inflight inflight;
  (void)inflight.take(3, Guarantee::kExactlyOnce);
  ServerPeer peer({}, std::move(inflight));
  peer.connects(kLasting, true).delivers(delivery(Guarantee::kAtLeastOnce, true), 3);
  peer.expects(wire::publish("a/b", "x", {.qos = 2, .id = 1, .dup = true}));
  peer.sends(wire::pubrec(1)).expects(wire::pubrel(1));
}

TEST(Sender, ARepetitionIsNotTakenFromASharedEncoding) {
  model::EncodeSlots slots;
  std::array items{delivery(Guarantee::kAtLeastOnce), delivery(Guarantee::kAtLeastOnce)};
  ServerPeer peer;
  peer.connects().delivers({.items = items, .first_tag = 1, .slots = &slots});
  (void)peer.host().take_output();
  items[1].redelivered = true;
  peer.delivers({.items = items, .first_tag = 1, .slots = &slots});
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 3}) +
               wire::publish("a/b", "x", {.qos = 1, .id = 2, .dup = true}));
}

// It was sent to another member of a group: here the exchange is a new one.
TEST(Mqtt5, MQTT_4_3_2_2_what_another_client_was_sent_is_no_duplicate_here) {
  ServerPeer peer;
  peer.connects().delivers(delivery(Guarantee::kAtLeastOnce, true), 5);
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1}));
}

TEST(Sender, QoS0IsNeverADuplicate) {  // [MQTT-3.3.1-2]
  ServerPeer peer;
  peer.connects().delivers(delivery(Guarantee::kAtMostOnce, true), 5);
  peer.expects(wire::publish("a/b", "x"));
}

TEST(Sender, NoCreditIsAskedWhileAllIdsAreReleased) {
  model::Inflight inflight;
  for (model::Tag tag = 1; tag <= 2; ++tag) {
    inflight.release(*inflight.find(inflight.take(tag, Guarantee::kExactlyOnce)));
  }
  ServerPeer peer(limits_with([](auto& limits) { limits.inflight_max = 2; }), std::move(inflight));
  peer.opens().sends(wire::connect(kLasting));
  peer.accepts(peer.effect<session::Attach>().ticket, true);
  peer.expects(wire::connack(0, true) + wire::pubrel(1) + wire::pubrel(2)).expects_nothing();
  peer.sends(wire::pubcomp(1)).expects_effect<Credit>().expects_nothing();
}

TEST(Sender, WhatMqttCannotSayIsSettledAsIfSent) {
  const std::string topic(65'536, 'a');
  const model::Message message = message_of(topic, "x");
  ServerPeer peer;
  peer.connects().delivers(delivery(Guarantee::kAtMostOnce, false, message), 0).expects_nothing();
  peer.delivers(delivery(Guarantee::kAtLeastOnce, false, message), 6);
  expect_settled(peer, 6, 6, 1);
  model::EncodeSlots slots;
  const std::array items{delivery(Guarantee::kAtLeastOnce, false, message),
                         delivery(Guarantee::kAtLeastOnce)};
  peer.delivers({.items = items, .first_tag = 7, .slots = &slots});
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1}));
  expect_settled(peer, 7, 7, 1);
}

TEST(Sender, ALargePayloadIsReferredTo) {
  const std::string payload(Output::kShareFrom, 'p');
  const model::MessageRef owned = message_of("a/b", payload).own();
  ServerPeer peer;
  peer.connects();
  const std::size_t capacity = peer.host().output().capacity();
  for (model::Tag tag = 1; tag <= 3; ++tag) {
    peer.delivers(delivery(Guarantee::kAtLeastOnce, false, *owned), tag);
  }
  EXPECT_EQ(peer.host().output().capacity(), capacity);  // headers fit what is there
  peer.expects(wire::publish("a/b", payload, {.qos = 1, .id = 1}) +
               wire::publish("a/b", payload, {.qos = 1, .id = 2}) +
               wire::publish("a/b", payload, {.qos = 1, .id = 3}));
  const model::Message unowned = message_of("a/b", payload);
  peer.delivers(delivery(Guarantee::kAtMostOnce, false, unowned), 0);
  peer.expects(wire::publish("a/b", payload));
}

// Every batch, shared or not, reads the same at the peer.
TEST(Sender, ASharedEncodingIsWhatEachWouldHaveWritten) {
  const std::string large(3000, 'l');
  const model::Message messages[] = {message_of("a", "1"), message_of("b/c", ""),
                                     message_of("d", std::string_view(large).substr(0, 500))};
  const model::MessageRef owned = message_of("e", large).own();
  for (const int qos : {0, 1, 2}) {
    for (const bool with_large : {false, true}) {
      std::vector<Delivery> items;
      for (const model::Message& message : messages) {
        items.push_back(delivery(to_guarantee(static_cast<std::uint8_t>(qos)), false, message));
      }
      if (with_large) items.push_back(delivery(items[0].guarantee, false, *owned));
      model::EncodeSlots slots;
      ServerPeer alone;
      alone.connects().delivers({.items = items, .first_tag = 1});
      const wire::Octets expected = alone.host().take_output();
      for (int subscriber = 0; subscriber < 3; ++subscriber) {
        ServerPeer peer;
        peer.connects().delivers({.items = items, .first_tag = 1, .slots = &slots});
        EXPECT_LT(peer.host().output().capacity(), large.size());  // the large one is referred to
        peer.expects(expected).expects_nothing();
      }
    }
  }
}

TEST(Sender, SharedEncodingsOfOtherFlagsAreNotMixedUp) {
  model::EncodeSlots slots;
  std::array items{delivery(Guarantee::kAtMostOnce), delivery(Guarantee::kAtMostOnce)};
  ServerPeer peer;
  peer.connects();
  const auto deliver = [&] { peer.delivers({.items = items, .first_tag = 1, .slots = &slots}); };
  deliver();
  peer.expects(repeat(wire::publish("a/b", "x"), 2));
  items[1].guarantee = Guarantee::kAtLeastOnce;
  deliver();
  peer.expects(wire::publish("a/b", "x") + wire::publish("a/b", "x", {.qos = 1, .id = 1}));
  items[0].guarantee = Guarantee::kAtLeastOnce;
  deliver();
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 2}) +
               wire::publish("a/b", "x", {.qos = 1, .id = 3}));
  items[1].retain = true;
  deliver();
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 4}) +
               wire::publish("a/b", "x", {.qos = 1, .id = 5, .retain = true}));
  items[0].retain = true;
  deliver();
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 6, .retain = true}) +
               wire::publish("a/b", "x", {.qos = 1, .id = 7, .retain = true}));
  items[0] = items[1] = delivery(Guarantee::kAtMostOnce);
  deliver();
  peer.expects(repeat(wire::publish("a/b", "x"), 2)).expects_nothing();
}

TEST(Sender, EachSubscriberOfASharedBatchHasItsOwnIdsAndTags) {
  model::EncodeSlots slots;
  const std::array items{delivery(Guarantee::kAtLeastOnce), delivery(Guarantee::kAtLeastOnce)};
  ServerPeer first;
  ServerPeer second;
  first.connects().delivers({.items = items, .first_tag = 1, .slots = &slots});
  second.connects().delivers(delivery(Guarantee::kExactlyOnce), 99);
  (void)second.host().take_output();
  second.delivers({.items = items, .first_tag = 100, .slots = &slots});
  second.expects(wire::publish("a/b", "x", {.qos = 1, .id = 2}) +
                 wire::publish("a/b", "x", {.qos = 1, .id = 3}));
  second.sends(wire::puback(3));
  expect_settled(second, 101, 101, 1);
}

TEST(Sender, AnEmptyBatchIsNothing) {
  ServerPeer peer;
  peer.connects().delivers(model::DeliveryBatch{}).expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
