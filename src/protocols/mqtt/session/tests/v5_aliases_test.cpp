// SPDX-License-Identifier: Apache-2.0
// Topic aliases of MQTT 5.0 in both directions (§3.3.2.3.4).
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using session::Publish;
using session::Settle;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;

Properties alias(std::uint32_t number_of_topic) {
  return {number(kTopicAlias, number_of_topic)};
}

std::string topic_of(const Publish& publish) {
  return std::string{publish.message.destination.address};
}

// --- from the client ---

TEST(Mqtt5, MQTT_3_3_2_12_all_aliases_up_to_the_maximum_are_taken) {
  ServerPeer peer;
  peer.connects_v5();
  for (std::uint16_t i = 1; i <= 10; ++i) {
    const std::string topic = "t/" + std::to_string(i);
    peer.sends(wire::v5::publish(topic, "set", {}, alias(i)));
    EXPECT_EQ(topic_of(peer.effect<Publish>()), topic);
  }
  for (std::uint16_t i = 10; i >= 1; --i) {
    peer.sends(wire::v5::publish("", "used", {}, alias(i)));
    const auto publish = peer.effect<Publish>();
    EXPECT_EQ(topic_of(publish), "t/" + std::to_string(i));
    EXPECT_EQ(publish.message.properties, nullptr);
  }
}

// Several messages of one input: each keeps the topic that the alias stood for then.
TEST(Mqtt5, Section_3_3_2_3_4_an_alias_may_be_given_to_another_topic) {
  ServerPeer peer;
  peer.connects_v5().sends(
      wire::v5::publish("first", "x", {}, alias(1)) + wire::v5::publish("", "x", {}, alias(1)) +
      wire::v5::publish("second", "x", {}, alias(1)) + wire::v5::publish("", "x", {}, alias(1)) +
      wire::v5::publish("third", "x", {}, alias(1)));
  for (const std::string_view topic : {"first", "first", "second", "second", "third"}) {
    EXPECT_EQ(topic_of(peer.effect<Publish>()), topic);
  }
}

// [MQTT-3.2.2-17], [MQTT-3.2.2-18]
TEST(Mqtt5, MQTT_3_3_2_9_an_alias_above_the_maximum_is_invalid) {
  for (const auto most : std::initializer_list<std::uint16_t>{0, 10}) {
    ServerPeer peer(limits_with([&](auto& limits) { limits.topic_alias_max = most; }));
    peer.connects_v5().sends(wire::v5::publish("a", "x", {}, alias(most + 1u)));
    peer.expects_goodbye(ReasonCode::kTopicAliasInvalid, Reason::kProtocolError);
  }
}

TEST(Mqtt5, MQTT_3_3_2_8_alias_0_is_invalid) {
  ServerPeer peer;
  peer.connects_v5().sends(testkit::octets("30 07 0001 61 03 23 0000"));
  peer.expects_goodbye(ReasonCode::kTopicAliasInvalid, Reason::kMalformed);
}

TEST(Mqtt5, Section_3_3_2_3_4_an_alias_that_stands_for_nothing_is_a_protocol_error) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::publish("a", "x", {}, alias(1))).expects_effect<Publish>();
  peer.sends(wire::v5::publish("", "x", {}, alias(2)));
  peer.expects_goodbye(ReasonCode::kProtocolError, Reason::kProtocolError);
}

TEST(Mqtt5, MQTT_3_3_2_7_aliases_end_with_the_connection) {
  ServerPeer first;
  first.connects_v5({number(kSessionExpiryInterval, 60)});
  first.sends(wire::v5::publish("a", "x", {}, alias(1))).expects_effect<Publish>().ends();
  ServerPeer second({}, first.effect<session::Detach>().inflight);
  second.connects_v5({number(kSessionExpiryInterval, 60)},
                     {.clean_session = false, .client_id = "peer"}, true);
  second.sends(wire::v5::publish("", "x", {}, alias(1)));
  second.expects_goodbye(ReasonCode::kProtocolError, Reason::kProtocolError);
}

TEST(Mqtt5, Section_3_3_2_3_4_a_repetition_with_an_alias_that_waits_is_taken_once) {
  ServerPeer peer;
  const wire::Octets again = wire::v5::publish("", "x", {.qos = 2, .id = 1, .dup = true}, alias(1));
  peer.connects_v5();
  peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 1}, alias(1)) + again);
  const auto publish = peer.effect<Publish>();
  EXPECT_EQ(peer.host().waiting(), again.size());
  peer.answers(publish.ticket).expects(repeat(wire::v5::pubrec(1), 2)).expects_nothing();
}

TEST(ServerAliases, TopicsBehindAnAliasObeyTheLimitOfLevels) {
  ServerPeer peer(limits_with([](auto& limits) { limits.topic_levels_max = 2; }));
  peer.connects_v5().sends(wire::v5::publish("a/b/c", "x", {}, alias(1)));
  peer.expects_goodbye(ReasonCode::kTopicNameInvalid, Reason::kBadName);
}

