// SPDX-License-Identifier: Apache-2.0
#include "offline/memory_disk.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "hermod/testkit/faulty_disk.hpp"
#include "metadata/tests/put_octets.hpp"

namespace hermod::store {
namespace {

using Mode = Disk::Mode;

int put(File& file, std::uint64_t offset, std::string_view text) {
  const Bytes piece = as_bytes(text);
  return file.write(offset, {&piece, 1});
}

TEST(MemoryDisk, KeepsFilesByTheirNames) {
  MemoryDisk disk(1'000);
  EXPECT_EQ(disk.open("a", Mode::kRead).error(), ENOENT);
  EXPECT_EQ(disk.open("a", Mode::kWrite).error(), ENOENT);
  const auto file = disk.open("a", Mode::kCreate);
  ASSERT_TRUE(file);
  EXPECT_EQ(disk.open("a", Mode::kCreate).error(), EEXIST);
  EXPECT_FALSE(disk.holds("a"));
  EXPECT_EQ(put(**file, 2, "cd"), 0);
  EXPECT_EQ(as_text(disk.octets_of("a")), std::string_view("\0\0cd", 4));
  EXPECT_EQ((*file)->truncate(3), 0);
  EXPECT_EQ(*(*file)->size(), 3u);

  std::array<std::uint8_t, 8> into{};
  EXPECT_EQ(*(*file)->read(1, into), 2u);
  EXPECT_EQ(into[1], 'c');
  EXPECT_EQ(*(*file)->read(3, into), 0u);

  const auto reader = disk.open("a", Mode::kRead);
  EXPECT_EQ(put(**reader, 0, "x"), EBADF);
  EXPECT_EQ((*reader)->truncate(0), EBADF);
  EXPECT_EQ(disk.rename("a", "b"), 0);
  EXPECT_EQ(*disk.list(), std::vector<std::string>{"b"});
  EXPECT_EQ(disk.rename("a", "b"), ENOENT);
  EXPECT_EQ(disk.remove("b"), 0);
  EXPECT_EQ(disk.remove("b"), ENOENT);
  EXPECT_EQ(*(*file)->size(), 3u) << "who has it open still has it";
}

TEST(MemoryDisk, HasRoomForSoMuchAndNoMore) {
  MemoryDisk disk(10);
  auto file = disk.open("a", Mode::kCreate);
  ASSERT_TRUE(file);
  EXPECT_EQ(put(**file, 0, "0123456789"), 0);
  EXPECT_EQ(put(**file, 9, "90"), ENOSPC);
  EXPECT_EQ((*file)->truncate(11), ENOSPC);
  const auto other = disk.open("b", Mode::kCreate);
  EXPECT_EQ(put(**other, 0, "x"), ENOSPC);
  EXPECT_EQ((*file)->truncate(9), 0);
  EXPECT_EQ(put(**other, 0, "x"), 0);
  EXPECT_EQ(disk.remove("a"), 0);
  file->reset();
  EXPECT_EQ(put(**other, 1, "123456789"), 0) << "what is gone makes room";
}

TEST(MemoryDisk, TakesFilesOver) {
  testkit::FaultyDisk from(1);
  put_octets(from, "a", as_bytes("0123456789"));
  MemoryDisk disk(10);
  EXPECT_EQ(disk.copy_from(from, "none", 10), 0);
  EXPECT_EQ(disk.copy_from(from, "a", 10), 0);
  EXPECT_EQ(as_text(disk.octets_of("a")), "0123456789");
  EXPECT_EQ(MemoryDisk(9).copy_from(from, "a", 10), ENOSPC);
  EXPECT_EQ(MemoryDisk(10).copy_from(from, "a", 9), ENOSPC);
  from.fail_reads(EIO);
  EXPECT_EQ(MemoryDisk(10).copy_from(from, "a", 10), EIO);
}

}  // namespace
}  // namespace hermod::store
