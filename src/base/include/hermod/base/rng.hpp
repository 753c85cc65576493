// SPDX-License-Identifier: Apache-2.0
// Random numbers come through constructors, so that a simulation replays from its seed.
#pragma once

#include <array>
#include <cstdint>

namespace hermod {

/// Source of random numbers. Not thread-safe: one per shard.
class Rng {
 public:
  virtual ~Rng() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;

  /// Uniform in [0, bound); bound > 0. The bias of at most bound / 2^64 is accepted.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }
};

/// xoshiro256**, seeded by splitmix64: fast and reproducible, not for secrets.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed);
  [[nodiscard]] std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 4> state_;
};

/// The kernel's generator (getrandom), for tokens, message ids and hash keys. Buffers 256 octets.
class SystemRng final : public Rng {
 public:
  [[nodiscard]] std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 32> buffer_{};
  std::size_t left_ = 0;
};

}  // namespace hermod
