// SPDX-License-Identifier: Apache-2.0
// Counting of references, and the way home of foreign octets.
#include "hermod/base/shared_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hermod {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Home : public ForeignOwner {
 public:
  void give_back(void* token) override { returned.push_back(token); }
  std::vector<void*> returned;
};

TEST(SharedBytes, EmptyRefersToNothing) {
  SharedBytes none;
  EXPECT_FALSE(none);
  EXPECT_TRUE(none.bytes().empty());
  const SharedBytes copy = none;
  none = SharedBytes::copy_of(as_bytes("some"));
  EXPECT_FALSE(copy);
}

TEST(SharedBytes, CopyOfKeepsTheOctets) {
  std::vector<std::uint8_t> source = {1, 2, 3};
  const SharedBytes kept = SharedBytes::copy_of(source);
  source.assign(3, 0);
  EXPECT_TRUE(kept);
  EXPECT_THAT(kept.bytes(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(SharedBytes::copy_of({})) << "no octets are octets too";
}

TEST(SharedBytes, CopiesShareAndLastOneFrees) {
  SharedBytes first = SharedBytes::copy_of(as_bytes("hello"));
  const SharedBytes second = first;
  EXPECT_EQ(first.bytes().data(), second.bytes().data());
  first = SharedBytes{};
  EXPECT_EQ(as_text(second.bytes()), "hello");
  SharedBytes third = second;
  third = second;  // assigning what it already refers to
  const SharedBytes& same = third;
  third = same;
  EXPECT_EQ(as_text(third.bytes()), "hello");
}

TEST(SharedBytes, MovingTakes) {
  SharedBytes first = SharedBytes::copy_of(as_bytes("x"));
  SharedBytes second = std::move(first);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what a moved-from one is, is promised
  EXPECT_EQ(as_text(second.bytes()), "x");
}

TEST(SharedBytes, ForeignGoesHomeOnceWithItsToken) {
  Home home;
  int token = 0;
  const std::vector<std::uint8_t> octets = {9, 8};
  {
    SharedBytes first = SharedBytes::foreign(octets, home, &token);
    EXPECT_EQ(first.bytes().data(), octets.data());
    const SharedBytes second = first;
    first = SharedBytes{};
    EXPECT_THAT(home.returned, IsEmpty());
    EXPECT_THAT(second.bytes(), ElementsAre(9, 8));
  }
  EXPECT_THAT(home.returned, ElementsAre(&token));
}

}  // namespace
}  // namespace hermod
