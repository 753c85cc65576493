// SPDX-License-Identifier: Apache-2.0
// Sizes in MQTT 5.0: the maximum packet size both ways (§3.1.2.11.4, §3.2.2.3.6), and what the
// server's own limits answer.
#include <array>

#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using session::Attach;
using session::Detach;
using session::Settle;
using testkit::octets;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;

Properties largest(std::size_t octets) {
  return {number(kMaximumPacketSize, static_cast<std::uint32_t>(octets))};
}

// --- what the client takes ---

TEST(Mqtt5, MQTT_3_1_2_24_and_25_a_message_too_large_is_dropped_as_if_sent) {
  const model::Message fits = message_of("a", "12345678901234567890");
  const model::Message large = message_of("a", "123456789012345678901");
  for (const Guarantee guarantee :
       {Guarantee::kAtMostOnce, Guarantee::kAtLeastOnce, Guarantee::kExactlyOnce}) {
    const std::uint8_t qos = to_qos(guarantee);
    const wire::Octets expected = wire::v5::publish(
        "a", "12345678901234567890", {.qos = qos, .id = static_cast<std::uint16_t>(qos > 0)});
    ServerPeer peer;
    peer.connects_v5(largest(expected.size()));
    peer.delivers({.message = &large, .guarantee = guarantee}, 1);
    if (qos > 0) peer.expects_effect<Settle>();
    peer.expects_nothing();
    peer.delivers({.message = &fits, .guarantee = guarantee}, 2);
    peer.expects(expected).expects_nothing();
  }
}

TEST(Mqtt5, MQTT_3_1_2_24_properties_and_subscription_identifiers_count) {
  const model::Message message = message_of("a", "x");
  const std::array<std::uint32_t, 2> ids{1, 300};
  const Properties list{number(kSubscriptionIdentifier, 1), number(kSubscriptionIdentifier, 300)};
  const wire::Octets whole = wire::v5::publish("a", "x", {.qos = 1, .id = 1}, list);
  const Delivery with{
      .message = &message, .guarantee = Guarantee::kAtLeastOnce, .subscription_ids = ids};
  ServerPeer small;
  small.connects_v5(largest(std::max<std::size_t>(whole.size() - 1, 11)));
  small.delivers(with, 1).expects_effect<Settle>().expects_nothing();
  ServerPeer enough;
  enough.connects_v5(largest(whole.size())).delivers(with, 1).expects(whole).expects_nothing();
}

// Two of a batch share their octets, a third takes less.
TEST(Mqtt5, MQTT_3_1_2_24_a_peer_with_a_limit_gets_its_part_of_a_shared_batch) {
  const std::string payload(100, 'p');
  const std::array messages{message_of("a", payload), message_of("b", "x")};
  const std::array items{Delivery{.message = &messages[0], .guarantee = Guarantee::kAtLeastOnce},
                         Delivery{.message = &messages[1], .guarantee = Guarantee::kAtLeastOnce}};
  model::EncodeSlots slots;
  for (int round = 0; round < 2; ++round) {
    ServerPeer free_one;
    free_one.connects_v5().delivers({.items = items, .first_tag = 1, .slots = &slots});
    free_one.expects(wire::v5::publish("a", payload, {.qos = 1, .id = 1}) +
                     wire::v5::publish("b", "x", {.qos = 1, .id = 2}));
    ServerPeer small;
    small.connects_v5(largest(50)).delivers({.items = items, .first_tag = 1, .slots = &slots});
    small.expects(wire::v5::publish("b", "x", {.qos = 1, .id = 1})).expects_effect<Settle>();
    small.expects_nothing();
  }
}

