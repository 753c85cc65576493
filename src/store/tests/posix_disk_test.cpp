// SPDX-License-Identifier: Apache-2.0
#include "hermod/store/posix_disk.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "hermod/base/rng.hpp"
#include "log_reader.hpp"
#include "message_log.hpp"
#include "piece_cursor.hpp"

namespace hermod::store {
namespace {

using Mode = Disk::Mode;
using Octets = std::vector<std::uint8_t>;

class PosixDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "hermod-disk-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    path_ = root_ + "/store";
    open();
  }
  void TearDown() override {
    disk_.reset();
    std::filesystem::remove_all(root_);
  }
  void open() {
    auto disk = PosixDisk::open(path_);
    ASSERT_TRUE(disk) << disk.error();
    disk_ = std::move(*disk);
  }
  [[nodiscard]] unsigned mode_of(const std::string& path) const {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  static Octets all_of(File& file) {
    Octets octets(*file.size() + 10);
    octets.resize(*file.read(0, octets));
    return octets;
  }

  std::string root_;
  std::string path_;
  std::unique_ptr<PosixDisk> disk_;
};

TEST_F(PosixDiskTest, OnlyTheOwnerGetsIn) {
  ASSERT_TRUE(disk_->open("a", Mode::kCreate));
  EXPECT_EQ(mode_of(path_), 0700u);
  EXPECT_EQ(mode_of(path_ + "/a"), 0600u);
  EXPECT_EQ(mode_of(path_ + "/lock"), 0600u);
}

TEST_F(PosixDiskTest, IsReadWithoutBeingTouchedOnlyWhileNoBrokerUsesIt) {
  ASSERT_TRUE(disk_->open("a", Mode::kCreate));
  const auto refused = PosixDisk::open_to_read(path_);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().contains("in use")) << refused.error();
  EXPECT_TRUE(refused.error().contains(path_ + "/lock")) << refused.error();
  disk_.reset();

  const auto one = PosixDisk::open_to_read(path_);
  const auto other = PosixDisk::open_to_read(path_);
  ASSERT_TRUE(one && other);
  EXPECT_FALSE(PosixDisk::open(path_)) << "a broker must not begin meanwhile";
  EXPECT_TRUE((*one)->open("a", Mode::kRead));
  EXPECT_EQ((*one)->open("a", Mode::kWrite).error(), EROFS);
  EXPECT_EQ((*one)->open("b", Mode::kCreate).error(), EROFS);
  EXPECT_EQ((*one)->remove("a"), EROFS);
  EXPECT_EQ((*one)->rename("a", "b"), EROFS);
  EXPECT_EQ((*one)->sync_directory(), EROFS);
  EXPECT_EQ(*(*one)->list(), std::vector<std::string>{"a"});
}

TEST_F(PosixDiskTest, ReadingMakesNoDirectoryAndNoLock) {
  EXPECT_FALSE(PosixDisk::open_to_read(root_ + "/none"));
  EXPECT_FALSE(std::filesystem::exists(root_ + "/none"));
  disk_.reset();
  std::filesystem::remove(path_ + "/lock");
  EXPECT_TRUE(PosixDisk::open_to_read(path_)) << "a copy of a store";
  EXPECT_FALSE(std::filesystem::exists(path_ + "/lock"));
}

TEST_F(PosixDiskTest, WritesPiecesAtAnyPlace) {
  auto file = disk_->open("a", Mode::kCreate);
  ASSERT_TRUE(file);
  const Octets first{1, 2, 3};
  const Octets second{4, 5};
  const std::vector<Bytes> pieces{first, {}, second, {}};
  EXPECT_EQ((*file)->write(2, pieces), 0);
  EXPECT_EQ(all_of(**file), (Octets{0, 0, 1, 2, 3, 4, 5}));
  EXPECT_EQ((*file)->write(3, std::vector<Bytes>{second}), 0);
  EXPECT_EQ((*file)->write(0, {}), 0);
  EXPECT_EQ((*file)->sync(), 0);
  EXPECT_EQ(all_of(**file), (Octets{0, 0, 1, 4, 5, 4, 5}));
  EXPECT_EQ((*file)->truncate(4), 0);
  EXPECT_EQ((*file)->size(), 4u);
  Octets into(3);
  EXPECT_EQ((*file)->read(2, into), 2u);
  EXPECT_EQ((*file)->read(4, into), 0u);
  EXPECT_EQ((*file)->read(400, into), 0u);
}

// The system takes 1,024 in one call.
TEST_F(PosixDiskTest, WritesManyPieces) {
  auto file = disk_->open("a", Mode::kCreate);
  ASSERT_TRUE(file);
  Octets octets(5'000);
  std::iota(octets.begin(), octets.end(), std::uint8_t{0});
  std::vector<Bytes> pieces;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    pieces.push_back(Bytes(octets).subspan(i, 2));
  }
  EXPECT_EQ((*file)->write(0, pieces), 0);
  EXPECT_EQ(all_of(**file), octets);
}

