// SPDX-License-Identifier: Apache-2.0
// The timetable of an open loop: when each message of each publisher is due, whatever the server
// does. Delays count from there, so a server that stops is charged for everything that had to wait.
#pragma once

#include <cstdint>

#include "hermod/base/time.hpp"

namespace hermod::load {

/// Messages of all publishers take turns at equal intervals: number k of publisher p is due at
/// (k * publishers + p) * interval.
class Pacing {
 public:
  /// `rate`: messages a second, above 0.
  Pacing(double rate, unsigned publishers) : interval_ns_(1e9 / rate), publishers_(publishers) {}

  /// Since the load began.
  [[nodiscard]] Duration due(std::uint32_t publisher, std::uint64_t sequence) const {
    return due_at(sequence * publishers_ + publisher);
  }
  /// When message number `index`, counted over all publishers, is due.
  [[nodiscard]] Duration due_at(std::uint64_t index) const {
    return Duration{static_cast<std::int64_t>(static_cast<double>(index) * interval_ns_)};
  }
  /// Messages of all publishers that are due after `elapsed`.
  [[nodiscard]] std::uint64_t total_due(Duration elapsed) const {
    if (elapsed < Duration{0}) return 0;
    return static_cast<std::uint64_t>(static_cast<double>(elapsed.count()) / interval_ns_) + 1;
  }
  /// The share of one publisher in `total`.
  [[nodiscard]] std::uint64_t share(std::uint32_t publisher, std::uint64_t total) const {
    return total <= publisher ? 0 : (total - publisher - 1) / publishers_ + 1;
  }

 private:
  double interval_ns_;
  unsigned publishers_;
};

}  // namespace hermod::load
