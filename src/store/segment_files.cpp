// SPDX-License-Identifier: Apache-2.0
#include "segment_files.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace hermod::store {

void SegmentFiles::add(const SegmentHeader& header) {
  const std::lock_guard lock(mutex_);
  known_[header.number] = header;
}

void SegmentFiles::forget(SegmentNumber number) {
  const std::lock_guard lock(mutex_);
  known_.erase(number);
  std::erase_if(open_, [number](const std::shared_ptr<SegmentFile>& segment) {
    if (segment->header.number != number) return false;
    segment->gone.store(true, std::memory_order_relaxed);
    return true;
  });
}

std::expected<std::shared_ptr<SegmentFile>, int> SegmentFiles::open(SegmentNumber number) {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(number);
  if (known == known_.end()) return std::unexpected(ENOENT);
  const auto open =
      std::ranges::find(open_, number, [](const auto& segment) { return segment->header.number; });
  if (open != open_.end()) {
    std::rotate(open, open + 1, open_.end());
    return open_.back();
  }
  auto file = disk_.open(segment_name(number), Disk::Mode::kRead);
  if (!file) return std::unexpected(file.error());
  auto segment = std::make_shared<SegmentFile>();
  segment->header = known->second;
  segment->file = std::move(*file);
  if (open_.size() >= open_max_ && !open_.empty()) open_.erase(open_.begin());
  open_.push_back(segment);
  return segment;
}

std::size_t SegmentFiles::open_count() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

}  // namespace hermod::store