// A client comes back and takes less than before: what was under way is over, its id is free.
TEST(Mqtt5, MQTT_3_1_2_25_a_repetition_that_became_too_large_is_over) {
  const std::string payload(100, 'p');
  const model::Message message = message_of("a", payload);
  for (const Guarantee guarantee : {Guarantee::kAtLeastOnce, Guarantee::kExactlyOnce}) {
    model::Inflight lent;
    (void)lent.take(4, guarantee);
    ServerPeer peer({}, std::move(lent));
    peer.connects_v5({number(kSessionExpiryInterval, 60), number(kMaximumPacketSize, 50)},
                     {.clean_session = false, .client_id = "peer"}, true);
    peer.delivers({.message = &message, .guarantee = guarantee, .redelivered = true}, 4);
    const auto settle = peer.effect<Settle>();
    EXPECT_EQ(settle.first, 4u);
    EXPECT_EQ(settle.credit, 1u);
    peer.expects_nothing().ends();
    EXPECT_EQ(peer.effect<Detach>().inflight.outgoing(), 0u);
  }
}

// [MQTT-3.2.2-19], -20: there are no reason strings and user properties to leave out
TEST(Mqtt5, MQTT_3_1_2_24_a_client_that_cannot_take_connack_is_closed) {
  const wire::Octets connack =
      wire::v5::connack({number(kReceiveMaximum, 512), number(kTopicAliasMaximum, 10)});
  for (const bool fits : {false, true}) {
    ServerPeer peer;
    peer.opens().sends(
        wire::v5::connect({.client_id = "peer"}, largest(connack.size() - (fits ? 0 : 1))));
    peer.accepts(peer.effect<Attach>().ticket);
    if (fits) {
      peer.expects(connack).expects_effect<session::Credit>().expects_nothing();
    } else {
      EXPECT_TRUE(peer.effect<Detach>().discard_will);
      peer.expects_close(Reason::kTooLarge).expects_nothing();
    }
  }
}

// [MQTT-3.9.2-1], [MQTT-3.11.2-1]: no properties; the codes themselves can be too many
TEST(Mqtt5, MQTT_3_1_2_24_a_suback_or_unsuback_too_large_ends_the_connection) {
  const std::vector<SubscribeEntry> entries(20, SubscribeEntry{"a", 0});
  const std::vector<std::string_view> filters(20, "a");
  const std::size_t size = wire::v5::suback(1, wire::Octets(20, 0)).size();
  for (const bool subscribes : {false, true}) {
    for (const bool fits : {false, true}) {
      ServerPeer peer;
      peer.connects_v5(largest(fits ? size : size - 1)).answers_all();
      peer.sends(subscribes ? wire::v5::subscribe(1, entries) : wire::v5::unsubscribe(1, filters));
      for (int i = 0; i < 20; ++i) peer.host().effects().pop_front();
      if (fits) {
        peer.expects(subscribes ? wire::v5::suback(1, wire::Octets(20, 0))
                                : wire::v5::unsuback(1, wire::Octets(20, 0)));
        peer.expects_nothing();
      } else {
        peer.expects_goodbye(ReasonCode::kPacketTooLarge, Reason::kTooLarge);
      }
    }
  }
}

// The topic was left out by its publisher, whose packet was as large as one can be: with the topic
// it is larger than any.
TEST(Mqtt5, MQTT_3_1_2_25_what_no_packet_can_hold_is_dropped_also_from_a_shared_batch) {
  const std::string value(65'535, 'v');
  std::vector<model::UserProperty> user(4095, {{}, std::string_view(value)});
  const std::string rest(48'000, 'v');
  user.push_back({{}, std::string_view(rest)});
  const model::Properties properties{.user = user};
  const std::string topic(60'000, 't');
  model::Message message = message_of(topic, "x");
  message.properties = &properties;
  const Delivery one{.message = &message, .guarantee = Guarantee::kAtLeastOnce};
  model::EncodeSlots slots;
  ServerPeer peer;
  peer.connects_v5().delivers({.items = {&one, 1}, .first_tag = 1, .slots = &slots});
  peer.expects_effect<Settle>().expects_nothing();
}

// --- what the server takes ---

TEST(Mqtt5, MQTT_3_2_2_15_the_servers_maximum_packet_size_is_told_and_enforced) {
  ServerPeer peer(limits_with([](auto& limits) { limits.packet_bytes_max = 100; }));
  peer.opens().sends(wire::v5::connect());
  peer.accepts(peer.effect<Attach>().ticket);
  peer.expects(wire::v5::connack({number(kReceiveMaximum, 512), number(kTopicAliasMaximum, 10),
                                  number(kMaximumPacketSize, 100)}));
  peer.expects_effect<session::Credit>();
  peer.sends(octets("30 62 0001 61 00 'x'*94")).expects_effect<session::Publish>();
  peer.sends(octets("30 63"));  // before its body is here
  peer.expects_goodbye(ReasonCode::kPacketTooLarge, Reason::kTooLarge);
}

TEST(Mqtt5, MQTT_3_2_2_11_a_qos_above_the_maximum_ends_the_connection) {
  ServerPeer peer(limits_with([](auto& l) { l.guarantee_max = Guarantee::kAtLeastOnce; }));
  peer.connects_v5().answers_all().sends(wire::v5::publish("a", "x", {.qos = 1, .id = 1}));
  peer.expects(wire::v5::puback(1)).expects_effect<session::Publish>();
  peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 2}));
  peer.expects_goodbye(ReasonCode::kQosNotSupported, Reason::kNotSupported);
}

