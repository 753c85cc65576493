// SPDX-License-Identifier: Apache-2.0
// A session that the store keeps: what the client may hear of an exactly once exchange waits until
// it survives a stop, and what is sent again after one has the packet id that it had.
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::EndExchange;
using session::Release;
using session::Settle;

constexpr ConnectView kLasting{.clean_session = false, .client_id = "peer"};
const model::Message kKeptMessage = message_of("a/b", "x", Guarantee::kExactlyOnce);

model::Delivery exactly_once(bool recovered = false) {
  return {.message = &kKeptMessage, .guarantee = Guarantee::kExactlyOnce, .recovered = recovered};
}

class KeptPeer : public ServerPeer {
 public:
  explicit KeptPeer(model::Inflight inflight = {})
      : ServerPeer({}, {}), lent_(std::move(inflight)) {
    opens().sends(wire::connect(kLasting));
    answers({.ticket = effect<session::Attach>().ticket,
             .session_present = true,
             .kept = true,
             .inflight = &lent_});
    (void)host().take_output();
    expects_effect<session::Credit>();
  }

 private:
  model::Inflight lent_;
};

// server                 client
//   | PUBLISH QoS 2, 8 ->  |
//   |       <- PUBREC 8    |   Release
//   | PUBREL 8 ->          |   once it is answered
//   |       <- PUBCOMP 8   |   Settle, a credit back
TEST(MqttKept, PubrelWaitsUntilThePubrecIsSafe) {
  KeptPeer peer;
  peer.delivers(exactly_once(), 7);
  peer.expects(wire::publish("a/b", "x", {.qos = 2, .id = 8}));
  peer.sends(wire::pubrec(8));
  const auto release = peer.effect<Release>();
  EXPECT_EQ(release.tag, 7u);
  peer.expects_nothing();
  peer.answers({.ticket = release.ticket}).expects(wire::pubrel(8)).expects_nothing();
  peer.sends(wire::pubcomp(8));
  const auto settle = peer.effect<Settle>();
  EXPECT_EQ(settle.first, 7u);
  EXPECT_EQ(settle.last, 7u);
  EXPECT_EQ(settle.credit, 1u);
  peer.expects_nothing();
}

TEST(MqttKept, ARepeatedPubrecWaitsToo) {
  KeptPeer peer;
  peer.delivers(exactly_once(), 7);
  peer.expects(wire::publish("a/b", "x", {.qos = 2, .id = 8}));
  peer.sends(wire::pubrec(8) + wire::pubrec(8));
  const auto first = peer.effect<Release>();
  const auto second = peer.effect<Release>();
  peer.expects_nothing();
  peer.answers({.ticket = first.ticket}).expects(wire::pubrel(8));
  peer.answers({.ticket = second.ticket}).expects(wire::pubrel(8)).expects_nothing();
}

// server                 client
//   |  <- PUBLISH QoS 2, 5 |   Publish
//   | PUBREC 5 ->          |   once it is answered
//   |       <- PUBREL 5    |   EndExchange
//   | PUBCOMP 5 ->         |   once it is answered
TEST(MqttKept, PubcompWaitsUntilTheIdIsFreeForGood) {
  KeptPeer peer;
  peer.sends(wire::publish("a/b", "x", {.qos = 2, .id = 5}));
  const auto publish = peer.effect<session::Publish>();
  EXPECT_EQ(publish.message.origin.exchange, 5u);
  peer.answers({.ticket = publish.ticket}).expects(wire::pubrec(5));
  peer.sends(wire::pubrel(5));
  const auto end = peer.effect<EndExchange>();
  EXPECT_EQ(end.packet_id, 5);
  peer.expects_nothing();
  // Until then it is a repetition that comes with this id.
  peer.sends(wire::publish("a/b", "x", {.qos = 2, .id = 5, .dup = true})).expects(wire::pubrec(5));
  peer.answers({.ticket = end.ticket}).expects(wire::pubcomp(5)).expects_nothing();
  // It may have begun before the broker was stopped: somebody else knows.
  peer.sends(wire::pubrel(5));
  const auto again = peer.effect<EndExchange>();
  peer.answers({.ticket = again.ticket}).expects(wire::pubcomp(5)).expects_nothing();
}

TEST(MqttKept, PacketIdsAreThoseOfTheTags) {
  KeptPeer peer;
  for (const model::Tag tag :
       {model::Tag{1}, model::Tag{65'534}, model::Tag{65'535}, model::Tag{200'000}}) {
    peer.delivers(exactly_once(), tag);
    const auto id = static_cast<std::uint16_t>(tag % 65'535 + 1);
    peer.expects(wire::publish("a/b", "x", {.qos = 2, .id = id}));
  }
  peer.expects_nothing();
}

// [MQTT-3.3.1-1]: it may have been sent before the broker was stopped.
TEST(MqttKept, WhatIsRecoveredSaysDupAndHasItsId) {
  KeptPeer peer;
  peer.delivers(exactly_once(true), 41);
  peer.expects(wire::publish("a/b", "x", {.qos = 2, .id = 42, .dup = true})).expects_nothing();
}

// [MQTT-4.3.3-7]: the exchange may have begun; at least once it need not go on.
TEST(MqttKept, WhatIsRecoveredAndExpiredIsCompletedWhereItMust) {
  model::Message old = kKeptMessage;
  old.expires_at = Instant{};
  KeptPeer peer;
  model::Delivery delivery = exactly_once(true);
  delivery.message = &old;
  peer.delivers(delivery, 41);
  peer.expects(wire::publish("a/b", "x", {.qos = 2, .id = 42, .dup = true})).expects_nothing();
  delivery.guarantee = Guarantee::kAtLeastOnce;
  peer.delivers(delivery, 42);
  EXPECT_EQ(peer.effect<Settle>().first, 42u);
  peer.expects_nothing();
}

TEST(MqttKept, WhatIsReleasedGoesOnWithPubrel) {
  model::Inflight inflight;
  inflight.release(*inflight.find(inflight.take_for(99, Guarantee::kExactlyOnce)));
  model::Inflight lent = std::move(inflight);
  ServerPeer peer;
  peer.opens().sends(wire::connect(kLasting));
  peer.answers({.ticket = peer.effect<session::Attach>().ticket,
                .session_present = true,
                .kept = true,
                .inflight = &lent});
  peer.expects(wire::connack(0, true) + wire::pubrel(100));
  peer.expects_effect<session::Credit>();
  peer.sends(wire::pubcomp(100));
  EXPECT_EQ(peer.effect<Settle>().first, 99u);
  peer.expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