// --- to the client ---

class OutgoingAliasTest : public testing::Test {
 protected:
  void deliver(std::string_view topic, Guarantee guarantee = Guarantee::kAtMostOnce,
               bool redelivered = false) {
    const model::Message message = message_of(topic, "x");
    peer.delivers({.message = &message, .guarantee = guarantee, .redelivered = redelivered}, ++tag);
  }
  ServerPeer peer;
  model::Tag tag = 0;
};

// [MQTT-3.3.2-7]: a ServerPeer of its own knows none
TEST_F(OutgoingAliasTest, MQTT_3_1_2_26_and_27_as_many_as_the_client_takes) {
  peer.connects_v5({number(kTopicAliasMaximum, 2)});
  for (const std::string_view topic : {"topic/1", "topic/1", "topic/2", "topic/3", "topic/2"}) {
    deliver(topic);
  }
  peer.expects(wire::v5::publish("topic/1", "x", {}, alias(1)) +
               wire::v5::publish("", "x", {}, alias(1)) +
               wire::v5::publish("topic/2", "x", {}, alias(2)) + wire::v5::publish("topic/3", "x") +
               wire::v5::publish("", "x", {}, alias(2)));
}

TEST_F(OutgoingAliasTest, MQTT_3_1_2_27_none_when_it_says_nothing_or_0) {
  peer.connects_v5();
  deliver("topic");
  deliver("topic");
  peer.expects(repeat(wire::v5::publish("topic", "x"), 2));
  ServerPeer zero;
  zero.connects_v5({number(kTopicAliasMaximum, 0)});
  const model::Message message = message_of("topic", "x");
  zero.delivers({.message = &message}, 1).expects(wire::v5::publish("topic", "x"));
}

TEST_F(OutgoingAliasTest, MQTT_3_3_2_11_the_servers_own_limit_holds_too) {
  peer.connects_v5({number(kTopicAliasMaximum, 65'535)});
  for (int i = 1; i <= 12; ++i) deliver("topic/" + std::to_string(i));
  wire::Octets expected;
  for (std::uint32_t i = 1; i <= 12; ++i) {
    expected = expected + wire::v5::publish("topic/" + std::to_string(i), "x", {},
                                            i <= 10 ? alias(i) : Properties{});
  }
  peer.expects(expected).expects_nothing();
}

TEST_F(OutgoingAliasTest, MQTT_4_4_0_1_repetitions_use_them_too) {
  peer.connects_v5({number(kTopicAliasMaximum, 1)});
  const model::Message message = message_of("topic", "x");
  const Delivery first{.message = &message, .guarantee = Guarantee::kAtLeastOnce};
  const Delivery again{
      .message = &message, .guarantee = Guarantee::kAtLeastOnce, .redelivered = true};
  peer.delivers(first, 1).delivers(again, 1);
  peer.expects(wire::v5::publish("topic", "x", {.qos = 1, .id = 1}, alias(1)) +
               wire::v5::publish("", "x", {.qos = 1, .id = 1, .dup = true}, alias(1)));
}

// A peer with aliases does not share octets with others, and does not spoil them.
TEST_F(OutgoingAliasTest, MQTT_3_1_2_27_others_of_the_batch_get_no_alias) {
  const model::Message message = message_of("topic", "x");
  const std::array items{Delivery{.message = &message}, Delivery{.message = &message}};
  model::EncodeSlots slots;
  peer.connects_v5({number(kTopicAliasMaximum, 1)});
  ServerPeer plain;
  plain.connects_v5();
  for (int round = 0; round < 2; ++round) {
    peer.delivers({.items = items, .first_tag = 1, .slots = &slots});
    plain.delivers({.items = items, .first_tag = 1, .slots = &slots});
  }
  plain.expects(repeat(wire::v5::publish("topic", "x"), 4));
  peer.expects(wire::v5::publish("topic", "x", {}, alias(1)) +
               repeat(wire::v5::publish("", "x", {}, alias(1)), 3));
}

// An alias takes three octets: a message that fits without one is not lost for it.
TEST_F(OutgoingAliasTest, MQTT_3_1_2_25_what_fits_without_its_alias_is_sent_without) {
  const wire::Octets without = wire::v5::publish("topic", "x", {.qos = 1, .id = 1});
  const wire::Octets short_one = wire::v5::publish("t", "x", {.qos = 1, .id = 2});
  peer.connects_v5({number(kTopicAliasMaximum, 5),
                    number(kMaximumPacketSize, static_cast<std::uint32_t>(without.size()))});
  deliver("topic", Guarantee::kAtLeastOnce);
  deliver("t", Guarantee::kAtLeastOnce);  // with alias as long as the first without
  const auto written = peer.host().take_output();
  ASSERT_GE(written.size(), without.size());
  EXPECT_TRUE(std::equal(without.begin(), without.end(), written.begin()));
  peer.expects_no_effect();  // nothing was dropped
}

}  // namespace
}  // namespace hermod::mqtt
