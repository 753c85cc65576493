// SPDX-License-Identifier: Apache-2.0
// The log: records that shards append, one thread writes in batches, and anybody reads again. It
// knows segments, batches and what of them is referred to; what records mean is known above.
// docs/formats/log.md; docs/decisions/0010-store.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "batch.hpp"
#include "batch_writer.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/core/journal.hpp"
#include "hermod/store/disk.hpp"
#include "record.hpp"
#include "segment.hpp"
#include "segment_files.hpp"

namespace hermod::store {

struct LogLimits {
  /// A segment that would get larger is left for a new one; a record that is larger gets its own.
  /// Below 4 GiB.
  std::uint64_t segment_octets_max = 64u << 20;
  /// Of records that wait to be written, and of those that are being written.
  std::uint64_t buffer_octets_max = 64u << 20;
  std::size_t open_files_max = 32;
  /// How far the file that is written is filled with zeros in front of the records, see
  /// BatchWriter.
  std::uint64_t zeros_octets = 0;
};

/// What of a segment is used.
struct SegmentUse {
  SegmentNumber number = 0;
  std::uint64_t live = 0;    ///< references to its records
  std::uint64_t total = 0;   ///< those and the ones that were let go
  std::uint64_t octets = 0;  ///< of its file
  /// Written whole: nothing will be appended to it.
  bool sealed = false;
};

/// What was found at the start.
struct Recovered {
  std::uint64_t segments = 0;
  std::uint64_t records = 0;
  std::uint64_t octets = 0;
  std::uint64_t damaged = 0;         ///< ranges that no record could be read from
  std::uint64_t damaged_octets = 0;  ///< of them
  /// The first kDamageListedMax of them. At offset 0: the whole segment, whose header is damaged.
  std::vector<Damage> damage;
  std::uint64_t torn_octets = 0;  ///< of a record that was being written; they have been cut off
};

class MessageLog {
 public:
  /// Looks at the segments on the disk; the sentence of an error is for people. `rng` gives secret
  /// keys; the disk and it outlive the log.
  [[nodiscard]] static std::expected<std::unique_ptr<MessageLog>, std::string> open(
      Disk& disk, Rng& rng, const LogLimits& limits);

  /// The key of the store that the log is to belong to, before recover(): a new log takes it.
  /// False: the segments that are there are another's.
  [[nodiscard]] bool belong_to(std::uint64_t store_key);
  /// Whether segments were there when it was opened.
  [[nodiscard]] bool was_there() const { return !found_.empty(); }
  /// To be called once, before anything else: visits all records, in order, and makes the end of
  /// the last segment clean. Everything visited survives a power cut when it has returned.
  [[nodiscard]] std::expected<Recovered, std::string> recover(const RecordVisitor& visitor);
  /// Adds to what a segment that was recovered is referred to.
  void account(SegmentNumber segment, std::uint64_t live, std::uint64_t total);

  // --- any thread ---

  /// Appends records that belong to one batch; fills `positions`, one for each. Each position is
  /// referred to as often as its draft says. Never refuses: see has_room().
  core::CommitNumber append(std::span<const Draft> drafts, std::span<Position> positions);
  struct Appended {
    Position position = 0;
    core::CommitNumber batch = 0;
  };
  Appended append(const Draft& draft);
  /// The batch that covers everything that was appended or joined so far; 0: nothing was.
  [[nodiscard]] core::CommitNumber open_batch() const;
  /// Something that is not in the log goes with the open batch: what the caller has handed over
  /// before the call, the writer finds after take_batch() of this number.
  /// `octets`: what it takes until then.
  core::CommitNumber join(std::size_t octets);
  /// Nothing will be written any more: what waits is let go of, as is what comes. The writer.
  void give_up();
  /// False when more waits to be written than the limit.
  [[nodiscard]] bool has_room() const {
    return waiting_octets_.load(std::memory_order_relaxed) < limits_.buffer_octets_max;
  }

  /// Places in a segment are referred to `count` times less.
  void let_go(SegmentNumber segment, std::uint64_t count);
  /// The segment that is appended to.
  [[nodiscard]] SegmentNumber current() const { return current_.load(std::memory_order_relaxed); }
  /// All segments, ascending.
  [[nodiscard]] std::vector<SegmentUse> usage() const;
  /// Sealed segments that nothing refers to, ascending.
  [[nodiscard]] std::vector<SegmentNumber> dead() const;
  /// The sealed segment that has the smallest share of live references, but some; none of `but`.
  [[nodiscard]] std::optional<SegmentUse> sparsest(const std::set<SegmentNumber>& but = {}) const;

  /// Visits the records of a segment that is sealed. An error is the system's number.
  [[nodiscard]] std::expected<Scanned, int> scan(SegmentNumber segment,
                                                 const RecordVisitor& visitor);

  // --- the thread that writes ---

  /// Closes the open batch; nothing when it is empty. The one that was taken before must have been
  /// written.
  [[nodiscard]] std::optional<core::CommitNumber> take_batch();
  /// Writes the batch that was taken; after kFull again the same. See BatchWriter::write().
  [[nodiscard]] WriteResult write_batch(bool sync);
  /// Makes safe what was written without `sync`.
  [[nodiscard]] WriteResult sync() { return writer_.sync(); }
  /// The system's number of the last fault of writing; 0: there was none.
  [[nodiscard]] int write_error() const { return writer_.error(); }
  /// Deletes a sealed segment that nothing refers to, for good. Reading it fails from now on. The
  /// system's number of an error; then the file may be there again after a restart.
  [[nodiscard]] int remove(SegmentNumber segment);

 private:
  friend class LogReader;
  struct Use {
    std::uint64_t live = 0;
    std::uint64_t total = 0;
    std::uint64_t octets = 0;
  };

  MessageLog(Disk& disk, Rng& rng, const LogLimits& limits);
  [[nodiscard]] std::string look_at(SegmentNumber number);
  [[nodiscard]] std::string recover_segment(SegmentNumber number, bool last,
                                            const RecordVisitor& visitor, Recovered& recovered);
  [[nodiscard]] std::string make_safe(const std::string& name);
  [[nodiscard]] std::string cut(const std::string& name, std::uint64_t end);
  [[nodiscard]] Position place(const Draft& draft);  // under the lock
  void begin_segment(SegmentNumber number);          // under the lock
  [[nodiscard]] SegmentUse use_of(SegmentNumber number, const Use& use) const;

  Disk& disk_;
  Rng& rng_;
  const LogLimits limits_;
  SegmentFiles files_;
  std::uint64_t store_key_ = 0;
  std::vector<SegmentNumber> found_;    // to be recovered
  std::vector<SegmentNumber> damaged_;  // of them, those without a header
  bool recovered_ = false;

  mutable std::mutex mutex_;  // held for copying a record; inside of it only the lock of files_
  Batch open_;
  bool given_up_ = false;
  SegmentHeader segment_;             // that is appended to
  std::uint64_t offset_ = 0;          // in it, of the next record
  std::map<SegmentNumber, Use> use_;  // of all segments
  Use* segment_use_ = nullptr;        // of segment_
  SegmentNumber written_ = 0;  // the last that something was written to; older ones are sealed
  std::atomic<std::uint64_t> waiting_octets_ = 0;
  std::atomic<SegmentNumber> current_ = 0;

  BatchWriter writer_;
  Batch taken_;
  bool taken_waits_ = false;
};

}  // namespace hermod::store
