// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/convert.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>

#include "hermod/base/utf8.hpp"
#include "hermod/base/writer.hpp"
#include "hermod/session/protocol.hpp"

namespace hermod::coap {
namespace {

constexpr std::string_view kUnregistered = "application/coap-payload;cf=";  // RFC 8075 §6.2

// Whether the message can be had as `accept` asks; `format` is then what to name, if anything.
bool select_format(const model::Message& message, std::optional<ContentFormat> accept,
                   std::optional<ContentFormat>& format) {
  const std::string_view content_type =
      message.properties == nullptr ? std::string_view{} : message.properties->content_type;
  if (!content_type.empty()) {
    format = format_of(content_type);
    return !accept || accept == format;
  }
  format = accept;
  return !accept || *accept == ContentFormat::kOctetStream ||
         (*accept == ContentFormat::kTextPlain && is_utf8(message.payload));
}

}  // namespace

Code to_code(model::Reason reason) {
  using enum model::Reason;
  switch (reason) {
    case kOk:
    case kNoMatch:
      return code::kChanged;
    case kBadCredentials:
      return code::kUnauthorized;
    case kNotAuthorized:
      return code::kForbidden;
    case kBadName:
    case kProtocolError:
    case kMalformed:
      return code::kBadRequest;
    case kNotFound:
      return code::kNotFound;
    case kAlreadyExists:
      return code::kConflict;
    case kTooLarge:
      return code::kRequestEntityTooLarge;
    case kNotSupported:
      return code::kNotImplemented;
    case kQuotaExceeded:
    case kNoRoom:
    case kOutdated:  // again and again
    case kUnavailable:
    case kShutdown:
      return code::kServiceUnavailable;
    case kTakenOver:
    case kTimeout:
    case kPeerClosed:
    case kContinue:  // the last three are of logins, which CoAP has not
    case kBadMethod:
    case kUnproven:
      return code::kInternalServerError;
  }
  return code::kInternalServerError;
}

model::Reason to_reason(Code code) {
  using enum model::Reason;
  if (code.is_success()) return kOk;
  switch (code.value) {
    case code::kUnauthorized.value:
      return kBadCredentials;
    case code::kForbidden.value:
      return kNotAuthorized;
    case code::kNotFound.value:
      return kNotFound;
    case code::kRequestEntityTooLarge.value:
      return kTooLarge;
    case code::kBadOption.value:
    case code::kMethodNotAllowed.value:
    case code::kNotAcceptable.value:
    case code::kUnsupportedContentFormat.value:
    case code::kNotImplemented.value:
    case code::kProxyingNotSupported.value:
      return kNotSupported;
    default:
      return code.code_class() == 5 ? kUnavailable : kProtocolError;
  }
}

ContentTypeText::ContentTypeText(ContentFormat format) {
  if (const auto registered = media_type(format)) {
    text_ = *registered;
    return;
  }
  const auto result = fmt::format_to_n(buffer_.data(), buffer_.size(), "{}{}", kUnregistered,
                                       static_cast<unsigned>(format));
  text_ = {buffer_.data(), result.size};
}

std::optional<ContentFormat> format_of(std::string_view content_type) {
  if (!content_type.starts_with(kUnregistered)) return content_format(content_type);
  const std::string_view digits = content_type.substr(kUnregistered.size());
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return static_cast<ContentFormat>(number);
}

EntityTag entity_tag(const model::Message& message) {
  if (message.properties != nullptr && !message.properties->etag.empty() &&
      message.properties->etag.size() <= EntityTag::kSizeMax) {
    return EntityTag{message.properties->etag};
  }
  // RFC 7252 §5.10.6: "encouraged to use the most compact representation possible"
  std::array<std::uint8_t, 8> version{};
  Writer(version.data()).u64(message.version);
  const auto size = static_cast<std::size_t>((std::bit_width(message.version) + 7) / 8);
  return EntityTag{Bytes{version}.last(size)};
}

std::optional<Representation> represent(const model::Message& message,
                                        std::optional<ContentFormat> accept, Instant now) {
  Representation representation{.etag = entity_tag(message),
                                .max_age_s = max_age(message.expires_at, now),
                                .payload = message.payload};
  if (!select_format(message, accept, representation.format)) return std::nullopt;
  return representation;
}

model::Message to_message(const IncomingValue& value, Instant now, model::Properties& properties) {
  properties = {.content_type = value.content_type, .etag = value.etag};
  model::Message message;
  message.destination = model::Destination::topic(value.topic);
  message.payload = value.payload;
  properties.user = value.user;
  if (!value.content_type.empty() || !value.etag.empty() || !value.user.empty()) {
    message.properties = &properties;
  }
  message.guarantee = value.guarantee;
  message.retain = value.retain;
  message.origin.protocol = static_cast<std::uint8_t>(session::ProtocolId::kCoap);
  if (value.max_age_s) message.expires_at = now + std::chrono::seconds{*value.max_age_s};
  return message;
}

}  // namespace hermod::coap
