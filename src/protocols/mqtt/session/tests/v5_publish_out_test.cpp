// SPDX-License-Identifier: Apache-2.0
// PUBLISH of MQTT 5.0 on its way out: properties, subscription identifiers, the exchanges (§3.3,
// §4.3, §4.4, §4.6), seen through the server session.
#include <array>

#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using session::Credit;
using session::Detach;
using session::Settle;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;

const Properties kLasting{number(kSessionExpiryInterval, 3600)};
constexpr ConnectView kAgain{.clean_session = false, .client_id = "peer"};

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

struct Rich {
  std::array<model::UserProperty, 3> user{
      {{"b", std::string_view("1")}, {"a", std::string_view("2")}, {"b", std::string_view("1")}}};
  model::Properties properties{.content_type = "text/plain",
                               .reply_to = "answers/7",
                               .correlation = as_bytes(std::string_view("\0\xff", 2)),
                               .text = true,
                               .user = user};
  model::Message message = message_of("a/b", "x");
  Rich() { message.properties = &properties; }
};
const Properties kRich{number(kPayloadFormatIndicator, 1),
                       wire::v5::text(kContentType, "text/plain"),
                       wire::v5::text(kResponseTopic, "answers/7"),
                       wire::v5::octets(kCorrelationData, std::string_view("\0\xff", 2)),
                       wire::v5::user("b", "1"),
                       wire::v5::user("a", "2"),
                       wire::v5::user("b", "1")};

// There and empty is not the same as not there.
TEST(Mqtt5, MQTT_3_3_2_16_and_20_empty_ones_are_sent_too) {
  const Properties empty{wire::v5::text(kContentType, std::string_view("x").substr(1)),
                         wire::v5::octets(kCorrelationData, "")};
  ServerPeer publisher;
  publisher.connects_v5().sends(wire::v5::publish("a/b", "x", {}, empty));
  const model::MessageRef kept = publisher.effect<session::Publish>().message.own();
  ServerPeer subscriber;
  subscriber.connects_v5().delivers(delivery(Guarantee::kAtMostOnce, false, *kept), 0);
  subscriber.expects(wire::v5::publish("a/b", "x", {}, empty));
}

// [MQTT-3.3.2-4], [MQTT-3.3.2-15] to -18, [MQTT-3.3.2-20]
TEST(Mqtt5, MQTT_3_3_2_4_and_15_to_20_subscribers_get_the_properties_unaltered) {
  const Rich rich;
  for (const Guarantee guarantee :
       {Guarantee::kAtMostOnce, Guarantee::kAtLeastOnce, Guarantee::kExactlyOnce}) {
    model::EncodeSlots slots;
    const std::array items{delivery(guarantee, false, rich.message), delivery(guarantee)};
    for (model::EncodeSlots* shared : {static_cast<model::EncodeSlots*>(nullptr), &slots, &slots}) {
      ServerPeer peer;
      peer.connects_v5().delivers({.items = items, .first_tag = 1, .slots = shared});
      const std::uint8_t qos = to_qos(guarantee);
      const auto id = [&](int n) { return static_cast<std::uint16_t>(qos == 0 ? 0 : n); };
      peer.expects(wire::v5::publish("a/b", "x", {.qos = qos, .id = id(1)}, kRich) +
                   wire::v5::publish("a/b", "x", {.qos = qos, .id = id(2)}));
      peer.expects_nothing();
    }
  }
}

TEST(Mqtt5, MQTT_2_2_2_1_clients_of_other_versions_share_a_batch_without_mixing_it_up) {
  const Rich rich;
  model::EncodeSlots slots;
  const std::array items{delivery(Guarantee::kAtMostOnce, false, rich.message),
                         delivery(Guarantee::kAtMostOnce)};
  for (int round = 0; round < 2; ++round) {
    ServerPeer five;
    five.connects_v5().delivers({.items = items, .first_tag = 1, .slots = &slots});
    five.expects(wire::v5::publish("a/b", "x", {}, kRich) + wire::v5::publish("a/b", "x"));
    ServerPeer older;
    older.connects().delivers({.items = items, .first_tag = 1, .slots = &slots});
    older.expects(repeat(wire::publish("a/b", "x"), 2)).expects_nothing();
  }
}

