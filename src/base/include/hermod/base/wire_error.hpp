// SPDX-License-Identifier: Apache-2.0
// The one error type of all codecs: either more octets are needed, or the octets are wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

namespace hermod {

/// Why octets could not be decoded. `statement` names the rule that was broken in the form it is
/// cited in the code ("MQTT-3.3.1-4", "RFC 7252 §3"); it is a literal and lives for ever.
struct WireError {
  enum class Kind : std::uint8_t { kIncomplete, kMalformed };

  Kind kind = Kind::kMalformed;
  std::uint16_t code = 0;        ///< protocol's own code (reason code, response code), 0 if none
  std::size_t bytes_needed = 0;  ///< kIncomplete: total length known to be needed, at least
  std::size_t offset = 0;        ///< kMalformed: where in the input
  const char* statement = "";

  [[nodiscard]] bool incomplete() const { return kind == Kind::kIncomplete; }
};

/// More octets are needed before anything can be said; `bytes_needed` counts from the packet's
/// start.
[[nodiscard]] inline std::unexpected<WireError> incomplete(std::size_t bytes_needed) {
  return std::unexpected(
      WireError{.kind = WireError::Kind::kIncomplete, .bytes_needed = bytes_needed});
}

/// The octets break `statement` at `offset`.
[[nodiscard]] inline std::unexpected<WireError> malformed(std::uint16_t code, std::size_t offset,
                                                          const char* statement) {
  return std::unexpected(WireError{
      .kind = WireError::Kind::kMalformed, .code = code, .offset = offset, .statement = statement});
}

template <typename T>
using WireResult = std::expected<T, WireError>;

}  // namespace hermod
