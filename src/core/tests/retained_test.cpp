// SPDX-License-Identifier: Apache-2.0
// The table of last values against a plain map; pages whose values change in between.
#include "hermod/core/retained.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "hash_key.hpp"
#include "hermod/model/topic.hpp"
#include "random_names.hpp"

namespace hermod::core {
namespace {

using model::Message;
using model::Reason;

constexpr Instant kNow{};

Message message_of(std::string_view topic, std::string_view payload, std::uint64_t version) {
  return {.destination = model::Destination::topic(topic),
          .payload = as_bytes(payload),
          .retain = true,
          .version = version};
}

// "" when there is none.
std::string value_of(const Retained& retained, std::string_view topic, Instant now = kNow) {
  const Message* found = retained.find(topic, now);
  return found == nullptr ? "" : std::string{as_text(found->payload)};
}

// '!' (0x21) is less than '/' (0x2f) as an octet, but a level ends before it goes on; octets are
// unsigned.
TEST(TopicOrder, ComparesLevelByLevel) {
  const std::vector<std::string> ascending{"",    "/",  "/a",  "a",  "a/",    "a/!",
                                           "a/b", "a!", "a!b", "ab", "a\xff", "b"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(TopicOrder::less(ascending[i], ascending[j]), i < j) << i << ' ' << j;
    }
  }
}

TEST(TopicOrder, IsAStrictWeakOrder) {
  SeededRng rng{5};
  std::vector<std::string> topics{"a!", "a/!", "!", "\xff", "a\xff/b"};
  for (int i = 0; i < 40; ++i) topics.push_back(random_topic(rng));
  for (const std::string& a : topics) {
    ASSERT_FALSE(TopicOrder::less(a, a)) << a;
    for (const std::string& b : topics) {
      ASSERT_EQ(TopicOrder::less(a, b) || TopicOrder::less(b, a), a != b) << a << ' ' << b;
      ASSERT_FALSE(TopicOrder::less(a, b) && TopicOrder::less(b, a)) << a << ' ' << b;
      for (const std::string& c : topics) {
        if (!TopicOrder::less(a, b) || !TopicOrder::less(b, c)) continue;
        ASSERT_TRUE(TopicOrder::less(a, c)) << a << ' ' << b << ' ' << c;
      }
    }
  }
}

// Names are compared eight octets at a time: the place of the difference must not matter.
TEST(TopicOrder, FindsTheFirstDifferenceWhereverItIs) {
  for (std::size_t size = 1; size <= 26; ++size) {
    const std::string name(size, 'm');
    EXPECT_TRUE(TopicOrder::less(name.substr(1), name)) << size;
    EXPECT_FALSE(TopicOrder::less(name, name.substr(1))) << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string other(size, at % 2 == 0 ? 'z' : 'a');  // behind the difference the opposite
      other.replace(0, at, name, 0, at);
      for (const char less : {'/', 'a', '!'}) {
        other[at] = less;
        EXPECT_TRUE(TopicOrder::less(other, name)) << other;
        EXPECT_FALSE(TopicOrder::less(name, other)) << other;
      }
      other[at] = '\xc3';  // octets are not signed
      EXPECT_TRUE(TopicOrder::less(name, other)) << other;
      EXPECT_FALSE(TopicOrder::less(other, name)) << other;
    }
  }
}

TEST(Retained, TheLastValueStaysAndAnEmptyOneClears) {
  const Limits limits;
  Retained retained{limits, kHashKey};
  EXPECT_EQ(retained.store(message_of("t", "one", 1)), Reason::kOk);
  EXPECT_EQ(value_of(retained, "t"), "one");
  const std::size_t bytes = retained.bytes();
  EXPECT_EQ(retained.store(message_of("t", "two", 2)), Reason::kOk);
  EXPECT_EQ(value_of(retained, "t"), "two");
  EXPECT_EQ(retained.size(), 1u);
  EXPECT_EQ(retained.bytes(), bytes);
  EXPECT_EQ(retained.store(message_of("t", "", 3)), Reason::kOk);  // [MQTT-3.3.1-10]
  EXPECT_EQ(retained.find("t", kNow), nullptr);
  EXPECT_EQ(retained.size(), 0u);
  EXPECT_EQ(retained.bytes(), 0u);
  EXPECT_EQ(retained.store(message_of("never", "", 4)), Reason::kOk);
}

TEST(Retained, WhicheverArrivesLastTheHighestVersionStays) {
  const std::vector<std::pair<std::string, std::uint64_t>> sent{
      {"one", 10}, {"", 20}, {"two", 30}, {"three", 40}};
  for (std::size_t count = 1; count <= sent.size(); ++count) {
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    do {
      const Limits limits;
      Retained retained{limits, kHashKey};
      for (const std::size_t i : order) {
        EXPECT_EQ(retained.store(message_of("t", sent[i].first, sent[i].second)), Reason::kOk);
      }
      EXPECT_EQ(value_of(retained, "t"), sent[count - 1].first);
    } while (std::ranges::next_permutation(order).found);
  }
}

