// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hermod {
inline constexpr int kLow = 1;
}  // namespace hermod
