// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "text/suggest.hpp"

namespace hermod::app {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("listner", "listener"), 1u);
  EXPECT_EQ(edit_distance("listenerr", "listener"), 1u);
  EXPECT_EQ(edit_distance("lisxener", "listener"), 1u);
  EXPECT_EQ(edit_distance("lsitener", "listener"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, ChoosesTheClosestThatIsCloseEnough) {
  constexpr std::array<std::string_view, 4> kWords{"port", "protocol", "log_dest", "log_type"};
  EXPECT_EQ(nearest("prot", kWords), "port");
  EXPECT_EQ(nearest("Protocoll", kWords), "protocol");
  EXPECT_EQ(nearest("log_typ", kWords), "log_type");
  EXPECT_EQ(nearest("threads", kWords), std::nullopt);
  EXPECT_EQ(nearest("", kWords), std::nullopt);
  EXPECT_EQ(nearest("x", std::array<std::string_view, 1>{"y"}), std::nullopt);
}

TEST(DidYouMean, IsEmptyWithoutASuggestion) {
  constexpr std::array<std::string_view, 1> kWords{"port"};
  EXPECT_EQ(did_you_mean("pord", kWords), " Did you mean \"port\"?");
  EXPECT_EQ(did_you_mean("zebra", kWords), "");
}

}  // namespace
}  // namespace hermod::app
