// SPDX-License-Identifier: Apache-2.0
// DISCONNECT (MQTT 3.1.1 §3.14): a fixed header and nothing else before MQTT 5.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

struct Disconnect {
  friend bool operator==(const Disconnect&, const Disconnect&) = default;
};

/// Malformed when something follows the fixed header.
[[nodiscard]] inline WireResult<Disconnect> read_disconnect(const FixedHeader& header, Bytes,
                                                            Version) {
  if (header.remaining_length != 0) return malformed(0, 1, "MQTT 3.1.1 §3.14.1");
  return Disconnect{};
}

[[nodiscard]] constexpr std::size_t disconnect_size(const Disconnect&, Version) {
  return 2;
}

/// Writes the whole packet and returns the place behind it.
inline std::uint8_t* write_disconnect(std::uint8_t* out, const Disconnect&, Version) {
  return write_fixed_header(out, PacketType::kDisconnect, 0, 0);
}

}  // namespace hermod::mqtt
