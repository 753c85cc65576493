// SPDX-License-Identifier: Apache-2.0
// Decoding: every vector, every truncation, and the corpus that is made of the vectors.
#include "hermod/coap/codec/message.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "hermod/coap/codec/writer.hpp"
#include "vectors.hpp"

namespace hermod::coap::test {
namespace {

std::string hex(Bytes bytes) {
  std::string out;
  for (const std::uint8_t octet : bytes) out += fmt::format("{:02x}", octet);
  return out;
}

std::string describe(Options options) {
  std::string out;
  for (const OptionView& option : options) {
    if (!out.empty()) out += ' ';
    out += fmt::format("{}:{}", static_cast<unsigned>(option.number), hex(option.value));
  }
  return out;
}

// "PAD" in the expectation stands for 268 octets, as it does in the input.
std::string expand(std::string_view options) {
  const std::size_t at = options.find("PAD");
  std::string out{options.substr(0, at)};
  if (at != std::string_view::npos) out += hex(octets("PAD"));
  return out;
}

TEST(Decode, YieldsWhatTheVectorsSay) {
  for (const ValidVector& vector : kValid) {
    SCOPED_TRACE(vector.name);
    const auto datagram = octets(vector);
    const auto message = decode(datagram);
    ASSERT_TRUE(message.has_value()) << message.error().statement;
    EXPECT_EQ(message->version, 1);
    EXPECT_EQ(static_cast<unsigned>(message->type), vector.type);
    EXPECT_EQ(to_string(message->code), vector.code);
    EXPECT_EQ(message->message_id, vector.message_id);
    EXPECT_EQ(hex(message->token), vector.token);
    EXPECT_EQ(describe(message->options), expand(vector.options));
    EXPECT_EQ(as_text(message->payload), vector.payload);
  }
}

TEST(Decode, BorrowsFromTheDatagram) {
  for (const ValidVector& vector : kValid) {
    const auto datagram = octets(vector);
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
    const auto message = decode(octets(vector));
    ASSERT_FALSE(message.has_value());
    EXPECT_EQ(message.error().kind, WireError::Kind::kMalformed);
    EXPECT_EQ(message.error().statement, vector.statement);
    EXPECT_EQ(message.error().offset, vector.offset);
  }
}

// A datagram cannot be continued: a cut one is malformed or another, shorter message, never
// "incomplete". Cut copies are heap blocks of their exact size, so that a sanitizer sees any
// octet read behind them.
TEST(Decode, CutDatagramsAreNeverReadPastTheirEnd) {
  for (const ValidVector& vector : kValid) {
    SCOPED_TRACE(vector.name);
    const auto datagram = octets(vector);
    for (std::size_t size = 0; size < datagram.size(); ++size) {
      const std::vector<std::uint8_t> cut(datagram.begin(),
                                          datagram.begin() + static_cast<std::ptrdiff_t>(size));
      const auto message = decode(cut);
      if (!message) {
        EXPECT_FALSE(message.error().incomplete());
        EXPECT_LE(message.error().offset, size);
      } else {
        EXPECT_EQ(encoded_size(*message), size);
      }
    }
  }
}

TEST(Decode, EncodesBackToTheSameOctets) {
  for (const ValidVector& vector : kValid) {
    SCOPED_TRACE(vector.name);
    const auto datagram = octets(vector);
    const auto message = decode(datagram);
    ASSERT_TRUE(message.has_value());
    ASSERT_EQ(encoded_size(*message), datagram.size());
    std::vector<std::uint8_t> out(datagram.size());
    EXPECT_EQ(encode(*message, out.data()), out.data() + out.size());
    EXPECT_EQ(hex(out), hex(datagram));
  }
}

// RFC 7252 §4.2: a Reset echoes the Message ID even of a message that could not be decoded.
TEST(ReadHeader, WorksOnMalformedMessages) {
  for (const MalformedVector& vector : kMalformed) {
    SCOPED_TRACE(vector.name);
    const auto datagram = octets(vector);
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

// One corpus file per vector. HERMOD_WRITE_CORPUS=1 writes them anew.
template <typename Vector>
void check_corpus(const Vector& vector) {
  SCOPED_TRACE(vector.name);
  const auto datagram = octets(vector);
  const auto path = std::filesystem::path(HERMOD_CORPUS_DIR) / vector.name;
  if (std::getenv("HERMOD_WRITE_CORPUS") != nullptr) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(datagram.data()),
               static_cast<std::streamsize>(datagram.size()));
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.is_open()) << path << " is missing; run with HERMOD_WRITE_CORPUS=1";
  const std::string found{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(hex(as_bytes(found)), hex(datagram));
}

TEST(Corpus, HoldsEveryVector) {
  for (const ValidVector& vector : kValid) check_corpus(vector);
  for (const MalformedVector& vector : kMalformed) check_corpus(vector);
}

}  // namespace
}  // namespace hermod::coap::test