// However few octets the system takes at a time, all of them come, in order.
TEST(PieceCursor, GoesOnAfterEachPart) {
  const Octets octets{1, 2, 3, 4, 5, 6, 7};
  const Bytes all(octets);
  const std::vector<Bytes> pieces{{},          all.first(1),     {}, {}, all.subspan(1, 4),
                                  all.last(2), all.subspan(7, 0)};
  for (std::size_t step = 1; step <= 8; ++step) {
    Octets written;
    for (PieceCursor left(pieces); !left.at_end();) {
      Octets now;
      for (std::size_t i = 0; i < left.count(); ++i) {
        now.insert(now.end(), left[i].begin(), left[i].end());
      }
      now.resize(std::min(now.size(), step));
      ASSERT_FALSE(now.empty());
      written.insert(written.end(), now.begin(), now.end());
      left.advance(now.size());
    }
    EXPECT_EQ(written, octets) << step;
  }
  EXPECT_TRUE(PieceCursor({}).at_end());
}

// A limit on the size of files stops a write in its middle, and then says so.
TEST_F(PosixDiskTest, SaysWhyItStoppedAfterAPartOfAWrite) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{.rlim_cur = 1'000, .rlim_max = 1'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    auto file = disk_->open("a", Mode::kCreate);
    const Octets octets(1'500, 7);
    const std::vector<Bytes> pieces{Bytes(octets).first(700), Bytes(octets).subspan(700)};
    const bool stopped = (*file)->write(0, pieces) == EFBIG && (*file)->size() == 1'000u;
    ::_exit(stopped ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(PosixDiskTest, ModesOfOpening) {
  EXPECT_EQ(disk_->open("a", Mode::kRead).error(), ENOENT);
  EXPECT_EQ(disk_->open("a", Mode::kWrite).error(), ENOENT);
  ASSERT_TRUE(disk_->open("a", Mode::kCreate));
  EXPECT_EQ(disk_->open("a", Mode::kCreate).error(), EEXIST);
  const Octets octet{1};
  EXPECT_EQ((*disk_->open("a", Mode::kRead))->write(0, std::vector<Bytes>{octet}), EBADF);
  EXPECT_EQ((*disk_->open("a", Mode::kWrite))->write(0, std::vector<Bytes>{octet}), 0);
}

TEST_F(PosixDiskTest, ListsRenamesAndRemoves) {
  for (const char* const name : {"b", "c", "a"}) ASSERT_TRUE(disk_->open(name, Mode::kCreate));
  EXPECT_EQ(disk_->list(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(disk_->rename("a", "z"), 0);
  EXPECT_EQ(disk_->remove("b"), 0);
  EXPECT_EQ(disk_->remove("b"), ENOENT);
  EXPECT_EQ(disk_->rename("b", "y"), ENOENT);
  EXPECT_EQ(disk_->sync_directory(), 0);
  EXPECT_EQ(disk_->list(), (std::vector<std::string>{"c", "z"}));
  EXPECT_EQ(disk_->list(), (std::vector<std::string>{"c", "z"}));
}

TEST_F(PosixDiskTest, TwoDoNotShareADirectory) {
  const auto second = PosixDisk::open(path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "the store " + path_ + " is in use: another broker holds " + path_ +
                                "/lock. Stop it, or give this one a directory of its own");
  disk_.reset();
  open();
}

TEST_F(PosixDiskTest, SaysWhatIsWrongWithADirectory) {
  EXPECT_EQ(PosixDisk::open(root_ + "/not/there").error(),
            "cannot make the store's directory " + root_ + "/not/there: No such file or directory");
  ASSERT_TRUE(disk_->open("a", Mode::kCreate));
  EXPECT_EQ(PosixDisk::open(path_ + "/a").error(),
            "cannot open the store's directory " + path_ + "/a: Not a directory");
}

TEST_F(PosixDiskTest, CarriesALog) {
  const LogLimits limits{.segment_octets_max = kRecordsBegin + 2'000};
  SeededRng rng(1);
  std::vector<Position> positions;
  for (int life = 0; life < 3; ++life) {
    auto log = MessageLog::open(*disk_, rng, limits);
    ASSERT_TRUE(log) << log.error();
    std::vector<Position> found;
    const auto recovered =
        (*log)->recover([&](const RecordView& record) { found.push_back(record.position); });
    ASSERT_TRUE(recovered) << recovered.error();
    EXPECT_EQ(found, positions);
    EXPECT_EQ(recovered->torn_octets, life == 0 ? 0u : 50u);
    for (int i = 0; i < 50; ++i) {
      const std::string body(100, static_cast<char>('a' + life));
      positions.push_back((*log)->append(make_draft(RecordKind::kValue, as_bytes(body))).position);
    }
    ASSERT_TRUE((*log)->take_batch());
    ASSERT_EQ((*log)->write_batch(true), WriteResult::kDone);
    LogReader reader(**log);
    for (const Position position : positions) EXPECT_TRUE(reader.read(position));
    // What a stop in the middle of a write leaves.
    auto file = disk_->open(segment_name(segment_of(positions.back())), Mode::kWrite);
    ASSERT_TRUE(file);
    const Octets torn(50, 1);
    EXPECT_EQ((*file)->write(*(*file)->size(), std::vector<Bytes>{torn}), 0);
  }
}

}  // namespace
}  // namespace hermod::store
