// SPDX-License-Identifier: Apache-2.0
// A client whose observation is of many resources: notifications name theirs.
#include "client_script.hpp"

namespace hermod::coap::test {
namespace {

class ClientFilterTest : public ClientScriptTest {
 protected:
  void observes() {
    const std::vector<std::string> filter{"ps", "data", "a", "+"};
    ASSERT_TRUE(request({.path = filter, .accept = ContentFormat::kTextPlain, .observe = true}));
    ASSERT_EQ(sent(), asks("0", "Observe:0", "+"));
    acknowledges(0, {.observe = 10});
    ASSERT_EQ(wants(), "Completed 5 ok 2.05");
  }
  static std::string asks(std::string_view number, std::string_view what, std::string_view level) {
    const bool block = what.starts_with("Block2");
    return fmt::format(
        "CON 0.01 #s{} t:{}{} Uri-Path:'ps' Uri-Path:'data' Uri-Path:'a' "
        "Uri-Path:'{}' Accept:0{}",
        number, number, block ? "" : fmt::format(" {}", what), level,
        block ? fmt::format(" {}", what) : "");
  }
  static std::vector<std::string_view> at(std::string_view level) {
    return {"ps", "data", "a", level};
  }
};

TEST_F(ClientFilterTest, ShowsEachTopicByItsName) {
  observes();
  sends(Type::kNon, 900, 0, {.observe = 11, .location = at("1"), .payload = "x"});
  sends(Type::kNon, 901, 0, {.observe = 12, .location = at("2"), .payload = "x"});
  EXPECT_EQ(wants(), "Publish a/1 q0 'x' | Publish a/2 q0 'x'");
  sends(Type::kNon, 902, 0, {.observe = 13, .location = {"elsewhere"}, .payload = "y"});
  EXPECT_EQ(wants(), "Publish /elsewhere q0 'y'");
}

// What has overtaken the notification of another topic says nothing about that one.
TEST_F(ClientFilterTest, OrdersEachTopicByItself) {
  observes();
  sends(Type::kNon, 901, 0, {.observe = 12, .location = at("2"), .payload = "2"});
  sends(Type::kNon, 900, 0, {.observe = 11, .location = at("1"), .payload = "1"});
  EXPECT_EQ(wants(), "Publish a/2 q0 '2' | Publish a/1 q0 '1'");
  sends(Type::kNon, 902, 0, {.observe = 10, .location = at("1"), .payload = "older"});
  EXPECT_EQ(wants(), "");
}

TEST_F(ClientFilterTest, FetchesTheRestWhereItIs) {
  observes();
  sends(Type::kNon, 900, 0,
        {.block2 = "0/1/16", .observe = 11, .etag = "e", .location = at("1"), .payload = first});
  EXPECT_EQ(sent(), asks("1", "Block2:1/16", "1"));
  // another topic's does not end that
  sends(Type::kNon, 901, 0,
        {.block2 = "0/1/16", .observe = 12, .etag = "f", .location = at("2"), .payload = second});
  EXPECT_EQ(sent(), "");  // NSTART
  sends(Type::kNon, 902, 0, {.observe = 13, .location = at("3"), .payload = "small"});
  EXPECT_EQ(wants(), "Publish a/3 q0 'small'");
  acknowledges(1, {.block2 = "1/0/16", .etag = "e", .payload = second});
  EXPECT_EQ(wants(), "Publish a/1 q0 '" + first + second + "'");
  EXPECT_EQ(sent(), asks("2", "Block2:1/16", "2"));
  acknowledges(2, {.block2 = "1/0/16", .etag = "f", .payload = third});
  EXPECT_EQ(wants(), "Publish a/2 q0 '" + second + third + "'");
  EXPECT_EQ(session.open(), 1u);
}

TEST_F(ClientFilterTest, BoundsWhatItFetchesAtATime) {
  observes();
  const std::string topics = "0123456789";
  for (std::size_t i = 0; i < topics.size(); ++i) {
    sends(Type::kNon, static_cast<std::uint16_t>(900 + i), 0,
          {.block2 = "0/1/16",
           .observe = static_cast<std::uint32_t>(11 + i),
           .location = at(std::string_view(topics).substr(i, 1)),
           .payload = first});
  }
  // eight are enough: the ninth takes their place, and the tenth waits behind it
  EXPECT_EQ(sent(), asks("1", "Block2:1/16", "0") + " | " + asks("2", "Block2:1/16", "8"));
  EXPECT_TRUE(cancel(5));
  server.after(std::chrono::seconds{100});
  EXPECT_EQ(session.open(), 0u);
}

TEST_F(ClientFilterTest, RemembersABoundedNumberOfTopics) {
  observes();
  std::size_t published = 0;
  for (unsigned i = 0; i < 1100; ++i) {
    const std::string level = std::to_string(i);
    sends(Type::kNon, static_cast<std::uint16_t>(i), 0,
          {.observe = 100 + i, .location = at(level), .payload = "x"});
    published += wants().empty() ? 0 : 1;
  }
  EXPECT_EQ(published, 1100u);
  // The first is forgotten: what comes late is taken for news; of the last it is known.
  sends(Type::kNon, 2000, 0, {.observe = 99, .location = at("0"), .payload = "y"});
  EXPECT_EQ(wants(), "Publish a/0 q0 'y'");
  sends(Type::kNon, 2001, 0, {.observe = 99, .location = at("1099"), .payload = "y"});
  EXPECT_EQ(wants(), "");
}

}  // namespace
}  // namespace hermod::coap::test