// What AMQP's headers can hold beside text has no place here.
TEST(Mqtt5, MQTT_3_3_2_17_only_texts_are_user_properties) {
  const std::array<model::UserProperty, 3> user{
      {{"n", std::int64_t{7}}, {"t", std::string_view("x")}, {"b", true}}};
  const model::Properties properties{.user = user};
  model::Message message = message_of("a", "x");
  message.properties = &properties;
  ServerPeer peer;
  peer.connects_v5().delivers(delivery(Guarantee::kAtMostOnce, false, message), 0);
  peer.expects(wire::v5::publish("a", "x", {}, {wire::v5::user("t", "x")})).expects_nothing();
}

TEST(Mqtt5, MQTT_3_3_2_17_many_large_properties_are_shared_as_they_are) {
  const std::string value(60'000, 'v');
  const std::vector<model::UserProperty> user(10, {"k", std::string_view(value)});
  const model::Properties properties{.user = user};
  model::Message message = message_of("a", "x");
  message.properties = &properties;
  const Properties list(10, wire::v5::user("k", value));
  model::EncodeSlots slots;
  const Delivery one = delivery(Guarantee::kAtMostOnce, false, message);
  for (int round = 0; round < 2; ++round) {
    ServerPeer peer;
    peer.connects_v5().delivers({.items = {&one, 1}, .first_tag = 1, .slots = &slots});
    peer.expects(wire::v5::publish("a", "x", {}, list)).expects_nothing();
  }
}

// [MQTT-3.3.4-5]: this server sends a single copy
TEST(Mqtt5, MQTT_3_3_4_3_and_4_all_subscription_identifiers_come_with_the_one_copy) {
  const std::array<std::uint32_t, 3> ids{7, 268'435'455, 1};
  Delivery one = delivery(Guarantee::kAtLeastOnce);
  one.subscription_ids = ids;
  ServerPeer peer;
  peer.connects_v5().delivers(one, 1);
  peer.expects(wire::v5::publish(
      "a/b", "x", {.qos = 1, .id = 1},
      {number(kSubscriptionIdentifier, 7), number(kSubscriptionIdentifier, 268'435'455),
       number(kSubscriptionIdentifier, 1)}));
  ServerPeer older;
  older.connects().delivers(one, 1).expects(wire::publish("a/b", "x", {.qos = 1, .id = 1}));
}

TEST(Mqtt5, MQTT_3_3_1_12_and_13_retain_is_what_the_delivery_says) {
  for (const bool retain : {false, true}) {
    Delivery one = delivery(Guarantee::kAtMostOnce);
    one.retain = retain;
    ServerPeer peer;
    peer.connects_v5().delivers(one, 0);
    peer.expects(wire::v5::publish("a/b", "x", {.retain = retain})).expects_nothing();
  }
}

TEST(Mqtt5, MQTT_4_3_1_1_and_3_3_1_2_qos_0_is_sent_once_without_id_and_dup) {
  ServerPeer peer;
  peer.connects_v5().delivers(delivery(Guarantee::kAtMostOnce, true), 0);
  peer.expects(wire::v5::publish("a/b", "x")).expects_nothing();
}

// [MQTT-2.2.1-4], [MQTT-4.3.2-1], [MQTT-4.3.2-2]
TEST(Mqtt5, MQTT_4_3_2_3_qos_1_is_unacknowledged_until_puback) {
  ServerPeer peer;
  peer.connects_v5().delivers(delivery(Guarantee::kAtLeastOnce), 41);
  peer.expects(wire::v5::publish("a/b", "x", {.qos = 1, .id = 1})).expects_nothing();
  peer.sends(wire::v5::puback(1));
  expect_settled(peer, 41, 41, 1);
  peer.sends(wire::v5::puback(1)).expects_nothing();
}

// server                   client
//   | PUBLISH QoS 2, 1 ->    |
//   |       <- PUBREC 1      |   Settle
//   | PUBREL 1 ->            |
//   |       <- PUBCOMP 1     |   a credit back
TEST(Mqtt5, MQTT_4_3_3_1_to_6_qos_2_is_settled_by_pubrec_and_over_with_pubcomp) {
  ServerPeer peer;
  peer.connects_v5().delivers(delivery(Guarantee::kExactlyOnce), 8);
  peer.expects(wire::v5::publish("a/b", "x", {.qos = 2, .id = 1})).expects_nothing();
  peer.sends(wire::v5::pubrec(1, ReasonCode::kNoMatchingSubscribers)).expects(wire::v5::pubrel(1));
  expect_settled(peer, 8, 8, 0);
  peer.sends(wire::v5::pubrec(1)).expects(wire::v5::pubrel(1)).expects_nothing();
  peer.sends(wire::v5::pubcomp(1));
  EXPECT_EQ(peer.effect<Credit>().count, 1u);
  peer.sends(wire::v5::pubcomp(1)).expects_nothing();
}

TEST(Mqtt5, MQTT_4_4_0_2_a_refused_message_is_over_and_not_sent_again) {
  ServerPeer peer;
  peer.connects_v5(kLasting, kAgain);
  peer.delivers(delivery(Guarantee::kAtLeastOnce), 1);
  peer.delivers(delivery(Guarantee::kExactlyOnce), 2);
  (void)peer.host().take_output();
  peer.sends(wire::v5::puback(1, ReasonCode::kNotAuthorized));
  expect_settled(peer, 1, 1, 1);
  peer.sends(wire::v5::pubrec(2, ReasonCode::kQuotaExceeded));  // and no PUBREL [MQTT-4.3.3-4]
  expect_settled(peer, 2, 2, 1);
  peer.expects_nothing();
  peer.ends();
  EXPECT_EQ(peer.effect<Detach>().inflight.outgoing(), 0u);
}

TEST(Mqtt5, MQTT_4_3_3_4_pubrec_of_an_unknown_id_is_answered_with_its_code) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::puback(9) + wire::v5::pubcomp(9)).expects_nothing();
  peer.sends(wire::v5::pubrec(9));
  peer.expects(wire::v5::pubrel(9, ReasonCode::kPacketIdentifierNotFound)).expects_nothing();
  // One that refuses has ended its exchange at the other side too: nothing to release.
  peer.sends(wire::v5::pubrec(9, ReasonCode::kUnspecifiedError)).expects_nothing();
}

