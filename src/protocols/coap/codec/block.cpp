// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/block.hpp"

#include "hermod/coap/codec/option.hpp"

namespace hermod::coap {

std::optional<Block> read_block(Bytes value) {
  constexpr std::size_t kLengthMax = 3;
  const std::optional<std::uint32_t> number = uint_value(value);
  if (!number || value.size() > kLengthMax) return std::nullopt;
  const Block block{.number = *number >> 4,
                    .more = (*number & 8u) != 0,
                    .size_exponent = static_cast<std::uint8_t>(*number & 7u)};
  if (block.size_exponent > Block::kExponentMax) return std::nullopt;
  return block;
}

}  // namespace hermod::coap
