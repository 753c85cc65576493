// SPDX-License-Identifier: Apache-2.0
// Memory for small objects that come and go by the thousand. The thread that frees a piece keeps it
// and hands it out again: no lock, no search, no merging of neighbours. Under AddressSanitizer
// everything comes from the heap and goes there, so that nothing is hidden from it.
#pragma once

#include <cstddef>

namespace hermod {

class SmallMemory {
 public:
  /// Larger pieces are the heap's.
  static constexpr std::size_t kPieceMax = 1280;
  /// Octets that a thread keeps at most.
  static constexpr std::size_t kKeptMax = 256u << 10;

  /// At least `size` octets, aligned for every type. Throws std::bad_alloc.
  [[nodiscard]] static void* take(std::size_t size);
  /// Gives back what take(size) returned, on this thread or another one.
  static void give(void* memory, std::size_t size) noexcept;
  /// Octets that this thread keeps.
  [[nodiscard]] static std::size_t kept();
};

}  // namespace hermod