TEST(Mqtt5, MQTT_4_3_3_5_pubcomp_with_a_failure_ends_the_exchange) {
  ServerPeer peer;
  peer.connects_v5().delivers(delivery(Guarantee::kExactlyOnce), 1);
  peer.sends(wire::v5::pubrec(1)).expects_effect<Settle>();
  peer.sends(wire::v5::pubcomp(1, ReasonCode::kPacketIdentifierNotFound));
  peer.expects_effect<Credit>().expects_no_effect();
  peer.ends();
  EXPECT_EQ(peer.effect<Detach>().inflight.outgoing(), 0u);
}

TEST(Mqtt5, MQTT_4_6_0_4_pubrel_follows_the_order_of_pubrec) {
  ServerPeer peer;
  peer.connects_v5();
  for (model::Tag tag = 1; tag <= 3; ++tag) {
    peer.delivers(delivery(Guarantee::kExactlyOnce), tag);
  }
  (void)peer.host().take_output();
  peer.sends(wire::v5::pubrec(3) + wire::v5::pubrec(1) + wire::v5::pubrec(2));
  peer.expects(wire::v5::pubrel(3) + wire::v5::pubrel(1) + wire::v5::pubrel(2));
}

TEST(Mqtt5, Section_4_13_acknowledgements_of_the_wrong_kind_are_protocol_errors) {
  const std::pair<Guarantee, wire::Octets> wrong[] = {
      {Guarantee::kAtLeastOnce, wire::v5::pubrec(1)},
      {Guarantee::kAtLeastOnce, wire::v5::pubcomp(1)},
      {Guarantee::kExactlyOnce, wire::v5::puback(1)},
      {Guarantee::kExactlyOnce, wire::v5::pubcomp(1)}};
  for (const auto& [guarantee, packet] : wrong) {
    ServerPeer peer;
    peer.connects_v5().delivers(delivery(guarantee), 1);
    (void)peer.host().take_output();
    peer.sends(packet);
    peer.expects_goodbye(ReasonCode::kProtocolError, Reason::kProtocolError);
  }
}

