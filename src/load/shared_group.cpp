// SPDX-License-Identifier: Apache-2.0
#include "shared_group.hpp"

#include <algorithm>
#include <bit>

namespace hermod::load {

UnorderedTracker::UnorderedTracker(std::size_t window)
    : words_(std::bit_ceil(std::max<std::size_t>(window, 64)) / 64) {}

bool UnorderedTracker::on_message(std::uint64_t sequence) {
  if (sequence < base_) return on_old(sequence);
  const std::uint64_t room = words_.size() * 64;
  if (sequence - base_ >= room) skip_to(sequence - room + 1);
  if ((word(sequence) & bit(sequence)) != 0) {
    ++duplicated_;
    return false;
  }
  word(sequence) |= bit(sequence);
  ++received_;
  while ((word(base_) & bit(base_)) != 0) {
    word(base_) &= ~bit(base_);
    ++base_;
  }
  return true;
}

bool UnorderedTracker::on_old(std::uint64_t sequence) {
  if (skipped_.erase(sequence) == 0) {
    ++duplicated_;
    return false;
  }
  ++received_;
  return true;
}

// What is further behind than the window has been given up by its publisher.
void UnorderedTracker::skip_to(std::uint64_t base) {
  for (; base_ < base; ++base_) {
    if ((word(base_) & bit(base_)) == 0 && skipped_.size() < kSkippedMax) skipped_.insert(base_);
    word(base_) &= ~bit(base_);
  }
}

}  // namespace hermod::load
