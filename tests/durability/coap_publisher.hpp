// SPDX-License-Identifier: Apache-2.0
// A CoAP device that PUTs the value of one topic, Confirmable, one request after the other: each is
// sent again until it is answered, also to a broker that was started in between (RFC 7252 §4.2).
// Written with the codec alone.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "client.hpp"
#include "hermod/transport/udp.hpp"

namespace hermod::durability {

class CoapPublisher final : public Task {
 public:
  /// `lane` is a value's. About `pause` goes by between two requests.
  CoapPublisher(World& world, LaneId lane, Duration pause, std::uint64_t seed);

  /// Binds its socket and begins to publish. Error in words.
  [[nodiscard]] std::expected<void, std::string> begin();
  /// Begins no further request.
  void finish() { producing_ = false; }
  [[nodiscard]] bool finished() const { return !producing_ && !waiting_; }

  void on_event(const transport::Event& event, Instant now) override;
  void on_time(Instant now) override;

 private:
  void request(Instant now);
  void send(Instant now);
  void on_datagram(Bytes datagram, Instant now);

  World& world_;
  LaneId lane_;
  Duration pause_;
  SeededRng rng_;
  transport::Token token_;
  std::unique_ptr<transport::DatagramSocket> socket_;
  std::vector<std::uint8_t> body_;  // options and payload of the request under way
  std::uint64_t sequence_ = 0;      // of the request under way
  std::uint16_t message_id_ = 0;
  Duration timeout_{};
  Instant due_ = kNever;
  bool producing_ = false;
  bool waiting_ = false;  // for the response
};

}  // namespace hermod::durability
