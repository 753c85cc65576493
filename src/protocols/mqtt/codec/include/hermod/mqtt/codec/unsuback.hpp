// SPDX-License-Identifier: Apache-2.0
// UNSUBACK (MQTT 3.1.1 §3.11). Looks like the acknowledgements of PUBLISH but grows a list in
// MQTT 5.
//
//   packet identifier | 2 octets |
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

struct Unsuback {
  std::uint16_t packet_id = 0;

  friend bool operator==(const Unsuback&, const Unsuback&) = default;
};

/// Reads the body of an UNSUBACK. Malformed: another length than 2, identifier 0 [MQTT-2.3.1-7].
[[nodiscard]] WireResult<Unsuback> read_unsuback(const FixedHeader& header, Bytes body,
                                                 Version version);

/// Octets that write_unsuback() writes.
[[nodiscard]] constexpr std::size_t unsuback_size(const Unsuback&, Version) {
  return 4;
}

/// Writes the whole packet and returns the place behind it.
std::uint8_t* write_unsuback(std::uint8_t* out, const Unsuback& unsuback, Version version);

}  // namespace hermod::mqtt
