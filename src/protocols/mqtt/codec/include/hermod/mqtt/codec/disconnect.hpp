// SPDX-License-Identifier: Apache-2.0
// DISCONNECT (MQTT 3.1.1 §3.14, MQTT 5.0 §3.14): a fixed header and nothing else before MQTT 5,
// which lets servers send it too.
//
//   MQTT 5, may be missing from the end:
//     reason code | 1 octet | Normal disconnection when missing
//     properties  | property length | properties | none when missing
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/reason_code.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

struct DisconnectView {
  ReasonCode reason = ReasonCode::kNormalDisconnection;  ///< MQTT 5
  PropertyBlock properties;                              ///< MQTT 5; borrowed

  friend bool operator==(const DisconnectView&, const DisconnectView&) = default;
};

/// Reads the body of a DISCONNECT. Malformed: before MQTT 5 anything behind the fixed header; then
/// a reason code that is none of its own [MQTT-3.14.2-1], its properties, see read_properties(),
/// octets behind them. Which side may send what [MQTT-3.14.2-2] is the session's business.
[[nodiscard]] WireResult<DisconnectView> read_disconnect(const FixedHeader& header, Bytes body,
                                                         Version version);

/// Octets that write_disconnect() will write; 0 when MQTT cannot say it.
[[nodiscard]] std::size_t disconnect_size(const DisconnectView& disconnect, Version version);

/// Writes the whole packet, as short as it can be said, and returns the place behind it. Before
/// MQTT 5 reason and properties are left out.
std::uint8_t* write_disconnect(std::uint8_t* out, const DisconnectView& disconnect,
                               Version version);

}  // namespace hermod::mqtt
