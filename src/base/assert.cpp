// SPDX-License-Identifier: Apache-2.0
#include "hermod/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace hermod {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "hermod: broken invariant: %s at %s:%d. Please report this.\n", condition,
               file, line);
  std::abort();
}

}  // namespace hermod
