// SPDX-License-Identifier: Apache-2.0
// The segments that there are, and a bounded number of open files to read them. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "hermod/store/disk.hpp"
#include "segment.hpp"

namespace hermod::store {

/// A segment that is open for reading; any thread may read the file.
struct SegmentFile {
  SegmentHeader header;
  std::unique_ptr<File> file;
  std::atomic<bool> gone = false;  ///< removed: nothing may be read any more
};

class SegmentFiles {
 public:
  /// Keeps at most `open_max` files open, beside those that are in use.
  SegmentFiles(Disk& disk, std::size_t open_max) : disk_(disk), open_max_(open_max) {}

  void add(const SegmentHeader& header);
  /// It is gone; who has it open sees that.
  void forget(SegmentNumber number);
  /// ENOENT when there is none of this number.
  [[nodiscard]] std::expected<std::shared_ptr<SegmentFile>, int> open(SegmentNumber number);
  [[nodiscard]] std::size_t open_count() const;

 private:
  Disk& disk_;
  const std::size_t open_max_;
  mutable std::mutex mutex_;  // nothing is locked inside of it but what the disk locks
  std::map<SegmentNumber, SegmentHeader> known_;
  std::vector<std::shared_ptr<SegmentFile>> open_;  // the last used one at the end
};

}  // namespace hermod::store
