// SPDX-License-Identifier: Apache-2.0
// The value of the Block1 and Block2 options: which part of a body a message carries or asks for
// (RFC 7959 §2.2). Knows nothing of transfers.
//
//   0 to 20 bits  1 bit  3 bits
//  |    NUM     |   M  |  SZX  |      size = 2^(SZX + 4), offset = NUM * size; SZX 7 is reserved
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "hermod/base/bytes.hpp"

namespace hermod::coap {

struct Block {
  static constexpr std::uint32_t kNumberMax = (1u << 20) - 1;
  static constexpr std::uint8_t kExponentMax = 6;  ///< 1,024 octets

  std::uint32_t number = 0;                   ///< NUM, at most kNumberMax
  bool more = false;                          ///< M: the body goes on behind this block
  std::uint8_t size_exponent = kExponentMax;  ///< SZX

  /// Octets of a block, the last one excepted: 16 to 1,024.
  [[nodiscard]] constexpr std::size_t size() const { return std::size_t{16} << size_exponent; }
  /// Where the block begins in its body.
  [[nodiscard]] constexpr std::size_t offset() const { return number * size(); }
  /// The value of the option, for BodyWriter::uint_option().
  [[nodiscard]] constexpr std::uint32_t value() const {
    return number << 4 | (more ? 8u : 0u) | size_exponent;
  }
  friend constexpr bool operator==(const Block&, const Block&) = default;
};

/// Reads the value of a Block1 or Block2 option. Nothing when it is longer than three octets, or
/// when SZX is 7, which a request is refused for with 4.00 (RFC 7959 §2.2).
[[nodiscard]] std::optional<Block> read_block(Bytes value);

/// The largest SZX whose blocks have at most `octets` octets; 0 for fewer than 16.
[[nodiscard]] constexpr std::uint8_t size_exponent_for(std::size_t octets) {
  std::uint8_t exponent = 0;
  while (exponent < Block::kExponentMax && (std::size_t{32} << exponent) <= octets) ++exponent;
  return exponent;
}

}  // namespace hermod::coap
