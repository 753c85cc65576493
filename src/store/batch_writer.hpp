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
  /// What a segment gets at most, and how far in front of the records it is filled with zeros: a
  /// sync is cheaper where the file does not grow. 0: not at all.
  BatchWriter(Disk& disk, std::uint64_t segment_octets_max, std::uint64_t zeros_octets)
      : disk_(disk), segment_octets_max_(segment_octets_max), zeros_octets_(zeros_octets) {}

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
  [[nodiscard]] WriteResult put_zeros(std::size_t next);
  [[nodiscard]] WriteResult cut_zeros();
  [[nodiscard]] WriteResult failed(int error);
  [[nodiscard]] WriteResult seal(int error);

  Disk& disk_;
  const std::uint64_t segment_octets_max_;
  const std::uint64_t zeros_octets_;
  std::unique_ptr<File> file_;
  std::uint64_t end_ = 0;      // of the records in file_
  std::uint64_t size_ = 0;     // of file_
  bool has_room_ = true;       // for zeros
  SegmentNumber number_ = 0;   // of file_
  bool unsynced_ = false;      // octets of file_
  std::size_t next_part_ = 0;  // of a batch that did not fit
  bool sealed_ = false;
  int error_ = 0;
};

}  // namespace hermod::store
