// SPDX-License-Identifier: Apache-2.0
// The tables of the metadata, and how a database is opened: recognised, made, brought to this
// version, and looked through for damage. docs/formats/metadata.md has the rules.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "hermod/store/sqlite_vfs.hpp"
#include "sqlite.hpp"

namespace hermod::store {

/// Marks a database as this one ("Hrmd"), PRAGMA application_id.
inline constexpr std::int64_t kApplicationId = 0x48726d64;

/// What makes a database of version `from` one of the next.
struct Migration {
  int from = 0;
  const char* sql = "";
};

/// The statements that make the tables, and what each is expected to be.
[[nodiscard]] std::span<const std::string_view> tables();

/// Brings a database from `version` to `target`, all or nothing: one of `migrations` for each step.
/// SQLite's code; SQLITE_NOTFOUND when there is no step from some version.
[[nodiscard]] int migrate(sqlite3* database, int version, int target,
                          std::span<const Migration> migrations);

/// An open database with the tables of this version, found undamaged but for what lies in the rows.
/// When it is closed its write-ahead log stays, unless checkpoint_on_close() says otherwise.
/// `existing`: there must be one already. The error is for people, who know the file as `path`.
[[nodiscard]] std::expected<Database, std::string> open_database(const SqliteVfs& vfs,
                                                                 const std::string& path,
                                                                 bool existing);

/// An open database of which nothing is known but that it is one of a version that can be read;
/// nothing is looked through. The error is for people.
[[nodiscard]] std::expected<Database, std::string> open_as_it_is(const SqliteVfs& vfs);

/// Puts the write-ahead log into the database and cuts it to nothing. SQLite's code.
[[nodiscard]] int checkpoint(sqlite3* database);
[[nodiscard]] int checkpoint_on_close(sqlite3* database, bool on);

/// What to say to people of damage in `path`; `what` is the damage.
[[nodiscard]] std::string damage(const std::string& path, std::string_view what);
/// What to say of a code of SQLite while opening `path`.
[[nodiscard]] std::string complaint(const std::string& path, sqlite3* database, int code);

}  // namespace hermod::store
