// SPDX-License-Identifier: Apache-2.0
#include "hermod/sasl/base64.hpp"

#include <gtest/gtest.h>

namespace hermod::sasl {
namespace {

// RFC 4648 §10
TEST(Base64, TheVectorsOfTheRfcGoBothWays) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"f", "Zg=="},        {"fo", "Zm8="},        {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), text);
    const auto octets = from_base64(text);
    ASSERT_TRUE(octets) << text;
    EXPECT_EQ(as_text(*octets), plain);
  }
  EXPECT_EQ(to_base64({}), "");
}

TEST(Base64, WhatToBase64DoesNotMakeIsNotRead) {
  for (const std::string_view text :
       {"", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", " Zg==", "Zg==\n",
        "Zm9v Zm9", "Z\0g=", "-_-_", "Zm=v"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
  EXPECT_TRUE(from_base64(std::string(kBase64CharsMax, 'A')));
  EXPECT_FALSE(from_base64(std::string(kBase64CharsMax + 4, 'A')));
}

}  // namespace
}  // namespace hermod::sasl
