// SPDX-License-Identifier: Apache-2.0
// The rows of the metadata as the changes that make them up; Metadata::load() tells the order.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "hermod/core/journal.hpp"
#include "hermod/store/calendar.hpp"
#include "sqlite.hpp"

namespace hermod::store {

/// `path` is for the words of an error, which tells of damage.
[[nodiscard]] std::expected<void, std::string> load_changes(
    const std::string& path, sqlite3* database, const Calendar& calendar,
    const std::function<void(core::Change&&)>& visitor);

}  // namespace hermod::store
