// SPDX-License-Identifier: Apache-2.0
// The first octets of every payload of the load: who sent it and which of his messages it is. Both
// ends are this program, so the numbers stand as the processor has them.
//
//   publisher | 4 octets |
//   sequence  | 8 octets, from 0 |
#pragma once

#include <cstdint>
#include <cstring>

#include "hermod/base/bytes.hpp"
#include "hermod/load/options.hpp"

namespace hermod::load {

struct Stamp {
  std::uint32_t publisher = 0;
  std::uint64_t sequence = 0;
};

inline constexpr std::size_t kSequenceOffset = sizeof(Stamp::publisher);
static_assert(kSequenceOffset + sizeof(Stamp::sequence) == kPayloadMin);

inline void write_sequence(std::uint8_t* payload, std::uint64_t sequence) {
  std::memcpy(payload + kSequenceOffset, &sequence, sizeof(sequence));
}

inline void write_stamp(std::uint8_t* payload, const Stamp& stamp) {
  std::memcpy(payload, &stamp.publisher, sizeof(stamp.publisher));
  write_sequence(payload, stamp.sequence);
}

/// `payload` has at least kPayloadMin octets.
inline Stamp read_stamp(const std::uint8_t* payload) {
  Stamp stamp;
  std::memcpy(&stamp.publisher, payload, sizeof(stamp.publisher));
  std::memcpy(&stamp.sequence, payload + kSequenceOffset, sizeof(stamp.sequence));
  return stamp;
}

}  // namespace hermod::load
