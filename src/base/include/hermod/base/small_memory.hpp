// SPDX-License-Identifier: Apache-2.0
// Memory for small objects that come and go by the thousand. The thread that frees a piece keeps it
// and hands it out again: no lock, no search, no merging of neighbours.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define HERMOD_HEAP_ONLY
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HERMOD_HEAP_ONLY
#endif
#endif

namespace hermod {

class SmallMemory {
 public:
  /// False under AddressSanitizer: everything is the heap's, so that nothing is hidden from it.
#ifdef HERMOD_HEAP_ONLY
  static constexpr bool kKeeps = false;
#else
  static constexpr bool kKeeps = true;
#endif
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

#undef HERMOD_HEAP_ONLY
