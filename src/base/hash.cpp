// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/hash.hpp"

#include <cstring>

namespace hermod {
namespace {

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <typename Word>
std::uint64_t load(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Up to seven octets as one word, put together from pieces that overlap.
std::uint64_t load_short(const char* at, std::size_t count) {
  if (count >= 4) return load<std::uint32_t>(at) << 32 | load<std::uint32_t>(at + count - 4);
  if (count == 0) return 0;
  const std::uint64_t ends = load<std::uint8_t>(at) << 8 | load<std::uint8_t>(at + count - 1);
  return ends << 8 | load<std::uint8_t>(at + count / 2);
}

}  // namespace

std::uint64_t keyed_hash(std::string_view text, std::uint64_t key) {
  constexpr std::uint64_t kOdd1 = 0xa0761d6478bd642fu;
  constexpr std::uint64_t kOdd2 = 0xe7037ed1a0b428dbu;
  std::uint64_t state = key ^ kOdd1;
  const char* at = text.data();
  std::size_t left = text.size();
  while (left > 16) {
    state = fold(load<std::uint64_t>(at) ^ kOdd2, load<std::uint64_t>(at + 8) ^ state);
    at += 16;
    left -= 16;
  }
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (left >= 8) {
    low = load<std::uint64_t>(at);
    high = load<std::uint64_t>(at + left - 8);
  } else {
    low = load_short(at, left);
  }
  return fold(kOdd2 ^ text.size(), fold(low ^ kOdd2, high ^ state) ^ key);
}

}  // namespace hermod
