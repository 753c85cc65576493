// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hermod {
inline constexpr int kHigh = 3;
}  // namespace hermod
