// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/match_cache.hpp"

#include <algorithm>
#include <utility>

namespace hermod::core {

const MatchSet& MatchCache::find(std::string_view topic) {
  const std::uint64_t changes = tree_.changes();
  if (last_ != nullptr && last_->changes == changes && last_->topic == topic) return last_->set;
  const std::uint64_t tag = std::max<std::uint64_t>(keyed_hash(topic, hash_key_), 1);
  Entry* entry = look_up(tag, topic);
  if (entry == nullptr) {
    if (bytes_ > kBytesMax) resize(0);
    entry = make_place(tag);
    fill(*entry, topic);
  } else if (entry->changes != changes) {
    if (!is_still_good(*entry)) fill(*entry, topic);
    entry->changes = changes;
  }
  last_ = entry;
  return entry->set;
}

MatchCache::Entry* MatchCache::look_up(std::uint64_t tag, std::string_view topic) {
  if (tags_.empty()) return nullptr;
  const std::size_t first = first_way(tag);
  for (std::size_t at = first; at < first + kWays; ++at) {
    if (tags_[at] == tag && entries_[at].topic == topic) return &entries_[at];
  }
  return nullptr;
}

// A free place of the topic's set, or one that another topic has to leave. The table grows when it
// is half full and a set is. Once it cannot, most new topics get no place: a publisher of a million
// topics would otherwise drive out all others, and gain nothing.
MatchCache::Entry* MatchCache::make_place(std::uint64_t tag) {
  if (tags_.empty()) resize(kPlacesMin);
  while (true) {
    const std::size_t first = first_way(tag);
    for (std::size_t at = first; at < first + kWays; ++at) {
      if (tags_[at] != 0) continue;
      tags_[at] = tag;
      ++used_;
      return &entries_[at];
    }
    if (tags_.size() == kTopicsMax || used_ * 2 < tags_.size()) {
      ++without_place_;
      if (tags_.size() == kTopicsMax && without_place_ % kPlaceEach != 0) return &spare_;
      const std::size_t at = first + without_place_ / kPlaceEach % kWays;
      tags_[at] = tag;
      return &entries_[at];
    }
    resize(tags_.size() * 2);
  }
}

// To ask what has changed costs about as much for each change as to match a few subscribers anew.
bool MatchCache::is_still_good(Entry& entry) const {
  const std::uint64_t version = tree_.version(entry.topic);
  if (entry.set.version == version) return true;
  constexpr std::size_t kAlways = 8;
  if (tree_.changes() - entry.changes > kAlways + entry.set.matches.size() ||
      !tree_.is_unconcerned(entry.topic, entry.changes)) {
    return false;
  }
  entry.set.version = version;
  return true;
}

void MatchCache::fill(Entry& entry, std::string_view topic) {
  const std::size_t before = entry.memory();
  if (entry.topic != topic) entry.topic = topic;
  entry.changes = tree_.changes();
  tree_.match(topic, entry.set);
  bytes_ += entry.memory() - before;
  ++walks_;
}

// To more places, or to none at all. A set of eight comes apart into two.
void MatchCache::resize(std::size_t places) {
  const auto tags = std::exchange(tags_, std::vector<std::uint64_t>(places));
  auto entries = std::exchange(entries_, std::vector<Entry>(places));
  last_ = nullptr;
  used_ = 0;
  bytes_ = spare_.memory() + places * (sizeof(std::uint64_t) + sizeof(Entry) + Entry{}.memory());
  if (places == 0) return;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (tags[i] == 0) continue;
    Entry& place = *make_place(tags[i]);
    bytes_ += entries[i].memory() - place.memory();
    place = std::move(entries[i]);
  }
}

}  // namespace hermod::core
