// SPDX-License-Identifier: Apache-2.0
// The tree against a list of subscriptions that are all looked at.
#include "hermod/core/topic_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "hash_key.hpp"
#include "hermod/model/topic.hpp"
#include "random_names.hpp"

namespace hermod::core {
namespace {

using model::Guarantee;
using model::SubscriptionOptions;

// What a match says of one subscriber.
struct Folded {
  Guarantee guarantee = Guarantee::kAtMostOnce;
  bool no_local = true;
  bool retain_as_published = false;
  std::multiset<std::uint32_t> ids;
  bool operator==(const Folded&) const = default;
};

struct Answer {
  std::map<SubscriberIndex, Folded> subscribers;
  ShardSet shards = 0;
  bool operator==(const Answer&) const = default;
};

Answer answer_of(const MatchSet& set) {
  Answer answer{.shards = set.shards};
  for (const Match& match : set.matches) {
    const auto* ids = set.ids.data() + match.ids_begin;
    answer.subscribers[match.subscriber] = {match.guarantee_max,
                                            match.no_local,
                                            match.retain_as_published,
                                            {ids, ids + match.ids_count}};
  }
  return answer;
}

Answer answer_of(const TopicTree& tree, std::string_view topic) {
  MatchSet set;
  tree.match(topic, set);
  for (std::size_t i = 1; i < set.matches.size(); ++i) {
    EXPECT_LT(set.matches[i - 1].subscriber, set.matches[i].subscriber);
  }
  return answer_of(set);
}

// The plain list.
struct Model {
  std::map<std::pair<std::string, SubscriberIndex>, SubscriptionOptions> subscriptions;
  std::map<std::string, ShardSet> shards;

  [[nodiscard]] Answer answer(std::string_view topic) const {
    Answer out;
    for (const auto& [key, options] : subscriptions) {
      if (!model::matches(key.first, topic)) continue;
      Folded& folded = out.subscribers[key.second];
      folded.guarantee = std::max(folded.guarantee, options.guarantee_max);
      folded.no_local = folded.no_local && options.no_local;
      folded.retain_as_published = folded.retain_as_published || options.retain_as_published;
      if (options.subscription_id != 0) folded.ids.insert(options.subscription_id);
    }
    for (const auto& [filter, set] : shards) {
      if (model::matches(filter, topic)) out.shards |= set;
    }
    return out;
  }
  [[nodiscard]] bool has_filter(std::string_view filter) const {
    return std::ranges::any_of(subscriptions,
                               [&](const auto& entry) { return entry.first.first == filter; });
  }
};

SubscriptionOptions random_options(Rng& rng) {
  return {.guarantee_max = static_cast<Guarantee>(rng.below(3)),
          .no_local = rng.below(2) == 0,
          .retain_as_published = rng.below(2) == 0,
          .subscription_id = static_cast<std::uint32_t>(rng.below(3))};
}

class TreeAndModel {
 public:
  explicit TreeAndModel(std::uint64_t seed) : rng_(seed) {
    for (int i = 0; i < 30; ++i) topics_.insert(random_topic(rng_));
  }

  void step() {
    std::map<std::string, std::pair<std::uint64_t, Answer>> before;
    for (const std::string& topic : topics_) {
      before[topic] = {tree_.version(topic), answer_of(tree_, topic)};
    }
    const std::uint64_t changes = tree_.changes();
    const std::string filter = random_filter(rng_);
    if (change(filter)) {
      EXPECT_NE(tree_.changes(), changes) << filter;
    }
    for (const std::string& topic : topics_) {
      const Answer now = answer_of(tree_, topic);
      ASSERT_EQ(now, model_.answer(topic)) << topic << " after " << filter;
      if (now != before[topic].second) {
        ASSERT_NE(tree_.version(topic), before[topic].first) << topic << " after " << filter;
        ASSERT_FALSE(tree_.is_unconcerned(topic, changes)) << topic << " after " << filter;
      }
    }
    ASSERT_EQ(tree_.subscriptions(), model_.subscriptions.size());
  }

  void remove_everything() {
    while (!model_.subscriptions.empty()) remove(model_.subscriptions.begin()->first);
    for (const auto& [filter, set] : model_.shards) {
      for (std::uint16_t shard = 0; shard < 64; ++shard) {
        if ((set >> shard & 1) != 0) tree_.set_shard(filter, shard, false);
      }
    }
    model_.shards.clear();
  }

  // No level of any filter that ever was may have a node left.
  void expect_no_nodes() {
    for (std::string filter : filters_) {
      while (true) {
        EXPECT_EQ(tree_.find(filter), nullptr) << filter;
        const std::size_t slash = filter.rfind('/');
        if (slash == std::string::npos) break;
        filter.resize(slash);
      }
    }
    EXPECT_EQ(tree_.subscriptions(), 0u);
  }

