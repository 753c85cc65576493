// SPDX-License-Identifier: Apache-2.0
// AUTH (MQTT 5.0 §3.15), which no earlier version has.
//
//   reason code | 1 octet |
//   properties  | property length | properties |
//   both may be missing: Success, no properties
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/properties.hpp"
#include "hermod/mqtt/codec/reason_code.hpp"

namespace hermod::mqtt {

struct AuthView {
  ReasonCode reason = ReasonCode::kSuccess;
  PropertyBlock properties;  ///< with an authentication method, but in the short form; borrowed

  friend bool operator==(const AuthView&, const AuthView&) = default;
};

/// Reads the body of an AUTH. Malformed: a reason code that is none of its own [MQTT-3.15.2-1], its
/// properties, see read_properties(), octets behind them. The short form is read although it cannot
/// say the method: whether it is an answer (§4.12) is the session's business.
[[nodiscard]] WireResult<AuthView> read_auth(const FixedHeader& header, Bytes body);

/// Octets that write_auth() will write; 0 when MQTT cannot say it.
[[nodiscard]] std::size_t auth_size(const AuthView& auth);

/// Writes the whole packet and returns the place behind it.
std::uint8_t* write_auth(std::uint8_t* out, const AuthView& auth);

}  // namespace hermod::mqtt
