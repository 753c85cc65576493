// SPDX-License-Identifier: Apache-2.0
// Between CoAP's options and codes and the hub message. Copies nothing: what it makes borrows from
// what it was given. What is lost in each direction stands in the table of README.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/session/response.hpp"
#include "hermod/model/message.hpp"
#include "hermod/model/reason.hpp"

namespace hermod::coap {

/// The code that answers a request with this fate; kOk and kNoMatch give 2.04.
[[nodiscard]] Code to_code(model::Reason reason);
/// What a response code means; unknown ones as their class (RFC 7252 §5.2).
[[nodiscard]] model::Reason to_reason(Code code);

/// NON is a message that may be lost; others are to arrive at least once.
[[nodiscard]] constexpr model::Guarantee to_guarantee(Type type) {
  return type == Type::kNon ? model::Guarantee::kAtMostOnce : model::Guarantee::kAtLeastOnce;
}
[[nodiscard]] constexpr Type to_type(model::Guarantee guarantee) {
  return guarantee == model::Guarantee::kAtMostOnce ? Type::kNon : Type::kCon;
}

/// The content type of a Content-Format as text. A number outside the registry becomes
/// "application/coap-payload;cf=N" (RFC 8075 §6.2), which format_of() turns back.
class ContentTypeText {
 public:
  explicit ContentTypeText(ContentFormat format);
  [[nodiscard]] std::string_view text() const { return text_; }

  ContentTypeText(const ContentTypeText&) = delete;
  ContentTypeText& operator=(const ContentTypeText&) = delete;

 private:
  std::array<char, 40> buffer_{};
  std::string_view text_;
};

/// The Content-Format that stands for a content type; nothing when there is none.
[[nodiscard]] std::optional<ContentFormat> format_of(std::string_view content_type);

/// The tag that came with the message, else the version that the core has stamped, else none.
[[nodiscard]] EntityTag entity_tag(const model::Message& message);

/// What `message` looks like to who accepts `accept` (nothing: anything). A message that says
/// nothing of its content is application/octet-stream to who asks for that, and text/plain when it
/// is UTF-8. Nothing when it is not acceptable: 4.06 (RFC 7252 §5.10.4).
[[nodiscard]] std::optional<Representation> represent(const model::Message& message,
                                                      std::optional<ContentFormat> accept,
                                                      Instant now);

/// What a request or response says about its payload, and where it belongs.
struct IncomingValue {
  std::string_view topic;
  Bytes payload;
  std::string_view content_type;  ///< of a ContentTypeText; empty when there is none
  Bytes etag;
  std::optional<std::uint32_t> max_age_s;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain = true;
  std::span<const model::UserProperty> user;
};

/// The hub message of a value. `properties` receives what is not in the message itself
/// and must live as long as the message.
[[nodiscard]] model::Message to_message(const IncomingValue& value, Instant now,
                                        model::Properties& properties);

}  // namespace hermod::coap
