// SPDX-License-Identifier: Apache-2.0
// SUBSCRIBE and UNSUBSCRIBE as the server answers them (MQTT 3.1.1 §3.8 to §3.11).
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Answer;
using session::Publish;
using session::Subscribe;
using session::Unsubscribe;
using testkit::octets;

TEST(Mqtt311, MQTT_3_8_1_1_and_3_10_1_1_reserved_flags_close) {
  for (const std::string_view packet : {"80 06 0001 0001 61 00", "a0 05 0001 0001 61"}) {
    ServerPeer peer;
    peer.connects().sends(octets(packet)).expects_close(Reason::kMalformed);
  }
}

TEST(Mqtt311, MQTT_3_8_3_1_and_3_10_3_1_ill_formed_filters_close) {
  for (const std::string_view packet : {"82 06 0001 0001 ff 00", "a2 05 0001 0001 ff",
                                        "82 07 0001 0002 'a#' 00", "a2 06 0001 0002 'a+'"}) {
    ServerPeer peer;
    peer.connects().sends(octets(packet)).expects_close(Reason::kMalformed);
  }
}

TEST(Mqtt311, MQTT_3_8_3_3_and_3_10_3_2_without_filter_closes) {
  for (const std::string_view packet : {"82 02 0001", "a2 02 0001"}) {
    ServerPeer peer;
    peer.connects().sends(octets(packet)).expects_close(Reason::kMalformed);
  }
}

TEST(Mqtt311, MQTT_3_8_3_4_reserved_bits_and_qos_3_close) {
  for (const std::string_view packet : {"82 06 0001 0001 61 03", "82 06 0001 0001 61 80"}) {
    ServerPeer peer;
    peer.connects().sends(octets(packet)).expects_close(Reason::kMalformed);
  }
}

// client                              server            broker
//   | SUBSCRIBE 7: a/+ 1, b 2, c 0 ->   | 3 x Subscribe -> |
//   |                                   |     <- answers   |
//   |      <- SUBACK 7: 1, 0x80, 0      |                  |
TEST(Mqtt311, MQTT_3_8_4_4_and_3_9_3_1_each_filter_has_its_code_in_order) {
  ServerPeer peer;
  peer.connects().sends(wire::subscribe(7, {{"a/+", 1}, {"b", 2}, {"c", 0}}));
  const auto a = peer.effect<Subscribe>();
  EXPECT_EQ(a.filter, "a/+");
  EXPECT_EQ(a.options.guarantee_max, Guarantee::kAtLeastOnce);
  EXPECT_EQ(a.options.retain_handling, model::RetainHandling::kAlways);  // [MQTT-3.3.1-6]
  EXPECT_FALSE(a.options.retain_as_published);                           // [MQTT-3.3.1-9]
  EXPECT_FALSE(a.options.no_local);
  const auto b = peer.effect<Subscribe>();
  const auto c = peer.effect<Subscribe>();
  EXPECT_EQ(b.options.guarantee_max, Guarantee::kExactlyOnce);
  peer.answers(Answer{.ticket = c.ticket}).expects_nothing();
  peer.answers(b.ticket, Reason::kNotAuthorized).expects_nothing();
  peer.answers(Answer{.ticket = a.ticket, .granted = Guarantee::kAtLeastOnce});
  peer.expects(wire::suback(7, {1, 0x80, 0})).expects_nothing();  // [MQTT-3.8.4-1], -2, -5
}

TEST(Mqtt311, MQTT_3_8_4_6_the_server_grants_no_more_than_it_allows) {
  ServerPeer peer(limits_with([](auto& l) { l.guarantee_max = Guarantee::kAtLeastOnce; }));
  peer.connects().sends(wire::subscribe(1, {{"a", 2}}));
  const auto subscribe = peer.effect<Subscribe>();
  EXPECT_EQ(subscribe.options.guarantee_max, Guarantee::kAtLeastOnce);
}

TEST(Mqtt311, MQTT_3_10_4_4_to_6_unsubscribe_is_answered_once_whatever_was_found) {
  ServerPeer peer;
  peer.connects().sends(wire::unsubscribe(300, {"a/+", "b"}));
  const auto a = peer.effect<Unsubscribe>();
  EXPECT_EQ(a.filter, "a/+");
  const auto b = peer.effect<Unsubscribe>();
  peer.answers(a.ticket, Reason::kNotFound).expects_nothing();
  peer.answers(b.ticket).expects(wire::unsuback(300)).expects_nothing();
}

