// SPDX-License-Identifier: Apache-2.0
// UNSUBACK (MQTT 3.1.1 §3.11, MQTT 5.0 §3.11).
//
//   packet identifier | 2 octets |
//   only MQTT 5:
//     properties      | property length | properties |
//     reason codes    | 1 octet for each filter of the UNSUBSCRIBE, in its order [MQTT-3.11.3-1] |
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// An UNSUBACK whose reason codes and properties lie in somebody else's memory. Before MQTT 5 they
/// are left out.
struct UnsubackView {
  std::uint16_t packet_id = 0;
  Bytes reason_codes;  ///< in MQTT 5 never empty when read
  PropertyBlock properties;
};

/// Reads the body of an UNSUBACK. Malformed: identifier 0 or missing [MQTT-2.3.1-7]; before MQTT 5
/// another length than 2; then no reason code, or one that is none of its own [MQTT-3.11.3-2]; its
/// properties, see read_properties().
[[nodiscard]] WireResult<UnsubackView> read_unsuback(const FixedHeader& header, Bytes body,
                                                     Version version);

/// Octets that write_unsuback() writes; 0 when MQTT cannot say it.
[[nodiscard]] std::size_t unsuback_size(const UnsubackView& unsuback, Version version);

/// Writes the whole packet and returns the place behind it.
std::uint8_t* write_unsuback(std::uint8_t* out, const UnsubackView& unsuback, Version version);

}  // namespace hermod::mqtt
