// SPDX-License-Identifier: Apache-2.0
// Uses both modules: compiles only for who has declared both.
#include <hermod/high/high.hpp>
#include <hermod/low/low.hpp>

namespace hermod {
int third() {
  return kLow + kHigh;
}
}  // namespace hermod