TEST(Retained, ThousandsOfClearsAreRemembered) {
  const Limits limits;
  Retained retained{limits, kHashKey};
  for (std::size_t i = 0; i < Retained::kClearsMin; ++i) {
    (void)retained.store(message_of(fmt::format("t/{}", i), "", 100 + i));
  }
  for (std::size_t i = 0; i < Retained::kClearsMin; ++i) {
    (void)retained.store(message_of(fmt::format("t/{}", i), "late", 50));
  }
  EXPECT_EQ(retained.size(), 0u);
  (void)retained.store(message_of("t/7", "newer", 1'000'000));
  EXPECT_EQ(value_of(retained, "t/7"), "newer");
}

TEST(Retained, AnExpiredValueIsNotSeen) {
  const Limits limits;
  Retained retained{limits, kHashKey};
  Message message = message_of("t", "x", 1);
  message.expires_at = Instant{std::chrono::seconds{10}};
  (void)retained.store(message);
  EXPECT_EQ(value_of(retained, "t", Instant{std::chrono::seconds{9}}), "x");
  EXPECT_EQ(value_of(retained, "t", Instant{std::chrono::seconds{10}}), "");
  for (const char* filter : {"t", "#"}) {
    int seen = 0;
    const auto visit = [&](const model::MessageRef&) { return ++seen > 0; };
    (void)retained.match(filter, "", 10, Instant{std::chrono::seconds{9}}, visit);
    EXPECT_EQ(seen, 1) << filter;
    (void)retained.match(filter, "", 10, Instant{std::chrono::seconds{10}}, visit);
    EXPECT_EQ(seen, 1) << filter;
  }
}

TEST(Retained, MessagesMaxRefusesANewTopicOnly) {
  Limits limits;
  limits.retained_messages_max = 2;
  Retained retained{limits, kHashKey};
  EXPECT_EQ(retained.store(message_of("a", "1", 1)), Reason::kOk);
  EXPECT_EQ(retained.store(message_of("b", "1", 2)), Reason::kOk);
  EXPECT_EQ(retained.store(message_of("c", "1", 3)), Reason::kQuotaExceeded);
  EXPECT_EQ(retained.store(message_of("b", "2", 4)), Reason::kOk);
  EXPECT_EQ(retained.store(message_of("a", "", 5)), Reason::kOk);
  EXPECT_EQ(retained.store(message_of("c", "1", 6)), Reason::kOk);
  EXPECT_EQ(retained.size(), 2u);
  EXPECT_EQ(value_of(retained, "b"), "2");
}

TEST(Retained, BytesMaxRefusesWhatDoesNotFitAndKeepsTheOldValue) {
  Limits limits;
  limits.retained_bytes_max = 1'000;
  Retained retained{limits, kHashKey};
  EXPECT_EQ(retained.store(message_of("a", std::string(100, 'x'), 1)), Reason::kOk);
  EXPECT_EQ(retained.store(message_of("a", std::string(900, 'y'), 2)), Reason::kQuotaExceeded);
  EXPECT_EQ(value_of(retained, "a"), std::string(100, 'x'));
  EXPECT_EQ(retained.store(message_of("b", std::string(900, 'y'), 3)), Reason::kQuotaExceeded);
  EXPECT_EQ(retained.store(message_of("a", std::string(500, 'z'), 4)), Reason::kOk);
  EXPECT_LE(retained.bytes(), limits.retained_bytes_max);
}

std::vector<std::string> all_pages(const Retained& retained, std::string_view filter,
                                   std::size_t page) {
  std::vector<std::string> seen;
  std::string after;
  do {
    after = retained.match(filter, after, page, kNow, [&](const model::MessageRef& value) {
      seen.emplace_back(value->destination.address);
      return true;
    });
  } while (!after.empty());
  return seen;
}

TEST(Retained, PagesOfAnySizeAreThePlainAnswerInOrder) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRng rng{seed};
    const Limits limits;
    Retained retained{limits, kHashKey};
    std::vector<std::string> topics;
    for (int i = 0; i < 40; ++i) {
      topics.push_back(random_topic(rng));
      (void)retained.store(message_of(topics.back(), "x", 1));
    }
    std::ranges::sort(topics, TopicOrder::less);
    topics.erase(std::ranges::unique(topics).begin(), topics.end());
    for (int i = 0; i < 40; ++i) {
      const std::string filter = random_filter(rng);
      std::vector<std::string> expected;
      std::ranges::copy_if(topics, std::back_inserter(expected),
                           [&](const std::string& topic) { return model::matches(filter, topic); });
      const std::size_t page = 1 + rng.below(6);
      ASSERT_EQ(all_pages(retained, filter, page), expected) << filter << " by " << page;
    }
  }
}

