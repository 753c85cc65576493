// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/sqlite_vfs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "hermod/testkit/faulty_disk.hpp"
#include "sqlite.hpp"

namespace hermod::store {
namespace {

using testing::ElementsAre;

class SqliteVfsTest : public testing::Test {
 protected:
  Database open(const char* name, int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
    sqlite3* raw = nullptr;
    code_ = sqlite3_open_v2(name, &raw, flags, vfs_.name());
    return Database(raw);
  }
  static int run(const Database& database, const char* sql) {
    return sqlite3_exec(database.get(), sql, nullptr, nullptr, nullptr);
  }

  testkit::FaultyDisk disk_{1};
  SqliteVfs vfs_{disk_};
  int code_ = SQLITE_OK;
};

TEST_F(SqliteVfsTest, KeepsADatabaseWithARollbackJournal) {
  Database database = open("a");
  EXPECT_EQ(run(database, "CREATE TABLE t(x); BEGIN; INSERT INTO t VALUES(1)"), SQLITE_OK);
  EXPECT_THAT(*disk_.list(), ElementsAre("a", "a-journal"));
  EXPECT_EQ(run(database, "ROLLBACK; INSERT INTO t VALUES(2)"), SQLITE_OK);
  EXPECT_THAT(*disk_.list(), ElementsAre("a"));
  database = open("a");
  EXPECT_EQ(ask(database.get(), "SELECT group_concat(x) FROM t").text, "2");
}

TEST_F(SqliteVfsTest, KeepsADatabaseWithAWriteAheadLog) {
  Database database = open("a");
  EXPECT_EQ(run(database, "PRAGMA locking_mode=EXCLUSIVE"), SQLITE_OK);
  EXPECT_EQ(ask(database.get(), "PRAGMA journal_mode=WAL").text, "wal");
  EXPECT_EQ(run(database, "CREATE TABLE t(x); INSERT INTO t VALUES(1)"), SQLITE_OK);
  EXPECT_THAT(*disk_.list(), ElementsAre("a", "a-wal"));
  database.reset();
  EXPECT_THAT(*disk_.list(), ElementsAre("a"));
  database = open("a");
  run(database, "PRAGMA locking_mode=EXCLUSIVE");
  EXPECT_EQ(ask(database.get(), "SELECT x FROM t").text, "1");
}

// So that no frame is ever written over one that a power cut may bring back.
TEST_F(SqliteVfsTest, AWriteAheadLogThatWasCutStaysCut) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    testkit::FaultyDisk disk(seed);
    const SqliteVfs vfs(disk);
    sqlite3* raw = nullptr;
    sqlite3_open_v2("a", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name());
    const Database database(raw);
    EXPECT_EQ(run(database,
                  "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; CREATE TABLE t(x);"
                  "PRAGMA wal_checkpoint(TRUNCATE)"),
              SQLITE_OK);
    disk.power_cut();
    EXPECT_EQ(disk.octets_of("a-wal").size(), 0u) << seed;
  }
}

// There is no shared memory, and nobody may think there were.
TEST_F(SqliteVfsTest, NeedsToBeAloneForAWriteAheadLog) {
  Database database = open("a");
  EXPECT_EQ(ask(database.get(), "PRAGMA journal_mode=WAL").text, "delete");
}

TEST_F(SqliteVfsTest, OpensWhatIsThereOnlyUnlessItMayCreate) {
  open("a", SQLITE_OPEN_READWRITE);
  EXPECT_EQ(code_, SQLITE_CANTOPEN);
  EXPECT_THAT(*disk_.list(), ElementsAre());
}

TEST_F(SqliteVfsTest, RefusesFilesWithoutAName) {
  Database database = open("");  // a temporary one, when it needs a file at all
  EXPECT_EQ(run(database, "PRAGMA cache_size=1; CREATE TABLE t(x)"), SQLITE_OK);
  EXPECT_EQ(run(database,
                "WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<9999)"
                " INSERT INTO t SELECT randomblob(500) FROM n"),
            SQLITE_CANTOPEN);
  EXPECT_THAT(*disk_.list(), ElementsAre());
}

TEST_F(SqliteVfsTest, RefusesNamesThatAreTooLong) {
  open(std::string(600, 'n').c_str());
  EXPECT_EQ(code_, SQLITE_CANTOPEN);
}

TEST_F(SqliteVfsTest, TwoDisksAreApart) {
  testkit::FaultyDisk other{1};
  const SqliteVfs vfs(other);
  EXPECT_STRNE(vfs.name(), vfs_.name());
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open_v2("a", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name()),
            SQLITE_OK);
  const Database database(raw);
  EXPECT_EQ(run(database, "CREATE TABLE t(x)"), SQLITE_OK);
  EXPECT_THAT(*other.list(), ElementsAre("a"));
  EXPECT_THAT(*disk_.list(), ElementsAre());
}

TEST_F(SqliteVfsTest, IsGoneWithItsObject) {
  std::string name;
  {
    const SqliteVfs vfs(disk_);
    name = vfs.name();
    EXPECT_NE(sqlite3_vfs_find(name.c_str()), nullptr);
  }
  EXPECT_EQ(sqlite3_vfs_find(name.c_str()), nullptr);
}

}  // namespace
}  // namespace hermod::store
