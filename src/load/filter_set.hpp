// SPDX-License-Identifier: Apache-2.0
// The topic filters of one client: one, or a million that are named when they are needed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace hermod::load {

struct FilterSet {
  std::uint32_t count = 0;
  std::function<std::string(std::uint32_t)> name;  ///< of the numbers below `count`

  static FilterSet one(std::string filter) {
    return {1, [filter = std::move(filter)](std::uint32_t) { return filter; }};
  }
};

}  // namespace hermod::load
