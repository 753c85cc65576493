// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/token.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "hermod/testkit/allocations.hpp"

namespace hermod::coap::test {
namespace {

constexpr std::size_t kLengths[] = {0, 1, 7, 8, 9, 12, 13, 269, 1024, kTokenSizeMax};

std::string text_of(std::size_t length) {
  std::string text(length, 'a');
  for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

TEST(Token, KeepsOctetsOfEveryLength) {
  for (const std::size_t length : kLengths) {
    std::string text = text_of(length);
    const Token token{as_bytes(text)};
    const std::string before = text;
    text.assign(length, '-');  // it has a copy
    EXPECT_EQ(token.size(), length);
    EXPECT_EQ(as_text(token.bytes()), before);
  }
}

TEST(Token, CopiesAndMovesBetweenAllLengths) {
  for (const std::size_t from : kLengths) {
    for (const std::size_t to : kLengths) {
      const Token source{as_bytes(text_of(from))};
      Token copied{as_bytes(text_of(to))};
      copied = source;
      EXPECT_EQ(copied, source);
      EXPECT_EQ(as_text(copied.bytes()), text_of(from));

      Token target{as_bytes(text_of(to))};
      target = std::move(copied);
      EXPECT_EQ(target, source);
      Token taken = std::move(target);
      EXPECT_EQ(taken, source);
      // NOLINTNEXTLINE(bugprone-use-after-move): what is left is an empty token
      EXPECT_EQ(target, Token{});
      EXPECT_EQ(copied, Token{});
    }
  }
}

TEST(Token, AssignsToItself) {
  for (const std::size_t length : kLengths) {
    Token token{as_bytes(text_of(length))};
    const Token& same = token;
    token = same;
    EXPECT_EQ(as_text(token.bytes()), text_of(length));
  }
}

TEST(Token, IsEqualByContent) {
  for (const std::size_t length : kLengths) {
    const std::string text = text_of(length);
    const Token token{as_bytes(text)};
    EXPECT_EQ(token, Token{as_bytes(text)});
    if (length < kTokenSizeMax) {
      EXPECT_NE(token, Token{as_bytes(text + '!')});
      EXPECT_NE(token, Token{as_bytes(text + std::string(1, '\0'))});
    }
    if (length == 0) continue;
    std::string other = text;
    other.back() = '!';
    EXPECT_NE(token, Token{as_bytes(other)});
    EXPECT_NE(token, Token{as_bytes(std::string_view(text).substr(1))});
  }
}

TEST(Token, OfEightOctetsNeedsNoHeap) {
  const std::string text = text_of(8);
  const auto before = testkit::allocation_count();
  const Token token{as_bytes(text)};
  Token other = token;
  other = token;
  EXPECT_EQ(other, token);
  EXPECT_EQ(testkit::allocation_count() - before, 0u);
}

}  // namespace
}  // namespace hermod::coap::test
