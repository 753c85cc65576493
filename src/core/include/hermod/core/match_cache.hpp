// SPDX-License-Identifier: Apache-2.0
// Remembers who a topic goes to, so that publishing again to it does not walk the tree. An entry is
// good as long as no change of the tree concerns its topic. When the table is full, one of many new
// topics takes the place of an old one in its set of eight; the others are matched each time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/core/topic_tree.hpp"

namespace hermod::core {

class MatchCache {
 public:
  /// Topics remembered at most, and octets of memory, about; beyond these octets the cache starts
  /// afresh.
  static constexpr std::size_t kTopicsMax = 16'384;
  static constexpr std::size_t kBytesMax = 16u << 20;

  MatchCache(const TopicTree& tree, std::uint64_t hash_key) : tree_(tree), hash_key_(hash_key) {}

  [[nodiscard]] const TopicTree& tree() const { return tree_; }
  /// Everybody interested in `topic`; valid until the next call or a change of the tree.
  [[nodiscard]] const MatchSet& find(std::string_view topic);
  /// Octets of memory that it takes.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// How often it had to ask the tree.
  [[nodiscard]] std::uint64_t walks() const { return walks_; }

 private:
  static constexpr std::size_t kWays = 8;        // places a topic can take: a cache line of tags
  static constexpr std::size_t kPlacesMin = 64;  // to begin with
  static constexpr std::size_t kPlaceEach = 16;  // one of so many new topics gets a place
  struct Entry {
    std::string topic;
    std::uint64_t changes = 0;  // of the tree, when the entry was last known to be good
    MatchSet set;

    [[nodiscard]] std::size_t memory() const {
      return topic.capacity() + set.matches.capacity() * sizeof(Match) +
             set.ids.capacity() * sizeof(std::uint32_t);
    }
  };

  [[nodiscard]] Entry* look_up(std::uint64_t tag, std::string_view topic);
  [[nodiscard]] Entry* make_place(std::uint64_t tag);
  [[nodiscard]] std::size_t first_way(std::uint64_t tag) const {
    return tag * kWays & (tags_.size() - 1);
  }
  [[nodiscard]] bool is_still_good(Entry& entry) const;
  void fill(Entry& entry, std::string_view topic);
  void resize(std::size_t places);

  const TopicTree& tree_;
  std::uint64_t hash_key_;
  Entry* last_ = nullptr;            // publishers repeat topics
  std::vector<std::uint64_t> tags_;  // hashes of the topics; 0: nobody's place
  std::vector<Entry> entries_;       // as many
  std::size_t used_ = 0;
  std::size_t bytes_ = 0;
  std::size_t without_place_ = 0;  // new topics whose set was full
  Entry spare_;                    // of the last one that got no place
  std::uint64_t walks_ = 0;
};

}  // namespace hermod::core
