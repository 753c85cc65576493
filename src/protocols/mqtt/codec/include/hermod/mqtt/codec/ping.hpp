// SPDX-License-Identifier: Apache-2.0
// PINGREQ and PINGRESP (MQTT 3.1.1 and 5.0, §3.12 and §3.13): a fixed header and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"

namespace hermod::mqtt {

struct Pingreq {
  friend bool operator==(const Pingreq&, const Pingreq&) = default;
};
struct Pingresp {
  friend bool operator==(const Pingresp&, const Pingresp&) = default;
};

/// Malformed when something follows the fixed header.
[[nodiscard]] inline WireResult<Pingreq> read_pingreq(const FixedHeader& header, Version version) {
  if (header.remaining_length == 0) return Pingreq{};
  return version == Version::kV5 ? malformed(0x81, 1, "MQTT 5.0 §3.12.1")
                                 : malformed(0, 1, "MQTT 3.1.1 §3.12.1");
}

/// Malformed when something follows the fixed header.
[[nodiscard]] inline WireResult<Pingresp> read_pingresp(const FixedHeader& header,
                                                        Version version) {
  if (header.remaining_length == 0) return Pingresp{};
  return version == Version::kV5 ? malformed(0x81, 1, "MQTT 5.0 §3.13.1")
                                 : malformed(0, 1, "MQTT 3.1.1 §3.13.1");
}

[[nodiscard]] constexpr std::size_t pingreq_size() {
  return 2;
}
[[nodiscard]] constexpr std::size_t pingresp_size() {
  return 2;
}

/// Writes the whole packet and returns the place behind it.
inline std::uint8_t* write_pingreq(std::uint8_t* out) {
  return write_fixed_header(out, PacketType::kPingreq, 0, 0);
}
inline std::uint8_t* write_pingresp(std::uint8_t* out) {
  return write_fixed_header(out, PacketType::kPingresp, 0, 0);
}

}  // namespace hermod::mqtt
