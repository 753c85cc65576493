// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/topic_tree.hpp"

#include <algorithm>

#include "hermod/base/assert.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::core {
namespace {

struct LevelHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::uint64_t key = 0;
  std::size_t operator()(std::string_view level) const { return keyed_hash(level, key); }
  std::size_t operator()(const TopicTree::Node* node) const;
};

struct LevelEqual {
  using is_transparent = void;
  bool operator()(const TopicTree::Node* a, const TopicTree::Node* b) const { return a == b; }
  bool operator()(std::string_view level, const TopicTree::Node* node) const;
  bool operator()(const TopicTree::Node* node, std::string_view level) const {
    return operator()(level, node);
  }
};

}  // namespace

struct TopicTree::Node {
  struct Children {
    explicit Children(std::uint64_t key) : literal(0, LevelHash{key}) {}
    boost::unordered_flat_set<Node*, LevelHash, LevelEqual> literal;
    Node* single = nullptr;  // '+'
    Node* multi = nullptr;   // '#'
    [[nodiscard]] bool empty() const {
      return literal.empty() && single == nullptr && multi == nullptr;
    }
    [[nodiscard]] Node* find(std::string_view name) const {
      if (name == "+") return single;
      if (name == "#") return multi;
      const auto found = literal.find(name);
      return found == literal.end() ? nullptr : *found;
    }
  };

  Node* parent = nullptr;
  std::string level;
  std::unique_ptr<Children> children;
  std::vector<Subscription> subscriptions;  // ascending by subscriber
  ShardSet shards = 0;

  Node() = default;
  Node(Node* of, std::string_view name) : parent(of), level(name) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() {
    if (!children) return;
    for (Node* child : children->literal) delete child;
    delete children->single;
    delete children->multi;
  }
  [[nodiscard]] bool idle() const {
    return subscriptions.empty() && shards == 0 && (!children || children->empty());
  }
};

namespace {

std::size_t LevelHash::operator()(const TopicTree::Node* node) const {
  return keyed_hash(node->level, key);
}

bool LevelEqual::operator()(std::string_view level, const TopicTree::Node* node) const {
  return level == node->level;
}

auto position(std::vector<TopicTree::Subscription>& list, SubscriberIndex subscriber) {
  return std::ranges::lower_bound(list, subscriber, {}, &TopicTree::Subscription::subscriber);
}

// Adds what one node holds to the set. The set is folded by subscriber afterwards.
void collect(const TopicTree::Node& node, std::vector<const TopicTree::Subscription*>& found,
             ShardSet& shards) {
  shards |= node.shards;
  for (const auto& subscription : node.subscriptions) found.push_back(&subscription);
}

// Returns how many nodes it visited.
std::size_t walk(const TopicTree::Node& node, model::Levels levels, bool wildcards,
                 std::vector<const TopicTree::Subscription*>& found, ShardSet& shards) {
  std::size_t visited = 1;
  const auto* children = node.children.get();
  if (children != nullptr && children->multi != nullptr && wildcards) {
    collect(*children->multi, found, shards);  // '#' stands for the parent too: §4.7.1.2
    ++visited;
  }
  if (levels.done()) {
    collect(node, found, shards);
    return visited;
  }
  if (children == nullptr) return visited;
  const std::string_view level = levels.next();
  if (children->single != nullptr && wildcards) {
    visited += walk(*children->single, levels, true, found, shards);
  }
  const auto literal = children->literal.find(level);
  if (literal != children->literal.end()) {
    visited += walk(**literal, levels, true, found, shards);
  }
  return visited;
}

void fold(std::vector<const TopicTree::Subscription*>& found, MatchSet& out) {
  std::ranges::stable_sort(found, {}, &TopicTree::Subscription::subscriber);
  for (const auto* subscription : found) {
    if (out.matches.empty() || out.matches.back().subscriber != subscription->subscriber) {
      out.matches.push_back({.subscriber = subscription->subscriber,
                             .ids_begin = static_cast<std::uint32_t>(out.ids.size())});
    }
    Match& match = out.matches.back();
    match.guarantee_max = std::max(match.guarantee_max, subscription->guarantee_max);
    match.no_local = match.no_local && subscription->no_local;
    match.some_no_local = match.some_no_local || subscription->no_local;
    match.retain_as_published = match.retain_as_published || subscription->retain_as_published;
    if (subscription->subscription_id != 0) {
      out.ids.push_back(subscription->subscription_id);
      ++match.ids_count;
    }
  }
}

}  // namespace

TopicTree::TopicTree(std::uint64_t hash_key)
    : hash_key_(hash_key), root_(std::make_unique<Node>()) {}
TopicTree::~TopicTree() = default;

