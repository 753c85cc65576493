// SPDX-License-Identifier: Apache-2.0
// Clients beside the measured flow, on the first generator thread: holders of unrelated filters
// (--filters) and one that subscribes at a rate (--churn).
#pragma once

#include <memory>
#include <vector>

#include "churn_link.hpp"
#include "mqtt_link.hpp"
#include "target.hpp"

namespace hermod::load {

class Extras {
 public:
  /// `target` outlives it.
  explicit Extras(const Target& target);

  /// Clients that are set up with the others before the load begins.
  [[nodiscard]] std::size_t size() const { return links_.size(); }
  MqttLink& link(std::size_t index) { return *links_[index]; }

  /// While the load runs. Returns how long the thread may sleep.
  Duration on_turn(Turn& turn);
  /// Nothing is under way. From any thread.
  [[nodiscard]] bool settled() const { return churn_ == nullptr || churn_->settled(); }
  void collect(Counts& counts) const;

 private:
  void add_filters(const Target& target);
  void add_churn(const Target& target);

  std::vector<std::unique_ptr<MqttLink>> links_;
  ChurnLink* churn_ = nullptr;
};

}  // namespace hermod::load
