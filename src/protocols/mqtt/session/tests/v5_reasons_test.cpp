// SPDX-License-Identifier: Apache-2.0
// Refusals in words: the Reason String (MQTT 5.0 §3.1.2.11.7, §3.2.2.3.9 and its sisters).
#include <algorithm>
#include <array>
#include <string>

#include "hermod/mqtt/session/advice.hpp"
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using wire::Octets;
using wire::v5::number;
using wire::v5::Properties;
using enum PropertyId;

const Property kAsksForReasons = number(kRequestProblemInformation, 1);

Properties words(ReasonCode code, PacketType packet) {
  return {wire::v5::text(kReasonString, advice(code, packet))};
}

// A client whose largest packet is `packet_max`, connected to a server with small limits.
class Refused : public ServerPeer {
 public:
  explicit Refused(std::uint32_t packet_max = 1000)
      : ServerPeer(limits_with([](auto& small) {
          small.topic_levels_max = 3;
          small.guarantee_max = Guarantee::kAtLeastOnce;
        })) {
    connects_v5({kAsksForReasons, number(kMaximumPacketSize, packet_max)});
  }

  // PUBLISH, SUBSCRIBE and UNSUBSCRIBE that the broker refuses.
  Octets publishes() {
    sends(wire::v5::publish("a", "x", {.qos = 1, .id = 1}));
    answers(effect<session::Publish>().ticket, Reason::kQuotaExceeded);
    return host().take_output();
  }
  Octets subscribes() {
    sends(wire::v5::subscribe(2, {{"a", 0}, {"b", 0}}));
    accepts_first<session::Subscribe>();
    answers(effect<session::Subscribe>().ticket, Reason::kNotAuthorized);
    return host().take_output();
  }
  Octets unsubscribes() {
    sends(wire::v5::unsubscribe(3, {"a", "b"}));
    accepts_first<session::Unsubscribe>();
    answers(effect<session::Unsubscribe>().ticket, Reason::kNotAuthorized);
    return host().take_output();
  }

 private:
  template <typename Request>
  void accepts_first() {
    answers(effect<Request>().ticket, Reason::kOk);
  }
};

constexpr std::uint32_t kTooSmall = 40;  // for a sentence; enough for CONNACK

TEST(Mqtt5, MQTT_3_4_2_2_a_puback_that_refuses_says_why_where_the_client_takes_so_much) {
  const auto code = ReasonCode::kQuotaExceeded;
  EXPECT_EQ(Refused().publishes(),
            wire::v5::ack(PacketType::kPuback, 1, code, words(code, PacketType::kPuback)));
  EXPECT_EQ(Refused(kTooSmall).publishes(), wire::v5::puback(1, code));
}

TEST(Mqtt5, MQTT_3_9_2_1_a_suback_that_refuses_says_why_where_the_client_takes_so_much) {
  EXPECT_EQ(Refused().subscribes(),
            wire::v5::suback(2, {0, 0x87}, words(ReasonCode::kNotAuthorized, PacketType::kSuback)));
  EXPECT_EQ(Refused(kTooSmall).subscribes(), wire::v5::suback(2, {0, 0x87}));
}

TEST(Mqtt5, MQTT_3_11_2_1_an_unsuback_that_refuses_says_why_where_the_client_takes_so_much) {
  EXPECT_EQ(
      Refused().unsubscribes(),
      wire::v5::unsuback(3, {0, 0x87}, words(ReasonCode::kNotAuthorized, PacketType::kUnsuback)));
  EXPECT_EQ(Refused(kTooSmall).unsubscribes(), wire::v5::unsuback(3, {0, 0x87}));
}

TEST(Mqtt5, MQTT_3_5_2_2_a_pubrec_that_refuses_says_why_where_the_client_takes_so_much) {
  for (const std::uint32_t packet_max : {1000u, kTooSmall}) {
    ServerPeer peer;
    peer.connects_v5({kAsksForReasons, number(kMaximumPacketSize, packet_max)});
    peer.sends(wire::v5::publish("a", "x", {.qos = 2, .id = 1}));
    peer.answers(peer.effect<session::Publish>().ticket, Reason::kNotAuthorized);
    const auto code = ReasonCode::kNotAuthorized;
    peer.expects(packet_max == kTooSmall ? wire::v5::pubrec(1, code)
                                         : wire::v5::ack(PacketType::kPubrec, 1, code,
                                                         words(code, PacketType::kPubrec)));
  }
}

