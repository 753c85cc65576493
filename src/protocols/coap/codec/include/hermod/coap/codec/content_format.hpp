// SPDX-License-Identifier: Apache-2.0
// The part of the "CoAP Content-Formats" registry (RFC 7252 §12.3) whose numbers have a media type
// without a content coding, in both directions. Numbers outside it are legal on the wire; they just
// have no text here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hermod::coap {

/// A number of the registry; any 16-bit value is one.
enum class ContentFormat : std::uint16_t {
  kTextPlain = 0,
  kLinkFormat = 40,
  kXml = 41,
  kOctetStream = 42,
  kExi = 47,
  kJson = 50,
  kCbor = 60,
  kPubSub = 606,  ///< application/core-pubsub+cbor: draft-ietf-core-coap-pubsub-21 §7.2 (TBD606)
};

/// The media type of a number, as registered; nothing when it is not in the table.
[[nodiscard]] std::optional<std::string_view> media_type(ContentFormat format);

/// The number of a media type; nothing when it is not in the table. Case does not matter, nor do
/// spaces around ';'. text/plain alone means the one with charset=utf-8, which includes it.
[[nodiscard]] std::optional<ContentFormat> content_format(std::string_view media_type);

}  // namespace hermod::coap
