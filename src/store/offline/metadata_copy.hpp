// SPDX-License-Identifier: Apache-2.0
// The metadata of a store at rest, read from a copy in memory: opening a database writes to it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hermod/core/journal.hpp"
#include "hermod/store/calendar.hpp"
#include "hermod/store/disk.hpp"

namespace hermod::store {

/// What has been found. Times are instants of at_rest_calendar().
struct MetadataFindings {
  bool there = false;  ///< there is a file with something in it
  /// What a start would say of it; empty: it is whole.
  std::string refusal;
  /// When it is refused: what could not be read of it, one thing a line.
  std::vector<std::string> lost;
  std::vector<core::Change> changes;  ///< what it keeps, as Metadata::load() gives it
  std::optional<Anchor> anchor;
  std::uint64_t generation = 0;
  std::uint64_t store_key = 0;  ///< 0: it is not known
  /// No queue has had this number or a larger one; 0: it is not known.
  core::QueueId first_free_queue = 0;

  [[nodiscard]] bool whole() const { return there && refusal.empty(); }
};

/// Octets of a file of metadata that is looked at; a larger one is refused.
inline constexpr std::uint64_t kMetadataOctetsMax = std::uint64_t{4} << 30;

/// Reads all that can be read, also of metadata that is damaged. `folder` is for people.
[[nodiscard]] MetadataFindings read_metadata(Disk& disk, const std::string& folder,
                                             std::uint64_t octets_max = kMetadataOctetsMax);

/// Times of the calendar and instants are the same in it: what is only carried over needs no clock.
[[nodiscard]] const Calendar& at_rest_calendar();

}  // namespace hermod::store
