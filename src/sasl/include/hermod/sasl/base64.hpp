// SPDX-License-Identifier: Apache-2.0
// Base64 with padding (RFC 4648 §4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"

namespace hermod::sasl {

inline constexpr std::size_t kBase64CharsMax = 256;  ///< longer texts are not decoded

[[nodiscard]] std::string to_base64(Bytes bytes);

/// Nothing unless `text` is just what to_base64() makes of the result, which is not empty.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

}  // namespace hermod::sasl
