// SPDX-License-Identifier: Apache-2.0
// The server with a client of MQTT 3.1: messages that are sent again when no answer comes (MQTT 3.1
// §4.1, §4.2), which later versions forbid [MQTT-4.4.0-1].
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

using namespace std::chrono_literals;
using model::Delivery;
using session::Credit;
using session::Settle;
using testkit::octets;

class PeerV31 : public ServerPeer {
 public:
  explicit PeerV31(const session::SessionLimits& to_obey = {}, model::Inflight inflight = {},
                   Version version = Version::kV31, std::uint16_t keep_alive_s = 0)
      : ServerPeer(to_obey, std::move(inflight)) {
    opens().sends(wire::connect({.version = version,
                                 .clean_session = false,
                                 .keep_alive_s = keep_alive_s,
                                 .client_id = "old"}));
    accepts(effect<session::Attach>().ticket, true);
    EXPECT_EQ(host().take_output().at(0), 0x20);
    expects_effect<Credit>();
  }
  PeerV31& gets(Guarantee guarantee, model::Tag tag) {
    delivers({.message = &kMessage, .guarantee = guarantee}, tag);
    return *this;
  }
};

session::SessionLimits resending_after(std::uint32_t seconds) {
  return limits_with([seconds](auto& limits) { limits.resend_after_s = seconds; });
}

// client                       server
//   |             <- PUBLISH 1   |
//   |        20 s                |
//   |         <- PUBLISH 1 DUP   |
//   | PUBACK 1 ->                |
TEST(Mqtt31, AMessageWithoutAnswerIsSentAgainWithDup) {
  PeerV31 peer;
  peer.gets(Guarantee::kAtLeastOnce, 5).expects(wire::publish("a/b", "x", {.qos = 1, .id = 1}));
  for (int i = 0; i < 3; ++i) {
    peer.after(19'999ms).expects_nothing().after(1ms);
    peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .dup = true}));
  }
  peer.sends(wire::puback(1)).expects_effect<Settle>();
  peer.after(1h).expects_nothing();
}

// client                       server
//   |             <- PUBLISH 1   |
//   | PUBREC 1 ->                |
//   |              <- PUBREL 1   |
//   |        20 s                |
//   |          <- PUBREL 1 DUP   |
//   | PUBCOMP 1 ->               |
TEST(Mqtt31, APubrelWithoutAnswerIsSentAgainWithDup) {
  PeerV31 peer;
  peer.gets(Guarantee::kExactlyOnce, 5);
  (void)peer.host().take_output();
  peer.sends(wire::pubrec(1)).expects(wire::pubrel(1)).expects_effect<Settle>();
  peer.after(20s).expects(octets("6a 02 0001"));
  peer.sends(wire::pubcomp(1)).expects_effect<Credit>();
  peer.after(1h).expects_nothing();
}

TEST(Mqtt31, APubrelOfAnEarlierConnectionIsSentAgainToo) {
  model::Inflight lent;
  lent.release(*lent.find(lent.take(4, Guarantee::kExactlyOnce)));
  PeerV31 peer({}, std::move(lent));
  peer.after(20s).expects(octets("6a 02 0001"));
  peer.sends(wire::pubcomp(1)).expects_effect<Credit>();
  peer.after(1h).expects_nothing();
}

TEST(Mqtt31, TheIntervalIsConfigured) {
  PeerV31 soon(resending_after(1));
  soon.gets(Guarantee::kAtLeastOnce, 5);
  (void)soon.host().take_output();
  soon.after(1s).expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .dup = true}));
  PeerV31 never(resending_after(0));
  never.gets(Guarantee::kAtLeastOnce, 5);
  (void)never.host().take_output();
  never.after(24h).expects_nothing();
}

TEST(Mqtt31, NothingIsSentAgainToWhoHasNotReadTheFirst) {
  PeerV31 peer;
  peer.gets(Guarantee::kAtLeastOnce, 5).after(20s).after(20s);
  peer.expects(wire::publish("a/b", "x", {.qos = 1, .id = 1})).expects_nothing();
  peer.after(20s).expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .dup = true}));
}

// Also where very much has no answer, a round has a limit, and the rest is not forgotten.
TEST(Mqtt31, ARoundIsBounded) {
  PeerV31 peer;
  const std::string payload(10'000, 'p');
  const model::Message message = message_of("a/b", payload);
  for (model::Tag tag = 1; tag <= 20; ++tag) {
    peer.delivers({.message = &message, .guarantee = Guarantee::kAtLeastOnce}, tag);
  }
  (void)peer.host().take_output();
  std::size_t sent = 0;
  for (int second = 0; second < 3; ++second) {
    peer.after(second == 0 ? 20s : 1s);
    const std::size_t round = peer.host().take_output().size();
    EXPECT_LE(round, (64u << 10) + payload.size() + 100);
    EXPECT_GT(round, 0u);
    sent += round;
  }
  EXPECT_EQ(sent, 20 * wire::publish("a/b", payload, {.qos = 1, .id = 1}).size());
  peer.after(1s).expects_nothing();
}

// Who answers at once costs no memory until the interval has passed.
TEST(Mqtt31, AnsweredMessagesAreNotRemembered) {
  Flow flow;
  flow.version = Version::kV31;
  Resends resends;
  const model::Tag stuck = 1;
  (void)flow.inflight.take(stuck, Guarantee::kAtLeastOnce);
  const Delivery item{.message = &kMessage, .guarantee = Guarantee::kAtLeastOnce};
  resends.note({.items = {&item, 1}, .first_tag = stuck}, Instant{20s}, flow);
  for (model::Tag tag = 2; tag < 100'000; ++tag) {
    const std::uint16_t id = flow.inflight.take(tag, Guarantee::kAtLeastOnce);
    resends.note({.items = {&item, 1}, .first_tag = tag}, Instant{20s}, flow);
    flow.inflight.finish(id);
    ASSERT_LE(resends.remembered(), 70u);
  }
  EXPECT_EQ(resends.due(), Instant{20s});
}

TEST(Mqtt31, RepetitionsDoNotReplaceTheKeepAlive) {
  PeerV31 peer({}, {}, Version::kV31, 20);
  peer.gets(Guarantee::kAtLeastOnce, 5);
  (void)peer.host().take_output();
  peer.after(20s).expects(wire::publish("a/b", "x", {.qos = 1, .id = 1, .dup = true}));
  peer.after(10s).expects_close(Reason::kTimeout);
}

TEST(Mqtt311, MQTT_4_4_0_1_nothing_is_sent_again_on_one_connection) {
  PeerV31 peer({}, {}, Version::kV311);
  peer.gets(Guarantee::kAtLeastOnce, 5);
  (void)peer.host().take_output();
  peer.after(24h).expects_nothing();
}

}  // namespace
}  // namespace hermod::mqtt
