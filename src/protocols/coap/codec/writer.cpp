// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/writer.hpp"

#include <bit>

#include "hermod/base/assert.hpp"
#include "hermod/base/writer.hpp"

namespace hermod::coap {
namespace {

// RFC 7252 §3.1, and RFC 8974 §2.1 for tokens: 13 stands for one more octet, 14 for two.
constexpr std::size_t kOneOctetFrom = 13;
constexpr std::size_t kTwoOctetsFrom = 269;

std::uint8_t nibble(std::size_t value) {
  if (value < kOneOctetFrom) return static_cast<std::uint8_t>(value);
  return value < kTwoOctetsFrom ? 13 : 14;
}

std::size_t extension_size(std::size_t value) {
  if (value < kOneOctetFrom) return 0;
  return value < kTwoOctetsFrom ? 1 : 2;
}

void write_extension(Writer& out, std::size_t value) {
  if (value < kOneOctetFrom) return;
  if (value < kTwoOctetsFrom) {
    out.u8(static_cast<std::uint8_t>(value - kOneOctetFrom));
  } else {
    out.u16(static_cast<std::uint16_t>(value - kTwoOctetsFrom));
  }
}

// Token length, its extension and the token, behind a header whose TKL is to be set (RFC 8974
// §2.1). Apart, so that the usual head stays short.
[[gnu::noinline]] std::uint8_t* write_long_token(std::uint8_t* header, Bytes token) {
  HERMOD_ASSERT(token.size() <= kTokenSizeMax);
  header[0] = static_cast<std::uint8_t>((header[0] & 0xf0u) | nibble(token.size()));
  Writer writer(header + kHeaderSize);
  write_extension(writer, token.size());
  writer.bytes(token);
  return writer.position();
}

std::size_t delta_of(OptionNumber previous, OptionNumber number) {
  HERMOD_ASSERT(number >= previous);
  return static_cast<std::size_t>(number) - static_cast<std::size_t>(previous);
}

}  // namespace

std::size_t option_size(OptionNumber previous, OptionNumber number, std::size_t length) {
  return 1 + extension_size(delta_of(previous, number)) + extension_size(length) + length;
}

std::size_t uint_size(std::uint32_t value) {
  return static_cast<std::size_t>(std::bit_width(value) + 7) / 8;
}

std::uint8_t* write_head(std::uint8_t* out, Type type, Code code, std::uint16_t message_id,
                         Bytes token) {
  const auto length = static_cast<std::uint32_t>(token.size()) & 0x0fu;
  Writer writer(out);
  writer.u32((kVersion << 6 | static_cast<std::uint32_t>(type) << 4 | length) << 24 |
             static_cast<std::uint32_t>(code.value) << 16 | message_id);
  if (token.size() >= kOneOctetFrom) [[unlikely]]
    return write_long_token(out, token);
  writer.bytes(token);
  return writer.position();
}

void BodyWriter::option(OptionNumber number, Bytes value) {
  HERMOD_ASSERT(value.size() <= kOptionLengthMax);
  const std::size_t delta = delta_of(previous_, number);
  Writer writer(at_);
  writer.u8(static_cast<std::uint8_t>(nibble(delta) << 4 | nibble(value.size())));
  write_extension(writer, delta);
  write_extension(writer, value.size());
  writer.bytes(value);
  at_ = writer.position();
  previous_ = number;
}

void BodyWriter::uint_option(OptionNumber number, std::uint32_t value) {
  std::uint8_t octets[sizeof(value)];
  Writer(octets).u32(value);
  const std::size_t size = uint_size(value);
  option(number, Bytes{octets}.last(size));
}

void BodyWriter::payload(Bytes octets) {
  if (octets.empty()) return;
  Writer writer(at_);
  writer.u8(kPayloadMarker);
  writer.bytes(octets);
  at_ = writer.position();
}

std::size_t encoded_size(const MessageView& message) {
  return head_size(message.token.size()) + message.options.octets().size() +
         payload_size(message.payload.size());
}

std::uint8_t* encode(const MessageView& message, std::uint8_t* out) {
  out = write_head(out, message.type, message.code, message.message_id, message.token);
  Writer options(out);
  options.bytes(message.options.octets());
  BodyWriter body(options.position());
  body.payload(message.payload);
  return body.position();
}

}  // namespace hermod::coap
