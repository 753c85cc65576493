// SPDX-License-Identifier: Apache-2.0
// Brings batches to the disk, in order, and says what became of them. Once a write was lost it
// writes nothing any more: what the kernel dropped must not be followed by what depends on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "batch.hpp"
#include "hermod/store/disk.hpp"

namespace hermod::store {

enum class WriteResult : std::uint8_t {
  kDone,
  kFull,    ///< there is no room: to be tried again, with the same batch
  kSealed,  ///< a write or a sync failed: for good
};

/// Belongs to the thread that writes.
class BatchWriter {
 public:
  explicit BatchWriter(Disk& disk) : disk_(disk) {}

  /// Writes a batch with one call for each segment; after kFull it must be the same batch again.
  /// With `sync` it survives a power cut after kDone. A segment is synced before the next one is
  /// made, and its file is in the directory for good after kDone, whatever `sync` says.
  [[nodiscard]] WriteResult write(const Batch& batch, bool sync);
  /// Syncs what was written without.
  [[nodiscard]] WriteResult sync();
  /// The system's number of what went wrong last; 0: nothing.
  [[nodiscard]] int error() const { return error_; }

 private:
  [[nodiscard]] WriteResult write_part(const Batch& batch, const Batch::Part& part);
  [[nodiscard]] WriteResult make_segment(SegmentNumber number);
  [[nodiscard]] WriteResult failed(int error);
  [[nodiscard]] WriteResult seal(int error);

  Disk& disk_;
  std::unique_ptr<File> file_;
  SegmentNumber number_ = 0;   // of file_
  bool unsynced_ = false;      // octets of file_
  std::size_t next_part_ = 0;  // of a batch that did not fit
  bool sealed_ = false;
  int error_ = 0;
};

}  // namespace hermod::store
