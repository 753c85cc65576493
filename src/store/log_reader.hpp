// SPDX-License-Identifier: Apache-2.0
// Reads records of the log again. Neighbours cost one system call together: what lies behind a
// record is read with it, more and more while the places ascend.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>

#include "message_log.hpp"
#include "window.hpp"

namespace hermod::store {

enum class ReadError : std::uint8_t {
  kDamaged,  ///< what lies there is not what was written
  kGone,     ///< the segment is not there (any more)
  kDisk,     ///< the system could not read it
};

/// Belongs to one thread; the log outlives it.
class LogReader {
 public:
  explicit LogReader(MessageLog& log) : log_(log) {}
  /// A record that is committed. The view is valid until the next call.
  [[nodiscard]] std::expected<RecordView, ReadError> read(Position position);

 private:
  static constexpr std::size_t kAheadMin = 4u << 10;
  static constexpr std::size_t kAheadMax = 256u << 10;
  [[nodiscard]] std::expected<RecordView, ReadError> attempt(Position position);
  [[nodiscard]] std::expected<Bytes, ReadError> octets(std::uint64_t offset, std::size_t count);

  MessageLog& log_;
  std::shared_ptr<SegmentFile> segment_;
  Window window_;
  std::size_t ahead_ = kAheadMin;
  Position next_ = 0;  // behind the record that was read last
};

}  // namespace hermod::store