// client                          server            broker
//   | SUBSCRIBE 1 ->                | Subscribe ->     |
//   | PINGREQ, PUBACK 9 ->          |                  |
//   |        <- PINGRESP            |                  |
//   | PUBLISH, UNSUBSCRIBE 2 ->     | (left waiting)   |
//   |        <- SUBACK 1            |      <- answer   |
//   |                               | Publish,         |
//   |                               | Unsubscribe ->   |
TEST(ServerRequests, OneAtATimeAndRepliesAreReadMeanwhile) {
  ServerPeer peer;
  peer.connects().sends(wire::subscribe(1, {{"a", 0}}));
  const auto subscribe = peer.effect<Subscribe>();
  peer.sends(wire::pingreq() + wire::puback(9) + wire::publish("a", "x") +
             wire::unsubscribe(2, {"a"}));
  peer.expects(wire::pingresp()).expects_nothing();
  peer.answers(Answer{.ticket = subscribe.ticket}).expects(wire::suback(1, {0}));
  peer.expects_effect<Publish>();
  peer.answers(peer.effect<Unsubscribe>().ticket).expects(wire::unsuback(2)).expects_nothing();
}

TEST(ServerRequests, AreLeftWhileOnlyRepliesAreTaken) {
  ServerPeer peer;
  peer.connects().takes(Intake::kRepliesOnly).sends(wire::subscribe(1, {{"a", 0}}));
  peer.expects_nothing();
  peer.takes(Intake::kEverything).expects_effect<Subscribe>();
  ServerPeer other;
  other.connects().takes(Intake::kRepliesOnly).sends(wire::unsubscribe(1, {"a"}));
  other.expects_nothing();
  other.takes(Intake::kEverything).expects_effect<Unsubscribe>();
}

TEST(ServerRequests, FiltersOfTooManyLevelsFailAlone) {
  ServerPeer peer(limits_with([](auto& limits) { limits.topic_levels_max = 2; }));
  peer.connects().answers_all();
  peer.sends(wire::subscribe(1, {{"a/b/c", 1}, {"a/b", 1}}));
  peer.expects(wire::suback(1, {0x80, 1})).expects_effect<Subscribe>().expects_nothing();
  peer.sends(wire::subscribe(2, {{"a/b/c", 1}}));
  peer.expects(wire::suback(2, {0x80})).expects_nothing();
}

TEST(ServerRequests, VeryManyFiltersAreWorkedThroughInRounds) {
  constexpr std::size_t kFilters = 1000;
  const wire::Octets subscribe =
      wire::subscribe(5, std::vector<SubscribeEntry>(kFilters, {"a/b", 1}));
  ServerPeer peer;
  peer.connects().sends(subscribe + wire::pingreq());
  std::size_t asked = 0;
  while (!peer.host().effects().empty()) {
    std::vector<Answer> answers;
    while (!peer.host().effects().empty()) {
      answers.push_back(
          {.ticket = peer.effect<Subscribe>().ticket, .granted = Guarantee::kAtLeastOnce});
    }
    EXPECT_LE(answers.size(), 256u);
    asked += answers.size();
    peer.host().answer(answers);
  }
  EXPECT_EQ(asked, kFilters);
  peer.expects(wire::pingresp() + wire::suback(5, wire::Octets(kFilters, 1))).expects_nothing();

  peer.answers_all().sends(wire::unsubscribe(6, std::vector<std::string_view>(kFilters, "a/b")));
  for (std::size_t i = 0; i < kFilters; ++i) peer.expects_effect<Unsubscribe>();
  peer.expects(wire::unsuback(6)).expects_nothing();
}

TEST(ServerRequests, AnswersAfterDisconnectAreDropped) {
  ServerPeer peer;
  peer.connects().sends(wire::subscribe(1, {{"a", 0}}) + wire::disconnect());
  const auto subscribe = peer.effect<Subscribe>();
  peer.expects_effect<session::Detach>();
  peer.answers(Answer{.ticket = subscribe.ticket}).expects_close(Reason::kOk).expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
