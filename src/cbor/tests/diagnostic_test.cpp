// SPDX-License-Identifier: Apache-2.0
#include "hermod/cbor/diagnostic.hpp"

#include <gtest/gtest.h>

#include "cbor_vectors.hpp"
#include "hermod/testkit/codec_properties.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::cbor::test {
namespace {

using testkit::octets;

TEST(Diagnostic, SaysWhatTheVectorsAre) {
  for (const auto vectors :
       {std::span<const ItemVector>(kAppendixA), std::span<const ItemVector>(kMoreItems)}) {
    for (const ItemVector& vector : vectors) {
      const auto text = diagnostic(octets(vector.octets));
      ASSERT_TRUE(text.has_value()) << vector.octets << ": " << text.error().reason;
      EXPECT_EQ(*text, vector.diagnostic) << vector.octets;
    }
  }
}

TEST(Diagnostic, SaysWhatIsWrongAndWhere) {
  for (const BadItemVector& vector : kBadItems) {
    const auto text = diagnostic(octets(vector.octets));
    ASSERT_FALSE(text.has_value()) << vector.octets << ": " << *text;
    EXPECT_EQ(text.error().offset, vector.offset) << vector.octets;
    EXPECT_TRUE(std::string_view(text.error().reason).starts_with(vector.reason))
        << vector.octets << ": " << text.error().reason;
  }
}

// RFC 8949 §3: no item is the beginning of another one.
TEST(Diagnostic, CutItemsAreErrors) {
  for (const ItemVector& vector : kAppendixA) {
    const auto whole = octets(vector.octets);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const testkit::ExactCopy cut(Bytes(whole).first(size));
      const auto text = diagnostic(cut.bytes());
      ASSERT_FALSE(text.has_value()) << vector.octets << " cut to " << size;
      EXPECT_LE(text.error().offset, size);
    }
  }
}

TEST(Diagnostic, IndentsArraysAndMaps) {
  const auto indented = [](std::string_view notation) {
    return diagnostic(octets(notation), Layout::kIndented).value_or("malformed");
  };
  EXPECT_EQ(indented("a200 64 'room' 05 c11a65df c4ff"),
            "{\n"
            "  0: \"room\",\n"
            "  5: 1(1709163775)\n"
            "}");
  EXPECT_EQ(indented("82 80 9f a1 01 82 02 a0 ff"),
            "[\n"
            "  [],\n"
            "  [_\n"
            "    {\n"
            "      1: [\n"
            "        2,\n"
            "        {}\n"
            "      ]\n"
            "    }\n"
            "  ]\n"
            "]");
  EXPECT_EQ(indented("18ff"), "255");
}

}  // namespace
}  // namespace hermod::cbor::test
