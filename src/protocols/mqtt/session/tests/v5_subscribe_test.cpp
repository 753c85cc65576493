// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE and UNSUBSCRIBE of MQTT 5.0 as the server answers them (§3.8 to §3.11). What the
// packets must look like is tested in the codec: [MQTT-3.8.1-1], [MQTT-3.8.3-1], -2,
// [MQTT-3.10.1-1], [MQTT-3.10.3-1], -2, [MQTT-4.8.2-1], -2. Which retained values come, and what
// overlaps, is the broker's: tests/interop/mqtt5_test.py, core's router_test.cpp.
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Answer;
using session::Subscribe;
using session::Unsubscribe;
using testkit::octets;
using wire::v5::number;
using enum PropertyId;

TEST(Mqtt5, MQTT_3_8_3_3_and_3_3_1_9_to_13_each_filter_has_its_own_options) {
  ServerPeer peer;
  peer.connects_v5().sends(
      wire::v5::subscribe(1, {{"a", 0, true, false, RetainHandling::kSend},
                              {"b", 1, false, true, RetainHandling::kSendIfNew},
                              {"c", 2, true, true, RetainHandling::kDoNotSend}}));
  const auto a = peer.effect<Subscribe>();
  EXPECT_EQ(a.filter, "a");
  EXPECT_EQ(a.options, (model::SubscriptionOptions{.no_local = true}));
  const auto b = peer.effect<Subscribe>();
  EXPECT_EQ(b.options, (model::SubscriptionOptions{.guarantee_max = Guarantee::kAtLeastOnce,
                                                   .retain_handling = model::RetainHandling::kIfNew,
                                                   .retain_as_published = true}));
  const auto c = peer.effect<Subscribe>();
  EXPECT_EQ(c.options, (model::SubscriptionOptions{.guarantee_max = Guarantee::kExactlyOnce,
                                                   .retain_handling = model::RetainHandling::kNever,
                                                   .no_local = true,
                                                   .retain_as_published = true}));
  peer.expects_nothing();
}

TEST(Mqtt5, MQTT_3_3_4_3_the_subscription_identifier_belongs_to_every_filter_of_the_packet) {
  for (const std::uint32_t id : {1u, 127u, 128u, 268'435'455u}) {
    ServerPeer peer;
    peer.connects_v5().sends(
        wire::v5::subscribe(1, {{"a", 0}, {"b", 0}}, {number(kSubscriptionIdentifier, id)}));
    EXPECT_EQ(peer.effect<Subscribe>().options.subscription_id, id);
    EXPECT_EQ(peer.effect<Subscribe>().options.subscription_id, id);
  }
}

TEST(Mqtt5, MQTT_3_3_4_3_the_next_subscribe_does_not_inherit_it) {
  ServerPeer peer;
  peer.connects_v5().answers_all();
  peer.sends(wire::v5::subscribe(1, {{"a", 0}}, {number(kSubscriptionIdentifier, 9)}) +
             wire::v5::subscribe(2, {{"a", 0}}));
  peer.expects(wire::v5::suback(1, {0}) + wire::v5::suback(2, {0}));
  EXPECT_EQ(peer.effect<Subscribe>().options.subscription_id, 9u);
  EXPECT_EQ(peer.effect<Subscribe>().options.subscription_id, 0u);
}

TEST(Mqtt5, MQTT_3_8_3_4_no_local_on_a_shared_subscription_is_a_protocol_error) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::subscribe(1, {{"$share/g/a", 1, true}}));
  peer.expects_goodbye(ReasonCode::kProtocolError, Reason::kMalformed);
  peer.expects_effect<session::Detach>().expects_nothing();
}

TEST(Mqtt5, MQTT_4_8_2_1_and_2_a_share_name_has_no_wildcard_and_a_filter_follows) {
  for (const std::string_view filter :
       {"$share/g+/a", "$share/#/a", "$share//a", "$share/g", "$share/g/"}) {
    ServerPeer peer;
    peer.connects_v5().sends(wire::v5::subscribe(1, {{filter, 1}}));
    const auto& written = peer.host().take_output();
    ASSERT_EQ(written.size(), 3u) << filter;
    EXPECT_EQ(written[0], 0xe0) << filter;  // DISCONNECT
    EXPECT_GE(written[2], 0x80) << filter;
  }
}

