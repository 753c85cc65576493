// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/message.hpp"

#include <fmt/format.h>

namespace hermod::coap {
namespace {

// The one place that turns the TKL field into a token: RFC 8974 §2.1 gives 13 and 14 a meaning that
// reads more octets here.
WireResult<Bytes> read_token(const Header& header, Bytes after_header) {
  if (header.token_length > kTokenSizeMax) return malformed(0, 0, "RFC 7252 §3");
  if (after_header.size() < header.token_length) {
    return malformed(0, kHeaderSize + after_header.size(), "RFC 7252 §3");
  }
  return after_header.first(header.token_length);
}

}  // namespace

std::string to_string(Code code) {
  return fmt::format("{}.{:02}", code.code_class(), code.detail());
}

std::optional<Header> read_header(Bytes datagram) {
  if (datagram.size() < kHeaderSize) return std::nullopt;
  const std::uint8_t first = datagram[0];
  return Header{.version = static_cast<std::uint8_t>(first >> 6),
                .type = static_cast<Type>(first >> 4 & 3),
                .token_length = static_cast<std::uint8_t>(first & 0x0f),
                .code = {datagram[1]},
                .message_id = static_cast<std::uint16_t>(datagram[2] << 8 | datagram[3])};
}

WireResult<MessageView> decode(Bytes datagram) {
  const std::optional<Header> header = read_header(datagram);
  if (!header) return malformed(0, datagram.size(), "RFC 7252 §3");
  if (header->version != kVersion) return malformed(0, 0, "RFC 7252 §3");
  if (header->code.is_empty() && (header->token_length != 0 || datagram.size() > kHeaderSize)) {
    return malformed(0, kHeaderSize, "RFC 7252 §4.1");
  }
  const WireResult<Bytes> token = read_token(*header, datagram.subspan(kHeaderSize));
  if (!token) return std::unexpected(token.error());

  const std::size_t options_at = kHeaderSize + token->size();
  const Bytes rest = datagram.subspan(options_at);
  OptionCursor cursor(rest);
  while (cursor.next()) {
  }
  const std::size_t options_size = cursor.offset();
  if (cursor.fault() != OptionFault::kNone) {
    return malformed(0, options_at + options_size, "RFC 7252 §3.1");
  }
  Bytes payload;
  if (options_size < rest.size()) {
    payload = rest.subspan(options_size + 1);  // after the marker
    if (payload.empty()) return malformed(0, options_at + options_size, "RFC 7252 §3");
  }
  return MessageView{.version = header->version,
                     .type = header->type,
                     .code = header->code,
                     .message_id = header->message_id,
                     .token = *token,
                     .options = Options{rest.first(options_size)},
                     .payload = payload};
}

}  // namespace hermod::coap
