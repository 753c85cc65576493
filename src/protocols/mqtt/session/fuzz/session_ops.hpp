// SPDX-License-Identifier: Apache-2.0
// The small language in which a fuzz input drives a session: one octet for the role, then steps of
// one octet and what the step takes. Shared by the fuzz target and the maker of its seeds.
#pragma once

#include <cstdint>

namespace hermod::mqtt::fuzz {

/// The first octet: bit 0 the role, bit 1 a small set of limits, bit 2 exchanges left by an earlier
/// connection, bit 3 a client of MQTT 5, bit 4 a client that authenticates by AUTH.
inline constexpr std::uint8_t kClientRole = 1;
inline constexpr std::uint8_t kTightLimits = 2;
inline constexpr std::uint8_t kResumed = 4;
inline constexpr std::uint8_t kClientV5 = 8;
inline constexpr std::uint8_t kAuthenticated = 16;

/// A step's octet modulo kSteps.
enum class Step : std::uint8_t {
  kOffer,      ///< length, then so many octets from the peer
  kAnswer,     ///< a Reason: the oldest open ticket
  kDeliver,    ///< how many (modulo 8, plus 1), then a flag octet for all of them
  kRedeliver,  ///< what the earlier connection had not settled
  kAdvance,    ///< seconds
  kIntake,     ///< even: replies only; odd: everything
  kRequest,    ///< client: 0 subscribe, 1 unsubscribe, 2 disconnect
  kEnd,        ///< a Reason
};
inline constexpr std::uint8_t kSteps = 8;

/// Flags of kDeliver: the guarantee in bits 0 and 1 (modulo 3), then these.
inline constexpr std::uint8_t kRetain = 4;
inline constexpr std::uint8_t kShared = 8;
inline constexpr std::uint8_t kLarge = 16;
inline constexpr std::uint8_t kMixed = 32;
inline constexpr std::uint8_t kProperties = 64;  ///< properties, and a life of kExpiry
inline constexpr std::uint8_t kIds = 128;        ///< two subscription identifiers

}  // namespace hermod::mqtt::fuzz
