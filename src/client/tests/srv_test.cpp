// SPDX-License-Identifier: Apache-2.0
// Answers of name servers (RFC 1035 §4) with SRV records, and their order (RFC 2782).
#include "../srv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "scripted_server.hpp"

namespace hermod::client {
namespace {

std::string two(unsigned number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xFF)};
}

std::string name(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('.'), text.size());
    out += static_cast<char>(end);
    out += text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + '\0';
}

std::string record(unsigned type, const std::string& data) {
  return octets("c0 0c") + two(type) + octets("0001 00000005") +
         two(static_cast<unsigned>(data.size())) + data;
}

std::string srv(unsigned priority, unsigned weight, unsigned port, std::string_view host) {
  return record(33, two(priority) + two(weight) + two(port) + name(host));
}

std::string answer(const std::vector<std::string>& records) {
  std::string out = octets("0001 8180 0001") + two(static_cast<unsigned>(records.size())) +
                    octets("0000 0000") + name("_mqtt._tcp.a.test") + octets("0021 0001");
  for (const std::string& one : records) out += one;
  return out;
}

using Targets = std::vector<SrvTarget>;

TEST(Srv, RecordsAreRead) {
  const auto targets =
      read_srv(as_bytes(answer({srv(1, 2, 1883, "one.test"), srv(3, 4, 1884, "two.test")})));
  ASSERT_TRUE(targets);
  EXPECT_EQ(*targets, (Targets{{"one.test", 1883, 1, 2}, {"two.test", 1884, 3, 4}}));
}

TEST(Srv, OtherRecordsAreLeftOut) {
  const auto targets =
      read_srv(as_bytes(answer({record(5, name("b.test")), srv(0, 0, 1, "one.test")})));
  ASSERT_TRUE(targets);
  EXPECT_EQ(*targets, (Targets{{"one.test", 1, 0, 0}}));
}

TEST(Srv, ADomainMayHaveNone) {
  EXPECT_EQ(read_srv(as_bytes(answer({}))).error(), Error::kNoService);
  EXPECT_EQ(read_srv(as_bytes(answer({srv(0, 0, 0, "")}))).error(), Error::kNoService);
}

TEST(Srv, EveryPrefixOfAnAnswerIsRefused) {
  const std::string whole = answer({srv(1, 2, 1883, "one.test")});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(read_srv(as_bytes(whole.substr(0, size))).error(), Error::kNameServer) << size;
  }
  EXPECT_EQ(read_srv(as_bytes(answer({record(33, "short")}))).error(), Error::kNameServer);
}

TEST(Srv, TheLowestPriorityComesFirst) {
  std::minstd_rand dice(1);
  const Targets sorted = in_order({{"c", 1, 9, 0}, {"a", 1, 1, 5}, {"b", 1, 5, 9}}, dice);
  EXPECT_EQ(sorted, (Targets{{"a", 1, 1, 5}, {"b", 1, 5, 9}, {"c", 1, 9, 0}}));
}

TEST(Srv, MoreWeightComesFirstMoreOften) {
  std::minstd_rand dice(7);
  std::map<std::string, int> first;
  for (int i = 0; i < 4000; ++i) {
    const Targets order =
        in_order({{"none", 1, 0, 0}, {"one", 1, 0, 100}, {"three", 1, 0, 300}}, dice);
    ASSERT_EQ(order.size(), 3u);
    EXPECT_NE(order[0].host, order[1].host);
    EXPECT_NE(order[1].host, order[2].host);
    ++first[order[0].host];
  }
  EXPECT_NEAR(first["one"], 1000, 150);
  EXPECT_NEAR(first["three"], 3000, 150);
  EXPECT_LT(first["none"], 60);
  EXPECT_GT(first["none"], 0);  // "a very small chance of being selected"
}

}  // namespace
}  // namespace hermod::client
