// SPDX-License-Identifier: Apache-2.0
// The cache never says anything but what the tree says now.
#include "hermod/core/match_cache.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hash_key.hpp"
#include "hermod/testkit/allocations.hpp"
#include "random_names.hpp"

namespace hermod::core {
namespace {

void expect_same(const MatchSet& cached, const MatchSet& fresh, std::string_view topic) {
  ASSERT_EQ(cached.shards, fresh.shards) << topic;
  ASSERT_EQ(cached.ids, fresh.ids) << topic;
  ASSERT_EQ(cached.matches.size(), fresh.matches.size()) << topic;
  for (std::size_t i = 0; i < fresh.matches.size(); ++i) {
    const Match& a = cached.matches[i];
    const Match& b = fresh.matches[i];
    ASSERT_EQ(a.subscriber, b.subscriber) << topic;
    ASSERT_EQ(a.guarantee_max, b.guarantee_max) << topic;
    ASSERT_EQ(a.no_local, b.no_local) << topic;
    ASSERT_EQ(a.retain_as_published, b.retain_as_published) << topic;
    ASSERT_EQ(a.ids_begin, b.ids_begin) << topic;
    ASSERT_EQ(a.ids_count, b.ids_count) << topic;
  }
}

TEST(MatchCache, IsNeverStale) {
  SeededRng rng{3};
  TopicTree tree{kHashKey};
  MatchCache cache{tree, kHashKey};
  std::vector<std::string> topics;
  for (int i = 0; i < 20; ++i) topics.push_back(random_topic(rng));
  std::map<std::pair<std::string, SubscriberIndex>, bool> held;
  MatchSet fresh;
  for (int round = 0; round < 20'000; ++round) {
    if (rng.below(3) == 0) {
      const std::string filter = random_filter(rng);
      const auto subscriber = static_cast<SubscriberIndex>(rng.below(3));
      bool& is_held = held[{filter, subscriber}];
      if (rng.below(4) == 0) {
        tree.set_shard(filter, static_cast<std::uint16_t>(rng.below(3)), rng.below(2) == 0);
      } else if (is_held && rng.below(2) == 0) {
        tree.remove(tree.find(filter), subscriber);
        is_held = false;
      } else {
        tree.add(filter, subscriber,
                 {.guarantee_max = static_cast<model::Guarantee>(rng.below(3)),
                  .subscription_id = static_cast<std::uint32_t>(rng.below(3))});
        is_held = true;
      }
    }
    const std::string& topic = topics[rng.below(topics.size())];
    tree.match(topic, fresh);
    ASSERT_NO_FATAL_FAILURE(expect_same(cache.find(topic), fresh, topic));
  }
}

TEST(MatchCache, ReplacesTopicsWhenItHoldsTooMany) {
  TopicTree tree{kHashKey};
  MatchCache cache{tree, kHashKey};
  tree.add("#", 1, {});
  const auto find_all = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(cache.find(fmt::format("t/{}", i)).matches.size(), 1u);
    }
  };
  find_all(MatchCache::kTopicsMax / 4);
  const std::uint64_t walks = cache.walks();
  find_all(MatchCache::kTopicsMax / 4);
  EXPECT_LE(cache.walks(), walks + walks / 20);  // a full set has to do without one of its topics

  find_all(2 * MatchCache::kTopicsMax + 5);
  const std::size_t bytes = cache.bytes();
  find_all(4 * MatchCache::kTopicsMax);
  EXPECT_LE(cache.bytes(), bytes + bytes / 100);  // names differ in length
  EXPECT_EQ(cache.find("t/1").matches.size(), 1u);
}

// Who publishes to ever new topics does not drive out those of the others.
TEST(MatchCache, ManyNewTopicsLeaveMostKnownOnes) {
  TopicTree tree{kHashKey};
  MatchCache cache{tree, kHashKey};
  const auto find_known = [&] {
    for (int i = 0; i < 1000; ++i) (void)cache.find(fmt::format("known/{}", i));
  };
  find_known();
  for (std::size_t i = 0; i < 3 * MatchCache::kTopicsMax; ++i) {
    (void)cache.find(fmt::format("new/{}", i));
  }
  const std::uint64_t walks = cache.walks();
  find_known();
  EXPECT_LE(cache.walks(), walks + 300);
}