// first connection                     second connection
//   | PUBLISH QoS 2, 1 ->  |             | CONNACK ->              |
//   | PUBLISH QoS 1, 2 ->  |             | PUBREL 1 ->             |
//   | PUBLISH QoS 2, 3 ->  |             | PUBLISH QoS 1, 2, DUP ->|
//   |   <- PUBREC 1        |             | PUBLISH QoS 2, 3, DUP ->|
//   | PUBREL 1 ->          |
TEST(Mqtt5, MQTT_4_4_0_1_and_3_3_1_1_unfinished_exchanges_go_on_with_their_ids_in_order) {
  ServerPeer first;
  first.connects_v5(kLasting, kAgain);
  first.delivers(delivery(Guarantee::kExactlyOnce), 11);
  first.delivers(delivery(Guarantee::kAtLeastOnce), 12);
  first.delivers(delivery(Guarantee::kExactlyOnce), 13);
  (void)first.host().take_output();
  first.sends(wire::v5::pubrec(1)).expects(wire::v5::pubrel(1)).expects_effect<Settle>();
  first.ends();

  ServerPeer second({}, first.effect<Detach>().inflight);
  second.opens().sends(wire::v5::connect(kAgain, kLasting));
  second.accepts(second.effect<session::Attach>().ticket, true, 3600);
  second.expects(
      wire::v5::connack({number(kReceiveMaximum, 512), number(kTopicAliasMaximum, 10)}, true) +
      wire::v5::pubrel(1));
  second.expects_effect<Credit>();
  const std::array again{delivery(Guarantee::kAtLeastOnce, true),
                         delivery(Guarantee::kExactlyOnce, true),
                         delivery(Guarantee::kAtLeastOnce)};
  second.delivers({.items = again, .first_tag = 12});
  second.expects(wire::v5::publish("a/b", "x", {.qos = 1, .id = 2, .dup = true}) +
                 wire::v5::publish("a/b", "x", {.qos = 2, .id = 3, .dup = true}) +
                 wire::v5::publish("a/b", "x", {.qos = 1, .id = 4}));
  second.sends(wire::v5::pubcomp(1));
  EXPECT_EQ(second.effect<Credit>().count, 1u);
  second.sends(wire::v5::puback(2));
  expect_settled(second, 12, 12, 1);
  second.expects_nothing();
}

// The exchanges of a session are the same in every version.
TEST(Mqtt5, MQTT_4_4_0_1_a_client_may_come_back_with_another_version) {
  ServerPeer first;
  first.connects({.clean_session = false, .client_id = "peer"});
  first.delivers(delivery(Guarantee::kAtLeastOnce), 1).ends();
  ServerPeer second({}, first.effect<Detach>().inflight);
  second.connects_v5(kLasting, kAgain, true);
  second.delivers(delivery(Guarantee::kAtLeastOnce, true), 1);
  second.expects(wire::v5::publish("a/b", "x", {.qos = 1, .id = 1, .dup = true}));
}

TEST(Mqtt5, MQTT_3_3_2_17_a_large_payload_is_referred_to_behind_its_properties) {
  const std::string payload(Output::kShareFrom, 'p');
  Rich rich;
  rich.message.payload = as_bytes(payload);
  const model::MessageRef owned = rich.message.own();
  ServerPeer peer;
  peer.connects_v5().delivers(delivery(Guarantee::kAtLeastOnce, false, *owned), 1);
  EXPECT_LT(peer.host().output().capacity(), payload.size() * 2);
  peer.expects(wire::v5::publish("a/b", payload, {.qos = 1, .id = 1}, kRich)).expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
