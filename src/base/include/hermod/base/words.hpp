// SPDX-License-Identifier: Apache-2.0
// Octets taken eight at a time, for what has to look at each of them. Any alignment.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hermod {

/// Eight times the same octet.
[[nodiscard]] constexpr std::uint64_t each_octet(std::uint8_t value) {
  return 0x0101010101010101u * value;
}

/// A word of 1 to 8 octets at `at`, in the machine's order.
template <typename Word>
[[nodiscard]] inline std::uint64_t load_word(const void* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}
[[nodiscard]] inline std::uint64_t load8(const void* at) {
  return load_word<std::uint64_t>(at);
}

/// The place in memory of the first octet of a word that is not 0; there is one.
[[nodiscard]] inline std::size_t first_octet(std::uint64_t word) {
  const int bits =
      std::endian::native == std::endian::big ? std::countl_zero(word) : std::countr_zero(word);
  return static_cast<std::size_t>(bits) / 8;
}

/// All of 1 to 7 octets, each at least once, in some order with octets of 0 beside them; which one
/// depends on the count. It is put together from pieces that overlap.
[[nodiscard]] inline std::uint64_t load_short(const void* at, std::size_t count) {
  const auto* const octets = static_cast<const std::uint8_t*>(at);
  if (count >= 4) {
    return load_word<std::uint32_t>(octets) << 32 | load_word<std::uint32_t>(octets + count - 4);
  }
  const std::uint64_t ends = std::uint64_t{octets[0]} << 8 | octets[count - 1];
  return ends << 8 | octets[count / 2];
}

}  // namespace hermod
