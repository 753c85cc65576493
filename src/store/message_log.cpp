// SPDX-License-Identifier: Apache-2.0
// Appending, accounting, batches. How a log is found and made clean: message_log_open.cpp.
#include "message_log.hpp"

#include <cerrno>
#include <utility>

#include "hermod/base/assert.hpp"

namespace hermod::store {

core::CommitNumber MessageLog::append(std::span<const Draft> drafts,
                                      std::span<Position> positions) {
  HERMOD_ASSERT(drafts.size() == positions.size());
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < drafts.size(); ++i) positions[i] = place(drafts[i]);
  return open_.number;
}

MessageLog::Appended MessageLog::append(const Draft& draft) {
  const std::lock_guard lock(mutex_);
  return {.position = place(draft), .batch = open_.number};
}

Position MessageLog::place(const Draft& draft) {
  HERMOD_ASSERT(recovered_);
  const std::uint64_t octets = record_octets(draft.body_octets());
  if (offset_ != kRecordsBegin && offset_ + octets > limits_.segment_octets_max) {
    begin_segment(segment_.number + 1);
  }
  if (!given_up_) open_.put(segment_, offset_, draft);
  const Position position = position_of(segment_.number, offset_);
  offset_ += octets;
  segment_use_->live += draft.references;
  segment_use_->total += draft.references;
  segment_use_->octets = offset_;
  if (!given_up_) waiting_octets_.fetch_add(octets, std::memory_order_relaxed);
  return position;
}

void MessageLog::begin_segment(SegmentNumber number) {
  HERMOD_ASSERT(number != 0);  // 2^32 of them have been used
  segment_ = {.number = number, .store_key = store_key_, .salt = rng_.next()};
  offset_ = kRecordsBegin;
  segment_use_ = &use_[number];
  current_.store(number, std::memory_order_relaxed);
  files_.add(segment_);
}

core::CommitNumber MessageLog::open_batch() const {
  const std::lock_guard lock(mutex_);
  return open_.empty() ? open_.number - 1 : open_.number;
}

core::CommitNumber MessageLog::join(std::size_t octets) {
  const std::lock_guard lock(mutex_);
  if (given_up_) return open_.number;
  open_.joined += octets;
  waiting_octets_.fetch_add(octets, std::memory_order_relaxed);
  return open_.number;
}

void MessageLog::give_up() {
  taken_.clear();
  const std::lock_guard lock(mutex_);
  given_up_ = true;
  open_.clear();
  waiting_octets_.store(0, std::memory_order_relaxed);
}

std::optional<core::CommitNumber> MessageLog::take_batch() {
  HERMOD_ASSERT(!taken_waits_);
  const std::lock_guard lock(mutex_);
  if (open_.empty()) return std::nullopt;
  std::swap(open_, taken_);
  open_.number = taken_.number + 1;
  taken_waits_ = true;
  return taken_.number;
}

WriteResult MessageLog::write_batch(bool sync) {
  HERMOD_ASSERT(taken_waits_);
  const WriteResult result = writer_.write(taken_, sync);
  if (result != WriteResult::kDone) return result;
  waiting_octets_.fetch_sub(taken_.octets() + taken_.joined, std::memory_order_relaxed);
  if (!taken_.parts().empty()) {
    const std::lock_guard lock(mutex_);
    written_ = taken_.parts().back().segment.number;
  }
  taken_.clear();
  taken_waits_ = false;
  return result;
}

void MessageLog::account(SegmentNumber segment, std::uint64_t live, std::uint64_t total) {
  HERMOD_ASSERT(live <= total);
  const std::lock_guard lock(mutex_);
  const auto use = use_.find(segment);
  HERMOD_ASSERT(use != use_.end());
  use->second.live += live;
  use->second.total += total;
}

void MessageLog::let_go(SegmentNumber segment, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  const auto use = use_.find(segment);
  HERMOD_ASSERT(use != use_.end() && use->second.live >= count);
  use->second.live -= count;
}

SegmentUse MessageLog::use_of(SegmentNumber number, const Use& use) const {
  return {.number = number,
          .live = use.live,
          .total = use.total,
          .octets = use.octets,
          .sealed = number < written_};
}

std::vector<SegmentUse> MessageLog::usage() const {
  const std::lock_guard lock(mutex_);
  std::vector<SegmentUse> all;
  for (const auto& [number, use] : use_) all.push_back(use_of(number, use));
  return all;
}

std::vector<SegmentNumber> MessageLog::dead() const {
  const std::lock_guard lock(mutex_);
  std::vector<SegmentNumber> dead;
  for (const auto& [number, use] : use_) {
    if (number < written_ && use.live == 0) dead.push_back(number);
  }
  return dead;
}

std::optional<SegmentUse> MessageLog::sparsest(const std::set<SegmentNumber>& but) const {
  const auto share = [](const Use& use) {
    return static_cast<double>(use.live) / static_cast<double>(use.total);
  };
  const std::lock_guard lock(mutex_);
  std::optional<SegmentUse> sparsest;
  double least = 2;
  for (const auto& [number, use] : use_) {
    if (number >= written_ || use.live == 0 || share(use) >= least || but.contains(number))
      continue;
    least = share(use);
    sparsest = use_of(number, use);
  }
  return sparsest;
}

std::expected<Scanned, int> MessageLog::scan(SegmentNumber segment, const RecordVisitor& visitor) {
  const auto opened = files_.open(segment);
  if (!opened) return std::unexpected(opened.error());
  return scan_segment(*(*opened)->file, (*opened)->header, visitor);
}

int MessageLog::remove(SegmentNumber segment) {
  {
    const std::lock_guard lock(mutex_);
    const auto use = use_.find(segment);
    HERMOD_ASSERT(use != use_.end() && use->second.live == 0 && segment < written_);
    use_.erase(use);
  }
  files_.forget(segment);
  const int error = disk_.remove(segment_name(segment));
  if (error != 0 && error != ENOENT) return error;
  // Else it could come back after a power cut, without the settlements of a later segment that has
  // been removed, too.
  return disk_.sync_directory();
}

}  // namespace hermod::store
