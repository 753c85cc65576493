// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/resources.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermod::coap::test {
namespace {

using ::testing::ElementsAre;

struct Found {
  std::string topic;
  Target target;
};

Found find(const std::vector<std::string>& path, std::size_t levels_max = 128) {
  Found found;
  const std::vector<std::string_view> segments(path.begin(), path.end());
  found.target = read_target(segments, levels_max, found.topic);
  return found;
}

TEST(ReadTarget, FindsTheResource) {
  struct Row {
    std::vector<std::string> path;
    Resource resource;
    std::string_view topic;
  };
  for (const Row& row :
       {Row{{}, Resource::kNone, ""}, Row{{"ps"}, Resource::kCollection, ""},
        Row{{"ps", "data"}, Resource::kNone, ""}, Row{{"ps", "data", ""}, Resource::kNone, ""},
        Row{{"ps", "data", "a"}, Resource::kTopic, "a"},
        Row{{"ps", "data", "a", "b"}, Resource::kTopic, "a/b"},
        Row{{"ps", "data", "a", ""}, Resource::kTopic, "a/"},
        Row{{"ps", "data", "", "a"}, Resource::kTopic, "/a"},
        Row{{"ps", "data", "", ""}, Resource::kTopic, "/"},
        Row{{"ps", "data", "$SYS", "x y"}, Resource::kTopic, "$SYS/x y"},
        Row{{"ps", "other", "a"}, Resource::kNone, ""}, Row{{"PS"}, Resource::kNone, ""},
        Row{{".well-known", "core"}, Resource::kDiscovery, ""},
        Row{{".well-known", "core", "x"}, Resource::kNone, ""},
        Row{{".well-known"}, Resource::kNone, ""},
        Row{{"x", "ps", "data", "a"}, Resource::kNone, ""}}) {
    SCOPED_TRACE(::testing::PrintToString(row.path));
    const Found result = find(row.path);
    EXPECT_EQ(result.target.resource, row.resource);
    EXPECT_EQ(result.target.topic, row.topic);
    EXPECT_FALSE(result.target.refusal.has_value());
  }
}

TEST(ReadTarget, RefusesWhatIsNoTopic) {
  for (const std::vector<std::string>& levels :
       std::vector<std::vector<std::string>>{{"a/b"},
                                             {"."},
                                             {"a", ".."},
                                             {"a+", "b"},
                                             {"#", "a"},
                                             {std::string("\0", 1)},
                                             {"\xff"},
                                             {"a", "b+"}}) {
    std::vector<std::string> path{"ps", "data"};
    path.insert(path.end(), levels.begin(), levels.end());
    SCOPED_TRACE(::testing::PrintToString(levels));
    const Found result = find(path);
    ASSERT_TRUE(result.target.refusal.has_value());
    EXPECT_EQ(result.target.refusal->code, code::kBadRequest);
    EXPECT_FALSE(topic_of_path(path).has_value());
  }
}

TEST(ReadTarget, WildcardsAreLevels) {
  for (const std::vector<std::string>& levels :
       std::vector<std::vector<std::string>>{{"+"}, {"#"}, {"a", "+", "b"}, {"+", "", "#"}}) {
    std::vector<std::string> path{"ps", "data"};
    path.insert(path.end(), levels.begin(), levels.end());
    SCOPED_TRACE(::testing::PrintToString(levels));
    EXPECT_TRUE(find(path).target.is_filter);
    EXPECT_FALSE(find(path).target.refusal.has_value());
    path[1] = "conf";
    EXPECT_TRUE(find(path).target.refusal.has_value());
  }
  EXPECT_FALSE(find({"ps", "data", "a"}).target.is_filter);
}

TEST(ReadTarget, BoundsTheLevels) {
  EXPECT_FALSE(find({"ps", "data", "a", "b", "c"}, 3).target.refusal.has_value());
  EXPECT_TRUE(find({"ps", "data", "a", "b", "c", "d"}, 3).target.refusal.has_value());
}

TEST(ReadTarget, UnderstandsOtherBrokersPathsWhereTheyAreOn) {
  const auto topic_of = [](const std::vector<std::string_view>& path, const Aliases& aliases) {
    std::string topic;
    const Target target = read_target(path, 128, topic, aliases);
    const bool is_topic = target.resource == Resource::kTopic && !target.refusal;
    return is_topic ? topic : std::string("none");
  };
  const Aliases emqx{.emqx = true};
  const Aliases ponte{.ponte = true};
  EXPECT_EQ(topic_of({"ps", "a", "b"}, {}), "none");
  EXPECT_EQ(topic_of({"ps", "a", "b"}, emqx), "a/b");
  EXPECT_EQ(topic_of({"ps", "a"}, emqx), "a");
  EXPECT_EQ(topic_of({"ps", "data", "a"}, emqx), "a");  // ours come first
  EXPECT_EQ(topic_of({"ps", "a+", "b"}, emqx), "none");
  EXPECT_EQ(topic_of({"ps"}, emqx), "none");
  EXPECT_EQ(topic_of({"r", "a", "b"}, {}), "none");
  EXPECT_EQ(topic_of({"r", "a", "b"}, ponte), "a/b");
  EXPECT_EQ(topic_of({"r", "a", "b"}, emqx), "none");
}

TEST(ReadParameters, LeavesAloneWhatOtherBrokersClientsSay) {
  const std::vector<std::string_view> query{"clientid=x", "qos=1", "token=2"};
  EXPECT_TRUE(read_parameters(query).refusal.has_value());
  EXPECT_FALSE(read_parameters(query, true).refusal.has_value());
  EXPECT_EQ(read_parameters(query, true).guarantee, model::Guarantee::kAtLeastOnce);
  const std::string_view wrong = "qos=3";
  EXPECT_TRUE(read_parameters({&wrong, 1}, true).refusal.has_value());
}

TEST(ReadParameters, TakesWhatAPublicationHas) {
  const std::vector<std::string_view> query{"retain=0", "qos=2", "expiry=4294967295",
                                            "user.room=a=b", "user.=x"};
  const PublishParameters parameters = read_parameters(query);
  EXPECT_FALSE(parameters.refusal.has_value());
  EXPECT_EQ(parameters.retain, false);
  EXPECT_EQ(parameters.guarantee, model::Guarantee::kExactlyOnce);
  EXPECT_EQ(parameters.expiry_s, 4'294'967'295u);
  ASSERT_EQ(parameters.user.size(), 2u);
  EXPECT_EQ(parameters.user[0].name, "room");
  EXPECT_EQ(std::get<std::string_view>(parameters.user[0].value), "a=b");
}

TEST(ReadParameters, RefusesEverythingElse) {
  for (const std::string_view argument :
       {"", "retain", "retain=", "retain=2", "retain=yes", "qos=3", "qos=-1", "qos= 1",
        "expiry=4294967296", "expiry=1s", "Retain=1", "retian=1", "user.\xff=x", "user.x=\xff"}) {
    SCOPED_TRACE(argument);
    ASSERT_TRUE(read_parameters({&argument, 1}).refusal.has_value());
    EXPECT_EQ(read_parameters({&argument, 1}).refusal->code, code::kBadRequest);
  }
}

TEST(TopicPath, IsReversible) {
  for (const std::string_view topic : {"a", "a/b", "/", "a/", "//x", "$SYS/a"}) {
    EXPECT_EQ(topic_of_path(path_of_topic(topic)), topic);
  }
  EXPECT_THAT(path_of_topic("a//b"), ElementsAre("ps", "data", "a", "", "b"));
  EXPECT_FALSE(topic_of_path(std::vector<std::string>{"time"}).has_value());
}

}  // namespace
}  // namespace hermod::coap::test
