// SPDX-License-Identifier: Apache-2.0
#include "schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "hermod/store/metadata.hpp"

namespace hermod::store {
namespace {

// STRICT: a value has the type of its column, and quick_check looks whether it does. SQLite keeps
// the text of a statement as it is, and so it is compared.
constexpr std::array<std::string_view, 4> kTables{
    "CREATE TABLE store("
    "id INTEGER PRIMARY KEY, key INTEGER NOT NULL, boot INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, first_free_queue INTEGER NOT NULL, anchor_calendar_ms INTEGER, "
    "anchor_wall_ms INTEGER,"
    " anchor_since_boot_ns INTEGER, anchor_boot_id TEXT, sum INTEGER NOT NULL) STRICT",

    "CREATE TABLE subscriber("
    "queue INTEGER PRIMARY KEY, name TEXT NOT NULL, is_group INTEGER NOT NULL,"
    " expiry_s INTEGER NOT NULL, expires_at_ms INTEGER, away INTEGER NOT NULL, owner TEXT,"
    " listener TEXT NOT NULL, will_message BLOB, will_delay_s INTEGER, will_expiry_s INTEGER,"
    " will_due_ms INTEGER, sum INTEGER NOT NULL) STRICT",

    "CREATE TABLE subscription("
    "queue INTEGER NOT NULL REFERENCES subscriber(queue) ON DELETE CASCADE,"
    " filter TEXT NOT NULL, guarantee_max INTEGER NOT NULL, retain_handling INTEGER NOT NULL,"
    " no_local INTEGER NOT NULL, retain_as_published INTEGER NOT NULL,"
    " subscription_id INTEGER NOT NULL, sum INTEGER NOT NULL,"
    " PRIMARY KEY(queue, filter)) STRICT, WITHOUT ROWID",

    "CREATE TABLE declaration("
    "topic TEXT PRIMARY KEY, resource_type TEXT NOT NULL, content_type TEXT NOT NULL,"
    " topic_type TEXT NOT NULL, expires_at_s INTEGER, subscribers_max INTEGER,"
    " observer_check_s INTEGER, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID",
};

// Version 1 is the first.
constexpr std::span<const Migration> kMigrations{};

// Without shared memory a database in WAL mode belongs to one connection, which must be said before
// it is read.
constexpr const char* kSettings =
    "PRAGMA page_size=4096; PRAGMA locking_mode=EXCLUSIVE; PRAGMA temp_store=MEMORY;"
    "PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON;"
    "PRAGMA secure_delete=OFF";

using Checked = std::expected<void, std::string>;

int run(sqlite3* database, const std::string& sql) {
  return sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
}

// What a pragma of one number says.
struct Number {
  int code = SQLITE_OK;
  std::int64_t value = 0;
};
Number number_of(sqlite3* database, std::string_view pragma) {
  const Answer answer = ask(database, pragma);
  Number number{answer.code, 0};
  std::from_chars(answer.text.data(), answer.text.data() + answer.text.size(), number.value);
  return number;
}

// All or nothing.
int run_transaction(sqlite3* database, const std::string& sql) {
  int code = run(database, "BEGIN IMMEDIATE");
  if (code == SQLITE_OK) code = run(database, sql);
  if (code == SQLITE_OK) code = run(database, "COMMIT");
  if (sqlite3_get_autocommit(database) == 0) run(database, "ROLLBACK");
  return code;
}

int create(sqlite3* database) {
  std::string sql = fmt::format("PRAGMA application_id={}; PRAGMA user_version={};", kApplicationId,
                                Metadata::kSchemaVersion);
  for (const std::string_view table : kTables) sql.append(table).append(";");
  return run_transaction(database, sql);
}

struct Identity {
  std::int64_t application = 0;
  std::int64_t version = 0;
  std::int64_t tables = 0;
  [[nodiscard]] bool empty() const { return application == 0 && version == 0 && tables == 0; }
};

std::expected<Identity, std::string> identify(const std::string& path, sqlite3* database) {
  const Number application = number_of(database, "PRAGMA application_id");
  const Number version = number_of(database, "PRAGMA user_version");
  const Number count = number_of(database, "SELECT count(*) FROM sqlite_schema");
  for (const Number& each : {application, version, count}) {
    if (each.code != SQLITE_OK) return std::unexpected(complaint(path, database, each.code));
  }
  return Identity{application.value, version.value, count.value};
}

// Whether the tables may be read as they are.
Checked accept(const std::string& path, const Identity& identity, bool existing) {
  if (identity.empty()) {
    if (!existing) return {};
    return std::unexpected(damage(path, "it is empty, or not there"));
  }
  if (identity.application != kApplicationId) {
    return std::unexpected(fmt::format(
        "'{}' is a database, but not the metadata of a store (application_id {:#x} instead of"
        " {:#x}): name another directory for the store, or move the file away",
        path, identity.application, kApplicationId));
  }
  if (identity.version > Metadata::kSchemaVersion) {
    return std::unexpected(fmt::format(
        "'{}' has been written by a newer version of Hermod (its tables are of version {}, this"
        " program knows those up to {}): run that version, or take what it has exported",
        path, identity.version, Metadata::kSchemaVersion));
  }
  if (identity.version < 1) return std::unexpected(damage(path, "its version is not one"));
  return {};
}

// PRAGMA quick_check says "ok" or what is wrong; it sees structures and types of values.
Checked check_structures(const std::string& path, sqlite3* database) {
  if (sqlite3_db_readonly(database, "main") != 0) {  // a flipped bit of its header
    return std::unexpected(damage(path, "it is marked as of a newer SQLite, and may only be read"));
  }
  const Answer quick = ask(database, "PRAGMA quick_check(1)");
  if (quick.code != SQLITE_OK) return std::unexpected(complaint(path, database, quick.code));
  if (quick.text != "ok") return std::unexpected(damage(path, quick.text));
  return {};
}

// The tables are what this version makes, and no subscription is without its subscriber.
Checked check_tables(const std::string& path, sqlite3* database) {
  Statement schema;
  int code = schema.prepare(database,
                            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
                            " ORDER BY rowid");
  std::vector<std::string> found;
  while (code == SQLITE_OK && (code = schema.step()) == SQLITE_ROW) {
    found.emplace_back(schema.text(0));
    code = SQLITE_OK;
  }
  if (code != SQLITE_DONE) return std::unexpected(complaint(path, database, code));
  if (!std::ranges::equal(found, kTables)) {
    return std::unexpected(damage(path, "its tables are not those of its version"));
  }
  const Answer foreign = ask(database, "PRAGMA foreign_key_check");
  if (foreign.code != SQLITE_OK) return std::unexpected(complaint(path, database, foreign.code));
  if (!foreign.text.empty()) {
    return std::unexpected(damage(path, "a subscription belongs to no subscriber"));
  }
  return {};
}

std::expected<Database, std::string> connect(const SqliteVfs& vfs, const std::string& path,
                                             bool existing) {
  sqlite3* opened = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (existing ? 0 : SQLITE_OPEN_CREATE);
  int code = sqlite3_open_v2(Metadata::kFileName, &opened, flags, vfs.name());
  Database database(opened);
  if (existing && (code & 0xff) == SQLITE_CANTOPEN && sqlite3_system_errno(opened) == ENOENT) {
    return std::unexpected(damage(path, "it is not there"));
  }
  // A database that is not whole stays as it is.
  if (code == SQLITE_OK) code = checkpoint_on_close(opened, false);
  if (code == SQLITE_OK) code = run(opened, kSettings);
  if (code != SQLITE_OK) return std::unexpected(complaint(path, opened, code));
  return database;
}

Checked bring_up(const std::string& path, sqlite3* database, bool existing) {
  const auto identity = identify(path, database);
  if (!identity) return std::unexpected(identity.error());
  if (Checked checked = accept(path, *identity, existing); !checked) return checked;
  // Each commit is synced before it is told (synchronous=FULL), and checkpoints are Metadata's.
  int code = ask(database, "PRAGMA journal_mode=WAL").code;
  if (code == SQLITE_OK) code = run(database, "PRAGMA synchronous=FULL");
  if (code == SQLITE_OK) code = sqlite3_wal_autocheckpoint(database, 0);
  if (code != SQLITE_OK) return std::unexpected(complaint(path, database, code));
  if (Checked checked = check_structures(path, database); !checked) return checked;
  code = checkpoint(database);  // before anything is written, see wal_check.hpp
  if (code == SQLITE_OK) {
    code = identity->empty() ? create(database)
                             : migrate(database, static_cast<int>(identity->version),
                                       Metadata::kSchemaVersion, kMigrations);
  }
  if (code != SQLITE_OK) return std::unexpected(complaint(path, database, code));
  return check_tables(path, database);
}

}  // namespace

std::span<const std::string_view> tables() {
  return kTables;
}

int migrate(sqlite3* database, int version, int target, std::span<const Migration> migrations) {
  if (version == target) return SQLITE_OK;
  std::string sql;
  for (int at = version; at != target; ++at) {
    const auto step = std::ranges::find(migrations, at, &Migration::from);
    if (step == migrations.end()) return SQLITE_NOTFOUND;
    sql.append(step->sql).append(";");
  }
  return run_transaction(database, fmt::format("{} PRAGMA user_version={};", sql, target));
}

std::expected<Database, std::string> open_database(const SqliteVfs& vfs, const std::string& path,
                                                   bool existing) {
  auto database = connect(vfs, path, existing);
  if (!database) return database;
  if (Checked up = bring_up(path, database->get(), existing); !up) {
    return std::unexpected(up.error());
  }
  return database;
}

std::expected<Database, std::string> open_as_it_is(const SqliteVfs& vfs) {
  const std::string path = Metadata::kFileName;
  auto database = connect(vfs, path, true);
  if (!database) return database;
  const Number application = number_of(database->get(), "PRAGMA application_id");
  if (application.code != SQLITE_OK) {
    return std::unexpected(
        fmt::format("no row of '{}' can be read: {}", path, sqlite3_errmsg(database->get())));
  }
  const Number version = number_of(database->get(), "PRAGMA user_version");
  const Identity identity{application.value, version.value, 1};
  if (Checked checked = accept(path, identity, true); !checked) {
    return std::unexpected(checked.error());
  }
  return database;
}

int checkpoint(sqlite3* database) {
  return sqlite3_wal_checkpoint_v2(database, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

int checkpoint_on_close(sqlite3* database, bool on) {
  return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, nullptr);
}

std::string damage(const std::string& path, std::string_view what) {
  return fmt::format(
      "the metadata '{}' is damaged: {}. Put a copy of the whole store in its place, or save what"
      " can be read with 'hermod store export' and make a new store of it with 'hermod store"
      " import'",
      path, what);
}

std::string complaint(const std::string& path, sqlite3* database, int code) {
  const char* what = database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database);
  const int system = database == nullptr ? 0 : sqlite3_system_errno(database);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
    case SQLITE_ERROR:  // the tables do not fit what is asked of them
      return damage(path, what);
    case SQLITE_FULL:
      return fmt::format("there is no room for the metadata '{}': make room on its disk", path);
    case SQLITE_NOTFOUND:
      return damage(path, "nothing is known of its version");
    default:
      return fmt::format(
          "the metadata '{}' cannot be used: {}{}{}. See to its disk and to who may"
          " read and write it",
          path, what, system == 0 ? "" : ": ", system == 0 ? "" : std::strerror(system));
  }
}

}  // namespace hermod::store
