// SPDX-License-Identifier: Apache-2.0
// A store at rest as a whole: what metadata and log say, put together as a start does it
// (recovery.hpp), but nothing is refused and nothing is written. Check and export are made of it.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <expected>
#include <string>

#include "hermod/store/store.hpp"
#include "message_record.hpp"
#include "offline/log_survey.hpp"
#include "offline/metadata_copy.hpp"

namespace hermod::store {

/// What the records of the log are, each for itself.
class Census {
 public:
  /// Kinds are counted by their numbers; at 0 those that this release does not know.
  static constexpr std::size_t kKinds = 8;

  void add(const RecordView& record);

  [[nodiscard]] std::uint64_t of(RecordKind kind) const {
    return kinds_[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] std::uint64_t unknown() const { return kinds_[0]; }
  /// Messages, counted once for each queue that they were for.
  [[nodiscard]] std::uint64_t deliveries() const { return deliveries_; }
  /// The largest generation of the metadata that the log knows of.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// All queues that are named as subscribers' or publishers'.
  [[nodiscard]] const boost::unordered_flat_set<core::QueueId>& queues() const { return queues_; }
  /// Records that are whole and say nothing that can be understood, in order.
  [[nodiscard]] const std::vector<Position>& not_understood() const { return not_understood_; }

 private:
  [[nodiscard]] bool understood(const RecordView& record);
  [[nodiscard]] bool add_message(const RecordView& record);
  [[nodiscard]] bool add_state(const RecordView& record);
  template <typename Item, typename QueueOf>
  [[nodiscard]] bool add_items(const RecordView& record, QueueOf queue_of);

  std::array<std::uint64_t, kKinds> kinds_{};
  std::uint64_t deliveries_ = 0;
  std::uint64_t generation_ = 0;
  boost::unordered_flat_set<core::QueueId> queues_;
  std::vector<Position> not_understood_;
  PropertyStorage properties_;
};

struct Survey {
  std::string folder;  ///< for people
  MetadataFindings metadata;
  LogFindings log;
  Census census;
  /// What a start recovers; and the orphans, as subscribers without a name.
  RecoveredState state;
  /// Queues that the log names, and whose subscribers the metadata has lost, or may have.
  boost::unordered_flat_set<core::QueueId> orphans;

  /// The metadata does not have all that it once had.
  [[nodiscard]] bool metadata_is_older() const {
    return census.generation() > metadata.generation || beyond_metadata;
  }
  bool beyond_metadata = false;  ///< the log names queues that the metadata never gave out
};

/// Reads everything. The error is for people: there is no store, or the directory cannot be read.
[[nodiscard]] std::expected<Survey, std::string> survey(Disk& disk, std::string folder);

}  // namespace hermod::store
