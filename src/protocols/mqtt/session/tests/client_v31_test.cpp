// SPDX-License-Identifier: Apache-2.0
// The client in MQTT 3.1: its CONNECT, and messages that are sent again when no answer comes
// (MQTT 3.1 §3.1, §4.1, §4.2).
#include "client_peers.hpp"

namespace hermod::mqtt {
namespace {

using model::Delivery;
using session::Completed;
using session::Credit;
using session::Settle;
using testkit::octets;

class ClientPeerV31 : public ClientPeer {
 public:
  explicit ClientPeerV31(std::uint32_t resend_after_s = 20, std::uint16_t keep_alive_s = 0)
      : ClientPeer({.version = Version::kV31,
                    .client_id = "me",
                    .keep_alive_s = keep_alive_s,
                    .resend_after_s = resend_after_s}) {
    connects();
  }
};

TEST(Mqtt31Client, ConnectSaysMQIsdp) {
  ClientPeer peer({.version = Version::kV31, .client_id = "me"});
  peer.opens().expects(octets("10 10 0006 4d5149736470 03 02 003c 0002 6d65"));
}

// client                       server
//   | PUBLISH 1 ->               |
//   |        20 s                |
//   | PUBLISH 1 DUP ->           |
//   |   <- PUBACK 1              |
TEST(Mqtt31Client, AMessageWithoutAnswerIsSentAgainWithDup) {
  ClientPeerV31 peer;
  peer.delivers({.message = &kMessage, .guarantee = Guarantee::kAtLeastOnce, .retain = true}, 5);
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .retain = true}));
  for (int i = 0; i < 3; ++i) {
    peer.after(19'999ms).expects_nothing().after(1ms);
    peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .retain = true, .dup = true}));
  }
  peer.sends(wire::puback(1));
  EXPECT_EQ(peer.effect<Settle>().first, 5u);
  peer.after(1h).expects_nothing();
}

// client                       server
//   | PUBLISH 1 ->               |
//   |   <- PUBREC 1              |
//   | PUBREL 1 ->                |
//   |        20 s                |
//   | PUBREL 1 DUP ->            |
TEST(Mqtt31Client, APubrelWithoutAnswerIsSentAgainWithDup) {
  ClientPeerV31 peer;
  peer.delivers({.message = &kMessage, .guarantee = Guarantee::kExactlyOnce}, 5);
  (void)peer.host().take_output();
  peer.sends(wire::pubrec(1)).expects(wire::pubrel(1)).expects_effect<Settle>();
  peer.after(20s).expects(octets("6a 02 0001"));
  peer.sends(wire::pubcomp(1)).expects_effect<Credit>();
  peer.after(1h).expects_nothing();
}

// client                       server
//   | SUBSCRIBE 1 ->             |
//   |        20 s                |
//   | SUBSCRIBE 1 DUP ->         |
//   |   <- SUBACK 1              |
//   |   <- SUBACK 1              |  of the repetition
TEST(Mqtt31Client, ASubscribeWithoutAnswerIsSentAgainWithDup) {
  ClientPeerV31 peer;
  ASSERT_TRUE(peer.subscribe({{"a", 1}}, 3));
  peer.expects(octets("82 06 0001 0001 61 01"));
  for (int i = 0; i < 2; ++i) {
    peer.after(19'999ms).expects_nothing().after(1ms);
    peer.expects(octets("8a 06 0001 0001 61 01"));
  }
  peer.sends(octets("90 03 0001 01"));
  EXPECT_EQ(peer.effect<Completed>().ticket, 3u);
  peer.after(1h).expects_nothing();
  peer.sends(octets("90 03 0001 01")).expects_nothing();
}

// client                       server
//   | UNSUBSCRIBE 1 ->           |
//   |        20 s                |
//   | UNSUBSCRIBE 1 DUP ->       |
//   |   <- UNSUBACK 1, twice     |
TEST(Mqtt31Client, AnUnsubscribeWithoutAnswerIsSentAgainWithDup) {
  ClientPeerV31 peer;
  ASSERT_TRUE(peer.unsubscribe({"a"}, 4));
  peer.expects(octets("a2 05 0001 0001 61"));
  peer.after(20s).expects(octets("aa 05 0001 0001 61"));
  peer.sends(octets("b0 02 0001"));
  EXPECT_EQ(peer.effect<Completed>().ticket, 4u);
  peer.after(1h).expects_nothing();
  peer.sends(octets("b0 02 0001")).expects_nothing();
}

TEST(Mqtt31Client, ARequestThatIsNotRepeatedIsAnsweredOnce) {
  ClientPeerV31 peer(0);
  ASSERT_TRUE(peer.subscribe({{"a", 1}}, 3));
  (void)peer.host().take_output();
  peer.after(24h).expects_nothing();
  peer.sends(octets("90 03 0001 01")).expects_effect<Completed>();
  peer.sends(octets("90 03 0001 01")).expects_close(Reason::kProtocolError);
}

TEST(Mqtt31Client, MessagesAreSentAgainInTheirOrder) {
  ClientPeerV31 peer;
  const Delivery item{.message = &kMessage, .guarantee = Guarantee::kAtLeastOnce};
  peer.delivers(item, 1).after(5s).delivers(item, 2).after(5s).delivers(item, 3);
  (void)peer.host().take_output();
  peer.sends(wire::puback(2)).expects_effect<Settle>();
  peer.after(10s).expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .dup = true}));
  peer.after(5s).expects_nothing();
  peer.after(5s).expects(wire::publish("a/b", "x", {.qos = 1, .id = 3, .dup = true}));
}

