// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/convert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "hermod/base/assert.hpp"
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

EntityTag::EntityTag(Bytes octets) : size_(static_cast<std::uint8_t>(octets.size())) {
  HERMOD_ASSERT(octets.size() <= octets_.size());
  std::ranges::copy(octets, octets_.begin());
}

EntityTag::EntityTag(const model::Message& message) {
  if (message.properties != nullptr && !message.properties->etag.empty() &&
      message.properties->etag.size() <= octets_.size()) {
    *this = EntityTag{message.properties->etag};
    return;
  }
  // RFC 7252 §5.10.6: "encouraged to use the most compact representation possible"
  std::array<std::uint8_t, 8> version{};
  Writer(version.data()).u64(message.version);
  size_ = static_cast<std::uint8_t>((std::bit_width(message.version) + 7) / 8);
  std::ranges::copy(Bytes{version}.last(size_), octets_.begin());
}

std::optional<std::uint32_t> max_age(Instant expires_at, Instant now) {
  if (expires_at == kNever) return std::nullopt;
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(expires_at - now).count();
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, kMost));
}

std::optional<Representation> represent(const model::Message& message,
                                        std::optional<ContentFormat> accept, Instant now) {
  Representation representation{.etag = EntityTag{message},
                                .max_age_s = max_age(message.expires_at, now),
                                .payload = message.payload};
  if (!select_format(message, accept, representation.format)) return std::nullopt;
  return representation;
}

std::size_t representation_size_max(const Representation& representation) {
  // ETag 9, Observe 4, Content-Format 3, Max-Age 5
  constexpr std::size_t kOptionsMax = 21;
  return kOptionsMax + payload_size(representation.payload.size());
}

void write_representation(BodyWriter& body, const Representation& representation,
                          std::optional<std::uint32_t> observe) {
  if (!representation.etag.empty()) body.option(OptionNumber::kETag, representation.etag.bytes());
  if (observe) body.uint_option(OptionNumber::kObserve, *observe);
  if (representation.format) {
    body.uint_option(OptionNumber::kContentFormat,
                     static_cast<std::uint32_t>(*representation.format));
  }
  if (representation.max_age_s) {
    body.uint_option(OptionNumber::kMaxAge, *representation.max_age_s);
  }
  body.payload(representation.payload);
}

model::Message to_message(const IncomingValue& value, Instant now, model::Properties& properties) {
  properties = {.content_type = value.content_type, .etag = value.etag};
  model::Message message;
  message.destination = model::Destination::topic(value.topic);
  message.payload = value.payload;
  if (!value.content_type.empty() || !value.etag.empty()) message.properties = &properties;
  message.guarantee = to_guarantee(value.type);
  message.retain = true;
  message.origin.protocol = static_cast<std::uint8_t>(session::ProtocolId::kCoap);
  if (value.max_age_s) message.expires_at = now + std::chrono::seconds{*value.max_age_s};
  return message;
}

}  // namespace hermod::coap
