// SPDX-License-Identifier: Apache-2.0
// Decoding: every vector, every truncation, and the corpus that is made of the vectors.
#include "hermod/coap/codec/message.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "coap_codec_under_test.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/testkit/allocations.hpp"
#include "vectors.hpp"

namespace hermod::coap::test {
namespace {

using testkit::hex;
using testkit::octets;

// "number: octets" per option.
std::string describe(Options options) {
  std::string out;
  for (const OptionView& option : options) {
    out += fmt::format("{}: {}; ", static_cast<unsigned>(option.number), hex(option.value));
  }
  return out;
}

// The same from the options column of a vector.
std::string describe(std::string_view column) {
  std::string out;
  while (!column.empty()) {
    const std::string_view item = column.substr(0, column.find(' '));
    const std::size_t colon = item.find(':');
    out += fmt::format("{}: {}; ", item.substr(0, colon), hex(octets(item.substr(colon + 1))));
    column.remove_prefix(std::min(column.size(), item.size() + 1));
  }
  return out;
}

TEST(Decode, YieldsWhatTheVectorsSay) {
  for (const ValidVector& vector : kValid) {
    SCOPED_TRACE(vector.name);
    const auto datagram = octets(vector.octets);
    const auto message = decode(datagram);
    ASSERT_TRUE(message.has_value()) << message.error().statement;
    EXPECT_EQ(message->version, 1);
    EXPECT_EQ(static_cast<unsigned>(message->type), vector.type);
    EXPECT_EQ(to_string(message->code), vector.code);
    EXPECT_EQ(message->message_id, vector.message_id);
    EXPECT_EQ(hex(message->token), hex(octets(vector.token)));
    EXPECT_EQ(describe(message->options), describe(vector.options));
    EXPECT_EQ(as_text(message->payload), vector.payload);
  }
}

TEST(Decode, BorrowsFromTheDatagram) {
  for (const ValidVector& vector : kValid) {
    const auto datagram = octets(vector.octets);
    const auto message = decode(datagram);
    ASSERT_TRUE(message.has_value());
    for (const Bytes part : {message->token, message->options.octets(), message->payload}) {
      if (part.empty()) continue;
      EXPECT_GE(part.data(), datagram.data());
      EXPECT_LE(part.data() + part.size(), datagram.data() + datagram.size());
    }
  }
}

TEST(Decode, NamesTheBrokenRuleAndItsPlace) {
  for (const MalformedVector& vector : kMalformed) {
    SCOPED_TRACE(vector.name);
    const auto message = decode(octets(vector.octets));
    ASSERT_FALSE(message.has_value());
    EXPECT_EQ(message.error().kind, WireError::Kind::kMalformed);
    EXPECT_EQ(message.error().statement, vector.statement);
    EXPECT_EQ(message.error().offset, vector.offset);
  }
}

// A datagram cannot be continued: a cut one is malformed or another, shorter message, never
// "incomplete".
TEST(Decode, CutDatagramsAreNeverReadPastTheirEnd) {
  for (const ValidVector& vector : kValid) {
    SCOPED_TRACE(vector.name);
    const auto datagram = octets(vector.octets);
    for (std::size_t size = 0; size < datagram.size(); ++size) {
      const testkit::ExactCopy cut(Bytes(datagram).first(size));
      const auto message = decode(cut.bytes());
      if (!message) {
        EXPECT_FALSE(message.error().incomplete());
        EXPECT_LE(message.error().offset, size);
      } else {
        EXPECT_EQ(encoded_size(*message), size);
      }
    }
  }
}

TEST(Decode, RoundTripsWithoutAllocating) {
  for (const ValidVector& vector : kValid) {
    SCOPED_TRACE(vector.name);
    EXPECT_EQ(testkit::reencodes(MessageCodec{}, octets(vector.octets)), "");
    EXPECT_EQ(testkit::decodes_without_allocating(MessageCodec{}, octets(vector.octets)), "");
  }
  for (const MalformedVector& vector : kMalformed) {
    SCOPED_TRACE(vector.name);
    EXPECT_EQ(testkit::decodes_without_allocating(MessageCodec{}, octets(vector.octets)), "");
  }
}

// There is one encoding of a message: what was decoded encodes to the same octets.
TEST(Decode, EncodesBackToTheSameOctets) {
  for (const ValidVector& vector : kValid) {
    SCOPED_TRACE(vector.name);
    const auto datagram = octets(vector.octets);
    std::vector<std::uint8_t> out(datagram.size());
    encode(*decode(datagram), out.data());
    EXPECT_EQ(out, datagram);
  }
}

// The largest token that can be told, and one octet less of it (RFC 8974 §2.1).
TEST(Decode, ReadsTheLongestToken) {
  auto datagram = octets("4e010001ffff 'k'*65804 ff70");
  const auto message = decode(datagram);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->token.size(), kTokenSizeMax);
  EXPECT_EQ(message->token.data(), datagram.data() + 6);
  EXPECT_EQ(as_text(message->payload), "p");
  EXPECT_EQ(testkit::reencodes(MessageCodec{}, datagram), "");
  datagram.resize(6 + kTokenSizeMax - 1);
  ASSERT_FALSE(decode(datagram).has_value());
  EXPECT_EQ(decode(datagram).error().offset, datagram.size());
}

// RFC 7252 §4.2: a Reset echoes the Message ID even of a message that could not be decoded.
TEST(ReadHeader, WorksOnMalformedMessages) {
  for (const MalformedVector& vector : kMalformed) {
    SCOPED_TRACE(vector.name);
    const auto datagram = octets(vector.octets);
    const auto header = read_header(datagram);
    EXPECT_EQ(header.has_value(), datagram.size() >= 4);
    if (!header) continue;
    EXPECT_EQ(header->message_id, datagram[2] << 8 | datagram[3]);
    EXPECT_EQ(header->code.value, datagram[1]);
  }
}

TEST(ReadHeader, TakesTheFirstOctetApart) {
  const auto header = read_header(octets("a9451234"));
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->version, 2);
  EXPECT_EQ(header->type, Type::kAck);
  EXPECT_EQ(header->token_length, 9);
  EXPECT_EQ(header->code, code::kContent);
  EXPECT_EQ(header->message_id, 0x1234);
}

