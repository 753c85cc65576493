// SPDX-License-Identifier: Apache-2.0
#include "record.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hermod/base/rng.hpp"
#include "hermod/testkit/octets.hpp"
#include "varint.hpp"

namespace hermod::store {
namespace {

constexpr std::uint64_t kKey = 0x1122334455667788;
constexpr Position kPlace = std::uint64_t{7} << 32 | 4160;

std::vector<std::uint8_t> record_of(Bytes body, std::uint64_t key, Position position,
                                    RecordKind kind = RecordKind::kMessage) {
  std::vector<std::uint8_t> octets(kFrameOctets + body.size());
  write_frame(octets.data(),
              {.body_octets = static_cast<std::uint32_t>(body.size()),
               .kind = static_cast<std::uint8_t>(kind),
               .version = kBodyVersion},
              key, position, hash_of(body));
  std::ranges::copy(body, octets.begin() + kFrameOctets);
  return octets;
}

bool reads(Bytes record, std::uint64_t key, Position position) {
  const auto frame = read_frame(record.data(), key, position);
  if (!frame || kFrameOctets + frame->body_octets > record.size()) return false;
  return is_whole(record.data(), *frame, key, position);
}

TEST(Record, IsReadWhereItWasWritten) {
  const auto body = testkit::octets("'what was written'");
  const auto record = record_of(body, kKey, kPlace, RecordKind::kSettled);
  const auto frame = read_frame(record.data(), kKey, kPlace);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->body_octets, body.size());
  EXPECT_EQ(frame->kind, 3);
  EXPECT_EQ(frame->version, kBodyVersion);
  EXPECT_TRUE(is_whole(record.data(), *frame, kKey, kPlace));
}

TEST(Record, IsNoneElsewhereOrUnderAnotherKey) {
  const auto record = record_of(testkit::octets("'a'*64"), kKey, kPlace);
  EXPECT_TRUE(reads(record, kKey, kPlace));
  for (std::uint64_t step = 1; step < 2'000; ++step) {
    EXPECT_FALSE(reads(record, kKey, kPlace + 8 * step)) << step;
    EXPECT_FALSE(reads(record, kKey, kPlace + (step << 32))) << step;
    EXPECT_FALSE(reads(record, kKey + step, kPlace)) << step;
  }
}

TEST(Record, EveryFlippedBitIsSeen) {
  const auto record = record_of(testkit::octets("'payload'*4"), kKey, kPlace);
  for (std::size_t bit = 0; bit < 8 * record.size(); ++bit) {
    auto flipped = record;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_FALSE(reads(flipped, kKey, kPlace)) << bit;
  }
}

TEST(Record, ABodyInTwoPiecesIsTheBody) {
  SeededRng rng(1);
  std::vector<std::uint8_t> body(5'000);
  for (auto& octet : body) octet = static_cast<std::uint8_t>(rng.next());
  for (const std::size_t cut : {0, 1, 17, 240, 4'999, 5'000}) {
    const Bytes all(body);
    EXPECT_EQ(hash_of(all.first(cut), all.subspan(cut)), hash_of(all)) << cut;
  }
  EXPECT_EQ(make_draft(RecordKind::kValue, Bytes(body).first(9), Bytes(body).subspan(9)).hash,
            hash_of(body));
}

TEST(Record, ZerosAreNone) {
  const std::vector<std::uint8_t> zeros(kFrameOctets);
  for (Position position = 0; position < 1'000'000; position += 8) {
    ASSERT_FALSE(read_frame(zeros.data(), kKey, position)) << position;
  }
}

TEST(Record, TheLongestBodyIsALimit) {
  const std::uint8_t octet = 0;
  EXPECT_DEATH((void)make_draft(RecordKind::kValue, {&octet, kBodyOctetsMax}, {&octet, 1}),
               "kBodyOctetsMax");
  std::vector<std::uint8_t> frame(kFrameOctets);
  write_frame(frame.data(), {.body_octets = kBodyOctetsMax, .kind = 1}, kKey, kPlace, 0);
  EXPECT_TRUE(read_frame(frame.data(), kKey, kPlace));
  write_frame(frame.data(), {.body_octets = kBodyOctetsMax + 1, .kind = 1}, kKey, kPlace, 0);
  EXPECT_FALSE(read_frame(frame.data(), kKey, kPlace));
}

TEST(Record, IsPaddedToEight) {
  EXPECT_EQ(record_octets(0), 16u);
  EXPECT_EQ(record_octets(1), 24u);
  EXPECT_EQ(record_octets(8), 24u);
  EXPECT_EQ(record_octets(9), 32u);
}

TEST(Varint, RoundTripsAtEachLength) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const std::uint64_t value :
         {std::uint64_t{1} << bits, (std::uint64_t{1} << bits) - 1, ~(std::uint64_t{1} << bits)}) {
      std::uint8_t octets[kVarintMax];
      Cursor in(Bytes(octets, put_varint(octets, value)));
      EXPECT_EQ(in.varint(), value);
      EXPECT_TRUE(in.ok() && in.at_end());
      const auto number = static_cast<std::int64_t>(value);
      EXPECT_EQ(unzigzag(zigzag(number)), number);
      in = Cursor(Bytes(octets, put_delta(octets, 5, value)));
      EXPECT_EQ(in.delta(5), value);
    }
  }
}

TEST(Varint, WhatEndsTooEarlyOrIsTooLargeFails) {
  for (const char* const wrong :
       {"", "80", "ff ff ff", "80*10 01", "ff*9 02", "ff*9 ff", "ff*12"}) {
    const auto octets = testkit::octets(wrong);
    Cursor in{Bytes(octets)};
    EXPECT_EQ(in.varint(), 0u) << wrong;
    EXPECT_FALSE(in.ok()) << wrong;
    EXPECT_EQ(in.u8(), 0u) << wrong;
  }
  const auto largest = testkit::octets("ff*9 01");
  Cursor in{Bytes(largest)};
  EXPECT_EQ(in.varint(), UINT64_MAX);
  EXPECT_TRUE(in.ok());
}

TEST(Varint, ALengthBehindTheEndFails) {
  const auto octets = testkit::octets("05 'abcd'");
  Cursor in{Bytes(octets)};
  EXPECT_TRUE(in.prefixed().empty());
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.remaining(), 0u);
}

}  // namespace
}  // namespace hermod::store
