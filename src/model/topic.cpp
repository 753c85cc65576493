// SPDX-License-Identifier: Apache-2.0
#include "hermod/model/topic.hpp"

#include <algorithm>

namespace hermod::model {

std::size_t level_count(std::string_view text) {
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '/'));
}

bool has_wildcard(std::string_view filter) {
  return filter.find_first_of("+#") != std::string_view::npos;
}

bool matches(std::string_view filter, std::string_view topic) {
  const bool wild_first = filter.starts_with('+') || filter.starts_with('#');
  if (wild_first && topic.starts_with('$')) return false;  // [MQTT-4.7.2-1]
  Levels wanted{filter};
  Levels given{topic};
  while (!wanted.done()) {
    const std::string_view want = wanted.next();
    if (want == "#") return true;
    const std::string_view have = given.next();
    if (want != "+" && want != have) return false;
    // "sport/#" also matches "sport": MQTT 3.1.1 §4.7.1.2
    if (given.done() && !wanted.done()) return wanted.next() == "#";
  }
  return given.done();
}

std::optional<SharedFilter> split_shared(std::string_view filter) {
  constexpr std::string_view kPrefix = "$share/";
  if (!filter.starts_with(kPrefix)) return std::nullopt;
  filter.remove_prefix(kPrefix.size());
  const std::size_t slash = filter.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == filter.size()) {
    return std::nullopt;
  }
  const SharedFilter parts{filter.substr(0, slash), filter.substr(slash + 1)};
  if (has_wildcard(parts.group)) return std::nullopt;
  return parts;
}

}  // namespace hermod::model