TEST(Mqtt31Client, AnIdThatIsUsedAgainIsNotTheOldMessage) {
  ClientPeerV31 peer;
  const Delivery item{.message = &kMessage, .guarantee = Guarantee::kAtLeastOnce};
  peer.delivers(item, 1).sends(wire::puback(1)).expects_effect<Settle>();
  for (int id = 2; id <= 65'535; ++id) {  // all the other ids
    peer.delivers(item, static_cast<model::Tag>(id));
    peer.sends(wire::puback(static_cast<std::uint16_t>(id))).expects_effect<Settle>();
  }
  (void)peer.host().take_output();
  peer.after(10s).delivers(item, 70'000);
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1}));
  peer.after(10s).expects_nothing();  // the first message's time
  peer.after(10s).expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .dup = true}));
}

TEST(Mqtt31Client, ResendingCountsAsASignOfLifeAndDoesNotReplaceIt) {
  ClientPeerV31 peer(7, 10);
  peer.delivers({.message = &kMessage, .guarantee = Guarantee::kAtLeastOnce}, 5);
  (void)peer.host().take_output();
  peer.after(7s).expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .dup = true}));
  peer.after(3s).expects(wire::pingreq());  // nothing was heard for so long
  peer.after(4s).expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .dup = true}));
  peer.after(6s).expects_close(Reason::kTimeout);
}

TEST(Mqtt31Client, ZeroTurnsItOff) {
  ClientPeerV31 peer(0);
  peer.delivers({.message = &kMessage, .guarantee = Guarantee::kAtLeastOnce}, 5);
  (void)peer.host().take_output();
  peer.after(24h).expects_nothing();
}

TEST(Mqtt311Client, MQTT_4_4_0_1_nothing_is_sent_again_while_the_connection_lasts) {
  ClientPeer peer({.client_id = "me", .keep_alive_s = 0, .resend_after_s = 20});
  peer.connects().delivers({.message = &kMessage, .guarantee = Guarantee::kAtLeastOnce}, 5);
  (void)peer.host().take_output();
  peer.after(24h).expects_nothing();
}

TEST(Mqtt31Client, ASessionThatIsNotCleanGoesOnAlthoughConnackCannotSaySo) {
  model::Inflight inflight;
  inflight.release(*inflight.find(inflight.take(1, Guarantee::kExactlyOnce)));
  ClientPeer peer({.version = Version::kV31, .client_id = "me", .clean_session = false},
                  std::move(inflight));
  peer.opens();
  (void)peer.host().take_output();
  peer.sends(octets("20 02 0000")).expects(wire::pubrel(1));
}

TEST(Mqtt31Client, SubackKnowsNoRefusal) {
  ClientPeerV31 peer;
  ASSERT_TRUE(peer.subscribe({{"a", 1}}, 3));
  (void)peer.host().take_output();
  peer.sends(octets("90 03 0001 80")).expects_close(Reason::kMalformed);
}

}  // namespace
}  // namespace hermod::mqtt
