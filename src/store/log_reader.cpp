// SPDX-License-Identifier: Apache-2.0
#include "log_reader.hpp"

#include <algorithm>
#include <cerrno>

namespace hermod::store {

std::expected<RecordView, ReadError> LogReader::read(Position position) {
  const SegmentNumber number = segment_of(position);
  if (window_.capacity() > kAheadMax) window_ = {};  // a large record's memory is not kept
  if (segment_ == nullptr || segment_->header.number != number ||
      segment_->gone.load(std::memory_order_relaxed)) {
    window_.forget();
    segment_ = nullptr;
    const auto opened = log_.files_.open(number);
    if (!opened && opened.error() == ENOENT) return std::unexpected(ReadError::kGone);
    if (!opened) return std::unexpected(ReadError::kDisk);
    segment_ = *opened;
  }
  const bool onward = position >= next_ && position - next_ < ahead_;
  ahead_ = onward ? std::min(2 * ahead_, kAheadMax) : kAheadMin;
  auto record = attempt(position);
  if (!record && record.error() == ReadError::kDamaged) {
    // It may have been read together with another before it was written.
    window_.forget();
    record = attempt(position);
  }
  if (record) next_ = position + record_octets(record->body.size());
  return record;
}

std::expected<RecordView, ReadError> LogReader::attempt(Position position) {
  const std::uint64_t key = segment_->header.record_key();
  const std::uint64_t offset = offset_of(position);
  auto record = octets(offset, kFrameOctets);
  if (!record) return std::unexpected(record.error());
  const auto frame = read_frame(record->data(), key, position);
  if (!frame) return std::unexpected(ReadError::kDamaged);
  const std::size_t whole = kFrameOctets + frame->body_octets;
  if (record->size() < whole) {
    // A length that is damaged asks for no memory.
    const auto size = segment_->file->size();
    if (!size) return std::unexpected(ReadError::kDisk);
    if (offset + whole > *size) return std::unexpected(ReadError::kDamaged);
    record = octets(offset, whole);
    if (!record) return std::unexpected(record.error());
  }
  if (!is_whole(record->data(), *frame, key, position)) {
    return std::unexpected(ReadError::kDamaged);
  }
  return RecordView{.position = position,
                    .kind = static_cast<RecordKind>(frame->kind),
                    .version = frame->version,
                    .body = record->subspan(kFrameOctets, frame->body_octets)};
}

// At least `count` octets.
std::expected<Bytes, ReadError> LogReader::octets(std::uint64_t offset, std::size_t count) {
  const auto got = window_.at(*segment_->file, offset, count, ahead_);
  if (!got) return std::unexpected(ReadError::kDisk);
  if (got->size() < count) return std::unexpected(ReadError::kDamaged);
  return *got;
}

}  // namespace hermod::store
