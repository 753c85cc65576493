// SPDX-License-Identifier: Apache-2.0
// The rows of the metadata as the changes that make them up; Metadata::load() tells the order.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "hermod/core/journal.hpp"
#include "hermod/store/calendar.hpp"
#include "sqlite.hpp"

namespace hermod::store {

/// The one row of the table `store`.
struct StoreRow {
  std::uint64_t key = 0;
  std::uint64_t boot = 0;
  std::uint64_t generation = 0;
  core::QueueId first_free_queue = 1;  // 0 is nobody's
  std::optional<Anchor> anchor;
};

// What a row of SELECT * says. Its sum is for the caller to look at.

[[nodiscard]] StoreRow store_row_of(const Statement& row);
/// An error tells of a will that cannot be read.
[[nodiscard]] std::expected<core::KeepSubscriber, std::string> subscriber_of(
    const Statement& row, const Calendar& calendar);
[[nodiscard]] core::KeepSubscription subscription_of(const Statement& row);
[[nodiscard]] core::KeepDeclaration declaration_of(const Statement& row);

/// `path` is for the words of an error, which tells of damage.
[[nodiscard]] std::expected<void, std::string> load_changes(
    const std::string& path, sqlite3* database, const Calendar& calendar,
    const std::function<void(core::Change&&)>& visitor);

}  // namespace hermod::store
