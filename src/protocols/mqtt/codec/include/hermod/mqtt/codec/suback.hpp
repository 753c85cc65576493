// SPDX-License-Identifier: Apache-2.0
// SUBACK (MQTT 3.1.1 §3.9, MQTT 5.0 §3.9).
//
//   packet identifier | 2 octets |
//   properties        | property length | properties | only MQTT 5
//   return codes      | 1 octet for each entry of the SUBSCRIBE, in its order [MQTT-3.9.3-1] |
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// The return code that refuses a subscription in MQTT 3.1.1; 0, 1 and 2 grant that QoS. MQTT 5 has
/// more, and calls them reason codes. 3.1 has none: what a session answers to a subscription that
/// it refuses there is its decision, but it can only be 0, 1 or 2.
inline constexpr std::uint8_t kSubackFailure = 0x80;

/// A SUBACK whose return codes lie in somebody else's memory.
struct SubackView {
  std::uint16_t packet_id = 0;
  Bytes return_codes;        ///< 0, 1, 2 or a refusal each; never empty when read
  PropertyBlock properties;  ///< left out before MQTT 5
};

/// Reads the body of a SUBACK. Malformed: identifier 0 or missing [MQTT-2.3.1-7], no return code
/// [MQTT-3.8.4-5], [MQTT-3.8.4-6], one that the version does not know [MQTT-3.9.3-2]; its
/// properties, see read_properties().
[[nodiscard]] WireResult<SubackView> read_suback(const FixedHeader& header, Bytes body,
                                                 Version version);

/// Octets that write_suback() will write; 0 when MQTT cannot say it.
[[nodiscard]] std::size_t suback_size(const SubackView& suback, Version version);

/// Writes the whole packet and returns the place behind it.
std::uint8_t* write_suback(std::uint8_t* out, const SubackView& suback, Version version);

}  // namespace hermod::mqtt
