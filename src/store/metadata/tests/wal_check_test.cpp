// SPDX-License-Identifier: Apache-2.0
#include "wal_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/store/sqlite_vfs.hpp"
#include "put_octets.hpp"
#include "sqlite.hpp"

namespace hermod::store {
namespace {

using testing::HasSubstr;

constexpr std::size_t kFrame = 24 + kPageSize;

// A write-ahead log of four transactions, the last one of several frames.
class WalCheckTest : public testing::Test {
 protected:
  WalCheckTest() {
    const SqliteVfs vfs(disk_);
    sqlite3* raw = nullptr;
    sqlite3_open_v2("a", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs.name());
    const Database database(raw);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    const int code = sqlite3_exec(
        raw,
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; CREATE TABLE t(x);"
        "INSERT INTO t VALUES(1); INSERT INTO t VALUES(2); INSERT INTO t VALUES(randomblob(20000))",
        nullptr, nullptr, nullptr);
    EXPECT_EQ(code, SQLITE_OK);
    octets_ = disk_.octets_of("a-wal");
    frames_ = (octets_.size() - 32) / kFrame;
  }

  // What is said of the log with one bit flipped, or cut to a size.
  std::string flipped(std::size_t at, unsigned bit) {
    put_octets(disk_, "a-wal", octets_);
    disk_.flip_bit("a-wal", at, bit);
    return check();
  }
  std::string cut(std::size_t size) {
    put_octets(disk_, "a-wal", Bytes{octets_}.first(size));
    return check();
  }
  std::string check() {
    const auto whole = check_wal(disk_, "a-wal");
    return whole ? "" : whole.error();
  }
  // First octet of a frame, counted from 0.
  static std::size_t frame(std::size_t number) { return 32 + number * kFrame; }

  testkit::FaultyDisk disk_{1};
  std::vector<std::uint8_t> octets_;
  std::size_t frames_ = 0;
};

TEST_F(WalCheckTest, BearsWhatIsWholeOrNotThere) {
  ASSERT_GT(frames_, 7u);
  EXPECT_EQ(check(), "");
  EXPECT_TRUE(check_wal(disk_, "nowhere"));
}

TEST_F(WalCheckTest, FindsEachFlippedBitOfTheHeader) {
  for (std::size_t at = 0; at < 32; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      EXPECT_THAT(flipped(at, bit), HasSubstr("header")) << at << " " << bit;
    }
  }
}

TEST_F(WalCheckTest, FindsEachFlippedBitOfAFrameThatWasSynced) {
  for (std::size_t at = frame(1); at < frame(2); at += at < frame(1) + 24 ? 1 : 97) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      EXPECT_THAT(flipped(at, bit), HasSubstr("transaction")) << at << " " << bit;
    }
  }
}

// The last transaction may not have been synced.
TEST_F(WalCheckTest, BearsALastTransactionThatIsTorn) {
  const std::size_t last = frame(frames_ - 1);
  EXPECT_EQ(flipped(last + 100, 0), "");
  EXPECT_EQ(flipped(last - kFrame + 100, 0), "");
  for (std::size_t size : {last + 100, last, last - 1, last - kFrame}) EXPECT_EQ(cut(size), "");
}

// Where nothing was written yet there may be anything, beside what was.
TEST_F(WalCheckTest, BearsWhatLiesWhereATornHeaderWas) {
  const std::vector<std::uint8_t> anything(8, 0xa5);
  put_octets(disk_, "a-wal", octets_);
  disk_.overwrite("a-wal", frame(frames_ - 3), anything);
  EXPECT_EQ(check(), "");
}

TEST_F(WalCheckTest, BearsALogThatHasJustBegun) {
  for (std::size_t size : {0u, 1u, 31u, 32u, 33u}) EXPECT_EQ(cut(size), "");
  // A torn header, and no frame of it.
  cut(32);
  disk_.flip_bit("a-wal", 20, 0);
  EXPECT_EQ(check(), "");
  const std::vector<std::uint8_t> zeros(3 * kFrame);  // of a file that grew before it was written
  disk_.overwrite("a-wal", 32, zeros);
  EXPECT_EQ(check(), "");
}

}  // namespace
}  // namespace hermod::store