TopicTree::Node* TopicTree::make(std::string_view filter) {
  Node* node = root_.get();
  model::Levels levels{filter};
  while (!levels.done()) {
    const std::string_view level = levels.next();
    if (!node->children) node->children = std::make_unique<Node::Children>(hash_key_);
    Node::Children& children = *node->children;
    Node* child = children.find(level);
    if (child == nullptr) {
      child = new Node(node, level);
      if (level == "+") {
        children.single = child;
      } else if (level == "#") {
        children.multi = child;
      } else {
        children.literal.insert(child);
      }
    }
    node = child;
  }
  return node;
}

TopicTree::Node* TopicTree::find(std::string_view filter) const {
  Node* node = root_.get();
  model::Levels levels{filter};
  while (node != nullptr && !levels.done()) {
    const std::string_view level = levels.next();
    node = node->children ? node->children->find(level) : nullptr;
  }
  return node;
}

TopicTree::Added TopicTree::add(std::string_view filter, SubscriberIndex subscriber,
                                const model::SubscriptionOptions& options) {
  Node* node = make(filter);
  bump(filter);
  const Subscription subscription{subscriber, options.subscription_id, options.guarantee_max,
                                  options.no_local, options.retain_as_published};
  const bool first = node->subscriptions.empty();
  const auto at = position(node->subscriptions, subscriber);
  if (at != node->subscriptions.end() && at->subscriber == subscriber) {
    *at = subscription;
    return {node, true, false};
  }
  node->subscriptions.insert(at, subscription);
  ++subscriptions_;
  return {node, false, first};
}

bool TopicTree::holds(const Node* node, SubscriberIndex subscriber) {
  return std::ranges::binary_search(node->subscriptions, subscriber, {}, &Subscription::subscriber);
}

bool TopicTree::remove(Node* node, SubscriberIndex subscriber) {
  const auto at = position(node->subscriptions, subscriber);
  HERMOD_ASSERT(at != node->subscriptions.end() && at->subscriber == subscriber);
  bump(filter_of(node));
  node->subscriptions.erase(at);
  --subscriptions_;
  const bool last = node->subscriptions.empty();
  if (last) {
    node->subscriptions.shrink_to_fit();
    prune(node);
  }
  return last;
}

void TopicTree::set_shard(std::string_view filter, std::uint16_t shard, bool interested) {
  const ShardSet bit = ShardSet{1} << shard;
  if (interested) {
    make(filter)->shards |= bit;
    bump(filter);
  } else if (Node* node = find(filter); node != nullptr) {
    node->shards &= ~bit;
    bump(filter);
    prune(node);
  }
}

void TopicTree::prune(Node* node) {
  while (node != root_.get() && node->idle()) {
    Node* parent = node->parent;
    Node::Children& children = *parent->children;
    if (node == children.single) {
      children.single = nullptr;
    } else if (node == children.multi) {
      children.multi = nullptr;
    } else {
      children.literal.erase(node);
    }
    if (children.empty()) parent->children.reset();
    delete node;
    node = parent;
  }
}

std::string TopicTree::filter_of(const Node* node) const {
  std::string filter = node->level;
  for (node = node->parent; node != root_.get(); node = node->parent) {
    filter.insert(0, 1, '/');
    filter.insert(0, node->level);
  }
  return filter;
}

std::size_t TopicTree::match(std::string_view topic, MatchSet& out) const {
  out.matches.clear();
  out.ids.clear();
  out.shards = 0;
  std::vector<const Subscription*> found;
  const bool wildcards = !topic.starts_with('$');  // [MQTT-4.7.2-1]
  const std::size_t visited = walk(*root_, model::Levels{topic}, wildcards, found, out.shards);
  fold(found, out);
  return visited;
}

void TopicTree::match_own(std::string_view topic, SubscriberIndex subscriber, MatchSet& out) const {
  out = {};
  std::vector<const Subscription*> found;
  walk(*root_, model::Levels{topic}, !topic.starts_with('$'), found, out.shards);
  std::erase_if(found, [subscriber](const Subscription* subscription) {
    return subscription->subscriber != subscriber || subscription->no_local;
  });
  fold(found, out);
}

std::size_t TopicTree::subtree(std::string_view text) const {
  return keyed_hash(text.substr(0, text.find('/')), hash_key_) % kSubtrees;
}

void TopicTree::bump(std::string_view filter) {
  ++changes_;
  if (filter.starts_with('+') || filter.starts_with('#')) {
    ++wildcard_version_;
  } else {
    ++versions_[subtree(filter)];
  }
}

std::uint64_t TopicTree::version(std::string_view topic) const {
  // Both only grow, so their sum stands still only while neither has moved.
  return wildcard_version_ + versions_[subtree(topic)];
}

}  // namespace hermod::core
