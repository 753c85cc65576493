// SPDX-License-Identifier: Apache-2.0
// What survives from CoAP to the hub and back: the rows of the table in README.md.
#include "hermod/coap/session/convert.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hermod::coap::test {
namespace {

using std::chrono::seconds;
constexpr Instant kNow{seconds{1000}};

std::optional<ContentFormat> format(unsigned number) {
  return static_cast<ContentFormat>(number);
}

TEST(ContentTypeText, IsReversibleForEveryNumber) {
  for (unsigned number = 0; number <= 0xffff; ++number) {
    const auto given = static_cast<ContentFormat>(number);
    const ContentTypeText text(given);
    ASSERT_EQ(format_of(text.text()), given) << text.text();
  }
  EXPECT_EQ(ContentTypeText(ContentFormat{65'535}).text(), "application/coap-payload;cf=65535");
}

TEST(FormatOf, KnowsNothingElse) {
  EXPECT_FALSE(format_of("application/x-unknown").has_value());
  EXPECT_FALSE(format_of("application/coap-payload;cf=").has_value());
  EXPECT_FALSE(format_of("application/coap-payload;cf=65536").has_value());
  EXPECT_FALSE(format_of("application/coap-payload;cf=1x").has_value());
}

// CoAP -> hub -> CoAP: payload, Content-Format, Max-Age, ETag, type.
TEST(ToMessage, KeepsWhatAValueSaysOfItself) {
  const ContentTypeText content_type(ContentFormat::kCbor);
  const std::array<std::uint8_t, 3> etag{1, 2, 3};
  model::Properties properties;
  const model::Message message = to_message({.topic = "a/b",
                                             .payload = as_bytes("x"),
                                             .content_type = content_type.text(),
                                             .etag = etag,
                                             .max_age_s = 90,
                                             .guarantee = model::Guarantee::kAtLeastOnce},
                                            kNow, properties);
  EXPECT_EQ(message.destination.address, "a/b");
  EXPECT_TRUE(message.retain);
  EXPECT_EQ(to_type(message.guarantee), Type::kCon);
  const auto back = represent(message, std::nullopt, kNow + seconds{30});
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(as_text(back->payload), "x");
  EXPECT_EQ(back->format, ContentFormat::kCbor);
  EXPECT_EQ(back->max_age_s, 60u);
  EXPECT_TRUE(std::ranges::equal(back->etag.bytes(), etag));
}

TEST(ToMessage, AddsNothingThatWasNotSaid) {
  model::Properties properties;
  const model::Message message =
      to_message({.topic = "a", .payload = as_bytes("x")}, kNow, properties);
  EXPECT_EQ(message.properties, nullptr);
  EXPECT_EQ(message.expires_at, kNever);
  EXPECT_EQ(message.guarantee, model::Guarantee::kAtMostOnce);
  const auto back = represent(message, std::nullopt, kNow);
  EXPECT_FALSE(back->format.has_value());
  EXPECT_FALSE(back->max_age_s.has_value());
  EXPECT_TRUE(back->etag.empty());
}

TEST(Represent, CountsTheSecondsLeft) {
  model::Message message;
  message.expires_at = kNow + std::chrono::milliseconds{1999};
  EXPECT_EQ(represent(message, std::nullopt, kNow)->max_age_s, 1u);
  EXPECT_EQ(represent(message, std::nullopt, kNow + seconds{9})->max_age_s, 0u);
  message.expires_at = kNow + std::chrono::hours{2'000'000};
  EXPECT_EQ(represent(message, std::nullopt, kNow)->max_age_s, 0xffff'ffffu);
}

// RFC 7252 §5.10.4: the format asked for, or 4.06.
TEST(Represent, ServesWhatIsAcceptable) {
  model::Properties json{.content_type = "application/json"};
  model::Message message;
  message.properties = &json;
  EXPECT_EQ(represent(message, format(50), kNow)->format, ContentFormat::kJson);
  EXPECT_FALSE(represent(message, format(0), kNow).has_value());
  EXPECT_EQ(represent(message, std::nullopt, kNow)->format, ContentFormat::kJson);

  model::Properties odd{.content_type = "application/x-odd"};
  message.properties = &odd;
  EXPECT_FALSE(represent(message, std::nullopt, kNow)->format.has_value());
  EXPECT_FALSE(represent(message, format(42), kNow).has_value());
}

// A message that says nothing of its content, as MQTT 3.1.1's do.
TEST(Represent, ReadsUndescribedValuesAsAsked) {
  model::Message message;
  message.payload = as_bytes("34.5");
  EXPECT_EQ(represent(message, format(0), kNow)->format, ContentFormat::kTextPlain);
  EXPECT_EQ(represent(message, format(42), kNow)->format, ContentFormat::kOctetStream);
  EXPECT_FALSE(represent(message, format(50), kNow).has_value());
  message.payload = as_bytes("\xff");
  EXPECT_FALSE(represent(message, format(0), kNow).has_value());
  EXPECT_EQ(represent(message, format(42), kNow)->format, ContentFormat::kOctetStream);
}

TEST(EntityTag, PrefersTheMessagesOwn) {
  model::Message message;
  EXPECT_TRUE(entity_tag(message).empty());
  message.version = 0x1234;
  EXPECT_TRUE(
      std::ranges::equal(entity_tag(message).bytes(), std::array<std::uint8_t, 2>{0x12, 0x34}));
  const std::array<std::uint8_t, 9> octets{9};
  model::Properties properties{.etag = Bytes{octets}.first(8)};
  message.properties = &properties;
  EXPECT_EQ(entity_tag(message).bytes().size(), 8u);
  properties.etag = octets;  // longer than CoAP can say
  EXPECT_EQ(entity_tag(message).bytes().size(), 2u);
}

TEST(ToCode, AnswersEveryReason) {
  for (int reason = 0; reason <= static_cast<int>(model::Reason::kShutdown); ++reason) {
    const Code code = to_code(static_cast<model::Reason>(reason));
    EXPECT_TRUE(code.is_response());
    EXPECT_EQ(code.is_success(), reason <= static_cast<int>(model::Reason::kNoMatch));
  }
  EXPECT_EQ(to_code(model::Reason::kNotAuthorized), code::kForbidden);
  EXPECT_EQ(to_code(model::Reason::kQuotaExceeded), code::kServiceUnavailable);
}

// RFC 7252 §5.2: unknown codes are read as their class.
TEST(ToReason, ReadsEveryCode) {
  for (unsigned value = 64; value < 192; ++value) {
    const Code code{static_cast<std::uint8_t>(value)};
    EXPECT_EQ(to_reason(code) == model::Reason::kOk, code.code_class() == 2) << value;
  }
  EXPECT_EQ(to_reason(code::kNotFound), model::Reason::kNotFound);
  EXPECT_EQ(to_reason(Code::of(4, 31)), to_reason(code::kBadRequest));
  EXPECT_EQ(to_reason(Code::of(5, 31)), to_reason(code::kInternalServerError));
}

}  // namespace
}  // namespace hermod::coap::test
