// SPDX-License-Identifier: Apache-2.0
// Counters that one generator thread writes and the measuring thread reads while it runs.
#pragma once

#include <atomic>
#include <cstdint>

namespace hermod::load {

/// A counter with one writer: no locked instruction.
class Counter {
 public:
  void add(std::uint64_t count) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// One generator thread's. On cache lines of its own.
struct alignas(64) Tally {
  Counter operations;  ///< what the scenario measures: deliveries, connections, answers
  Counter progress;    ///< anything that shows that the server is alive
  Counter ready;       ///< clients that are set up
  Counter unexpected;
  Counter disconnected;
  Counter refused;
  Counter retransmitted;
  Counter stalls;
};

}  // namespace hermod::load
