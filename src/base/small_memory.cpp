// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/small_memory.hpp"

#include <array>
#include <new>

namespace hermod {
namespace {

constexpr std::size_t kStep = 64;  // sizes are rounded up to a multiple
constexpr std::size_t kSizes = SmallMemory::kPieceMax / kStep;

struct Piece {
  Piece* next;
};

// Plain data, so that it may be asked even while the thread ends.
struct Kept {
  std::array<Piece*, kSizes> lists;  // by size
  std::size_t octets;
  bool watched;  // its end will be noticed
  bool over;
};
constinit thread_local Kept mine{};

// Frees everything when the thread ends. What is given back later goes to the heap.
struct Watch {
  Watch() { mine.watched = true; }
  ~Watch() {
    mine.over = true;
    for (Piece*& list : mine.lists) {
      while (list != nullptr) {
        Piece* const piece = list;
        list = piece->next;
        ::operator delete(piece);
      }
    }
    mine.octets = 0;
  }
};

void watch() {
  static thread_local const Watch kWatch;
}

constexpr std::size_t list_of(std::size_t size) {
  return (size - 1) / kStep;
}

}  // namespace

void* SmallMemory::take(std::size_t size) {
  if (!kKeeps || size == 0 || size > kPieceMax) return ::operator new(size);
  Piece*& list = mine.lists[list_of(size)];
  const std::size_t whole = (list_of(size) + 1) * kStep;
  if (list == nullptr) return ::operator new(whole);
  Piece* const piece = list;
  list = piece->next;
  mine.octets -= whole;
  return piece;
}

void SmallMemory::give(void* memory, std::size_t size) noexcept {
  const bool small = kKeeps && size != 0 && size <= kPieceMax;
  const std::size_t whole = small ? (list_of(size) + 1) * kStep : size;
  if (!small || mine.over || mine.octets + whole > kKeptMax) return ::operator delete(memory);
  if (!mine.watched) watch();
  Piece*& list = mine.lists[list_of(size)];
  list = new (memory) Piece{list};
  mine.octets += whole;
}

std::size_t SmallMemory::kept() {
  return mine.octets;
}

}  // namespace hermod
