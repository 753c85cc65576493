// SPDX-License-Identifier: Apache-2.0
// What can still be read of metadata that is damaged, row by row: for `hermod store export`, which
// is the way out. It believes nothing but rows whose sum is right.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hermod/core/journal.hpp"
#include "hermod/store/calendar.hpp"
#include "hermod/store/sqlite_vfs.hpp"
#include "load.hpp"

namespace hermod::store {

struct Salvage {
  std::optional<StoreRow> store;      ///< nothing: it cannot be read
  std::vector<core::Change> changes;  ///< as Metadata::load() gives them
  std::vector<std::string> lost;      ///< what could not be read, for people
};

/// Reads the database Metadata::kFileName on the disk of `vfs`, which should be a copy: SQLite may
/// write to it. Around what is damaged it reads from both sides.
[[nodiscard]] Salvage salvage(const SqliteVfs& vfs, const Calendar& calendar);

}  // namespace hermod::store
