// SPDX-License-Identifier: Apache-2.0
// When a sender sent each of its last messages: receivers on other threads read it to know how old
// a message is.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

#include "hermod/base/time.hpp"

namespace hermod::load {

class SendTimes {
 public:
  /// As many values as any window can hold, and more.
  static constexpr std::size_t kKept = 1 << 16;

  /// Remembers at least the last `kept` messages, which is at least 1.
  explicit SendTimes(std::size_t kept = kKept) : times_(std::bit_ceil(kept)) {}

  void set(std::uint64_t sequence, Instant at) {
    slot(sequence).store(at.time_since_epoch().count(), std::memory_order_release);
  }
  /// The same for `count` messages that left together. The caller publishes them with a release.
  void set_batch(std::uint64_t first, std::uint64_t count, Instant at) {
    const std::int64_t ticks = at.time_since_epoch().count();
    std::atomic<std::int64_t>* const times = times_.data();
    const std::uint64_t mask = times_.size() - 1;
    for (std::uint64_t i = first; i < first + count; ++i) {
      times[i & mask].store(ticks, std::memory_order_relaxed);
    }
  }
  /// Of a message that is too old, the time of a later one.
  [[nodiscard]] Instant of(std::uint64_t sequence) const {
    return Instant{
        Duration{times_[sequence & (times_.size() - 1)].load(std::memory_order_acquire)}};
  }

 private:
  std::atomic<std::int64_t>& slot(std::uint64_t sequence) {
    return times_[sequence & (times_.size() - 1)];
  }

  std::vector<std::atomic<std::int64_t>> times_;
};

}  // namespace hermod::load
