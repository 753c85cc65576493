// SPDX-License-Identifier: Apache-2.0
// The faulty disk does what it says, as other tests rest on it.
#include "hermod/testkit/faulty_disk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace hermod::testkit {
namespace {

using Mode = store::Disk::Mode;
using Octets = std::vector<std::uint8_t>;

int write(store::File& file, std::uint64_t offset, const Octets& octets) {
  const Bytes piece(octets);
  return file.write(offset, {&piece, 1});
}

std::unique_ptr<store::File> make(FaultyDisk& disk, const char* name) {
  auto file = disk.open(name, Mode::kCreate);
  EXPECT_TRUE(file);
  return std::move(*file);
}

TEST(FaultyDisk, IsADiskWithoutFaults) {
  FaultyDisk disk(1);
  const auto file = make(disk, "a");
  EXPECT_EQ(write(*file, 2, {1, 2, 3}), 0);
  EXPECT_EQ(write(*file, 3, {9}), 0);
  EXPECT_EQ(disk.octets_of("a"), (Octets{0, 0, 1, 9, 3}));
  EXPECT_EQ(file->truncate(3), 0);
  EXPECT_EQ(file->size(), 3u);
  Octets into(9);
  EXPECT_EQ(file->read(1, into), 2u);
  EXPECT_EQ(file->read(3, into), 0u);
  EXPECT_EQ(disk.rename("a", "b"), 0);
  EXPECT_EQ(disk.list(), std::vector<std::string>{"b"});
  EXPECT_EQ(disk.open("a", Mode::kRead).error(), ENOENT);
  EXPECT_EQ(disk.open("b", Mode::kCreate).error(), EEXIST);
  EXPECT_EQ(write(**disk.open("b", Mode::kRead), 0, {1}), EBADF);
  EXPECT_EQ(disk.remove("b"), 0);
  EXPECT_EQ(disk.remove("b"), ENOENT);
}

TEST(FaultyDisk, WhatWasSyncedSurvivesEveryPowerCut) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    FaultyDisk disk(seed);
    const auto file = make(disk, "a");
    EXPECT_EQ(write(*file, 0, Octets(10'000, 1)), 0);
    EXPECT_EQ(write(*file, 5'000, Octets(100, 2)), 0);
    EXPECT_EQ(file->truncate(9'000), 0);
    EXPECT_EQ(file->sync(), 0);
    EXPECT_EQ(disk.sync_directory(), 0);
    const Octets before = disk.octets_of("a");
    disk.power_cut();
    EXPECT_EQ(disk.octets_of("a"), before);
    EXPECT_EQ(file->sync(), EIO);  // of the life before
    EXPECT_EQ(disk.used(), 9'000u);
  }
}

// Of what was not synced anything may be left, unit by unit; of what was, nothing may be missing.
TEST(FaultyDisk, WhatWasNotSyncedIsLostKeptOrTorn) {
  std::set<std::string> fates;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    FaultyDisk disk(seed);
    const auto file = make(disk, "a");
    EXPECT_EQ(write(*file, 0, Octets(8'192, 1)), 0);
    EXPECT_EQ(file->sync(), 0);
    EXPECT_EQ(disk.sync_directory(), 0);
    EXPECT_EQ(write(*file, 4'096, Octets(4'096, 2)), 0);
    EXPECT_EQ(write(*file, 8'192, Octets(8'192, 3)), 0);
    disk.power_cut();
    const Octets after = disk.octets_of("a");
    ASSERT_GE(after.size(), 8'192u);
    EXPECT_EQ(Octets(after.begin(), after.begin() + 4'096), Octets(4'096, 1));
    const auto twos = std::count(after.begin() + 4'096, after.begin() + 8'192, 2);
    const auto threes = std::count(after.begin() + 8'192, after.end(), 3);
    fates.insert(twos == 0 ? "2 lost" : twos == 4'096 ? "2 kept" : "2 torn");
    fates.insert(threes == 0 ? "3 lost" : threes == 8'192 ? "3 kept" : "3 torn");
    if (twos == 0 && threes == 8'192) fates.insert("reordered");
    if (after.size() > 8'192 && threes == 0) fates.insert("a size without its octets");
    if (threes % 512 != 0) fates.insert("within a unit");
  }
  EXPECT_EQ(fates,
            (std::set<std::string>{"2 lost", "2 kept", "2 torn", "3 lost", "3 kept", "3 torn",
                                   "reordered", "a size without its octets", "within a unit"}));
}

TEST(FaultyDisk, NamesThatWereNotSyncedAreLostOrKept) {
  std::set<std::vector<std::string>> outcomes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    FaultyDisk disk(seed);
    make(disk, "old");
    EXPECT_EQ(disk.sync_directory(), 0);
    make(disk, "new");
    EXPECT_EQ(disk.rename("old", "renamed"), 0);
    disk.power_cut();
    outcomes.insert(*disk.list());
  }
  EXPECT_EQ(outcomes, (std::set<std::vector<std::string>>{
                          {"old"}, {"new", "old"}, {"renamed"}, {"new", "renamed"}}));
}

TEST(FaultyDisk, AKillLosesNothingButMakesNothingSafe) {
  bool lost = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    FaultyDisk disk(seed);
    const auto file = make(disk, "a");
    EXPECT_EQ(disk.sync_directory(), 0);
    EXPECT_EQ(write(*file, 0, {1, 2, 3}), 0);
    disk.kill();
    EXPECT_EQ(write(*file, 3, {4}), EIO);
    EXPECT_EQ(disk.octets_of("a"), (Octets{1, 2, 3}));
    if (seed % 2 == 0) {
      EXPECT_EQ((*disk.open("a", Mode::kWrite))->sync(), 0);
    }
    disk.power_cut();
    const bool whole = disk.octets_of("a") == Octets{1, 2, 3};
    if (seed % 2 == 0) {
      EXPECT_TRUE(whole);
    } else {
      lost = lost || !whole;
    }
  }
  EXPECT_TRUE(lost);
}

TEST(FaultyDisk, WhatAFailedSyncLeftIsLostWhateverIsSyncedLater) {
  FaultyDisk disk(1);
  const auto file = make(disk, "a");
  EXPECT_EQ(write(*file, 0, {1}), 0);
  EXPECT_EQ(disk.sync_directory(), 0);
  disk.fail_syncs(EIO);
  EXPECT_EQ(file->sync(), EIO);
  EXPECT_EQ(disk.octets_of("a"), Octets{1});
  EXPECT_EQ(write(*file, 1, {2}), 0);
  EXPECT_EQ(file->sync(), 0);
  disk.power_cut();
  EXPECT_EQ(disk.octets_of("a"), (Octets{0, 2}));
}

TEST(FaultyDisk, ForgettingMemoryShowsWhatIsOnTheDisk) {
  FaultyDisk disk(1);
  const auto file = make(disk, "a");
  EXPECT_EQ(write(*file, 0, {1, 2}), 0);
  EXPECT_EQ(file->sync(), 0);
  EXPECT_EQ(write(*file, 1, {3, 4}), 0);
  file->forget_memory();
  EXPECT_EQ(disk.octets_of("a"), (Octets{1, 3, 4}));
  disk.fail_syncs(EIO);
  EXPECT_EQ(file->sync(), EIO);
  EXPECT_EQ(disk.octets_of("a"), (Octets{1, 3, 4}));
  file->forget_memory();
  EXPECT_EQ(disk.octets_of("a"), (Octets{1, 2}));
}

TEST(FaultyDisk, AFullDiskWritesAPart) {
  FaultyDisk disk(1);
  const auto file = make(disk, "a");
  disk.set_capacity(5);
  EXPECT_EQ(write(*file, 0, {1, 2, 3}), 0);
  EXPECT_EQ(write(*file, 3, {4, 5, 6}), ENOSPC);
  EXPECT_EQ(disk.octets_of("a"), (Octets{1, 2, 3, 4, 5}));
  EXPECT_EQ(write(*file, 0, {7}), 0);  // there is room for what replaces
  EXPECT_EQ(disk.open("b", Mode::kCreate).error(), ENOSPC);
  disk.set_capacity(7);
  EXPECT_EQ(write(*file, 5, {6}), 0);
  make(disk, "b");
  EXPECT_EQ(disk.remove("a"), 0);
  EXPECT_EQ(disk.used(), 0u);
}

TEST(FaultyDisk, WritesReadsAndOpeningFailWhenTold) {
  FaultyDisk disk(1);
  const auto file = make(disk, "a");
  disk.fail_writes(EIO, 2);
  EXPECT_EQ(write(*file, 0, {1, 2}), EIO);
  EXPECT_EQ(write(*file, 0, {1, 2}), EIO);
  EXPECT_EQ(write(*file, 0, {1, 2}), 0);
  disk.fail_reads(EIO);
  Octets into(2);
  EXPECT_EQ(file->read(0, into).error(), EIO);
  EXPECT_EQ(file->read(0, into), 2u);
  EXPECT_EQ(disk.open_files(), 1u);
  disk.set_open_max(1);
  EXPECT_EQ(disk.open("a", Mode::kRead).error(), EMFILE);
}

TEST(FaultyDisk, ThePowerGoesAfterSoManyOperations) {
  FaultyDisk disk(1);
  disk.stop_after(3);
  const auto file = make(disk, "a");
  EXPECT_EQ(disk.sync_directory(), 0);
  EXPECT_EQ(write(*file, 0, {1}), 0);
  EXPECT_FALSE(disk.stopped());
  EXPECT_EQ(file->sync(), EIO);
  EXPECT_TRUE(disk.stopped());
  EXPECT_EQ(disk.list().error(), EIO);
  EXPECT_EQ(write(*file, 0, {1}), EIO);
  disk.power_cut();
  EXPECT_EQ(disk.list(), std::vector<std::string>{"a"});
}

TEST(FaultyDisk, DamageIsAtOncePartOfTheFile) {
  FaultyDisk disk(1);
  const auto file = make(disk, "a");
  EXPECT_EQ(write(*file, 0, {0, 0, 0, 0}), 0);
  EXPECT_EQ(file->sync(), 0);
  EXPECT_EQ(disk.sync_directory(), 0);
  disk.flip_bit("a", 1, 7);
  disk.cut_file("a", 3);
  disk.overwrite("a", 2, Octets{5});
  EXPECT_EQ(disk.octets_of("a"), (Octets{0, 128, 5}));
  disk.power_cut();
  EXPECT_EQ(disk.octets_of("a"), (Octets{0, 128, 5}));
}

TEST(FaultyDisk, ASeedReplays) {
  const auto after = [](std::uint64_t seed) {
    FaultyDisk disk(seed);
    const auto file = make(disk, "a");
    EXPECT_EQ(disk.sync_directory(), 0);
    EXPECT_EQ(write(*file, 0, Octets(20'000, 1)), 0);
    disk.power_cut();
    return disk.octets_of("a");
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(after(seed), after(seed));
}

}  // namespace
}  // namespace hermod::testkit
