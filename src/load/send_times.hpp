// SPDX-License-Identifier: Apache-2.0
// When the putter sent each of its last values: observers on other threads read it to know how old
// a value is.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "hermod/base/time.hpp"

namespace hermod::load {

class SendTimes {
 public:
  /// As many values as a window can hold, and more.
  static constexpr std::size_t kKept = 1 << 16;

  SendTimes() : times_(kKept) {}
  void set(std::uint64_t sequence, Instant at) {
    times_[sequence % kKept].store(at.time_since_epoch().count(), std::memory_order_release);
  }
  [[nodiscard]] Instant of(std::uint64_t sequence) const {
    return Instant{Duration{times_[sequence % kKept].load(std::memory_order_acquire)}};
  }

 private:
  std::vector<std::atomic<std::int64_t>> times_;
};

}  // namespace hermod::load
