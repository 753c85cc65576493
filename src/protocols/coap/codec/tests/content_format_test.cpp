// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/content_format.hpp"

#include <gtest/gtest.h>

namespace hermod::coap::test {
namespace {

TEST(ContentFormat, IsReversible) {
  int known = 0;
  for (unsigned number = 0; number <= 0xffff; ++number) {
    const auto format = static_cast<ContentFormat>(number);
    const auto text = media_type(format);
    if (!text) continue;
    ++known;
    EXPECT_EQ(content_format(*text), format) << *text;
  }
  EXPECT_EQ(known, 29);
}

TEST(ContentFormat, ReadsMediaTypesAsPeopleWriteThem) {
  EXPECT_EQ(content_format("text/plain"), ContentFormat::kTextPlain);
  EXPECT_EQ(content_format("Text/Plain; Charset=UTF-8"), ContentFormat::kTextPlain);
  EXPECT_EQ(content_format("application/JSON"), ContentFormat::kJson);
  EXPECT_FALSE(content_format("text/plain;charset=latin1").has_value());
  EXPECT_FALSE(content_format("application/jso").has_value());
  EXPECT_FALSE(content_format("application/json2").has_value());
  EXPECT_FALSE(content_format("").has_value());
}

TEST(ContentFormat, HasNoTextForOtherNumbers) {
  EXPECT_FALSE(media_type(ContentFormat{1}).has_value());
  EXPECT_FALSE(media_type(ContentFormat{65535}).has_value());
}

}  // namespace
}  // namespace hermod::coap::test
