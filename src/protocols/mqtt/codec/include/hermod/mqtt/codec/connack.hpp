// SPDX-License-Identifier: Apache-2.0
// CONNACK (MQTT 3.1.1 §3.2, MQTT 5.0 §3.2).
//
//   acknowledge flags | 0000000 | session present | all reserved in 3.1
//   return code       | 1 octet | MQTT 5: reason code
//   properties        | property length | properties | only MQTT 5
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

/// Table 3.1 of MQTT 3.1.1; 6 to 255 are reserved.
enum class ConnectReturnCode : std::uint8_t {
  kAccepted = 0,
  kUnacceptableProtocolVersion = 1,
  kIdentifierRejected = 2,
  kServerUnavailable = 3,
  kBadUserNameOrPassword = 4,
  kNotAuthorized = 5,
};

/// Says yes or no in the words of either generation: the return code before MQTT 5, the reason code
/// and properties from there on. What the version cannot say is not looked at.
struct ConnackView {
  bool session_present = false;  ///< only when accepted [MQTT-3.2.2-4], [MQTT-3.2.2-6]
  ConnectReturnCode return_code = ConnectReturnCode::kAccepted;
  ReasonCode reason = ReasonCode::kSuccess;
  PropertyBlock properties;  ///< borrowed

  friend bool operator==(const ConnackView&, const ConnackView&) = default;
};

/// Reads the body of a CONNACK. Malformed: a length that the version does not know, reserved flags
/// (3.1 does not look at them), a return or reason code that is none of its own [MQTT-3.2.2-8],
/// session present with a refusal; its properties, see read_properties().
[[nodiscard]] WireResult<ConnackView> read_connack(const FixedHeader& header, Bytes body,
                                                   Version version);

/// Octets that write_connack() writes; 0 when MQTT cannot say it.
[[nodiscard]] std::size_t connack_size(const ConnackView& connack, Version version);

/// Writes the whole packet and returns the place behind it.
std::uint8_t* write_connack(std::uint8_t* out, const ConnackView& connack, Version version);

}  // namespace hermod::mqtt
