// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/request_options.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "hermod/coap/codec/writer.hpp"

namespace hermod::coap::test {
namespace {

using enum OptionNumber;

struct Read {
  std::vector<std::uint8_t> octets;
  std::size_t size = 0;
  RequestOptions options;
};

// Options in ascending order.
Read read(const std::vector<std::pair<OptionNumber, std::string>>& options) {
  Read result{.octets = std::vector<std::uint8_t>(8192)};
  BodyWriter body(result.octets.data());
  for (const auto& [number, value] : options) body.option(number, value);
  result.size = static_cast<std::size_t>(body.position() - result.octets.data());
  result.options = read_options({.options = Options{{result.octets.data(), result.size}}});
  return result;
}

TEST(ReadOptions, TakesTheOptions) {
  const Read result = read({{kUriHost, "h"},
                            {kETag, "1"},
                            {kETag, "22"},
                            {kETag, "333"},
                            {kObserve, ""},
                            {kUriPort, "\x16\x33"},
                            {kUriPath, "ps"},
                            {kContentFormat, "2"},
                            {kMaxAge, std::string("\0\x01\x00", 3)},
                            {kAccept, ""}});
  EXPECT_EQ(result.options.observe, kObserveRegister);
  EXPECT_EQ(result.options.content_format, ContentFormat::kJson);
  EXPECT_EQ(result.options.max_age_s, 256u);
  EXPECT_EQ(result.options.accept, ContentFormat::kTextPlain);
  EXPECT_EQ(as_text(result.options.etags.at(1)), "22");
  EXPECT_FALSE(result.options.bad_option.has_value());
  EXPECT_FALSE(result.options.refusal.has_value());
}

// RFC 7252 §5.4.1, §5.4.3, §5.4.5: unknown, of a wrong length, once too often.
TEST(ReadOptions, NamesTheFirstBadCriticalOption) {
  EXPECT_EQ(read({{OptionNumber{9}, "x"}}).options.bad_option, OptionNumber{9});
  EXPECT_EQ(read({{kIfMatch, "123456789"}}).options.bad_option, kIfMatch);
  EXPECT_EQ(read({{kIfNoneMatch, "x"}}).options.bad_option, kIfNoneMatch);
  EXPECT_EQ(read({{kBlock1, "1234"}}).options.bad_option, kBlock1);
  EXPECT_EQ(read({{kUriHost, ""}}).options.bad_option, kUriHost);
  EXPECT_EQ(read({{kUriPath, std::string(256, 'x')}}).options.bad_option, kUriPath);
  EXPECT_EQ(read({{kAccept, "123"}}).options.bad_option, kAccept);
  EXPECT_EQ(read({{kAccept, "1"}, {kAccept, "2"}}).options.bad_option, kAccept);
  EXPECT_EQ(read({{kUriPort, "1"}, {kUriPort, "1"}, {kAccept, "123"}}).options.bad_option,
            kUriPort);
  EXPECT_EQ(read({{OptionNumber{65'001}, ""}}).options.bad_option, OptionNumber{65'001});
}

TEST(ReadOptions, IgnoresBadElectiveOptions) {
  const Read result = read({{kETag, ""},
                            {kObserve, "1234"},
                            {OptionNumber{10}, "x"},
                            {kContentFormat, "123"},
                            {kMaxAge, "1"},
                            {kMaxAge, "2"},
                            {OptionNumber{65'000}, "x"}});
  EXPECT_FALSE(result.options.bad_option.has_value());
  EXPECT_FALSE(result.options.observe.has_value());
  EXPECT_FALSE(result.options.content_format.has_value());
  EXPECT_EQ(result.options.max_age_s, static_cast<std::uint32_t>('1'));  // the first one holds
  EXPECT_TRUE(result.options.etags.empty());
}

TEST(ReadOptions, TakesConditionsAndBlocks) {
  const Read result = read({{kIfMatch, ""},
                            {kIfMatch, "12345678"},
                            {kIfNoneMatch, ""},
                            {kUriQuery, "a=1"},
                            {kUriQuery, ""},
                            {kBlock2, "\x12"},
                            {kBlock1, "\x0e"},
                            {kSize2, ""},
                            {kSize1, "\x40"},
                            {kEcho, "echo"},
                            {kNoResponse, "\x1a"}});
  const RequestOptions& options = result.options;
  EXPECT_EQ(options.if_match.size(), 2u);
  EXPECT_TRUE(options.if_none_match);
  EXPECT_EQ(options.query.size(), 2u);
  EXPECT_EQ(options.block2, (Block{.number = 1, .more = false, .size_exponent = 2}));
  EXPECT_EQ(options.block1, (Block{.number = 0, .more = true, .size_exponent = 6}));
  EXPECT_TRUE(options.wants_size2);
  EXPECT_EQ(options.size1, 64u);
  EXPECT_EQ(as_text(options.echo), "echo");
  EXPECT_EQ(options.no_response, 26);
  EXPECT_FALSE(options.refusal.has_value());
}

TEST(ReadOptions, RefusesProxyingAndReservedValues) {
  EXPECT_EQ(read({{kProxyUri, "coap://x"}}).options.refusal->code, code::kProxyingNotSupported);
  EXPECT_EQ(read({{kUriPath, "ps"}, {kProxyScheme, "http"}}).options.refusal->code,
            code::kProxyingNotSupported);
  // RFC 7959 §2.2, RFC 8768 §3
  EXPECT_EQ(read({{kBlock1, "\x07"}}).options.refusal->code, code::kBadRequest);
  EXPECT_EQ(read({{kBlock2, "\x17"}}).options.refusal->code, code::kBadRequest);
  EXPECT_EQ(read({{kHopLimit, std::string(1, '\0')}}).options.refusal->code, code::kBadRequest);
  EXPECT_FALSE(read({{kHopLimit, "\x01"}}).options.refusal.has_value());
}

TEST(ReadOptions, BoundsTheTags) {
  std::vector<std::pair<OptionNumber, std::string>> options(RequestOptions::kTagsMax, {kETag, "1"});
  options.emplace_back(kETag, "2");
  EXPECT_EQ(read(options).options.etags.size(), RequestOptions::kTagsMax);
  EXPECT_FALSE(read(options).options.refusal.has_value());  // RFC 7252 §5.10.6.2
  for (auto& [number, value] : options) number = kIfMatch;
  EXPECT_EQ(read(options).options.refusal->code, code::kBadRequest);
}

// RFC 7959 §2.3, §2.4, RFC 9175 §3: the same but for what differs from block to block.
TEST(TransferKey, TellsBodiesApart) {
  const auto key = [](const std::vector<std::pair<OptionNumber, std::string>>& options,
                      Code method = code::kPut) {
    const Read result = read(options);
    return transfer_key({.code = method, .options = Options{{result.octets.data(), result.size}}});
  };
  const std::uint64_t whole = key({{kUriPath, "a"}, {kUriPath, "b"}});
  EXPECT_EQ(key({{kObserve, ""},
                 {kUriPath, "a"},
                 {kUriPath, "b"},
                 {kBlock2, "1"},
                 {kBlock1, "2"},
                 {kSize2, ""},
                 {kSize1, "3"},
                 {kEcho, "4"}}),
            whole);
  EXPECT_NE(key({{kUriPath, "a"}, {kUriPath, "b"}}, code::kPost), whole);
  EXPECT_NE(key({{kUriPath, "a"}}), whole);
  EXPECT_NE(key({{kUriPath, "ab"}}), whole);
  EXPECT_NE(key({{kUriPath, "a"}, {kUriPath, "b"}, {kUriQuery, ""}}), whole);
  EXPECT_NE(key({{kUriPath, "a"}, {kUriPath, "b"}, {kRequestTag, "1"}}), whole);
  EXPECT_NE(key({{kUriPath, "a"}, {kUriPath, "b"}, {kRequestTag, ""}}), whole);
}

}  // namespace
}  // namespace hermod::coap::test
