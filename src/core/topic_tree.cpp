// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/topic_tree.hpp"

#include <algorithm>
#include <bit>
#include <span>

#include "hermod/base/assert.hpp"
#include "hermod/base/words.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::core {
namespace {

// A level of a topic. Several branches of a walk may look it up: it is hashed once, and not before.
struct HashedLevel {
  std::string_view name;
  std::uint64_t hash = 0;  // 0: not yet

  std::uint64_t hash_under(std::uint64_t key) {
    if (hash == 0) hash = keyed_hash(name, key);
    return hash;
  }
};

struct LevelHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::uint64_t key = 0;
  std::size_t operator()(std::string_view level) const { return keyed_hash(level, key); }
  std::size_t operator()(const HashedLevel& level) const { return level.hash; }
  std::size_t operator()(const TopicTree::Node* node) const;
};

struct LevelEqual {
  using is_transparent = void;
  bool operator()(const TopicTree::Node* a, const TopicTree::Node* b) const { return a == b; }
  bool operator()(std::string_view level, const TopicTree::Node* node) const;
  bool operator()(const TopicTree::Node* node, std::string_view level) const {
    return operator()(level, node);
  }
  bool operator()(const HashedLevel& level, const TopicTree::Node* node) const {
    return operator()(level.name, node);
  }
  bool operator()(const TopicTree::Node* node, const HashedLevel& level) const {
    return operator()(level.name, node);
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

// The walk over all filters that match one topic.
struct Walk {
  std::span<HashedLevel> levels;
  std::uint64_t hash_key;
  std::vector<const TopicTree::Node*>& found;
  ShardSet shards = 0;
  std::size_t visited = 0;

  void collect(const TopicTree::Node& node) {
    shards |= node.shards;
    if (!node.subscriptions.empty()) found.push_back(&node);
  }

  void visit(const TopicTree::Node& node, std::size_t depth, bool wildcards) {
    ++visited;
    const auto* children = node.children.get();
    if (children != nullptr && children->multi != nullptr && wildcards) {
      collect(*children->multi);  // '#' stands for the parent too: §4.7.1.2
      ++visited;
    }
    if (depth == levels.size()) return collect(node);
    if (children == nullptr) return;
    if (children->single != nullptr && wildcards) visit(*children->single, depth + 1, true);
    if (children->literal.empty()) return;
    HashedLevel& level = levels[depth];
    level.hash_under(hash_key);
    const auto literal = children->literal.find(level);
    if (literal != children->literal.end()) visit(**literal, depth + 1, true);
  }
};

void fold(const TopicTree::Subscription& subscription, MatchSet& out) {
  if (out.matches.empty() || out.matches.back().subscriber != subscription.subscriber) {
    out.matches.push_back({.subscriber = subscription.subscriber,
                           .ids_begin = static_cast<std::uint32_t>(out.ids.size())});
  }
  Match& match = out.matches.back();
  match.guarantee_max = std::max(match.guarantee_max, subscription.guarantee_max);
  match.no_local = match.no_local && subscription.no_local;
  match.some_no_local = match.some_no_local || subscription.no_local;
  match.retain_as_published = match.retain_as_published || subscription.retain_as_published;
  if (subscription.subscription_id != 0) {
    out.ids.push_back(subscription.subscription_id);
    ++match.ids_count;
  }
}

// The subscribers of one filter are in order, each once.
void take_all(const std::vector<TopicTree::Subscription>& subscriptions, MatchSet& out) {
  out.matches.resize(subscriptions.size());
  Match* match = out.matches.data();
  for (const auto& subscription : subscriptions) {
    const bool has_id = subscription.subscription_id != 0;
    *match++ = {.subscriber = subscription.subscriber,
                .guarantee_max = subscription.guarantee_max,
                .no_local = subscription.no_local,
                .some_no_local = subscription.no_local,
                .retain_as_published = subscription.retain_as_published,
                .ids_begin = static_cast<std::uint32_t>(out.ids.size()),
                .ids_count = has_id ? 1u : 0u};
    if (has_id) out.ids.push_back(subscription.subscription_id);
  }
}

// The high bits of those of eight octets that are '/', the first octet lowest. Adding 0x7F to what
// an octet without its high bit differs in sets that bit exactly when it differs.
std::uint64_t slashes(const char* at) {
  std::uint64_t word = load8(at);
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  const std::uint64_t other = word ^ each_octet('/');
  return ~(((other & each_octet(0x7F)) + each_octet(0x7F)) | other) & each_octet(0x80);
}

// Levels are short: one pass over all of them, not a search for each.
void split(std::string_view topic, std::vector<HashedLevel>& levels) {
  levels.clear();
  const char* begin = topic.data();
  const char* at = begin;
  const char* const end = begin + topic.size();
  const auto end_level = [&](const char* slash) {
    levels.push_back({{begin, static_cast<std::size_t>(slash - begin)}});
    begin = slash + 1;
  };
  for (; end - at >= 8; at += 8) {
    for (std::uint64_t found = slashes(at); found != 0; found &= found - 1) {
      end_level(at + std::countr_zero(found) / 8);
    }
  }
  for (; at != end; ++at) {
    if (*at == '/') end_level(at);
  }
  end_level(end);
}

}  // namespace

// What a match needs while it is made.
struct TopicTree::Scratch {
  std::vector<HashedLevel> levels;
  std::vector<const Node*> nodes;
  std::vector<const Subscription*> found;
  std::vector<std::uint64_t> order;  // subscriber, and where in `found`

