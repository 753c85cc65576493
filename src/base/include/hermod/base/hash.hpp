// SPDX-License-Identifier: Apache-2.0
// Keyed hash of octets for tables and for placing things on shards. The key comes from the system's
// generator at start, so that nobody outside can choose colliding names; a simulation uses a fixed
// one.
#pragma once

#include <cstdint>
#include <string_view>

namespace hermod {

/// 64-bit hash of `text` under `key`: multiply-and-fold over 8-octet words. Not for secrets.
[[nodiscard]] std::uint64_t keyed_hash(std::string_view text, std::uint64_t key);

/// For hash maps with string keys; transparent.
struct KeyedHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::uint64_t key = 0x9e3779b97f4a7c15u;
  [[nodiscard]] std::size_t operator()(std::string_view text) const {
    return keyed_hash(text, key);
  }
};

}  // namespace hermod