 private:
  bool change(const std::string& filter) {
    filters_.insert(filter);
    const std::uint64_t what = rng_.below(8);
    if (what < 4) {
      add(filter);
      return true;
    }
    if (what < 6) {
      if (model_.subscriptions.empty()) return false;
      auto at = model_.subscriptions.begin();
      std::advance(at, rng_.below(model_.subscriptions.size()));
      remove(std::pair{at->first});
      return true;
    }
    const auto shard = static_cast<std::uint16_t>(rng_.below(4));
    const bool interested = what == 6;
    tree_.set_shard(filter, shard, interested);
    const ShardSet bit = ShardSet{1} << shard;
    ShardSet& set = model_.shards[filter];
    set = interested ? set | bit : set & ~bit;
    return interested;
  }

  void add(const std::string& filter) {
    const auto subscriber = static_cast<SubscriberIndex>(rng_.below(5));
    const SubscriptionOptions options = random_options(rng_);
    const bool first = !model_.has_filter(filter);
    const bool replaced = model_.subscriptions.contains({filter, subscriber});
    model_.subscriptions[{filter, subscriber}] = options;

    const TopicTree::Added added = tree_.add(filter, subscriber, options);
    EXPECT_EQ(added.replaced, replaced);
    EXPECT_EQ(added.first, first);
    EXPECT_EQ(added.node, tree_.find(filter));
    EXPECT_EQ(tree_.filter_of(added.node), filter);
    EXPECT_TRUE(TopicTree::holds(added.node, subscriber));
    EXPECT_FALSE(TopicTree::holds(added.node, 99));
  }

  void remove(std::pair<std::string, SubscriberIndex> key) {  // the model may hold the original
    model_.subscriptions.erase(key);
    TopicTree::Node* node = tree_.find(key.first);
    ASSERT_NE(node, nullptr);
    EXPECT_EQ(tree_.remove(node, key.second), !model_.has_filter(key.first));
  }

  SeededRng rng_;
  TopicTree tree_{kHashKey};
  Model model_;
  std::set<std::string> topics_;
  std::set<std::string> filters_;
};

TEST(TopicTree, IsTheListOfAllSubscriptions) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    TreeAndModel both{seed};
    for (int i = 0; i < 150 && !testing::Test::HasFatalFailure(); ++i) both.step();
  }
}

TEST(TopicTree, WhatIsRemovedLeavesNothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    TreeAndModel both{seed};
    for (int i = 0; i < 40; ++i) both.step();
    both.remove_everything();
    both.expect_no_nodes();
  }
}

TEST(TopicTree, OverlappingSubscriptionsAreOneMatchWithTheHighestGuarantee) {
  TopicTree tree{kHashKey};
  tree.add("a/+", 3, {.guarantee_max = Guarantee::kAtMostOnce, .no_local = true});
  tree.add("a/b", 3, {.guarantee_max = Guarantee::kExactlyOnce, .subscription_id = 8});
  tree.add("#", 3, {.guarantee_max = Guarantee::kAtLeastOnce, .subscription_id = 9});
  MatchSet set;
  tree.match("a/b", set);
  ASSERT_EQ(set.matches.size(), 1u);  // [MQTT-3.3.5-1]
  EXPECT_EQ(set.matches[0].guarantee_max, Guarantee::kExactlyOnce);
  EXPECT_FALSE(set.matches[0].no_local);
  EXPECT_EQ(std::multiset<std::uint32_t>(set.ids.begin(), set.ids.end()),
            (std::multiset<std::uint32_t>{8, 9}));
}

// The answers for other first levels stay good: that is what keeps the match cache warm.
TEST(TopicTree, AChangeTouchesItsFirstLevelOnly) {
  TopicTree tree{kHashKey};
  const auto other = tree.version("other/topic");
  const auto same = tree.version("here/x/y");
  TopicTree::Node* node = tree.add("here/+", 1, {}).node;
  EXPECT_EQ(tree.version("other/topic"), other);
  EXPECT_NE(tree.version("here/x/y"), same);

  const auto added = tree.version("here");
  tree.set_shard("here/#", 2, true);
  EXPECT_EQ(tree.version("other/topic"), other);
  EXPECT_NE(tree.version("here"), added);

  const auto known = tree.version("here");
  tree.remove(node, 1);
  EXPECT_EQ(tree.version("other/topic"), other);
  EXPECT_NE(tree.version("here"), known);

  tree.add("+/topic", 1, {});
  EXPECT_NE(tree.version("other/topic"), other);
}

TEST(TopicTree, ALongFilterIsOneNodeALevel) {
  std::string filter = "a";
  for (int i = 0; i < 127; ++i) filter += "/a";
  TopicTree tree{kHashKey};
  TopicTree::Node* node = tree.add(filter, 1, {}).node;
  EXPECT_EQ(tree.filter_of(node), filter);
  MatchSet set;
  tree.match(filter, set);
  EXPECT_EQ(set.matches.size(), 1u);
  tree.match(filter + "/a", set);
  EXPECT_TRUE(set.matches.empty());
  EXPECT_TRUE(tree.remove(node, 1));
  EXPECT_EQ(tree.find("a"), nullptr);
}

}  // namespace
}  // namespace hermod::core
