// SPDX-License-Identifier: Apache-2.0
#include "batch_writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace hermod::store {
namespace {

// From here on a sync takes longer for what it writes than for a file that grows.
constexpr std::size_t kLargeBatch = 32u << 10;

// Put down at once; and the fewest.
constexpr std::array<std::uint8_t, 64u << 10> kZeros{};

bool is_full(int error) {
  return error == ENOSPC || error == EDQUOT;
}

}  // namespace

WriteResult BatchWriter::write(const Batch& batch, bool sync) {
  if (sealed_) return WriteResult::kSealed;
  while (next_part_ < batch.parts().size()) {
    const WriteResult result = write_part(batch, batch.parts()[next_part_]);
    if (result != WriteResult::kDone) return result;
    ++next_part_;
  }
  next_part_ = 0;
  return sync ? this->sync() : WriteResult::kDone;
}

WriteResult BatchWriter::sync() {
  if (sealed_) return WriteResult::kSealed;
  if (!unsynced_) return WriteResult::kDone;
  unsynced_ = false;
  const int error = file_->sync();
  return error == 0 ? WriteResult::kDone : seal(error);
}

WriteResult BatchWriter::write_part(const Batch& batch, const Batch::Part& part) {
  if (part.segment.number != number_) {
    const WriteResult made = make_segment(part.segment.number);
    if (made != WriteResult::kDone) return made;
  }
  std::vector<Bytes> pieces = batch.pieces(part);
  std::uint64_t offset = part.offset;
  std::array<std::uint8_t, kRecordsBegin> header;
  if (offset == kRecordsBegin) {
    header = header_octets(part.segment);
    pieces.insert(pieces.begin(), header);
    offset = 0;
  }
  unsynced_ = true;
  const int error = file_->write(offset, pieces);
  if (error != 0) return failed(error);
  end_ = part.offset + part.octets;
  size_ = std::max(size_, end_);
  return put_zeros(part.octets);
}

// Before a batch as large as the last one would make the file grow: as many as there are records,
// within limits. It is no loss where the disk has no room for them.
WriteResult BatchWriter::put_zeros(std::size_t next) {
  if (!has_room_ || next >= kLargeBatch || end_ + next <= size_) return WriteResult::kDone;
  const std::uint64_t ahead = std::min(std::max<std::uint64_t>(end_, kZeros.size()), zeros_octets_);
  const std::uint64_t wanted = std::min(end_ + ahead, segment_octets_max_);
  if (wanted <= size_) return WriteResult::kDone;
  std::vector<Bytes> pieces;
  for (std::uint64_t left = wanted - size_; left > 0; left -= pieces.back().size()) {
    pieces.push_back(Bytes(kZeros).first(std::min<std::uint64_t>(left, kZeros.size())));
  }
  const int error = file_->write(size_, pieces);
  size_ = wanted;
  if (error == 0) return WriteResult::kDone;
  if (!is_full(error)) return seal(error);
  has_room_ = false;
  return cut_zeros();
}

// A segment ends with its last record, or something of it is lost.
WriteResult BatchWriter::cut_zeros() {
  if (size_ == end_) return WriteResult::kDone;
  unsynced_ = true;
  size_ = end_;
  const int error = file_->truncate(end_);
  return error == 0 ? WriteResult::kDone : seal(error);
}

WriteResult BatchWriter::make_segment(SegmentNumber number) {
  const WriteResult cut = cut_zeros();
  if (cut != WriteResult::kDone) return cut;
  const WriteResult synced = sync();
  if (synced != WriteResult::kDone) return synced;
  auto file = disk_.open(segment_name(number), Disk::Mode::kCreate);
  if (!file) return failed(file.error());
  const int error = disk_.sync_directory();
  if (error != 0) return seal(error);
  file_ = std::move(*file);
  number_ = number;
  end_ = size_ = 0;
  has_room_ = true;
  return WriteResult::kDone;
}

WriteResult BatchWriter::failed(int error) {
  if (!is_full(error)) return seal(error);
  error_ = error;
  return WriteResult::kFull;
}

WriteResult BatchWriter::seal(int error) {
  error_ = error;
  sealed_ = true;
  return WriteResult::kSealed;
}

}  // namespace hermod::store
