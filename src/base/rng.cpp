// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/rng.hpp"

#include <sys/random.h>

#include <bit>

#include "hermod/base/assert.hpp"

namespace hermod {

SeededRng::SeededRng(std::uint64_t seed) {
  for (auto& word : state_) {  // splitmix64
    seed += 0x9e3779b97f4a7c15u;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
}

std::uint64_t SeededRng::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t SystemRng::next() {
  if (left_ == 0) {
    const auto size = static_cast<ssize_t>(sizeof(buffer_));
    HERMOD_ASSERT(getrandom(buffer_.data(), sizeof(buffer_), 0) == size);
    left_ = buffer_.size();
  }
  return buffer_[--left_];
}

}  // namespace hermod
