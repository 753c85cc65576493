// SPDX-License-Identifier: Apache-2.0
// MQTT 3.1.1 packets as data, good and bad: for the codec's tests, as fuzz seeds, and for whoever
// sends them to a running broker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hermod::mqtt {

struct WireVector {
  enum class Outcome : std::uint8_t { kValid, kMalformed, kIncomplete };

  const char* name;    ///< unique; letters, digits and _
  const char* octets;  ///< in the notation of hermod/testkit/octets.hpp
  Outcome outcome = Outcome::kValid;
  const char* statement = "";    ///< kMalformed: the rule that is broken
  std::size_t offset = 0;        ///< kMalformed: where
  std::uint16_t code = 0;        ///< kMalformed: CONNACK return code to send, 0 for none
  std::size_t bytes_needed = 0;  ///< kIncomplete
};

/// All vectors, one packet each.
[[nodiscard]] std::span<const WireVector> wire_vectors();

}  // namespace hermod::mqtt
