// SPDX-License-Identifier: Apache-2.0
#include "hermod/transport/address.hpp"

#include <gtest/gtest.h>

#include <set>

namespace hermod::transport {
namespace {

TEST(Address, LiteralAndTextAgree) {
  EXPECT_EQ(Address::literal("127.0.0.1", 1883)->to_text(), "127.0.0.1:1883");
  EXPECT_EQ(Address::literal("::1", 5683)->to_text(), "[::1]:5683");
  EXPECT_EQ(Address::literal("2001:db8:0:0::5", 1)->to_text(), "[2001:db8::5]:1");
  EXPECT_EQ(Address::literal("fe80::1%1", 7)->to_text(), "[fe80::1%1]:7");
  EXPECT_EQ(Address::literal("fe80::1%lo", 7)->scope(), 1u);
  EXPECT_EQ(Address().to_text(), "(no address)");
}

TEST(Address, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "localhost", "127.0.0", "127.0.0.256", "::1::", "fe80::1%", "1 "}) {
    EXPECT_FALSE(Address::literal(text, 1).has_value()) << text;
  }
  EXPECT_NE(Address::literal("nonsense", 1).error().find("'nonsense'"), std::string::npos);
}

TEST(Address, ResolvesNamesAndLiterals) {
  const auto named = Address::resolve("localhost", 1883);
  ASSERT_TRUE(named.has_value()) << named.error();
  for (const Address& address : *named) {
    EXPECT_TRUE(address.is_loopback());
    EXPECT_EQ(address.port(), 1883);
  }
  EXPECT_EQ(Address::resolve("::1", 9)->front(), *Address::literal("::1", 9));
  EXPECT_FALSE(Address::resolve("no-such-host.invalid", 1).has_value());
}

TEST(Address, KnowsLoopbackAndAny) {
  EXPECT_TRUE(Address::literal("127.8.8.8", 1)->is_loopback());
  EXPECT_TRUE(Address::literal("::1", 1)->is_loopback());
  EXPECT_FALSE(Address::literal("::2", 1)->is_loopback());
  EXPECT_FALSE(Address::literal("10.0.0.1", 1)->is_loopback());
  EXPECT_FALSE(Address().is_loopback());
  EXPECT_TRUE(Address::literal("0.0.0.0", 1)->is_any());
  EXPECT_TRUE(Address::literal("::", 1)->is_any());
  EXPECT_FALSE(Address::literal("::1", 1)->is_any());
  EXPECT_FALSE(Address().is_any());
}

TEST(Address, HashCoversEveryPart) {
  const AddressHash hash{.key = 99};
  std::set<std::size_t> seen;
  const std::array<std::uint8_t, 16> zeros{};
  const Address all[] = {Address(),
                         Address::v4({0, 0, 0, 0}, 0),
                         Address::v4({0, 0, 0, 1}, 0),
                         Address::v4({0, 0, 0, 0}, 1),
                         Address::v6(zeros, 0),
                         Address::v6(zeros, 0, 1)};
  for (const Address& address : all) seen.insert(hash(address));
  EXPECT_EQ(seen.size(), std::size(all));
  EXPECT_EQ(hash(Address::v4({1, 2, 3, 4}, 5)), hash(*Address::literal("1.2.3.4", 5)));
  EXPECT_NE(hash(all[1]), AddressHash{.key = 98}(all[1]));
  EXPECT_EQ(sizeof(Address), 24u);
}

}  // namespace
}  // namespace hermod::transport
