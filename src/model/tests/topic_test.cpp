// SPDX-License-Identifier: Apache-2.0
#include "hermod/model/topic.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hermod/base/rng.hpp"

namespace hermod::model {
namespace {

std::vector<std::string> levels_of(std::string_view text) {
  std::vector<std::string> all;
  for (Levels levels{text}; !levels.done();) all.emplace_back(levels.next());
  return all;
}

TEST(Levels, EverySlashSeparatesTwo) {
  using List = std::vector<std::string>;
  EXPECT_EQ(levels_of("a"), List({"a"}));
  EXPECT_EQ(levels_of("a/b/c"), List({"a", "b", "c"}));
  EXPECT_EQ(levels_of("a//b"), List({"a", "", "b"}));
  EXPECT_EQ(levels_of("/a/"), List({"", "a", ""}));
  EXPECT_EQ(levels_of("/"), List({"", ""}));
  EXPECT_EQ(levels_of(""), List({""}));
  EXPECT_EQ(level_count(""), 1u);
  EXPECT_EQ(level_count("a//b"), 3u);
  EXPECT_EQ(level_count("/"), 2u);
}

TEST(Topic, WildcardsAreFoundAnywhere) {
  EXPECT_FALSE(has_wildcard("a/b"));
  EXPECT_FALSE(has_wildcard(""));
  EXPECT_TRUE(has_wildcard("a/+/b"));
  EXPECT_TRUE(has_wildcard("a/#"));
  EXPECT_TRUE(has_wildcard("+"));
}

struct Case {
  std::string_view filter;
  std::string_view topic;
  bool matches;
};

// The examples of MQTT 3.1.1 §4.7.1.2, §4.7.1.3, §4.7.2 and §4.7.3, and what lies beside them.
constexpr Case kCases[] = {
    {"sport/tennis/player1/#", "sport/tennis/player1", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
    {"sport/tennis/player1/#", "sport/tennis/player10", false},
    {"sport/tennis/player1/#", "sport/tennis", false},
    {"sport/#", "sport", true},
    {"sport/#", "sport/", true},
    {"sport/#", "sports", false},
    {"#", "sport/tennis", true},
    {"#", "/", true},
    {"sport/tennis/+", "sport/tennis/player1", true},
    {"sport/tennis/+", "sport/tennis/player2", true},
    {"sport/tennis/+", "sport/tennis/player1/ranking", false},
    {"sport/+", "sport", false},
    {"sport/+", "sport/", true},
    {"+", "finance", true},
    {"+", "/finance", false},
    {"+/+", "/finance", true},
    {"/+", "/finance", true},
    {"/+", "finance", false},
    {"+/tennis/#", "sport/tennis", true},
    {"+/tennis/#", "sport/tennis/a/b", true},
    {"+/tennis/#", "sport/golf", false},
    {"sport/+/player1", "sport/tennis/player1", true},
    {"sport/+/player1", "sport/tennis/player2", false},
    {"sport/+/player1", "sport/player1", false},
    {"#", "$SYS", false},  // [MQTT-4.7.2-1]
    {"#", "$SYS/broker", false},
    {"+/monitor/Clients", "$SYS/monitor/Clients", false},
    {"+", "$SYS", false},
    {"$SYS/#", "$SYS/monitor/Clients", true},
    {"$SYS/#", "$SYS", true},
    {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
    {"a/#", "a/$b", true},  // only the first level is special
    {"a/+", "a/$b", true},
    {"ACCOUNTS", "Accounts", false},  // §4.7.3: case counts
    {"a", "a", true},
    {"a", "a/b", false},
    {"a/b", "a", false},
    {"/", "/", true},
    {"a/", "a", false},
    {"a", "a/", false},
    {"a//b", "a//b", true},
    {"a/+/b", "a//b", true},
    {"a/b", "a//b", false},
};

TEST(Topic, MatchesAsTheSpecificationSays) {
  for (const Case& c : kCases) {
    EXPECT_EQ(matches(c.filter, c.topic), c.matches) << c.filter << " and " << c.topic;
  }
}

// The rules once more, as directly as they can be said.
bool matches_plainly(const std::vector<std::string>& filter, std::size_t f,
                     const std::vector<std::string>& topic, std::size_t t) {
  if (f == filter.size()) return t == topic.size();
  if (filter[f] == "#") return true;
  if (t == topic.size()) return false;
  if (filter[f] != "+" && filter[f] != topic[t]) return false;
  return matches_plainly(filter, f + 1, topic, t + 1);
}

std::string join(const std::vector<std::string>& levels) {
  std::string out;
  for (std::size_t i = 0; i < levels.size(); ++i) out += (i == 0 ? "" : "/") + levels[i];
  return out;
}

TEST(Topic, MatchesAsThePlainRulesOnRandomNames) {
  const std::vector<std::string> words{"a", "b", "", "$s", "ab", "+", "+", "#"};
  const std::size_t literals = 5;
  SeededRng rng{1};
  std::size_t matched = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::vector<std::string> topic(1 + rng.below(4));
    for (std::string& level : topic) level = words[rng.below(literals)];
    std::vector<std::string> filter(1 + rng.below(4));
    for (std::string& level : filter) level = words[rng.below(words.size() - 1)];
    if (rng.below(3) == 0) filter.back() = words.back();
    const bool hidden = topic[0].starts_with('$') && (filter[0] == "+" || filter[0] == "#");
    const bool expected = !hidden && matches_plainly(filter, 0, topic, 0);
    matched += expected ? 1 : 0;
    ASSERT_EQ(matches(join(filter), join(topic)), expected)
        << join(filter) << " and " << join(topic);
  }
  EXPECT_GT(matched, 5'000u);
}

TEST(Topic, SharedFiltersHaveAGroupAndAFilter) {
  const auto parts = split_shared("$share/consumers/sport/tennis/+");
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->group, "consumers");
  EXPECT_EQ(parts->filter, "sport/tennis/+");
  const auto slash = split_shared("$share/g//a");  // the filter "/a"
  ASSERT_TRUE(slash.has_value());
  EXPECT_EQ(slash->filter, "/a");
}

TEST(Topic, IncompleteSharedFiltersAreNone) {
  for (const std::string_view filter : {"", "a/b", "$share", "$share/", "$share/g", "$share/g/",
                                        "$share//a", "$share/+/a", "$share/g#/a", "$Share/g/a"}) {
    EXPECT_FALSE(split_shared(filter).has_value()) << filter;
  }
}

}  // namespace
}  // namespace hermod::model
