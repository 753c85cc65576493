// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/topic_list.hpp"

#include <algorithm>
#include <set>

#include "core_fixture.hpp"

namespace hermod::core {
namespace {

using model::TopicSelection;

class TopicListTest : public CoreFixture {
 protected:
  void declare(std::string_view topic) {
    EXPECT_EQ(core.declarations().declare(topic, {.properties = {.topic_type = "x"}}, false).reason,
              model::Reason::kOk);
  }
  void keep(std::string_view topic, std::string_view value) {
    send(topic, value, Guarantee::kAtMostOnce, true);
  }
  /// All pages, "topic" with 'd' when declared and 'v' when it has a value.
  std::string list(std::string_view filter, TopicSelection selection, std::size_t count_max = 100) {
    std::string text;
    std::string after;
    do {
      const TopicPage page = core.list({filter, after, selection, count_max}, now);
      EXPECT_LE(page.entries.size(), count_max);
      for (const model::TopicEntry& entry : page.entries) {
        text += fmt::format("{}:{}{} ", entry.topic, entry.declared ? "d" : "",
                            entry.has_value ? "v" : "");
      }
      after = page.next;
    } while (!after.empty());
    return text;
  }
};

TEST_F(TopicListTest, ValuesAndDeclarationsBecomeOneList) {
  declare("b");
  declare("a/2");
  keep("a/1", "1");
  keep("a/2", "2");
  keep("c", "3");
  for (std::size_t count_max = 1; count_max < 6; ++count_max) {
    SCOPED_TRACE(count_max);
    EXPECT_EQ(list("#", TopicSelection::kAny, count_max), "a/1:v a/2:dv b:d c:v ");
    EXPECT_EQ(list("#", TopicSelection::kDeclared, count_max), "a/2:dv b:d ");
    EXPECT_EQ(list("#", TopicSelection::kWithValue, count_max), "a/1:v a/2:dv c:v ");
    EXPECT_EQ(list("a/+", TopicSelection::kAny, count_max), "a/1:v a/2:dv ");
  }
  EXPECT_EQ(list("b", TopicSelection::kAny), "b:d ");
  EXPECT_EQ(list("c", TopicSelection::kAny), "c:v ");
  EXPECT_EQ(list("a", TopicSelection::kAny), "");
}

TEST_F(TopicListTest, TopicsOfTheBrokerOnlyWhenAskedFor) {
  keep("$SYS/uptime", "1");
  keep("x", "1");
  EXPECT_EQ(list("#", TopicSelection::kAny), "x:v ");
  EXPECT_EQ(list("+/uptime", TopicSelection::kAny), "");
  EXPECT_EQ(list("$SYS/#", TopicSelection::kAny), "$SYS/uptime:v ");
}

TEST_F(TopicListTest, AnEntryTellsEnoughForALink) {
  declare("t");
  const model::Properties properties{.content_type = "text/plain"};
  model::Message message{.destination = model::Destination::topic("t"),
                         .payload = as_bytes("12345"),
                         .properties = &properties,
                         .retain = true,
                         .expires_at = now + std::chrono::seconds{5}};
  EXPECT_LE(core.publish(message, now), model::Reason::kNoMatch);
  core.flush();
  const TopicPage page = core.list({.filter = "t"}, now);
  ASSERT_EQ(page.entries.size(), 1u);
  const model::TopicEntry& entry = page.entries.front();
  EXPECT_EQ(entry.declared->topic_type, "x");
  EXPECT_TRUE(entry.has_value);
  EXPECT_EQ(entry.content_type, "text/plain");
  EXPECT_EQ(entry.value_bytes, 5u);
  EXPECT_EQ(entry.expires_at, now + std::chrono::seconds{5});
  now += std::chrono::seconds{5};
  EXPECT_EQ(list("t", TopicSelection::kAny), "t:d ");
  EXPECT_EQ(list("t", TopicSelection::kWithValue), "");
}

TEST_F(TopicListTest, WorkOfOnePageIsBounded) {
  for (std::size_t i = 0; i < 2 * kListVisits; ++i) keep(fmt::format("a/{:04}/x", i), "1");
  keep("b", "1");
  const TopicPage none = core.list({.filter = "+/+/y", .count_max = 10}, now);
  EXPECT_TRUE(none.entries.empty());
  EXPECT_EQ(none.next, fmt::format("a/{:04}/x", kListVisits - 1));
  const TopicPage full = core.list({.filter = "#", .count_max = 10'000}, now);
  EXPECT_EQ(full.entries.size(), kListEntries);
  EXPECT_EQ(full.next, full.entries.back().topic);
}

TEST_F(TopicListTest, OctetsOfOnePageAreBounded) {
  const std::string level(30'000, 'x');
  for (int i = 0; i < 10; ++i) keep(fmt::format("{}/{}", i, level), "1");
  const TopicPage page = core.list({.filter = "#", .count_max = 100}, now);
  EXPECT_EQ(page.entries.size(), 3u);
  EXPECT_FALSE(page.next.empty());
}

// What a page that goes on has not read yet may come before what the others have.
TEST(MergePages, EndWhereTheFirstOfThemEnds) {
  const auto page = [](std::initializer_list<std::string> topics, std::string next) {
    TopicPage made{.next = std::move(next)};
    for (const std::string& topic : topics) made.entries.push_back({.topic = topic});
    return made;
  };
  std::vector<TopicPage> pages;
  pages.push_back(page({"a", "d"}, "d"));
  pages.push_back(page({"b", "e", "f"}, ""));
  pages.push_back(page({"c"}, "g"));
  TopicPage merged = merge_pages(pages, 10);
  std::string all;
  for (const model::TopicEntry& entry : merged.entries) all += entry.topic;
  EXPECT_EQ(all, "abcd");
  EXPECT_EQ(merged.next, "d");
  EXPECT_TRUE(merge_pages({}, 10).next.empty());
}

}  // namespace
}  // namespace hermod::core
