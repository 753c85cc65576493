// SPDX-License-Identifier: Apache-2.0
// Walks through a table of topics that is kept in TopicOrder, for those that a filter matches.
#pragma once

#include <iterator>
#include <string>
#include <string_view>

#include "hermod/model/topic.hpp"

namespace hermod::core {

/// The leading levels of `filter` without a wildcard: every match begins with them.
inline std::string_view literal_prefix(std::string_view filter) {
  const std::size_t wild = filter.find_first_of("+#");
  if (wild == std::string_view::npos) return filter;
  const std::size_t slash = filter.rfind('/', wild);
  return slash == std::string_view::npos || wild == 0 ? std::string_view{}
                                                      : filter.substr(0, slash);
}

/// Visits the entries that match `filter`, which has a wildcard, in order, after the topic `after`
/// (empty: from the start). Stops after `visits_max` entries looked at or when `visit` returns
/// false. Returns the topic to continue after; empty when all were seen.
template <typename Table, typename TopicOf, typename Visit>
std::string walk_topics(const Table& table, std::string_view filter, std::string_view after,
                        std::size_t visits_max, const TopicOf& topic_of, const Visit& visit) {
  const std::string_view prefix = literal_prefix(filter);
  auto at = after.empty() ? table.lower_bound(prefix) : table.upper_bound(after);
  for (; at != table.end(); ++at) {
    const std::string_view topic = topic_of(*at);
    // Past everything that can match: "sport/golf" comes before "sports".
    if (!topic.starts_with(prefix)) return {};
    if (!prefix.empty() && topic.size() > prefix.size() && topic[prefix.size()] != '/') return {};
    if (visits_max-- == 0) return std::string{topic_of(*std::prev(at))};
    if (model::matches(filter, topic) && !visit(*at)) return std::string{topic};
  }
  return {};
}

}  // namespace hermod::core
