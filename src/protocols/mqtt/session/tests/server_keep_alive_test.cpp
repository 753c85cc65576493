// SPDX-License-Identifier: Apache-2.0
// Keep-alive and the ends of a connection (MQTT 3.1.1 §3.1.2.10, §4.8).
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using session::Detach;
using session::Publish;
using testkit::octets;

constexpr ConnectView kTenSeconds{.keep_alive_s = 10, .client_id = "peer"};

// client          server
//   | CONNECT ->    |
//   | <- CONNACK    |
//   |   15 s        |
//   |   <- close    |
TEST(Mqtt311, MQTT_3_1_2_24_silence_of_one_and_a_half_keep_alives_closes) {
  ServerPeer peer;
  peer.connects(kTenSeconds).after(14'999ms).expects_nothing();
  peer.after(1ms).expects_close(Reason::kTimeout);
  EXPECT_FALSE(peer.effect<Detach>().discard_will);
}

TEST(Mqtt311, MQTT_3_1_2_24_every_packet_starts_the_time_anew) {
  ServerPeer peer;
  peer.connects(kTenSeconds);
  for (const wire::Octets& packet :
       {wire::pingreq(), wire::puback(1), wire::publish("a", "x"), wire::pingreq()}) {
    peer.after(14s).sends(packet);
  }
  peer.expects(repeat(wire::pingresp(), 2)).expects_effect<Publish>();
  peer.after(14s).expects_nothing().after(1s).expects_close(Reason::kTimeout);
}

TEST(Mqtt311, MQTT_3_1_2_24_0_turns_it_off) {
  ServerPeer peer;
  peer.connects({.keep_alive_s = 0, .client_id = "peer"}).after(24h * 365).expects_nothing();
}

TEST(ServerKeepAlive, CountsFromConnack) {
  ServerPeer peer;
  peer.opens().sends(wire::connect(kTenSeconds)).after(9s);
  peer.accepts(peer.effect<session::Attach>().ticket).expects(wire::connack());
  peer.expects_effect<session::Credit>().after(14'999ms).expects_nothing();
  peer.after(1ms).expects_close(Reason::kTimeout);
}

TEST(ServerKeepAlive, DeliveriesAreNoSignOfLife) {
  ServerPeer peer;
  const model::Message message = message_of("a", "x");
  peer.connects(kTenSeconds).after(14s).delivers({.message = &message}, 0).after(1s);
  peer.expects(wire::publish("a", "x")).expects_close(Reason::kTimeout);
}

TEST(ServerKeepAlive, ALongPacketThatKeepsComingIsASignOfLife) {
  ServerPeer peer;
  peer.connects(kTenSeconds).sends(octets("30 ff 7f 0001 61"));
  for (int i = 0; i < 5; ++i) peer.after(14s).sends(octets("'x'*100"));
  peer.expects_nothing();
  peer.after(14s);
  peer.host().offer_again();  // nothing new
  peer.after(1s).expects_close(Reason::kTimeout);
}

TEST(ServerKeepAlive, SilenceBecauseThisSideDoesNotListenIsNotTheirs) {
  ServerPeer peer;
  peer.connects(kTenSeconds).takes(Intake::kRepliesOnly).sends(wire::publish("a", "x"));
  peer.after(10min).expects_nothing();
  peer.takes(Intake::kEverything).expects_effect<Publish>().after(14s).expects_nothing();
  peer.after(1s).expects_close(Reason::kTimeout);
}

// MQTT 5 tells the client of a shorter keep-alive: v5_connect_test.cpp. Here nothing can, and the
// client is refused as mosquitto does it.
TEST(ServerKeepAlive, AboveTheLimitIsRefused) {
  for (const int asked : {0, 11, 65'535}) {
    ServerPeer peer(limits_with([](auto& limits) { limits.keep_alive_s_max = 10; }));
    peer.opens().sends(
        wire::connect({.keep_alive_s = static_cast<std::uint16_t>(asked), .client_id = "peer"}));
    peer.expects(wire::connack(2)).expects_close(Reason::kNotSupported);
  }
}

TEST(ServerKeepAlive, AtTheLimitIsAccepted) {
  ServerPeer peer(limits_with([](auto& limits) { limits.keep_alive_s_max = 10; }));
  peer.connects(kTenSeconds).after(14'999ms).expects_nothing();
  peer.after(1ms).expects_close(Reason::kTimeout);
}

TEST(ServerKeepAlive, AnEarlyDeadlineIsHarmless) {
  ServerPeer peer;
  peer.connects(kTenSeconds);
  peer.host().fire_deadline();
  peer.expects_nothing();
}

TEST(ServerKeepAlive, AQuietConnectionKeepsItsExchanges) {
  model::Inflight lent;
  (void)lent.take(1, Guarantee::kAtLeastOnce);
  ServerPeer peer({}, std::move(lent));
  peer.connects({.clean_session = false, .keep_alive_s = 10, .client_id = "peer"}, true);
  peer.after(14s).host().fire_deadline();
  peer.ends();
  EXPECT_EQ(peer.effect<Detach>().inflight.outgoing(), 1u);
}

TEST(ServerEnds, EveryEndDetachesOnce) {
  for (const Reason reason : {Reason::kPeerClosed, Reason::kTakenOver, Reason::kShutdown}) {
    ServerPeer peer;
    peer.connects().ends(reason);
    EXPECT_FALSE(peer.effect<Detach>().discard_will);
    peer.expects_nothing();
  }
}

TEST(ServerEnds, AfterACloseNothingIsSentOrAsked) {
  ServerPeer peer;
  const model::Message message = message_of("a", "x", Guarantee::kAtLeastOnce);
  peer.connects().sends(wire::publish("a", "x", {.qos = 1, .id = 1}));
  const auto publish = peer.effect<Publish>();
  peer.sends(wire::connect()).expects_effect<session::Close>();
  peer.answers(publish.ticket).sends(wire::pingreq());
  peer.delivers({.message = &message, .guarantee = Guarantee::kAtLeastOnce}, 1);
  peer.after(1h).expects_nothing();
  peer.ends();
  EXPECT_EQ(peer.effect<Detach>().inflight.outgoing(), 0u);
}

}  // namespace
}  // namespace hermod::mqtt
