// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "hermod/base/rng.hpp"
#include "hermod/testkit/octets.hpp"
#include "vectors.hpp"

namespace hermod::coap::test {
namespace {

using testkit::octets;

// Writing the options of a decoded message one by one gives back its octets: there is one encoding.
TEST(BodyWriter, ReproducesEveryVector) {
  for (const ValidVector& vector : kValid) {
    SCOPED_TRACE(vector.name);
    const auto datagram = octets(vector.octets);
    const auto message = decode(datagram);
    ASSERT_TRUE(message.has_value());
    std::vector<std::uint8_t> out(datagram.size());
    BodyWriter body(
        write_head(out.data(), message->type, message->code, message->message_id, message->token));
    std::size_t predicted = head_size(message->token.size());
    OptionNumber previous{};
    for (const OptionView& option : message->options) {
      body.option(option.number, option.value);
      predicted += option_size(previous, option.number, option.value.size());
      previous = option.number;
    }
    body.payload(message->payload);
    predicted += payload_size(message->payload.size());
    EXPECT_EQ(predicted, datagram.size());
    EXPECT_EQ(body.position(), out.data() + out.size());
    EXPECT_EQ(out, datagram);
  }
}

// Numbers and lengths on both sides of every border of RFC 7252 §3.1, in every combination.
TEST(BodyWriter, PredictsItsSizeAtEveryBorder) {
  constexpr std::array<std::size_t, 10> kBorders{0, 1, 12, 13, 14, 268, 269, 270, 65534, 65535};
  for (const std::size_t number : kBorders) {
    for (std::size_t length : kBorders) {
      if (length == 65534) length = kOptionLengthMax;
      const std::vector<std::uint8_t> value(length, 'v');
      std::vector<std::uint8_t> out(length + kOptionOverheadMax);
      BodyWriter body(out.data());
      body.option(static_cast<OptionNumber>(number), value);
      out.resize(static_cast<std::size_t>(body.position() - out.data()));
      EXPECT_EQ(out.size(), option_size({}, static_cast<OptionNumber>(number), length));
      EXPECT_LE(out.size(), length + kOptionOverheadMax);
      OptionCursor cursor(out);
      ASSERT_TRUE(cursor.next());
      EXPECT_EQ(static_cast<std::size_t>(cursor.option().number), number);
      EXPECT_TRUE(std::ranges::equal(cursor.option().value, value));
      EXPECT_FALSE(cursor.next());
      EXPECT_EQ(cursor.fault(), OptionFault::kNone);
    }
  }
}

// RFC 7252 §3.2: as few octets as possible.
TEST(BodyWriter, WritesShortestUints) {
  for (const auto& [value, hex] : std::initializer_list<std::pair<std::uint32_t, std::string_view>>{
           {0, "60"},
           {1, "6101"},
           {255, "61ff"},
           {256, "620100"},
           {0xffffff, "63ffffff"},
           {1u << 24, "6401000000"}}) {
    std::array<std::uint8_t, kOptionOverheadMax + 4> out{};
    BodyWriter body(out.data());
    body.uint_option(OptionNumber::kObserve, value);
    const Bytes written{out.data(), body.position()};
    EXPECT_TRUE(std::ranges::equal(written, octets(hex))) << value;
    EXPECT_EQ(written.size(), 1 + uint_size(value));
  }
}

TEST(BodyWriter, LeavesNoMarkerForAnEmptyPayload) {
  std::uint8_t out = 0;
  BodyWriter body(&out);
  body.payload({});
  EXPECT_EQ(body.position(), &out);
}

TEST(BodyWriterDeathTest, RefusesDescendingNumbers) {
  std::array<std::uint8_t, 2 * kOptionOverheadMax> out{};
  BodyWriter body(out.data());
  body.option(OptionNumber::kUriPath, Bytes{});
  EXPECT_DEATH(body.option(OptionNumber::kETag, Bytes{}), "broken invariant");
}

// Token lengths on both sides of every border of RFC 8974 §2.1.
TEST(WriteHead, PredictsItsSizeAtEveryBorder) {
  for (const std::size_t length :
       {0u, 1u, 8u, 9u, 12u, 13u, 14u, 268u, 269u, 270u, 65803u, 65804u}) {
    const std::vector<std::uint8_t> token(length, 't');
    std::vector<std::uint8_t> out(head_size(length));
    EXPECT_EQ(write_head(out.data(), Type::kCon, code::kGet, 0, token), out.data() + out.size());
    const auto message = decode(out);
    ASSERT_TRUE(message.has_value()) << length;
    EXPECT_TRUE(std::ranges::equal(message->token, token)) << length;
    EXPECT_TRUE(message->options.empty()) << length;
  }
}

TEST(WriteHeadDeathTest, RefusesTokensThatNoHeaderCanTell) {
  const std::vector<std::uint8_t> token(kTokenSizeMax + 1);
  std::vector<std::uint8_t> out(token.size() + 16);
  EXPECT_DEATH((void)write_head(out.data(), Type::kCon, code::kGet, 0, token), "broken invariant");
}

// Random messages, seeded: what is written is what is read.
TEST(Encode, RoundTripsRandomMessages) {
  SeededRng rng(7252);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::uint8_t> octet_pool(600);
    for (auto& octet : octet_pool) octet = static_cast<std::uint8_t>(rng.next());
    const auto some = [&](std::size_t most) {
      return Bytes{octet_pool}.subspan(rng.below(300), rng.below(most + 1));
    };
    std::vector<std::uint8_t> option_octets(8 * (kOptionOverheadMax + 300));
    std::vector<OptionView> written;
    BodyWriter body(option_octets.data());
    std::uint64_t number = 0;
    for (std::uint64_t left = rng.below(8); left > 0; --left) {
      number += rng.below(rng.below(2) == 0 ? 20 : 9000);
      written.push_back({static_cast<OptionNumber>(number), some(300)});
      body.option(written.back().number, written.back().value);
    }
    const MessageView message{.type = static_cast<Type>(rng.below(4)),
                              .code = {static_cast<std::uint8_t>(1 + rng.below(255))},
                              .message_id = static_cast<std::uint16_t>(rng.next()),
                              .token = some(rng.below(2) == 0 ? kTokenSizeUsual : 290),
                              .options = Options{{option_octets.data(), body.position()}},
                              .payload = some(300)};
    std::vector<std::uint8_t> datagram(encoded_size(message));
    ASSERT_EQ(encode(message, datagram.data()), datagram.data() + datagram.size());
    const auto read = decode(datagram);
    ASSERT_TRUE(read.has_value()) << read.error().statement;
    EXPECT_EQ(read->type, message.type);
    EXPECT_EQ(read->code, message.code);
    EXPECT_EQ(read->message_id, message.message_id);
    EXPECT_TRUE(std::ranges::equal(read->token, message.token));
    EXPECT_TRUE(std::ranges::equal(read->payload, message.payload));
    std::size_t at = 0;
    for (const OptionView& option : read->options) {
      ASSERT_LT(at, written.size());
      EXPECT_EQ(option.number, written[at].number);
      EXPECT_TRUE(std::ranges::equal(option.value, written[at].value));
      ++at;
    }
    EXPECT_EQ(at, written.size());
  }
}

}  // namespace
}  // namespace hermod::coap::test