TEST(Code, KnowsItsClasses) {
  EXPECT_TRUE(code::kEmpty.is_empty());
  EXPECT_FALSE(code::kEmpty.is_request());
  EXPECT_FALSE(code::kEmpty.is_response());
  EXPECT_FALSE(code::kEmpty.is_reserved());
  EXPECT_EQ(code::kRequestEntityTooLarge.value, 0x8d);
  for (unsigned value = 1; value < 256; ++value) {
    const Code code{static_cast<std::uint8_t>(value)};
    EXPECT_EQ(code.is_request(), value < 0x20);
    EXPECT_EQ(code.is_response(), value >= 0x40 && value < 0xc0);
    EXPECT_EQ(code.is_reserved(), (value >= 0x20 && value < 0x40) || value >= 0xc0);
    EXPECT_EQ(code, Code::of(code.code_class(), code.detail()));
  }
}

// RFC 7252 §4.3 Table 1.
TEST(Fits, FollowsTheTableOfMessageTypes) {
  EXPECT_TRUE(fits(Type::kCon, code::kGet));
  EXPECT_TRUE(fits(Type::kNon, code::kGet));
  EXPECT_FALSE(fits(Type::kAck, code::kGet));
  EXPECT_FALSE(fits(Type::kRst, code::kGet));
  EXPECT_TRUE(fits(Type::kCon, code::kContent));
  EXPECT_TRUE(fits(Type::kNon, code::kContent));
  EXPECT_TRUE(fits(Type::kAck, code::kContent));
  EXPECT_FALSE(fits(Type::kRst, code::kContent));
  EXPECT_TRUE(fits(Type::kCon, code::kEmpty));
  EXPECT_FALSE(fits(Type::kNon, code::kEmpty));
  EXPECT_TRUE(fits(Type::kAck, code::kEmpty));
  EXPECT_TRUE(fits(Type::kRst, code::kEmpty));
  for (const unsigned reserved : {1u, 6u, 7u}) {
    for (const Type type : {Type::kCon, Type::kNon, Type::kAck, Type::kRst}) {
      EXPECT_FALSE(fits(type, Code::of(reserved, 1)));
    }
  }
}

}  // namespace
}  // namespace hermod::coap::test
