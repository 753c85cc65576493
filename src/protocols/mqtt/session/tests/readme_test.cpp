// SPDX-License-Identifier: Apache-2.0
// The example of the README does what it says.
#include "peers.hpp"

namespace hermod::mqtt {
namespace {

void publish_once(mqtt::ClientSession& session, Instant now, session::Effects& effects) {
  model::Message message;
  message.destination.address = "Temperature/Kitchen";
  message.payload = as_bytes("34.5");
  const model::Delivery delivery{.message = &message, .guarantee = model::Guarantee::kAtLeastOnce};
  session.on_deliveries({.items = {&delivery, 1}, .first_tag = 1}, now, effects);
  // The PUBLISH is in effects.output(); Settle{1, 1} comes with PUBACK.
}

TEST(Readme, PublishOnce) {
  ClientPeer peer;
  peer.connects().host().run([&](session::Effects& effects) {
    publish_once(peer.session(), peer.clock().now(), effects);
  });
  peer.expects(wire::publish("Temperature/Kitchen", "34.5", {.qos = 1, .id = 1}));
  const auto settle = peer.sends(wire::puback(1)).effect<session::Settle>();
  EXPECT_EQ(settle.first, 1u);
  EXPECT_EQ(settle.last, 1u);
}

}  // namespace
}  // namespace hermod::mqtt
