// SPDX-License-Identifier: Apache-2.0
#include "hermod/cbor/reader.hpp"

#include <gtest/gtest.h>

#include "cbor_vectors.hpp"
#include "hermod/testkit/allocations.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::cbor::test {
namespace {

using testkit::octets;

// Reads everything; the reason of the error, or nothing.
std::string_view read_all(Bytes bytes) {
  Reader reader(bytes);
  auto item = reader.next();
  if (!item) return item.error().reason;
  if (const auto rest = reader.skip(*item); !rest) return rest.error().reason;
  if (const auto end = reader.finish(); !end) return end.error().reason;
  return {};
}

TEST(Reader, YieldsItemsOneByOne) {
  const auto bytes =
      octets("a3 00 64 'room' 05 c1 1903e8 38ff 9f 42 0102 f5 fb3ff199999999999a ff");
  Reader reader(bytes);
  const Item map = reader.next().value();
  EXPECT_EQ(map.kind, Kind::kMap);
  EXPECT_EQ(map.value, 3u);
  EXPECT_FALSE(map.indefinite);
  EXPECT_EQ(reader.next().value().kind, Kind::kUnsigned);
  const Item text = reader.next().value();
  EXPECT_EQ(text.kind, Kind::kText);
  EXPECT_EQ(as_text(text.bytes), "room");
  EXPECT_EQ(text.bytes.data(), bytes.data() + 3);  // borrowed
  EXPECT_EQ(text.offset, 2u);
  EXPECT_EQ(reader.next().value().value, 5u);
  const Item tag = reader.next().value();
  EXPECT_EQ(tag.kind, Kind::kTag);
  EXPECT_EQ(tag.value, 1u);
  EXPECT_EQ(reader.next().value().value, 1000u);
  const Item negative = reader.next().value();
  EXPECT_EQ(negative.kind, Kind::kNegative);
  EXPECT_EQ(negative.value, 255u);
  const Item array = reader.next().value();
  EXPECT_EQ(array.kind, Kind::kArray);
  EXPECT_TRUE(array.indefinite);
  EXPECT_EQ(reader.next().value().bytes.size(), 2u);
  EXPECT_TRUE(reader.next().value().is_simple(kTrue));
  EXPECT_EQ(reader.next().value().number, 1.1);
  EXPECT_EQ(reader.next().value().kind, Kind::kEnd);  // of the array
  EXPECT_FALSE(Reader(bytes).finish().has_value());
  EXPECT_EQ(reader.next().value().kind, Kind::kEnd);  // of the map
  EXPECT_TRUE(reader.finish().has_value());
  EXPECT_FALSE(reader.next().has_value());
}

TEST(Reader, SkipsWhatAnItemHolds) {
  const auto bytes = octets("84 a1 01 9f 02 c103 ff c1c2 81 41 00 5f 41 00 ff 07");
  Reader reader(bytes);
  (void)reader.next();
  for (int i = 0; i < 3; ++i) {
    const auto item = reader.next();
    ASSERT_TRUE(item && reader.skip(*item));
  }
  EXPECT_EQ(reader.next().value().value, 7u);
  EXPECT_EQ(reader.next().value().kind, Kind::kEnd);
  EXPECT_TRUE(reader.finish().has_value());
}

TEST(Reader, AcceptsEveryItem) {
  for (const ItemVector& vector : kAppendixA) EXPECT_EQ(read_all(octets(vector.octets)), "");
  for (const ItemVector& vector : kMoreItems) EXPECT_EQ(read_all(octets(vector.octets)), "");
}

TEST(Reader, RefusesWhatIsNotWellFormedForEver) {
  for (const BadItemVector& vector : kBadItems) {
    const auto bytes = octets(vector.octets);
    const testkit::ExactCopy exact(bytes);
    EXPECT_TRUE(read_all(exact.bytes()).starts_with(vector.reason)) << vector.octets;
    Reader reader(exact.bytes());
    auto item = reader.next();
    while (item) item = reader.next();
    EXPECT_EQ(reader.next().error().reason, item.error().reason);
    EXPECT_EQ(reader.finish().error().reason, item.error().reason);
  }
}

// RFC 8949 §3: what each first octet may be, with nothing behind it but what it needs.
TEST(Reader, KnowsEveryFirstOctet) {
  for (unsigned first = 0; first < 256; ++first) {
    const unsigned major = first >> 5;
    const unsigned low = first & 0x1f;
    std::vector<std::uint8_t> bytes(96, 0x20);
    bytes[0] = static_cast<std::uint8_t>(first);
    if (low > 24 && low < 28) {  // a length of 32
      std::fill_n(bytes.begin() + 1, (1u << (low - 24)) - 1, std::uint8_t{0});
    }
    Reader reader(bytes);
    const bool reserved = (low >= 28 && low < 31) || (low == 31 && (major < 2 || major == 6)) ||
                          first == 0xff;  // a "break" alone
    EXPECT_EQ(reader.next().has_value(), !reserved) << first;
  }
}

TEST(Reader, AllocatesNothing) {
  for (const BadItemVector& vector : kBadItems) {
    const auto bytes = octets(vector.octets);
    const std::size_t before = testkit::allocation_count();
    (void)read_all(bytes);
    EXPECT_EQ(testkit::allocation_count(), before) << vector.octets;
  }
  for (const ItemVector& vector : kAppendixA) {
    const auto bytes = octets(vector.octets);
    const std::size_t before = testkit::allocation_count();
    (void)read_all(bytes);
    EXPECT_EQ(testkit::allocation_count(), before) << vector.octets;
  }
}

}  // namespace
}  // namespace hermod::cbor::test
