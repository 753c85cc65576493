// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/tracker.hpp"

#include <algorithm>

namespace hermod::load {

void SequenceTracker::on_unexpected(std::uint64_t sequence) {
  if (sequence > next_) {
    if (gaps_.size() == kGapsMax) gaps_.erase(gaps_.begin(), gaps_.begin() + kGapsMax / 2);
    gaps_.push_back({next_, sequence});
    missing_ += sequence - next_;
    next_ = sequence + 1;
    return;
  }
  const auto gap = std::partition_point(gaps_.begin(), gaps_.end(),
                                        [&](const Gap& g) { return g.end <= sequence; });
  if (gap == gaps_.end() || sequence < gap->begin) {
    ++duplicated_;
    return;
  }
  ++reordered_;
  --missing_;
  const Gap left{gap->begin, sequence};
  const Gap right{sequence + 1, gap->end};
  if (left.begin == left.end && right.begin == right.end) {
    gaps_.erase(gap);
  } else if (left.begin == left.end) {
    *gap = right;
  } else if (right.begin == right.end) {
    *gap = left;
  } else {
    *gap = left;
    gaps_.insert(gap + 1, right);
  }
}

}  // namespace hermod::load
