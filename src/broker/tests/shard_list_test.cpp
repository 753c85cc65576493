// SPDX-License-Identifier: Apache-2.0
// Lists of topics, which all shards have a part of.
#include "topic_worlds.hpp"

namespace hermod::broker {
namespace {

class ShardList : public testing::TestWithParam<std::uint16_t> {
 protected:
  ShardList() { client.ask("attach " + world.name_on(0, "c")); }
  /// All pages of a list joined.
  std::string list(std::string_view words) {
    std::string all;
    std::string after;
    for (int pages = 0; pages < 10'000; ++pages) {
      std::string got = client.ask(fmt::format("list {}{}", words, after));
      got.pop_back();
      EXPECT_NE(got.find(" ok"), std::string::npos) << got;
      got.erase(0, got.find(" ok") + 3);
      const std::size_t more = got.find(" > ");
      all += got.substr(0, more);
      if (more == std::string::npos) return all;
      after = fmt::format(" after={}", got.substr(more + 3));
    }
    ADD_FAILURE() << "the list has no end";
    return all;
  }

  World world{GetParam()};
  Client client{world};
};
INSTANTIATE_TEST_SUITE_P(Shards, ShardList, testing::Values(1, 2, 4));

TEST_P(ShardList, IsInOrderOverAllShards) {
  std::string expected;
  std::string declared;
  std::string values;
  for (int i = 10; i < 60; ++i) {
    const bool has_value = i % 2 == 0;
    const bool is_declared = i % 3 != 0 || !has_value;
    if (has_value) client.send(fmt::format("put s/{} 1", i));
    if (is_declared) client.send(fmt::format("{} s/{}", has_value ? "replace" : "declare", i));
    world.run();
    const std::string entry =
        fmt::format(" s/{}[{}{}]", i, is_declared ? "d" : "", has_value ? "v" : "");
    expected += entry;
    if (is_declared) declared += entry;
    if (has_value) values += entry;
  }
  client.read();
  for (const int count : {1, 7, 1000}) {
    SCOPED_TRACE(count);
    EXPECT_EQ(list(fmt::format("# {}", count)), expected);
    EXPECT_EQ(list(fmt::format("s/+ {} declared", count)), declared);
    EXPECT_EQ(list(fmt::format("s/# {} values", count)), values);
  }
  EXPECT_EQ(list("s/11"), " s/11[d]");
  EXPECT_EQ(list("s/12"), " s/12[v]");
  EXPECT_EQ(list("s"), "");
  EXPECT_EQ(world.mail(), 0u);
}

TEST_P(ShardList, ATopicsValueThatWasAcknowledgedIsInIt) {
  const auto last = static_cast<std::uint16_t>(GetParam() - 1);
  Client far{world, last};
  far.ask("attach " + world.name_on(last, "f"));
  EXPECT_EQ(far.ask("put x 1"), "#2 ok\n");
  EXPECT_EQ(list("#"), " x[v]");
}

TEST_P(ShardList, HasTheBrokersTopicsOnlyWhenAskedFor) {
  model::Message message{
      .destination = model::Destination::topic("$SYS/x"), .payload = as_bytes("1"), .retain = true};
  (void)world.shard().core().publish_own(message, world.network.now());
  world.shard().core().flush();
  client.ask("put y 1");
  EXPECT_EQ(list("#"), " y[v]");
  EXPECT_EQ(list("$SYS/#"), " $SYS/x[v]");
}

// As many as a turn may work on, several times.
TEST_P(ShardList, ManyAtOnceAreAllAnswered) {
  client.ask("put x 1");
  constexpr int kLists = 100;
  for (int i = 0; i < kLists; ++i) client.send("list #");
  world.run();
  const std::string got = client.read();
  EXPECT_EQ(std::ranges::count(got, '\n'), kLists);
  EXPECT_EQ(got.find("unavailable"), std::string::npos);
}

TEST_P(ShardList, OnlySoManyAreUnderWay) {
  constexpr int kMost = 1'024;
  std::string lines;
  for (int i = 0; i <= kMost; ++i) lines += "list +\n";
  lines.pop_back();
  const std::string got = client.ask(lines);
  EXPECT_EQ(std::ranges::count(got, '\n'), kMost + 1);
  EXPECT_TRUE(got.starts_with(fmt::format("#{} unavailable\n", kMost + 2))) << got.substr(0, 80);
  EXPECT_EQ(got.rfind("unavailable"), got.find("unavailable"));
  EXPECT_EQ(list("+"), "");
}

TEST_P(ShardList, WhoAskedMayBeGone) {
  client.send("list #");
  world.turn(0);
  client.reset();
  world.run();
  EXPECT_EQ(world.connections(), 0u);
  EXPECT_EQ(world.mail(), 0u);
}

/// Nobody may read what begins with "secret".
class SecretKeeper final : public core::Authorizer {
 public:
  std::optional<core::Login> authenticate(const core::Credentials&,
                                          core::LoginTicket ticket) override {
    return core::Login{ticket};
  }
  core::Verdict authorize(const core::Actor&, core::Action action, std::string_view name) override {
    const bool secret = name.starts_with("secret") && action == core::Action::kRead;
    return secret ? core::Verdict::kDeny : core::Verdict::kAllow;
  }
};

TEST(ShardListOfOthers, HasOnlyWhatTheAskerMayRead) {
  for (const std::uint16_t shards : {std::uint16_t{1}, std::uint16_t{2}}) {
    SecretKeeper keeper;
    World world{shards, {}, nullptr, &keeper};
    Client client{world};
    client.ask("attach " + world.name_on(0, "c"));
    client.ask("put a 1\nput secret/1 1\ndeclare secret/2\nput z 1");
    EXPECT_EQ(client.ask("list #"), "#6 ok a[v] z[v]\n");
    EXPECT_EQ(client.ask("list # 1 after=a"), "#7 ok > secret/1\n");
    EXPECT_EQ(client.ask("list secret/1"), "#8 ok\n");
  }
}

}  // namespace
}  // namespace hermod::broker