TEST(Retained, APageLooksAtNoMoreThanItsSizeAndStaysBehindThePrefix) {
  const Limits limits;
  Retained retained{limits, kHashKey};
  for (int i = 0; i < 100; ++i) (void)retained.store(message_of(fmt::format("s{}", i), "x", 1));
  (void)retained.store(message_of("s", "x", 1));
  (void)retained.store(message_of("s/1", "x", 1));
  int seen = 0;
  const auto count = [&](const model::MessageRef&) { return ++seen > 0; };
  EXPECT_EQ(retained.match("s/#", "", 2, kNow, count), "");  // does not walk over s0 to s99
  EXPECT_EQ(seen, 2);
  EXPECT_NE(retained.match("+/none", "", 50, kNow, count), "");  // nothing matches, yet it stops
  EXPECT_EQ(seen, 2);
}

TEST(Retained, AVisitorThatHasEnoughIsNotCalledAgain) {
  const Limits limits;
  Retained retained{limits, kHashKey};
  for (const char* topic : {"a", "b", "c"}) (void)retained.store(message_of(topic, "x", 1));
  int seen = 0;
  const std::string next = retained.match("+", "", 10, kNow, [&](const model::MessageRef&) {
    ++seen;
    return seen < 2;
  });
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(next, "b");
}

// What stays from the first page to the last is seen exactly once, whatever changes around it.
TEST(Retained, ValuesThatStayAreSeenOnceWhenOthersChangeBetweenPages) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SeededRng rng{seed};
    const Limits limits;
    Retained retained{limits, kHashKey};
    std::map<std::string, bool> stays;
    for (int i = 0; i < 30; ++i) {
      const std::string topic = random_topic(rng);
      if (!stays.contains(topic)) stays[topic] = rng.below(2) == 0;
      (void)retained.store(message_of(topic, "x", 1));
    }
    const std::string filter = random_filter(rng);
    std::map<std::string, int> seen;
    std::string after;
    std::uint64_t version = 1;
    do {
      after = retained.match(filter, after, 1 + rng.below(4), kNow,
                             [&](const model::MessageRef& value) {
                               ++seen[std::string{value->destination.address}];
                               return true;
                             });
      for (int i = 0; i < 3; ++i) {
        const std::string topic = random_topic(rng);
        const auto known = stays.find(topic);
        if (known != stays.end() && known->second) continue;
        (void)retained.store(message_of(topic, rng.below(2) == 0 ? "" : "y", ++version));
      }
      if (!after.empty() && !stays[after]) (void)retained.store(message_of(after, "", ++version));
    } while (!after.empty());
    for (const auto& [topic, count] : seen) ASSERT_LE(count, 1) << filter << ' ' << topic;
    for (const auto& [topic, fixed] : stays) {
      if (!fixed) continue;
      ASSERT_EQ(seen[topic], model::matches(filter, topic) ? 1 : 0) << filter << ' ' << topic;
    }
  }
}

// What the broker says of itself has room however full the table is, and takes none away.
TEST(Retained, OwnTopicsDoNotCountAgainstTheLimits) {
  Limits limits;
  limits.retained_messages_max = 1;
  limits.retained_bytes_max = 1'000;
  Retained retained{limits, kHashKey};
  const std::string large(900, 'x');
  EXPECT_EQ(retained.store(message_of("$SYS/broker/a", large, 1)), Reason::kOk);
  EXPECT_EQ(retained.store(message_of("$SYS/broker/b", large, 2)), Reason::kOk);
  EXPECT_EQ(retained.size(), 0u);
  EXPECT_EQ(retained.bytes(), 0u);
  EXPECT_EQ(retained.store(message_of("t", "x", 3)), Reason::kOk);
  EXPECT_EQ(retained.store(message_of("u", "x", 4)), Reason::kQuotaExceeded);
  EXPECT_EQ(retained.store(message_of("$SYS/broker/c", "1", 5)), Reason::kOk);  // full, and yet
  EXPECT_EQ(retained.store(message_of("$SYS/broker/a", "2", 6)), Reason::kOk);
  EXPECT_EQ(value_of(retained, "$SYS/broker/a"), "2");
  EXPECT_EQ(retained.store(message_of("$SYS/broker/a", "", 7)), Reason::kOk);
  EXPECT_EQ(retained.size(), 1u);
  EXPECT_EQ(retained.store(message_of("t", "", 8)), Reason::kOk);
  EXPECT_EQ(retained.size(), 0u);
  EXPECT_EQ(retained.bytes(), 0u);
}

// Where clients may publish, their values count as any others.
TEST(Retained, BridgeStatesCount) {
  Limits limits;
  limits.retained_messages_max = 1;
  Retained retained{limits, kHashKey};
  EXPECT_EQ(retained.store(message_of("$SYS/broker/connection/b/state", "1", 1)), Reason::kOk);
  EXPECT_EQ(retained.store(message_of("t", "x", 2)), Reason::kQuotaExceeded);
}

}  // namespace
}  // namespace hermod::core
