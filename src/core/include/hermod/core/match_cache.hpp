// SPDX-License-Identifier: Apache-2.0
// Remembers who a topic goes to, so that publishing again to it does not walk the tree. An entry is
// good as long as the version of its part of the tree has not moved.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hermod/core/topic_tree.hpp"

namespace hermod::core {

class MatchCache {
 public:
  /// Topics remembered at most, and octets of memory, about; beyond that the cache starts afresh.
  static constexpr std::size_t kTopicsMax = 16'384;
  static constexpr std::size_t kBytesMax = 16u << 20;

  MatchCache(const TopicTree& tree, std::uint64_t hash_key) : tree_(tree), hash_key_(hash_key) {}

  [[nodiscard]] const TopicTree& tree() const { return tree_; }
  /// Everybody interested in `topic`; valid until the next call or a change of the tree.
  [[nodiscard]] const MatchSet& find(std::string_view topic);
  /// Octets of memory that the entries take.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string topic;
    std::uint64_t version = 0;  // of the topic's part of the tree
    std::uint64_t changes = 0;  // of the whole tree, when the version was last compared
    MatchSet set;

    [[nodiscard]] std::size_t memory() const {
      return sizeof(Entry) + topic.capacity() + set.matches.capacity() * sizeof(Match) +
             set.ids.capacity() * sizeof(std::uint32_t);
    }
  };
  const TopicTree& tree_;
  std::uint64_t hash_key_;
  Entry* last_ = nullptr;  // publishers repeat topics
  std::size_t bytes_ = 0;
  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<Entry>> entries_;
};

}  // namespace hermod::core
