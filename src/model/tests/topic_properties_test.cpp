// SPDX-License-Identifier: Apache-2.0
#include "hermod/model/topic_properties.hpp"

#include <gtest/gtest.h>

namespace hermod::model {
namespace {

TopicProperties all(int number) {
  return {.resource_type = "rt" + std::to_string(number),
          .content_type = "ct" + std::to_string(number),
          .topic_type = "tt" + std::to_string(number),
          .expires_at_s = number,
          .subscribers_max = static_cast<std::uint32_t>(number + 1),
          .observer_check_s = static_cast<std::uint32_t>(number + 2)};
}

TEST(TopicProperties, SaysWhatKindOfResourceUnlessToldOtherwise) {
  const TopicProperties plain;
  EXPECT_EQ(plain.resource_type, "core.ps.data");
  EXPECT_TRUE(plain.content_type.empty());
  EXPECT_FALSE(plain.expires_at_s.has_value());
}

TEST(TopicProperties, APatchGivesEachMemberAlone) {
  const TopicProperties before = all(1);
  const TopicProperties given = all(10);
  for (unsigned bit = 0; bit < 6; ++bit) {
    const auto members = static_cast<TopicMembers>(1u << bit);
    TopicProperties patched = before;
    patch(patched, given, members);
    EXPECT_NE(patched, before) << bit;
    TopicProperties back = patched;
    patch(back, before, members);
    EXPECT_EQ(back, before) << bit;  // nothing else had changed
    patch(patched, given, static_cast<TopicMembers>(0x3F & ~members));
    EXPECT_EQ(patched, given) << bit;
  }
}

TEST(TopicProperties, APatchTakesAMemberBack) {
  TopicProperties patched = all(1);
  patch(patched, {}, topic_member::kExpiresAt | topic_member::kContentType);
  EXPECT_FALSE(patched.expires_at_s.has_value());
  EXPECT_TRUE(patched.content_type.empty());
  EXPECT_EQ(patched.subscribers_max, 2u);
}

}  // namespace
}  // namespace hermod::model
