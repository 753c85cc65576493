// SPDX-License-Identifier: Apache-2.0
// MQTT packets of all versions as data, good and bad: for the codec's tests, as fuzz seeds, and for
// whoever sends them to a running broker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

struct WireVector {
  enum class Outcome : std::uint8_t { kValid, kMalformed, kIncomplete };

  const char* name;    ///< unique in its version; letters, digits and _
  const char* octets;  ///< in the notation of hermod/testkit/octets.hpp
  Outcome outcome = Outcome::kValid;
  const char* statement = "";    ///< kMalformed: the rule that is broken
  std::size_t offset = 0;        ///< kMalformed: where
  std::uint16_t code = 0;        ///< kMalformed: return or reason code to send, 0 for none
  std::size_t bytes_needed = 0;  ///< kIncomplete
  bool shortest = true;          ///< kValid: written again it has the same octets
};

/// All vectors of a version, one packet each.
[[nodiscard]] std::span<const WireVector> wire_vectors(Version version);

namespace vectors {

[[nodiscard]] std::span<const WireVector> v31();
[[nodiscard]] std::span<const WireVector> v311();
[[nodiscard]] std::span<const WireVector> v5();

constexpr WireVector valid(const char* name, const char* octets) {
  return {name, octets};
}

/// Valid, but it could be said in fewer octets, or says what means nothing.
constexpr WireVector loose(const char* name, const char* octets) {
  return {.name = name, .octets = octets, .shortest = false};
}

constexpr WireVector bad(const char* name, const char* octets, const char* statement,
                         std::size_t offset, std::uint16_t code = 0) {
  return {name, octets, WireVector::Outcome::kMalformed, statement, offset, code};
}

constexpr WireVector cut(const char* name, const char* octets, std::size_t bytes_needed) {
  return {.name = name,
          .octets = octets,
          .outcome = WireVector::Outcome::kIncomplete,
          .bytes_needed = bytes_needed};
}

}  // namespace vectors

inline std::span<const WireVector> wire_vectors(Version version) {
  switch (version) {
    case Version::kV31:
      return vectors::v31();
    case Version::kV311:
      return vectors::v311();
    case Version::kV5:
      break;
  }
  return vectors::v5();
}

}  // namespace hermod::mqtt
