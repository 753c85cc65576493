// SPDX-License-Identifier: Apache-2.0
// An endpoint with resources that are not the broker's, as a server of somebody else uses it.
#include "hermod/coap/session/server_endpoint.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "script.hpp"

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;

// Keeps each request until the test answers it.
class Shelf final : public Resources {
 public:
  void on_request(const Request& request, Instant, session::Effects& effects) override {
    open.push_back(&request.exchange);
    if (acknowledges) endpoint->acknowledge(request.exchange, effects);
  }
  void on_observer_gone(ObserverId, Instant, session::Effects&) override {}

  ServerEndpoint* endpoint = nullptr;
  std::vector<Exchange*> open;
  bool acknowledges = true;
};

// A session of nothing but an endpoint, so that a Script can drive it.
class Bare final : public session::Session {
 public:
  explicit Bare(Resources& resources) : endpoint(settings, 1024, rng, nullptr, resources) {}
  void on_open(Instant now, session::Effects&) override { endpoint.on_open(now); }
  void on_datagram(const session::Datagram& datagram, Instant now,
                   session::Effects& effects) override {
    endpoint.on_datagram(datagram, now, effects);
  }
  void on_deliveries(const model::DeliveryBatch&, Instant, session::Effects&) override {}
  void on_answers(std::span<const session::Answer>, Instant, session::Effects&) override {}
  void on_deadline(Instant now, session::Effects& effects) override {
    endpoint.on_deadline(now, effects);
  }
  void on_close(model::Reason, Instant, session::Effects&) override {}
  [[nodiscard]] Instant next_deadline() const override { return endpoint.next_deadline(); }

  Settings settings;
  SeededRng rng{1};
  ServerEndpoint endpoint;
};

class ServerEndpointTest : public ::testing::Test {
 protected:
  ServerEndpointTest() { shelf.endpoint = &bare.endpoint; }
  void answers(std::size_t n) {
    peer.run([&](session::Effects& effects) {
      bare.endpoint.respond(*shelf.open.at(n), {.code = code::kContent}, peer.now, effects);
    });
  }

  Shelf shelf;
  Bare bare{shelf};
  Script peer{bare};
};

//   CON GET #7   ->
//                <- ACK 0.00 #7    at once, and only once
//   CON GET #7   ->                a duplicate
//                <- ACK 0.00 #7
//                <- CON 2.05
TEST_F(ServerEndpointTest, WhatTakesItsTimeIsAcknowledgedAtOnce) {
  peer.sends({.id = 7});
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  peer.after(seconds{2});
  EXPECT_EQ(peer.sent(), "");
  peer.sends({.id = 7});
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  ASSERT_EQ(shelf.open.size(), 1u);
  answers(0);
  EXPECT_EQ(peer.sent(), "CON 2.05 #s0 t:t");
}

TEST_F(ServerEndpointTest, AnAcknowledgementAskedForTwiceIsSentOnce) {
  shelf.acknowledges = false;
  peer.sends({.id = 7});
  peer.after(seconds{2});
  EXPECT_EQ(peer.sent(), "ACK 0.00 #7");
  peer.run(
      [&](session::Effects& effects) { bare.endpoint.acknowledge(*shelf.open.at(0), effects); });
  EXPECT_EQ(peer.sent(), "");
}

// TD_COAP_CORE_17: nothing acknowledges a Non-confirmable message.
TEST_F(ServerEndpointTest, ANonConfirmableRequestIsNotAcknowledged) {
  peer.sends({.type = Type::kNon, .id = 7});
  EXPECT_EQ(peer.sent(), "");
  answers(0);
  EXPECT_EQ(peer.sent(), "NON 2.05 #s0 t:t");
}

}  // namespace
}  // namespace hermod::coap::test
