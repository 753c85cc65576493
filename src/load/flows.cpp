// SPDX-License-Identifier: Apache-2.0
#include "flows.hpp"

#include <algorithm>

namespace hermod::load {

Flows::Flows(unsigned publishers, unsigned subscribers, bool paired, std::size_t window)
    : publishers_(publishers),
      subscribers_(subscribers),
      paired_(paired),
      seen_(paired ? publishers : std::size_t{publishers} * subscribers),
      outlets_(publishers) {
  if (window == 0) return;
  send_times_.reserve(publishers);
  for (unsigned p = 0; p < publishers; ++p) send_times_.emplace_back(window);
}

std::uint64_t Flows::floor(unsigned publisher) const {
  const std::size_t first = std::size_t{publisher} * fan();
  std::uint64_t least = kGone;
  for (std::size_t i = first; i < first + fan(); ++i) {
    least = std::min(least, seen_[i].load(std::memory_order_acquire));
  }
  return least;
}

bool Flows::settled() const {
  for (unsigned p = 0; p < publishers_; ++p) {
    const Outlet& outlet = outlets_[p];
    if (!outlet.ended.load(std::memory_order_acquire)) return false;
    if (outlet.unacknowledged.load(std::memory_order_acquire) != 0) return false;
    if (floor(p) < sent(p)) return false;
  }
  return true;
}

}  // namespace hermod::load
