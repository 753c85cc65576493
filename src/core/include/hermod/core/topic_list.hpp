// SPDX-License-Identifier: Apache-2.0
// Lists of topics, page by page: of one shard's values and declarations, and of several shards'
// pages that become one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/core/declarations.hpp"
#include "hermod/core/retained.hpp"
#include "hermod/model/topic_properties.hpp"

namespace hermod::core {

/// In topic order.
struct TopicPage {
  std::vector<model::TopicEntry> entries;
  std::string next;  ///< continue after this topic; empty: that was all
};

struct ListQuery {
  std::string_view filter;  ///< well-formed
  std::string_view after;   ///< empty: from the start
  model::TopicSelection selection = model::TopicSelection::kAny;
  std::size_t count_max = 1;
};

/// Entries of one page, values and declarations looked at for it, and octets of texts with which it
/// ends.
inline constexpr std::size_t kListEntries = 128;
inline constexpr std::size_t kListVisits = 512;
inline constexpr std::size_t kListBytes = 64u << 10;

/// One page; it may be empty and not the last. A topic that begins with '$' is in it only when the
/// filter begins so too.
[[nodiscard]] TopicPage list_topics(const Retained& retained, const Declarations& declarations,
                                    const ListQuery& query, Instant now);

/// One page of what several have, which were asked the same: as far as all of them have been read,
/// and no more than `count_max` entries. Takes the entries out of `pages`.
[[nodiscard]] TopicPage merge_pages(std::span<TopicPage> pages, std::size_t count_max);

}  // namespace hermod::core
