// SPDX-License-Identifier: Apache-2.0
// Who is interested in which topics, as one shard knows it: the subscriptions of its own
// subscribers, and for each filter the other shards that have subscribers for it. One node per
// level of a filter. Matching rules: MQTT 3.1.1 §4.7. It knows neither messages nor queues.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/hash.hpp"
#include "hermod/model/subscription.hpp"

namespace hermod::core {

/// Index of a subscriber on its shard.
using SubscriberIndex = std::uint32_t;

/// Set of shards, one bit each; hence at most 64 shards.
using ShardSet = std::uint64_t;

/// One subscriber that a topic goes to: its overlapping subscriptions folded into one.
struct Match {
  SubscriberIndex subscriber = 0;
  model::Guarantee guarantee_max = model::Guarantee::kAtMostOnce;  ///< the highest [MQTT-3.3.5-1]
  bool no_local = true;              ///< all of the subscriptions say so
  bool some_no_local = false;        ///< one of them does
  bool retain_as_published = false;  ///< one of the subscriptions says so
  std::uint32_t ids_begin = 0;       ///< into MatchSet::ids
  std::uint32_t ids_count = 0;

  bool operator==(const Match&) const = default;
};

/// Everybody that one topic goes to. Valid until the tree changes.
struct MatchSet {
  std::vector<Match> matches;      ///< ascending by subscriber, each once
  std::vector<std::uint32_t> ids;  ///< subscription ids
  ShardSet shards = 0;             ///< other shards with interest
  std::uint64_t version = 0;       ///< TopicTree::version() of the topic when it was matched
};

class TopicTree {
 public:
  struct Subscription {
    SubscriberIndex subscriber = 0;
    std::uint32_t subscription_id = 0;
    model::Guarantee guarantee_max = model::Guarantee::kAtMostOnce;
    bool no_local = false;
    bool retain_as_published = false;
  };
  /// A level of a filter. Its address is stable while it holds anything or has children.
  struct Node;

  struct Added {
    Node* node;
    bool replaced;  ///< the subscriber had this filter already; its options are the new ones now
    bool first;     ///< no subscriber of this shard had it before
  };

  explicit TopicTree(std::uint64_t hash_key);
  ~TopicTree();
  TopicTree(const TopicTree&) = delete;
  TopicTree& operator=(const TopicTree&) = delete;

  /// Adds or replaces a subscription; `filter` must be well-formed.
  Added add(std::string_view filter, SubscriberIndex subscriber,
            const model::SubscriptionOptions& options);
  /// The node of a filter, or nullptr.
  [[nodiscard]] Node* find(std::string_view filter) const;
  /// Removes a subscriber's subscription; true when none of this shard is left on the node, which
  /// may be gone then.
  bool remove(Node* node, SubscriberIndex subscriber);
  /// Notes or forgets that a shard has subscribers for `filter`.
  void set_shard(std::string_view filter, std::uint16_t shard, bool interested);
  /// The filter that a node stands for.
  [[nodiscard]] std::string filter_of(const Node* node) const;
  /// True when the subscriber has a subscription on this node.
  [[nodiscard]] static bool holds(const Node* node, SubscriberIndex subscriber);

  /// Fills `out` with everybody interested in `topic`. Returns the nodes that it visited: each at
  /// most once, and of `n` levels no more than 2^(n+1).
  std::size_t match(std::string_view topic, MatchSet& out) const;
  /// The same for one subscriber, without its subscriptions that say No Local.
  void match_own(std::string_view topic, SubscriberIndex subscriber, MatchSet& out) const;

  /// Changes whenever the answer for `topic` may have changed: the version of its first level's
  /// subtree and of the filters that begin with a wildcard.
  [[nodiscard]] std::uint64_t version(std::string_view topic) const;
  /// Grows by one with every change of the tree.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  /// True when the answer for `topic` is what it was when `changes` changes had been made. False
  /// also when that is too long ago to tell.
  [[nodiscard]] bool is_unconcerned(std::string_view topic, std::uint64_t changes) const;

  [[nodiscard]] std::size_t subscriptions() const { return subscriptions_; }

 private:
  static constexpr std::size_t kSubtrees = 256;
  static constexpr std::size_t kRecent = 64;         // changes whose filter is remembered,
  static constexpr std::size_t kRecentOctets = 128;  // if it is no longer than that

  struct Scratch;
  Node* make(std::string_view filter);
  void prune(Node* node);
  void bump(std::string_view filter);
  std::size_t walk(std::string_view topic, ShardSet& shards) const;
  [[nodiscard]] std::uint64_t version_of(std::uint64_t first_level_hash) const;

  std::uint64_t hash_key_;
  std::unique_ptr<Node> root_;
  std::size_t subscriptions_ = 0;
  std::uint64_t changes_ = 1;
  std::uint64_t wildcard_version_ = 1;
  std::uint64_t versions_[kSubtrees] = {};
  std::vector<std::string> recent_;   // filters by the number of the change; "": not remembered
  std::unique_ptr<Scratch> scratch_;  // of match(): its memory, reused
};

}  // namespace hermod::core
