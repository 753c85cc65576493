// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/hash.hpp"

#include "hermod/base/words.hpp"

namespace hermod {
namespace {

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint64_t keyed_hash(std::string_view text, std::uint64_t key) {
  constexpr std::uint64_t kOdd1 = 0xa0761d6478bd642fu;
  constexpr std::uint64_t kOdd2 = 0xe7037ed1a0b428dbu;
  std::uint64_t state = key ^ kOdd1;
  const char* at = text.data();
  std::size_t left = text.size();
  while (left > 16) {
    state = fold(load8(at) ^ kOdd2, load8(at + 8) ^ state);
    at += 16;
    left -= 16;
  }
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (left >= 8) {
    low = load8(at);
    high = load8(at + left - 8);
  } else if (left > 0) {
    low = load_short(at, left);
  }
  return fold(kOdd2 ^ text.size(), fold(low ^ kOdd2, high ^ state) ^ key);
}

}  // namespace hermod
