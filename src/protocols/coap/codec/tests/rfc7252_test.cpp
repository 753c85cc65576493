// SPDX-License-Identifier: Apache-2.0
// The statements of RFC 7252 on the octets of a message (sections 3, 4.1, 12) and the messages that
// Appendix A spells out. Names: tests/conformance/rfc7252.txt.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/option.hpp"
#include "hermod/coap/codec/writer.hpp"
#include "hermod/testkit/octets.hpp"

namespace hermod::coap::test {
namespace {

using testkit::octets;

bool decodes(std::string_view notation) {
  return decode(octets(notation)).has_value();
}

std::vector<std::uint8_t> written(Type type, Code code, std::uint16_t id, std::string_view token,
                                  std::string_view path, std::string_view payload) {
  std::vector<std::uint8_t> out(64);
  BodyWriter body(write_head(out.data(), type, code, id, as_bytes(token)));
  if (!path.empty()) body.option(OptionNumber::kUriPath, path);
  body.payload(as_bytes(payload));
  out.resize(static_cast<std::size_t>(body.position() - out.data()));
  return out;
}

TEST(Rfc7252Codec, RFC7252_3_1_what_is_written_has_version_1) {
  for (const Type type : {Type::kCon, Type::kNon, Type::kAck, Type::kRst}) {
    for (const std::string_view token : {"", "t", "12345678"}) {
      EXPECT_EQ(written(type, code::kContent, 0xffff, token, "", "x")[0] >> 6, 1);
    }
  }
}

TEST(Rfc7252Codec, RFC7252_3_2_no_other_version_is_read) {
  EXPECT_TRUE(decodes("40010001"));
  EXPECT_FALSE(decodes("00010001"));
  EXPECT_FALSE(decodes("80010001"));
  EXPECT_FALSE(decodes("c0010001"));
}

// RFC 8974 §2.1 gives the lengths 9 to 14 a meaning; 15 is reserved still.
TEST(Rfc7252Codec, RFC7252_3_3_a_reserved_token_length_is_a_format_error) {
  EXPECT_TRUE(decodes("48010001 a1a2a3a4a5a6a7a8"));
  EXPECT_FALSE(decodes("4f010001 a1a2a3a4a5a6a7a8a9aaabacadaeaf"));
  EXPECT_FALSE(decodes("4f010001 0000" + std::string(2 * 269, 'a')));
}

TEST(Rfc7252Codec, RFC7252_3_4_a_marker_needs_a_payload) {
  EXPECT_TRUE(decodes("40020001 ff61"));
  EXPECT_FALSE(decodes("40020001 ff"));
  EXPECT_FALSE(decodes("40020001 b161 ff"));
  EXPECT_EQ(written(Type::kCon, code::kPost, 1, "", "", "").size(), kHeaderSize);
}

TEST(Rfc7252Codec, RFC7252_3_1_1_numbers_are_sums_of_deltas) {
  std::array<std::uint8_t, 64> out{};
  BodyWriter body(out.data());
  std::string numbers;
  for (const unsigned number : {1u, 1u, 11u, 60u, 300u, 65'000u}) {
    body.option(static_cast<OptionNumber>(number), "v");
    numbers += std::to_string(number) + ' ';
  }
  std::string read;
  for (const OptionView& option : Options{Bytes{out.data(), body.position()}}) {
    read += std::to_string(static_cast<unsigned>(option.number)) + ' ';
  }
  EXPECT_EQ(read, numbers);
}

// Were 15 read as 14 is, these would be options with a number or a length of 269.
TEST(Rfc7252Codec, RFC7252_3_1_2_and_3_reserved_nibbles_are_format_errors) {
  EXPECT_TRUE(decodes("40010001 e1 0000 61"));
  EXPECT_FALSE(decodes("40010001 f1 0000 61"));
  EXPECT_FALSE(decodes("40010001 f0"));
  EXPECT_TRUE(decodes("40010001 1e 0000 'x'*269"));
  EXPECT_FALSE(decodes("40010001 1f 0000 'x'*269"));
  EXPECT_FALSE(decodes("40010001 bf"));
}

TEST(Rfc7252Codec, RFC7252_3_2_1_leading_zeros_change_no_number) {
  for (const char* value : {"32", "0032", "000032", "00000032"}) {
    EXPECT_EQ(uint_value(octets(value)), 0x32u) << value;
  }
  EXPECT_EQ(uint_value(octets("00")), 0u);
  EXPECT_EQ(uint_value({}), 0u);
}

TEST(Rfc7252Codec, RFC7252_4_1_1_and_2_an_empty_message_is_its_header) {
  EXPECT_TRUE(decodes("40000001"));
  EXPECT_TRUE(decodes("60000001"));
  EXPECT_TRUE(decodes("70000001"));
  for (const char* more : {"41000001 aa", "40000001 aa", "40000001 b0", "60000001 ff61",
                           "70000001 00", "61000001 aa", "71000001"}) {
    EXPECT_FALSE(decodes(more)) << more;
  }
}

// 65000-65535, both of options and of Content-Formats.
TEST(Rfc7252Codec, RFC7252_12_2_1_and_12_3_1_no_number_for_experiments_means_anything) {
  for (unsigned number = 65'000; number <= 65'535; ++number) {
    EXPECT_EQ(find_rule(static_cast<OptionNumber>(number)), nullptr);
    EXPECT_FALSE(media_type(static_cast<ContentFormat>(number)).has_value());
  }
}

// RFC 7252 Figure 16: a Confirmable request with its piggybacked response.
TEST(Rfc7252Codec, Figure_16_octet_by_octet) {
  EXPECT_EQ(written(Type::kCon, code::kGet, 0x7d34, "", "temperature", ""),
            octets("40017d34 bb 74656d7065726174757265"));
  EXPECT_EQ(written(Type::kAck, code::kContent, 0x7d34, "", "", "22.3 C"),
            octets("60457d34 ff 32322e332043"));
}

// RFC 7252 Figure 17: the same with a token.
TEST(Rfc7252Codec, Figure_17_octet_by_octet) {
  const auto request = octets("41017d35 20 bb 74656d7065726174757265");
  const auto response = octets("61457d35 20 ff 32322e332043");
  EXPECT_EQ(written(Type::kCon, code::kGet, 0x7d35, " ", "temperature", ""), request);
  EXPECT_EQ(written(Type::kAck, code::kContent, 0x7d35, " ", "", "22.3 C"), response);
  const auto read = decode(request);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->type, Type::kCon);
  EXPECT_EQ(read->code, code::kGet);
  EXPECT_EQ(read->message_id, 0x7d35);
  EXPECT_TRUE(std::ranges::equal(read->token, octets("20")));
  EXPECT_EQ(as_text(read->options.find(OptionNumber::kUriPath).value()), "temperature");
  EXPECT_TRUE(read->payload.empty());
}

}  // namespace
}  // namespace hermod::coap::test
