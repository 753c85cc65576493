// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/resources.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hermod/coap/codec/writer.hpp"

namespace hermod::coap::test {
namespace {

using ::testing::ElementsAre;
using enum OptionNumber;

struct Read {
  std::vector<std::uint8_t> octets;
  std::string topic;
  RequestView view;
};

// Options in ascending order.
Read read(const std::vector<std::pair<OptionNumber, std::string>>& options,
          std::size_t levels_max = 128) {
  Read result{.octets = std::vector<std::uint8_t>(8192)};
  BodyWriter body(result.octets.data());
  for (const auto& [number, value] : options) body.option(number, value);
  const MessageView message{.options = Options{{result.octets.data(), body.position()}}};
  result.view = read_request(message, levels_max, result.topic);
  return result;
}

Read read_path(const std::vector<std::string>& segments, std::size_t levels_max = 128) {
  std::vector<std::pair<OptionNumber, std::string>> options;
  for (const std::string& segment : segments) options.emplace_back(kUriPath, segment);
  return read(options, levels_max);
}

TEST(ReadRequest, FindsTheResource) {
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
    const Read result = read_path(row.path);
    EXPECT_EQ(result.view.resource, row.resource);
    EXPECT_EQ(result.view.topic, row.topic);
    EXPECT_FALSE(result.view.refusal.has_value());
  }
}

TEST(ReadRequest, RefusesWhatIsNoTopic) {
  for (const std::vector<std::string>& levels :
       std::vector<std::vector<std::string>>{{"a/b"},
                                             {"."},
                                             {"a", ".."},
                                             {"+"},
                                             {"a", "#"},
                                             {std::string("\0", 1)},
                                             {"\xff"},
                                             {"a", "b+"}}) {
    std::vector<std::string> path{"ps", "data"};
    path.insert(path.end(), levels.begin(), levels.end());
    SCOPED_TRACE(::testing::PrintToString(levels));
    const Read result = read_path(path);
    ASSERT_TRUE(result.view.refusal.has_value());
    EXPECT_EQ(result.view.refusal->code, code::kBadRequest);
    EXPECT_FALSE(topic_of_path(path).has_value());
  }
}

TEST(ReadRequest, BoundsTheLevels) {
  EXPECT_FALSE(read_path({"ps", "data", "a", "b", "c"}, 3).view.refusal.has_value());
  EXPECT_TRUE(read_path({"ps", "data", "a", "b", "c", "d"}, 3).view.refusal.has_value());
}

TEST(ReadRequest, TakesTheOptions) {
  const Read result = read({{kUriHost, "h"},
                            {kETag, "1"},
                            {kETag, "22"},
                            {kETag, "333"},
                            {kObserve, ""},
                            {kUriPort, "\x16\x33"},
                            {kUriPath, "ps"},
                            {kContentFormat, "2"},
                            {kMaxAge, std::string("\0\x01\x00", 3)},
                            {kAccept, ""}});
  EXPECT_EQ(result.view.observe, kObserveRegister);
  EXPECT_EQ(result.view.content_format, ContentFormat::kJson);
  EXPECT_EQ(result.view.max_age_s, 256u);
  EXPECT_EQ(result.view.accept, ContentFormat::kTextPlain);
  EXPECT_EQ(as_text(result.view.etags[1]), "22");
  EXPECT_FALSE(result.view.bad_option.has_value());
  EXPECT_FALSE(result.view.refusal.has_value());
}

// RFC 7252 §5.4.1, §5.4.3, §5.4.5: unknown, of a wrong length, once too often.
TEST(ReadRequest, NamesTheFirstBadCriticalOption) {
  EXPECT_EQ(read({{OptionNumber{9}, "x"}}).view.bad_option, OptionNumber{9});
  EXPECT_EQ(read({{kIfMatch, "x"}}).view.bad_option, kIfMatch);  // conditions are not supported
  EXPECT_EQ(read({{kIfNoneMatch, ""}}).view.bad_option, kIfNoneMatch);
  EXPECT_EQ(read({{kUriHost, ""}}).view.bad_option, kUriHost);
  EXPECT_EQ(read({{kUriPath, std::string(256, 'x')}}).view.bad_option, kUriPath);
  EXPECT_EQ(read({{kAccept, "123"}}).view.bad_option, kAccept);
  EXPECT_EQ(read({{kAccept, "1"}, {kAccept, "2"}}).view.bad_option, kAccept);
  EXPECT_EQ(read({{kUriPort, "1"}, {kUriPort, "1"}, {kAccept, "123"}}).view.bad_option, kUriPort);
  EXPECT_EQ(read({{OptionNumber{65'001}, ""}}).view.bad_option, OptionNumber{65'001});
}

TEST(ReadRequest, IgnoresBadElectiveOptions) {
  const Read result = read({{kETag, ""},
                            {kObserve, "1234"},
                            {OptionNumber{10}, "x"},
                            {kContentFormat, "123"},
                            {kMaxAge, "1"},
                            {kMaxAge, "2"},
                            {OptionNumber{65'000}, "x"}});
  EXPECT_FALSE(result.view.bad_option.has_value());
  EXPECT_FALSE(result.view.observe.has_value());
  EXPECT_FALSE(result.view.content_format.has_value());
  EXPECT_EQ(result.view.max_age_s, static_cast<std::uint32_t>('1'));  // the first one holds
  EXPECT_TRUE(result.view.etags[0].empty());
}

TEST(ReadRequest, RefusesProxyingAndQueries) {
  EXPECT_EQ(read({{kProxyUri, "coap://x"}}).view.refusal->code, code::kProxyingNotSupported);
  EXPECT_EQ(read({{kUriPath, "ps"}, {kProxyScheme, "http"}}).view.refusal->code,
            code::kProxyingNotSupported);
  EXPECT_EQ(read({{kUriPath, "ps"}, {kUriQuery, "a"}}).view.refusal->code, code::kBadRequest);
  // RFC 6690 §4.1: filtering is optional
  EXPECT_FALSE(read({{kUriPath, ".well-known"}, {kUriPath, "core"}, {kUriQuery, "rt=x"}})
                   .view.refusal.has_value());
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
