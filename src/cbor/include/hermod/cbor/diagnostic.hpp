// SPDX-License-Identifier: Apache-2.0
// CBOR as text for people: the diagnostic notation (RFC 8949 §8). Not meant to be read back.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "hermod/base/bytes.hpp"
#include "hermod/cbor/reader.hpp"

namespace hermod::cbor {

enum class Layout : std::uint8_t {
  kLine,      ///< {1: [2, 3]}
  kIndented,  ///< an entry a line, two blanks a level
};

/// One item and nothing behind it. Control characters in texts are escaped, so that a terminal
/// bears them. Fails as Reader does; what it writes is bounded by the octets and by
/// Reader::kDepthMax. Example: diagnostic(octets) is "{0: \"room\", 5: 1(1709164799)}"
[[nodiscard]] std::expected<std::string, Error> diagnostic(Bytes octets,
                                                           Layout layout = Layout::kLine);

}  // namespace hermod::cbor