TEST(Mqtt5, MQTT_3_14_2_3_a_disconnect_says_why_where_the_client_takes_so_much) {
  const auto code = ReasonCode::kTopicNameInvalid;
  for (const std::uint32_t packet_max : {1000u, kTooSmall}) {
    Refused peer(packet_max);
    peer.sends(wire::v5::publish("a/b/c/d", "x"));
    peer.expects(packet_max == kTooSmall
                     ? wire::v5::disconnect(code)
                     : wire::v5::disconnect(code, words(code, PacketType::kDisconnect)));
    peer.expects_close(Reason::kBadName);
  }
}

// The rule that a packet breaks is told to the log as well.
TEST(Mqtt5, Section_4_13_1_the_rule_that_a_packet_breaks_is_told) {
  Refused peer;
  peer.sends(wire::v5::publish("a/#", "x"));
  peer.expects(wire::v5::disconnect(
      ReasonCode::kProtocolError,
      {wire::v5::text(kReasonString, "MQTT-3.3.2-2 is broken at octet 4 of the packet.")}));
  const auto close = peer.effect<session::Close>();
  EXPECT_STREQ(close.broken.statement, "MQTT-3.3.2-2");
  EXPECT_EQ(close.broken.offset, 4u);
}

TEST(Mqtt5, MQTT_3_2_2_19_a_connack_that_refuses_says_why_where_the_client_takes_so_much) {
  for (const std::uint32_t packet_max : {1000u, 20u}) {
    ServerPeer peer;
    peer.opens().sends(wire::v5::connect(
        {.client_id = "me"}, {kAsksForReasons, number(kMaximumPacketSize, packet_max)}));
    peer.answers(peer.effect<session::Attach>().ticket, Reason::kBadCredentials);
    const auto code = ReasonCode::kBadUserNameOrPassword;
    peer.expects(packet_max == 20u ? wire::v5::connack(code)
                                   : wire::v5::connack(code, words(code, PacketType::kConnack)));
    peer.expects_close(Reason::kBadCredentials);
  }
}

TEST(Mqtt5, MQTT_3_1_2_29_who_wants_no_reasons_gets_none) {
  ServerPeer peer;
  peer.connects_v5({number(kRequestProblemInformation, 0)});
  peer.sends(wire::v5::publish("a", "x", {.qos = 1, .id = 1}));
  peer.answers(peer.effect<session::Publish>().ticket, Reason::kQuotaExceeded);
  peer.expects(wire::v5::puback(1, ReasonCode::kQuotaExceeded));
  peer.sends(wire::v5::publish("a/#", "x"));
  peer.expects_goodbye(ReasonCode::kProtocolError, Reason::kMalformed);
}

// Every sentence is one: it fits any limit worth having, begins large and ends with a full stop.
TEST(Advice, IsMadeOfSentences) {
  int count = 0;
  for (const PacketType packet :
       {PacketType::kConnack, PacketType::kPuback, PacketType::kPubrec, PacketType::kSuback,
        PacketType::kUnsuback, PacketType::kDisconnect}) {
    for (int code = 0x80; code <= 0xFF; ++code) {
      const std::string_view text = advice(static_cast<ReasonCode>(code), packet);
      if (text.empty()) continue;
      ++count;
      EXPECT_TRUE(is_allowed(static_cast<ReasonCode>(code), packet) ||
                  packet != PacketType::kConnack)
          << text;
      EXPECT_TRUE(text.front() >= 'A' && text.front() <= 'Z') << text;
      EXPECT_EQ(text.back(), '.') << text;
      EXPECT_LT(text.size(), 120u) << text;
    }
  }
  EXPECT_GT(count, 20);
}

}  // namespace
}  // namespace hermod::mqtt
