// SPDX-License-Identifier: Apache-2.0
// Clients that misbehave beside the measured flow (--neighbour): what they may cost others is the
// question. They share the first generator thread, and work in small portions there.
#pragma once

#include <memory>
#include <vector>

#include "hermod/load/report.hpp"
#include "mqtt_link.hpp"
#include "target.hpp"

namespace hermod::load {

class Neighbour {
 public:
  virtual ~Neighbour() = default;
  /// Something happened to a connection that is no link; it was added to the poller as
  /// `first_token` and the number that is handed in.
  virtual void on_event(std::size_t, const transport::Event&, Turn&) {}
  /// While the load runs. Returns how long the thread may sleep.
  virtual Duration on_turn(Turn&, transport::Token) { return kTurnMax; }
  virtual void collect(Counts& counts) const = 0;
};

/// The neighbour that the options ask for, nullptr for none. The links it needs are added to
/// `links`, which whoever sets up clients connects, and which outlive the neighbour.
[[nodiscard]] std::unique_ptr<Neighbour> make_neighbour(
    const Target& target, std::vector<std::unique_ptr<MqttLink>>& links);

/// Subscribes to everything of the flow with QoS 1 and never reads.
[[nodiscard]] std::unique_ptr<Neighbour> make_slow_neighbour(
    const Target& target, std::vector<std::unique_ptr<MqttLink>>& links);
/// Publishes payloads of 1 MiB, or the most that the server says it takes, to one subscriber of its
/// own, the next as soon as that has the last.
[[nodiscard]] std::unique_ptr<Neighbour> make_huge_neighbour(
    const Target& target, std::vector<std::unique_ptr<MqttLink>>& links);
/// Connects 500 times a second and breaks the protocol in turn in every way it knows.
[[nodiscard]] std::unique_ptr<Neighbour> make_malicious_neighbour(const Target& target);

}  // namespace hermod::load
