// SPDX-License-Identifier: Apache-2.0
// Body of the record that says how queues of a shard stand: written at the begin of a segment, so
// that settlements in older ones are not needed. One checkpoint may be split over several records;
// the last one says that it is complete.
#pragma once

#include <cstdint>
#include <vector>

#include "hermod/core/journal.hpp"
#include "record.hpp"
#include "varint.hpp"

namespace hermod::store {

/// Of which checkpoint a record is a part.
struct Checkpoint {
  std::uint32_t shard = 0;
  std::uint64_t boot = 0;
  std::uint32_t segment = 0;  ///< at whose begin it stands
  bool complete = false;      ///< this is its last record; begin() does not look at it
  bool operator==(const Checkpoint&) const = default;
};

/// Collects the queues of one record.
///
///   writer.begin({.shard = 0, .boot = 7, .segment = 12});
///   for (...) writer.add(standing);
///   log.append(writer.draft(true), ...);
class StateWriter {
 public:
  void begin(const Checkpoint& checkpoint);
  void add(const core::Standing& standing);
  /// Octets of the body so far: when it is time for a record of its own.
  [[nodiscard]] std::size_t octets() const { return scratch_.size(); }
  /// `complete`: the last of its checkpoint. Valid until the next begin() or add().
  [[nodiscard]] Draft draft(bool complete);

 private:
  Scratch scratch_;
  core::QueueId before_ = 0;
};

/// Reads it, queue by queue; ok() is false when not all could be read.
class StateReader {
 public:
  explicit StateReader(const RecordView& record);
  [[nodiscard]] const Checkpoint& checkpoint() const { return checkpoint_; }
  [[nodiscard]] bool next();
  [[nodiscard]] const core::Standing& standing() const { return standing_; }
  [[nodiscard]] bool ok() const { return cursor_.ok(); }

 private:
  void read_settled();
  void read_released();
  void read_exchanges();

  Cursor cursor_;
  Checkpoint checkpoint_;
  core::Standing standing_;
};

}  // namespace hermod::store