TEST(Mqtt5, MQTT_4_8_2_3_a_shared_subscription_is_asked_for_by_its_whole_name) {
  ServerPeer peer;
  peer.connects_v5().sends(
      wire::v5::subscribe(3, {{"$share/g/a/+", 1}}, {number(kSubscriptionIdentifier, 4)}));
  const auto subscribe = peer.effect<Subscribe>();
  EXPECT_EQ(subscribe.filter, "$share/g/a/+");
  EXPECT_EQ(subscribe.options.subscription_id, 4u);
  peer.answers(Answer{.ticket = subscribe.ticket, .granted = Guarantee::kAtLeastOnce});
  peer.expects(wire::v5::suback(3, {1})).expects_nothing();
}

TEST(Mqtt5, MQTT_3_8_3_5_reserved_bits_retain_handling_3_and_qos_3_close) {
  const std::pair<const char*, ReasonCode> wrong[] = {
      {"82 07 0001 00 0001 61 40", ReasonCode::kMalformedPacket},
      {"82 07 0001 00 0001 61 80", ReasonCode::kMalformedPacket},
      {"82 07 0001 00 0001 61 30", ReasonCode::kProtocolError},
      {"82 07 0001 00 0001 61 03", ReasonCode::kProtocolError}};
  for (const auto& [packet, code] : wrong) {
    ServerPeer peer;
    peer.connects_v5().sends(octets(packet));
    peer.expects_goodbye(code, Reason::kMalformed);
  }
}

// client                                server            broker
//   | SUBSCRIBE 7: a 1, b 2, c 0, d 2 ->  | 4 x Subscribe -> |
//   |                                     |     <- answers   |
//   | <- SUBACK 7: 1, 0x87, 0, 2          |                  |
TEST(Mqtt5, MQTT_3_8_4_1_to_7_and_3_9_3_1_each_filter_has_its_code_in_order) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::subscribe(7, {{"a", 1}, {"b", 2}, {"c", 0}, {"d", 2}}));
  const auto a = peer.effect<Subscribe>();
  const auto b = peer.effect<Subscribe>();
  const auto c = peer.effect<Subscribe>();
  const auto d = peer.effect<Subscribe>();
  peer.answers(Answer{.ticket = d.ticket, .granted = Guarantee::kExactlyOnce}).expects_nothing();
  peer.answers(b.ticket, Reason::kNotAuthorized);
  peer.answers(c.ticket).expects_nothing();
  peer.answers(Answer{.ticket = a.ticket, .granted = Guarantee::kAtLeastOnce});
  peer.expects(wire::v5::suback(7, {1, 0x87, 0, 2})).expects_nothing();
}

TEST(Mqtt5, MQTT_3_9_3_2_refusals_have_codes_of_suback) {
  const std::pair<Reason, ReasonCode> refusals[] = {
      {Reason::kNotAuthorized, ReasonCode::kNotAuthorized},
      {Reason::kBadName, ReasonCode::kTopicFilterInvalid},
      {Reason::kQuotaExceeded, ReasonCode::kQuotaExceeded},
      {Reason::kNotSupported, ReasonCode::kImplementationSpecificError},
      {Reason::kUnavailable, ReasonCode::kImplementationSpecificError},
      {Reason::kTimeout, ReasonCode::kUnspecifiedError}};
  for (const auto& [reason, code] : refusals) {
    ServerPeer peer;
    peer.connects_v5().sends(wire::v5::subscribe(1, {{"a", 1}}));
    peer.answers(peer.effect<Subscribe>().ticket, reason);
    peer.expects(wire::v5::suback(1, {static_cast<std::uint8_t>(code)})).expects_nothing();
    EXPECT_TRUE(is_allowed(code, PacketType::kSuback));
  }
}

TEST(Mqtt5, MQTT_3_9_3_2_a_filter_with_too_many_levels_is_invalid_the_others_count) {
  ServerPeer peer(limits_with([](auto& limits) { limits.topic_levels_max = 2; }));
  peer.connects_v5().answers_all();
  peer.sends(wire::v5::subscribe(1, {{"a/b", 1}, {"a/b/c", 1}, {"+/#", 0}}));
  peer.expects(wire::v5::suback(1, {1, 0x8f, 0}));
  peer.expects_effect<Subscribe>().expects_effect<Subscribe>().expects_nothing();
}

TEST(Mqtt5, MQTT_3_2_2_10_a_server_of_lower_qos_grants_what_it_has) {
  ServerPeer peer(limits_with([](auto& limits) { limits.guarantee_max = Guarantee::kAtMostOnce; }));
  peer.connects_v5().answers_all().sends(wire::v5::subscribe(1, {{"a", 0}, {"b", 1}, {"c", 2}}));
  peer.expects(wire::v5::suback(1, {0, 0, 0}));
}

