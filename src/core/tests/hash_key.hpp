// SPDX-License-Identifier: Apache-2.0
// The key that tests hash names with: a fixed one, so that they see the same order every time.
#pragma once

#include <cstdint>

namespace hermod::core {

inline constexpr std::uint64_t kHashKey = 7;

}  // namespace hermod::core
