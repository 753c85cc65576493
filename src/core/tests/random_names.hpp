// SPDX-License-Identifier: Apache-2.0
// Random topics and well-formed filters from few words, so that they meet often. For tests.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "hermod/base/rng.hpp"

namespace hermod::core {

inline constexpr std::array<std::string_view, 5> kWords{"a", "b", "ab", "", "$s"};

/// 1 to 4 levels. Never empty as a whole [MQTT-4.7.3-1].
inline std::string random_topic(Rng& rng) {
  std::string topic;
  do {
    topic.clear();
    for (std::uint64_t levels = 1 + rng.below(4); levels > 0; --levels) {
      topic += kWords[rng.below(kWords.size())];
      if (levels > 1) topic += '/';
    }
  } while (topic.empty());
  return topic;
}

/// 1 to 4 levels, of which some are '+' and the last may be '#'.
inline std::string random_filter(Rng& rng) {
  std::string filter;
  do {
    filter.clear();
    for (std::uint64_t levels = 1 + rng.below(4); levels > 0; --levels) {
      const bool last = levels == 1;
      if (last && rng.below(4) == 0) {
        filter += '#';
      } else if (rng.below(4) == 0) {
        filter += '+';
      } else {
        filter += kWords[rng.below(kWords.size())];
      }
      if (!last) filter += '/';
    }
  } while (filter.empty());
  return filter;
}

}  // namespace hermod::core
