// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/message.hpp"

#include <fmt/format.h>

namespace hermod::coap {
namespace {

// A token whose length goes on behind the header: every length is compared with what is there
// before it is used (RFC 8974 §2.1).
WireResult<Bytes> read_long_token(std::size_t token_length, Bytes after_header) {
  // RFC 8974 §2.1: 15 must be processed as a message-format error
  if (token_length == 15) return malformed(0, 0, "RFC 8974 §2.1");
  const std::size_t extension = token_length == 13 ? 1 : 2;
  if (after_header.size() < extension) {
    return malformed(0, kHeaderSize + after_header.size(), "RFC 8974 §2.1");
  }
  const std::size_t length = extension == 1
                                 ? std::size_t{after_header[0]} + 13
                                 : std::size_t{after_header[0]} * 256 + after_header[1] + 269;
  if (after_header.size() - extension < length) {
    return malformed(0, kHeaderSize + after_header.size(), "RFC 7252 §3");
  }
  return after_header.subspan(extension, length);
}

// The one place that turns the TKL field into a token.
WireResult<Bytes> read_token(const Header& header, Bytes after_header) {
  if (header.token_length > 12) [[unlikely]] {
    return read_long_token(header.token_length, after_header);
  }
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

  const auto options_at = static_cast<std::size_t>(token->data() + token->size() - datagram.data());
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
