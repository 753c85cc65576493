// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hermod/base/time.hpp"

namespace hermod::load {

/// For people and reports, which count in seconds.
[[nodiscard]] inline double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace hermod::load
