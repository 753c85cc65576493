// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

#include "hermod/store/offline.hpp"

namespace hermod::store {
namespace {

// Gives `text` in pieces; then the end, or an error.
LineReader::Read pieces(std::string_view text, std::size_t piece, int error = 0) {
  return [text, piece, error](std::span<char> into) mutable -> std::expected<std::size_t, int> {
    const std::size_t count = std::min({piece, into.size(), text.size()});
    if (count == 0 && error != 0) return std::unexpected(error);
    std::memcpy(into.data(), text.data(), count);
    text.remove_prefix(count);
    return count;
  };
}

std::vector<std::string> all(LineReader& reader) {
  std::vector<std::string> lines;
  while (true) {
    const auto line = reader.next();
    if (!line) {
      lines.push_back("! " + line.error());
      return lines;
    }
    if (!*line) return lines;
    lines.emplace_back(**line);
    EXPECT_EQ(reader.number(), lines.size());
  }
}

TEST(LineReader, ReadsLinesHoweverTheyCome) {
  const std::vector<std::string> expected{"one", "", "three", "last"};
  for (const std::string_view text : {"one\n\nthree\nlast\n", "one\n\nthree\nlast"}) {
    for (std::size_t piece = 1; piece < 20; ++piece) {
      LineReader reader(pieces(text, piece));
      EXPECT_EQ(all(reader), expected) << piece;
    }
  }
  LineReader nothing(pieces("", 1));
  EXPECT_TRUE(all(nothing).empty());
}

TEST(LineReader, RefusesALineThatIsLongerThanTheLimit) {
  for (std::size_t piece = 1; piece < 12; ++piece) {
    LineReader fits(pieces("a\n12345\n", piece), 5);
    EXPECT_EQ(all(fits), (std::vector<std::string>{"a", "12345"}));
    for (const std::string_view text : {"a\n123456\n", "a\n123456", "a\n123456789012345678"}) {
      LineReader longer(pieces(text, piece), 5);
      const auto lines = all(longer);
      ASSERT_EQ(lines.size(), 2u) << text;
      EXPECT_TRUE(lines[1].starts_with("! line 2: it is longer than 5 octets")) << lines[1];
    }
  }
}

TEST(LineReader, TellsWhereReadingFailed) {
  LineReader reader(pieces("a\nb\nc", 100, EIO));
  const auto lines = all(reader);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[2], "! reading behind line 2 failed: Input/output error");
}

}  // namespace
}  // namespace hermod::store
