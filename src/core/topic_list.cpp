// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/topic_list.hpp"

#include <algorithm>
#include <array>

namespace hermod::core {
namespace {

using model::TopicEntry;
using model::TopicSelection;

/// A page while it is filled.
class Filling {
 public:
  Filling(const Retained& retained, const Declarations& declarations, Instant now,
          std::size_t count_max)
      : retained_(retained), declarations_(declarations), now_(now), count_max_(count_max) {}

  /// True while more fits.
  bool add(std::string_view topic, const model::TopicProperties* declared,
           const model::Message* value) {
    TopicEntry& entry = page_.entries.emplace_back();
    entry.topic = topic;
    bytes_ += topic.size();
    if (declared != nullptr) {
      entry.declared = *declared;
      bytes_ += declared->resource_type.size() + declared->content_type.size() +
                declared->topic_type.size();
    }
    if (value != nullptr) {
      entry.has_value = true;
      if (value->properties != nullptr) entry.content_type = value->properties->content_type;
      entry.value_bytes = value->payload.size();
      entry.expires_at = value->expires_at;
      bytes_ += entry.content_type.size();
    }
    return page_.entries.size() < count_max_ && bytes_ < kListBytes;
  }

  TopicPage values(const ListQuery& query) {
    page_.next = retained_.match(query.filter, query.after, kListVisits, now_,
                                 [this](const model::MessageRef& value) {
                                   const std::string_view topic = value->destination.address;
                                   return add(topic, declarations_.find(topic), &*value);
                                 });
    return std::move(page_);
  }
  TopicPage declared(const ListQuery& query) {
    page_.next = declarations_.match(
        query.filter, query.after, kListVisits,
        [this](std::string_view topic, const model::TopicProperties& properties) {
          return add(topic, &properties, retained_.find(topic, now_));
        });
    return std::move(page_);
  }

 private:
  const Retained& retained_;
  const Declarations& declarations_;
  Instant now_;
  std::size_t count_max_;
  TopicPage page_;
  std::size_t bytes_ = 0;
};

}  // namespace

TopicPage list_topics(const Retained& retained, const Declarations& declarations,
                      const ListQuery& query, Instant now) {
  const std::size_t count_max = std::clamp<std::size_t>(query.count_max, 1, kListEntries);
  const auto filling = [&] { return Filling{retained, declarations, now, count_max}; };
  if (query.selection == TopicSelection::kWithValue) return filling().values(query);
  if (query.selection == TopicSelection::kDeclared) return filling().declared(query);
  std::array both{filling().values(query), filling().declared(query)};
  return merge_pages(both, count_max);
}

TopicPage merge_pages(std::span<TopicPage> pages, std::size_t count_max) {
  // A page that goes on knows nothing of what comes after its end: nor does the merged one.
  const std::string* end = nullptr;
  for (const TopicPage& page : pages) {
    if (page.next.empty()) continue;
    if (end == nullptr || TopicOrder::less(page.next, *end)) end = &page.next;
  }
  TopicPage merged;
  std::vector<std::size_t> taken(pages.size());
  for (;;) {
    std::size_t first = pages.size();
    for (std::size_t i = 0; i < pages.size(); ++i) {
      if (taken[i] == pages[i].entries.size()) continue;
      if (first == pages.size() || TopicOrder::less(pages[i].entries[taken[i]].topic,
                                                    pages[first].entries[taken[first]].topic)) {
        first = i;
      }
    }
    if (first == pages.size()) break;
    TopicEntry& entry = pages[first].entries[taken[first]];
    if (end != nullptr && TopicOrder::less(*end, entry.topic)) break;
    const bool again = !merged.entries.empty() && merged.entries.back().topic == entry.topic;
    if (!again && merged.entries.size() >= count_max) {
      merged.next = merged.entries.back().topic;
      return merged;
    }
    ++taken[first];
    if (!again) merged.entries.push_back(std::move(entry));
  }
  if (end != nullptr) merged.next = *end;
  return merged;
}

}  // namespace hermod::core
