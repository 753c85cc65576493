// SPDX-License-Identifier: Apache-2.0
#include "batch_writer.hpp"

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace hermod::store {

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
  return error == 0 ? WriteResult::kDone : failed(error);
}

WriteResult BatchWriter::make_segment(SegmentNumber number) {
  const WriteResult synced = sync();
  if (synced != WriteResult::kDone) return synced;
  auto file = disk_.open(segment_name(number), Disk::Mode::kCreate);
  if (!file) return failed(file.error());
  const int error = disk_.sync_directory();
  if (error != 0) return seal(error);
  file_ = std::move(*file);
  number_ = number;
  return WriteResult::kDone;
}

WriteResult BatchWriter::failed(int error) {
  if (error != ENOSPC && error != EDQUOT) return seal(error);
  error_ = error;
  return WriteResult::kFull;
}

WriteResult BatchWriter::seal(int error) {
  error_ = error;
  sealed_ = true;
  return WriteResult::kSealed;
}

}  // namespace hermod::store
