// SPDX-License-Identifier: Apache-2.0
#include "hermod/model/reason.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace hermod::model {
namespace {

TEST(Reason, EachHasWordsOfItsOwn) {
  std::set<std::string> texts;
  const auto last = static_cast<int>(Reason::kNoRoom);
  for (int value = 0; value <= last; ++value) {
    const std::string text{to_text(static_cast<Reason>(value))};
    EXPECT_NE(text, "unknown") << value;
    EXPECT_TRUE(texts.insert(text).second) << text;
  }
  EXPECT_EQ(to_text(Reason::kOk), "ok");
  EXPECT_EQ(to_text(Reason::kNotAuthorized), "not authorized");
  EXPECT_EQ(to_text(static_cast<Reason>(last + 1)), "unknown");
}

}  // namespace
}  // namespace hermod::model
