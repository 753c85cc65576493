// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/small_memory.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace hermod {
namespace {

TEST(SmallMemory, PiecesInUseAreDifferentAndAsLargeAsAskedFor) {
  std::set<void*> pieces;
  std::vector<std::pair<void*, std::size_t>> used;
  for (std::size_t size = 1; size <= SmallMemory::kPieceMax + 100; size += 13) {
    for (int i = 0; i < 3; ++i) {
      void* const piece = SmallMemory::take(size);
      std::memset(piece, static_cast<int>(size), size);
      EXPECT_TRUE(pieces.insert(piece).second);
      used.emplace_back(piece, size);
    }
  }
  for (const auto& [piece, size] : used) {
    const auto* octets = static_cast<const unsigned char*>(piece);
    EXPECT_EQ(octets[0], static_cast<unsigned char>(size));
    EXPECT_EQ(octets[size - 1], static_cast<unsigned char>(size));
    SmallMemory::give(piece, size);
  }
}

TEST(SmallMemory, APieceComesBackForAnotherOfItsSize) {
  void* const piece = SmallMemory::take(200);
  const std::size_t before = SmallMemory::kept();
  SmallMemory::give(piece, 200);
  if (!SmallMemory::kKeeps) GTEST_SKIP() << "under AddressSanitizer the heap has everything";
  EXPECT_EQ(SmallMemory::kept(), before + 256);
  void* const again = SmallMemory::take(256);
  EXPECT_EQ(again, piece);
  SmallMemory::give(again, 256);
}

TEST(SmallMemory, AThreadKeepsNoMoreThanItsLimit) {
  std::vector<void*> used;
  for (std::size_t octets = 0; octets < 2 * SmallMemory::kKeptMax; octets += 1024) {
    used.push_back(SmallMemory::take(1024));
  }
  for (void* piece : used) SmallMemory::give(piece, 1024);
  EXPECT_LE(SmallMemory::kept(), SmallMemory::kKeptMax);
  EXPECT_EQ(SmallMemory::kept() > SmallMemory::kKeptMax - 1024, SmallMemory::kKeeps);
}

TEST(SmallMemory, WhatOneThreadTookAnotherMayGiveBack) {
  std::vector<void*> used;
  for (int i = 0; i < 100; ++i) used.push_back(SmallMemory::take(200));
  const std::size_t before = SmallMemory::kept();
  std::thread other([&used] {
    for (void* piece : used) SmallMemory::give(piece, 200);
  });
  other.join();  // and with it goes what it kept: the leak checker would tell
  EXPECT_EQ(SmallMemory::kept(), before);
}

}  // namespace
}  // namespace hermod