// client                             server             broker
//   | UNSUBSCRIBE 8: a, b, c ->        | 3 x Unsubscribe -> |
//   |                                  |      <- answers    |
//   | <- UNSUBACK 8: 0, 0x11, 0x87     |                    |
TEST(Mqtt5, MQTT_3_10_4_1_to_6_and_3_11_3_1_and_2_each_filter_has_its_code_in_order) {
  ServerPeer peer;
  peer.connects_v5().sends(
      wire::v5::unsubscribe(8, {"a", "b", "$share/g/c"}, {wire::v5::user("k", "v")}));
  const auto a = peer.effect<Unsubscribe>();
  const auto b = peer.effect<Unsubscribe>();
  const auto c = peer.effect<Unsubscribe>();
  EXPECT_EQ(a.filter, "a");
  EXPECT_EQ(c.filter, "$share/g/c");
  peer.answers(c.ticket, Reason::kNotAuthorized);
  peer.answers(b.ticket, Reason::kNotFound).expects_nothing();
  peer.answers(a.ticket);
  peer.expects(wire::v5::unsuback(8, {0, 0x11, 0x87})).expects_nothing();
}

TEST(Mqtt5, MQTT_3_11_3_2_every_refusal_has_a_code_of_unsuback) {
  for (int i = 0; i <= static_cast<int>(Reason::kShutdown); ++i) {
    ServerPeer peer;
    peer.connects_v5().sends(wire::v5::unsubscribe(1, {"a"}));
    peer.answers(peer.effect<Unsubscribe>().ticket, static_cast<Reason>(i));
    const auto code = static_cast<ReasonCode>(peer.host().take_output().at(5));
    EXPECT_TRUE(is_allowed(code, PacketType::kUnsuback)) << i;
  }
}

TEST(Mqtt5, MQTT_3_10_4_5_and_2_2_1_6_nothing_unsubscribed_is_answered_too) {
  ServerPeer peer;
  peer.connects_v5().sends(wire::v5::unsubscribe(65'535, {"a"}));
  peer.answers(peer.effect<Unsubscribe>().ticket, Reason::kNotFound);
  peer.expects(wire::v5::unsuback(65'535, {0x11})).expects_nothing();
}

// More filters than go to the broker at a time; the properties are in front of the first one.
TEST(Mqtt5, MQTT_3_8_4_5_a_packet_with_very_many_filters_is_answered_once) {
  std::vector<SubscribeEntry> entries;
  std::vector<std::string> filters;
  std::vector<std::string_view> views;
  for (int i = 0; i < 1000; ++i) filters.push_back("f/" + std::to_string(i));
  for (const std::string& filter : filters) {
    entries.push_back({filter, static_cast<std::uint8_t>(views.size() % 3)});
    views.push_back(filter);
  }
  wire::Octets codes;
  for (const SubscribeEntry& entry : entries) codes.push_back(entry.qos);
  ServerPeer peer;
  peer.connects_v5().answers_all();
  peer.sends(wire::v5::subscribe(1, entries,
                                 {number(kSubscriptionIdentifier, 300), wire::v5::user("k", "v")}));
  peer.expects(wire::v5::suback(1, codes));
  for (const std::string& filter : filters) {
    const auto subscribe = peer.effect<Subscribe>();
    EXPECT_EQ(subscribe.filter, filter);
    EXPECT_EQ(subscribe.options.subscription_id, 300u);
  }
  peer.sends(wire::v5::unsubscribe(2, views, {wire::v5::user("k", "v")}));
  peer.expects(wire::v5::unsuback(2, wire::Octets(1000, 0)));
  for (const std::string& filter : filters) EXPECT_EQ(peer.effect<Unsubscribe>().filter, filter);
  peer.expects_nothing();
}

// --- MQTT 3.1: no code refuses, and UNSUBACK says nothing ---

TEST(Mqtt31, Section_3_9_a_refused_filter_is_told_the_qos_that_was_asked_for) {
  ServerPeer peer;
  peer.opens().sends(octets("10 0f 0006 'MQIsdp' 03 02 003c 0001 'a'"));
  peer.accepts(peer.effect<session::Attach>().ticket).expects(wire::connack());
  peer.expects_effect<session::Credit>();
  peer.sends(wire::subscribe(1, {{"a", 2}, {"b", 1}}));
  const auto a = peer.effect<Subscribe>();
  const auto b = peer.effect<Subscribe>();
  peer.answers(a.ticket, Reason::kNotAuthorized);
  peer.answers(Answer{.ticket = b.ticket, .granted = Guarantee::kAtLeastOnce});
  peer.expects(wire::suback(1, {2, 1})).expects_nothing();
  peer.sends(wire::unsubscribe(2, {"c"}));
  peer.answers(peer.effect<Unsubscribe>().ticket, Reason::kNotFound);
  peer.expects(wire::unsuback(2)).expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