TEST(Mqtt5, MQTT_3_2_2_13_a_retained_will_is_refused_where_nothing_is_retained) {
  const auto limits = limits_with([](auto& l) { l.retain_available = false; });
  for (const bool retain : {false, true}) {
    ServerPeer peer(limits);
    peer.opens().sends(wire::v5::connect(
        {.client_id = "peer", .will = WillView{.topic = "w", .payload = {}, .retain = retain}}));
    if (retain) {
      peer.expects(wire::v5::connack(ReasonCode::kRetainNotSupported));
      peer.expects_close(Reason::kNotSupported).expects_nothing();
    } else {
      peer.expects_effect<Attach>().expects_nothing();
    }
  }
}

// §3.2.2.3.5
TEST(Mqtt5, MQTT_3_2_2_14_who_retains_where_nothing_is_retained_is_told_and_closed) {
  const auto limits = limits_with([](auto& l) { l.retain_available = false; });
  ServerPeer peer(limits);
  peer.opens().sends(wire::v5::connect());
  peer.accepts(peer.effect<Attach>().ticket);
  peer.expects(wire::v5::connack(
      {number(kReceiveMaximum, 512), number(kTopicAliasMaximum, 10), number(kRetainAvailable, 0)}));
  peer.expects_effect<session::Credit>();
  peer.sends(wire::v5::publish("a", "x")).expects_effect<session::Publish>();
  peer.sends(wire::v5::publish("a", "x", {.retain = true}));
  peer.expects_goodbye(ReasonCode::kRetainNotSupported, Reason::kNotSupported);
  ServerPeer older(limits);
  older.connects().sends(wire::publish("a", "x", {.retain = true}));
  older.expects_close(Reason::kNotSupported);
}

TEST(ServerLimits, MoreTopicLevelsThanAllowedHaveTheirCode) {
  const auto limits = limits_with([](auto& l) { l.topic_levels_max = 3; });
  ServerPeer peer(limits);
  peer.connects_v5().sends(wire::v5::publish("a/b/c", "x")).expects_effect<session::Publish>();
  peer.sends(wire::v5::publish("a/b/c/d", "x"));
  peer.expects_goodbye(ReasonCode::kTopicNameInvalid, Reason::kBadName);
  ServerPeer will(limits);
  will.opens().sends(wire::v5::connect(
      {.client_id = "peer", .will = WillView{.topic = "a/b/c/d", .payload = {}}}));
  will.expects(wire::v5::connack(ReasonCode::kTopicNameInvalid));
  will.expects_close(Reason::kProtocolError).expects_nothing();
}

TEST(ServerLimits, AConnectTooLargeIsClosedWithoutAnswer) {
  ServerPeer peer(limits_with([](auto& limits) { limits.connect_bytes_max = 20; }));
  peer.opens().sends(wire::v5::connect({.client_id = "a-rather-long-name"}));
  peer.expects_close(Reason::kTooLarge).expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
