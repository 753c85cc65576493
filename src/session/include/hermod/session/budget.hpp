// SPDX-License-Identifier: Apache-2.0
// Memory that many sessions of one shard share, so that what anybody on the network can make them
// keep is bounded as a whole. Single-threaded, as the shard.
#pragma once

#include <cstddef>
#include <utility>

namespace hermod::session {

class Budget {
 public:
  explicit Budget(std::size_t octets_max) : max_(octets_max) {}

  /// False, and nothing taken, when that is more than is left.
  [[nodiscard]] bool take(std::size_t octets) {
    if (octets > max_ - used_) return false;
    used_ += octets;
    return true;
  }
  void give(std::size_t octets) { used_ -= octets; }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  std::size_t max_;
  std::size_t used_ = 0;
};

/// Octets taken from a budget, given back at the end. Without a budget nothing is counted.
class BudgetShare {
 public:
  explicit BudgetShare(Budget* budget = nullptr) : budget_(budget) {}
  BudgetShare(BudgetShare&& other) noexcept
      : budget_(other.budget_), octets_(std::exchange(other.octets_, 0)) {}
  BudgetShare& operator=(BudgetShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(octets_, other.octets_);
    return *this;
  }
  ~BudgetShare() { (void)resize(0); }

  /// Holds `octets` from now on. False, and nothing changed, when the budget has no more.
  [[nodiscard]] bool resize(std::size_t octets) {
    if (budget_ != nullptr) {
      if (octets > octets_ && !budget_->take(octets - octets_)) return false;
      if (octets < octets_) budget_->give(octets_ - octets);
    }
    octets_ = octets;
    return true;
  }
  [[nodiscard]] std::size_t octets() const { return octets_; }

 private:
  Budget* budget_;
  std::size_t octets_ = 0;
};

}  // namespace hermod::session
