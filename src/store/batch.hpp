// SPDX-License-Identifier: Apache-2.0
// What is to be written together: octets of records, in parts of one segment each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/core/journal.hpp"
#include "segment.hpp"

namespace hermod::store {

/// Memory that grows in chunks, so that growing copies nothing. Not thread-safe.
class Batch {
 public:
  /// Records that lie one behind the other in a segment.
  struct Part {
    SegmentHeader segment;
    std::uint64_t offset = 0;  ///< of the first octet in the segment
    std::size_t begin = 0;     ///< of the first octet in this batch
    std::size_t octets = 0;
  };

  core::CommitNumber number = 1;
  /// Octets of what goes with it and is not in the log, see MessageLog::join().
  std::size_t joined = 0;

  [[nodiscard]] bool empty() const { return octets_ == 0 && joined == 0; }
  [[nodiscard]] std::size_t octets() const { return octets_; }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  /// Octets that it takes, also when it is empty.
  [[nodiscard]] std::size_t memory() const { return chunks_.size() * kChunkOctets; }
  /// The octets of a part, for one write.
  [[nodiscard]] std::vector<Bytes> pieces(const Part& part) const;

  /// Appends a record; `offset` is its place in `segment`.
  void put(const SegmentHeader& segment, std::uint64_t offset, const Draft& draft);
  /// Keeps little of the memory. The number stays.
  void clear();

 private:
  static constexpr std::size_t kChunkOctets = 256u << 10;
  static constexpr std::size_t kChunksKept = 8;
  void put_octets(Bytes octets);

  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
  std::vector<Part> parts_;
  std::size_t octets_ = 0;
};

}  // namespace hermod::store
