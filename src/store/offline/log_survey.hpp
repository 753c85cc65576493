// SPDX-License-Identifier: Apache-2.0
// The message log of a store at rest: read as often as somebody likes, and never touched. What a
// start would remove or cut off is only told. docs/formats/log.md.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "hermod/store/disk.hpp"
#include "segment.hpp"

namespace hermod::store {

/// What reading the log has found.
struct LogFindings {
  std::uint64_t segments = 0;  ///< blank ones are not counted
  std::uint64_t blank = 0;     ///< files that were made just before a power cut
  std::uint64_t records = 0;
  std::uint64_t octets = 0;
  std::uint64_t damaged = 0;         ///< ranges that no record could be read from
  std::uint64_t damaged_octets = 0;  ///< of them
  /// The first kDamageListedMax of each segment. At offset 0: the whole segment, whose header is
  /// damaged.
  std::vector<Damage> damage;
  Damage torn;                      ///< behind the last record of all; no octets: nothing
  std::vector<std::string> unread;  ///< segments that cannot be read, and why
  std::uint64_t store_key = 0;      ///< 0: no segment could be read
};

class LogSurvey {
 public:
  /// Looks which segments there are; the error is for people. The disk outlives this.
  [[nodiscard]] static std::expected<LogSurvey, std::string> open(Disk& disk);
  [[nodiscard]] bool empty() const { return numbers_.empty(); }
  /// Visits all records, in order, as the broker would at its start.
  [[nodiscard]] LogFindings read(const RecordVisitor& visitor);

 private:
  explicit LogSurvey(Disk& disk) : disk_(disk) {}
  void read(SegmentNumber number, const RecordVisitor& visitor, LogFindings& findings);
  [[nodiscard]] std::string refused(const SegmentHeader& header);

  Disk& disk_;
  std::vector<SegmentNumber> numbers_;
  std::uint64_t store_key_ = 0;  // of the first segment that was read; 0: none was
};

}  // namespace hermod::store
