// SPDX-License-Identifier: Apache-2.0
// Clients beside the measured flow, on the first generator thread: holders of unrelated filters
// (--filters), one that subscribes at a rate (--churn), and those that misbehave (--neighbour).
#pragma once

#include <memory>
#include <vector>

#include "churn_link.hpp"
#include "mqtt_link.hpp"
#include "neighbour.hpp"
#include "target.hpp"

namespace hermod::load {

class Extras {
 public:
  /// `target` outlives it.
  explicit Extras(const Target& target);

  /// Clients that are set up with the others before the load begins.
  [[nodiscard]] std::size_t size() const { return links_.size(); }
  MqttLink& link(std::size_t index) { return *links_[index]; }

  /// Events of link i have the token `first_token` + i.
  void on_event(const transport::Event& event, transport::Token first_token, Turn& turn);
  /// While the load runs. Returns how long the thread may sleep.
  Duration on_turn(Turn& turn, transport::Token first_token);
  /// Nothing is under way. From any thread.
  [[nodiscard]] bool settled() const { return churn_ == nullptr || churn_->settled(); }
  void collect(Counts& counts) const;

 private:
  void add_filters(const Target& target);
  void add_churn(const Target& target);

  std::vector<std::unique_ptr<MqttLink>> links_;
  ChurnLink* churn_ = nullptr;
  std::unique_ptr<Neighbour> neighbour_;
};

}  // namespace hermod::load
