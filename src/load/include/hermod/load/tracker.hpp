// SPDX-License-Identifier: Apache-2.0
// What one subscriber knows of one publisher's numbered messages (0, 1, 2, ...): how many came,
// which are missing, which came twice, which came late. The usual case, the next number, costs one
// comparison.
#pragma once

#include <cstdint>
#include <vector>

namespace hermod::load {

class SequenceTracker {
 public:
  /// Ranges of missing numbers that are remembered; beyond, the oldest are counted as lost for
  /// good, and their late arrival counts as a duplicate.
  static constexpr std::size_t kGapsMax = 1 << 16;

  /// A message with this number has come.
  void on_message(std::uint64_t sequence) {
    if (sequence == next_) {
      ++next_;
      return;
    }
    on_unexpected(sequence);
  }

  /// One more than the largest number seen: order is kept, so all below it came or are lost.
  [[nodiscard]] std::uint64_t next() const { return next_; }
  /// Different messages that came.
  [[nodiscard]] std::uint64_t received() const { return next_ - missing_; }
  [[nodiscard]] std::uint64_t duplicated() const { return duplicated_; }
  /// Messages that a later one has overtaken.
  [[nodiscard]] std::uint64_t reordered() const { return reordered_; }
  /// Of `sent` messages (numbers 0 to sent - 1), those that never came.
  [[nodiscard]] std::uint64_t lost(std::uint64_t sent) const {
    return missing_ + (sent > next_ ? sent - next_ : 0);
  }

 private:
  struct Gap {
    std::uint64_t begin;
    std::uint64_t end;  // exclusive
  };
  void on_unexpected(std::uint64_t sequence);

  std::uint64_t next_ = 0;
  std::uint64_t missing_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
  std::vector<Gap> gaps_;  // ascending, disjoint
};

}  // namespace hermod::load