TEST(MatchCache, AKnownTopicCostsNoWalk) {
  TopicTree tree{kHashKey};
  MatchCache cache{tree, kHashKey};
  tree.add("a/#", 1, {});
  tree.add("b", 1, {});
  (void)cache.find("a/b");
  (void)cache.find("b");
  EXPECT_EQ(cache.walks(), 2u);
  const std::size_t before = testkit::allocation_count();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(cache.find("a/b").matches.size(), 1u);
    EXPECT_EQ(cache.find("b").matches.size(), 1u);
  }
  EXPECT_EQ(testkit::allocation_count(), before);
  EXPECT_EQ(cache.walks(), 2u);

  tree.set_shard("elsewhere", 1, true);
  EXPECT_EQ(cache.find("a/b").matches.size(), 1u);
  EXPECT_EQ(cache.walks(), 2u);
}

// Clients that come and go beside a topic, and under wildcards that are not its, do not make it be
// matched anew.
TEST(MatchCache, AChangeBesideATopicCostsNoWalk) {
  TopicTree tree{kHashKey};
  MatchCache cache{tree, kHashKey};
  tree.add("a/b", 1, {});
  (void)cache.find("a/b");
  for (SubscriberIndex subscriber = 0; subscriber < 1000; ++subscriber) {
    const auto one = tree.add(fmt::format("a/{}", subscriber), subscriber, {});
    const auto other = tree.add("+/c/#", subscriber, {});
    EXPECT_EQ(cache.find("a/b").matches.size(), 1u);
    tree.remove(one.node, subscriber);
    tree.remove(other.node, subscriber);
  }
  EXPECT_EQ(cache.walks(), 1u);
  tree.add("+/b", 2, {});
  EXPECT_EQ(cache.find("a/b").matches.size(), 2u);
  EXPECT_EQ(cache.walks(), 2u);
}

// A filter is remembered by the octet; one that is longer than what is remembered, or a change that
// is too long ago, concerns everybody.
TEST(MatchCache, WhatIsNotRememberedConcernsEveryTopic) {
  TopicTree tree{kHashKey};
  const std::string long_filter = "a/" + std::string(200, 'x');
  const std::uint64_t start = tree.changes();
  EXPECT_TRUE(tree.is_unconcerned("a/b", start));
  const auto added = tree.add(long_filter, 1, {});
  EXPECT_FALSE(tree.is_unconcerned("a/b", start));
  EXPECT_TRUE(tree.is_unconcerned("a/b", tree.changes()));
  const std::uint64_t before = tree.changes() + 1;
  tree.remove(added.node, 1);
  for (int i = 0; i < 64; ++i) tree.set_shard("c", 1, i % 2 == 0);
  EXPECT_TRUE(tree.is_unconcerned("a/b", before));
  tree.set_shard("c", 1, true);
  EXPECT_FALSE(tree.is_unconcerned("a/b", before));
}

// Topics are the publishers' to choose, and may be long: what is remembered has an end in octets
// too.
TEST(MatchCache, LongTopicsAndLargeSetsAreForgottenInTime) {
  TopicTree tree{kHashKey};
  MatchCache cache{tree, kHashKey};
  for (SubscriberIndex subscriber = 0; subscriber < 100; ++subscriber) {
    (void)tree.add("#", subscriber, {});
  }
  const std::size_t before = testkit::allocated_octets();
  for (int i = 0; i < 2'000; ++i) {
    const std::string topic = fmt::format("{:065535}", i);
    EXPECT_EQ(cache.find(topic).matches.size(), 100u);
    ASSERT_LE(cache.bytes(), MatchCache::kBytesMax + 100'000);
  }
  EXPECT_LE(testkit::allocated_octets() - before, MatchCache::kBytesMax + (1u << 20));
  EXPECT_GT(cache.bytes(), 0u);
}

}  // namespace
}  // namespace hermod::core