  // Those of several filters are put in order by subscriber; what one has stays in the order of the
  // walk.
  void fold_found(MatchSet& out) {
    order.clear();
    for (const auto* subscription : found) {
      order.push_back(std::uint64_t{subscription->subscriber} << 32 | order.size());
    }
    std::ranges::sort(order);
    for (const std::uint64_t key : order) fold(*found[key & UINT32_MAX], out);
  }
};

TopicTree::TopicTree(std::uint64_t hash_key)
    : hash_key_(hash_key), root_(std::make_unique<Node>()), scratch_(std::make_unique<Scratch>()) {}
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

// Leaves the nodes of all filters that match in the scratch.
std::size_t TopicTree::walk(std::string_view topic, ShardSet& shards) const {
  split(topic, scratch_->levels);
  scratch_->nodes.clear();
  Walk walk{scratch_->levels, hash_key_, scratch_->nodes};
  const bool wildcards = !topic.starts_with('$');  // [MQTT-4.7.2-1]
  walk.visit(*root_, 0, wildcards);
  shards = walk.shards;
  return walk.visited;
}

std::size_t TopicTree::match(std::string_view topic, MatchSet& out) const {
  out.matches.clear();
  out.ids.clear();
  const std::size_t visited = walk(topic, out.shards);
  out.version = version_of(scratch_->levels.front().hash_under(hash_key_));
  if (scratch_->nodes.size() == 1) {
    take_all(scratch_->nodes.front()->subscriptions, out);
  } else if (!scratch_->nodes.empty()) {
    scratch_->found.clear();
    for (const Node* node : scratch_->nodes) {
      for (const Subscription& one : node->subscriptions) scratch_->found.push_back(&one);
    }
    scratch_->fold_found(out);
  }
  return visited;
}

void TopicTree::match_own(std::string_view topic, SubscriberIndex subscriber, MatchSet& out) const {
  out = {};
  walk(topic, out.shards);
  scratch_->found.clear();
  for (const Node* node : scratch_->nodes) {
    for (const Subscription& one : node->subscriptions) {
      if (one.subscriber == subscriber && !one.no_local) scratch_->found.push_back(&one);
    }
  }
  scratch_->fold_found(out);
}

namespace {

std::string_view first_level(std::string_view text) {
  return text.substr(0, text.find('/'));
}

}  // namespace

void TopicTree::bump(std::string_view filter) {
  ++changes_;
  if (recent_.empty()) recent_.resize(kRecent);
  recent_[changes_ % kRecent] = filter.size() <= kRecentOctets ? filter : std::string_view{};
  if (filter.starts_with('+') || filter.starts_with('#')) {
    ++wildcard_version_;
  } else {
    ++versions_[keyed_hash(first_level(filter), hash_key_) % kSubtrees];
  }
}

bool TopicTree::is_unconcerned(std::string_view topic, std::uint64_t changes) const {
  if (changes_ - changes > kRecent) return false;
  for (++changes; changes <= changes_; ++changes) {
    const std::string& filter = recent_[changes % kRecent];
    if (filter.empty() || model::matches(filter, topic)) return false;
  }
  return true;
}

std::uint64_t TopicTree::version(std::string_view topic) const {
  return version_of(keyed_hash(first_level(topic), hash_key_));
}

std::uint64_t TopicTree::version_of(std::uint64_t first_level_hash) const {
  // Both only grow, so their sum stands still only while neither has moved.
  return wildcard_version_ + versions_[first_level_hash % kSubtrees];
}

}  // namespace hermod::core
