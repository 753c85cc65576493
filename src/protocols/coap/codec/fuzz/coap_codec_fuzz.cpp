// SPDX-License-Identifier: Apache-2.0
// Any octets: the decoder reads nothing outside them, and what it accepts encodes back to the same
// octets, as a whole and option by option.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "hermod/base/assert.hpp"
#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/uri.hpp"
#include "hermod/coap/codec/writer.hpp"

namespace {

using namespace hermod;
using namespace hermod::coap;

// A block is where its number says, and its value is written back in its shortest form.
void check_block(Bytes value) {
  const auto block = read_block(value);
  if (!block) return;
  HERMOD_ASSERT(value.size() <= 3 && block->number <= Block::kNumberMax);
  HERMOD_ASSERT(block->size() >= 16 && block->size() <= 1024);
  HERMOD_ASSERT(block->offset() / block->size() == block->number);
  HERMOD_ASSERT(block->value() == uint_value(value).value());
  HERMOD_ASSERT(size_exponent_for(block->size()) == block->size_exponent);
}

// The token lies where its length says (RFC 8974 §2.1).
void check_token(const MessageView& message, Bytes datagram) {
  const auto field = read_header(datagram)->token_length;
  const std::size_t size = message.token.size();
  HERMOD_ASSERT(field == (size < 13 ? size : size < 269 ? 13 : 14));
  HERMOD_ASSERT(message.token.data() + size == datagram.data() + head_size(size));
}

void check_encoding(const MessageView& message, Bytes datagram) {
  HERMOD_ASSERT(encoded_size(message) == datagram.size());
  std::vector<std::uint8_t> out(datagram.size());
  HERMOD_ASSERT(encode(message, out.data()) == out.data() + out.size());
  HERMOD_ASSERT(std::ranges::equal(out, datagram));

  BodyWriter body(
      write_head(out.data(), message.type, message.code, message.message_id, message.token));
  for (const OptionView& option : message.options) {
    check_block(option.value);
    body.option(option.number, option.value);
    if (const OptionRule* rule = find_rule(option.number);
        rule != nullptr && rule->format == OptionFormat::kUint &&
        rule->allows_length(option.value.size())) {
      HERMOD_ASSERT(uint_size(uint_value(option.value).value()) <= option.value.size());
    }
  }
  body.payload(message.payload);
  HERMOD_ASSERT(body.position() == out.data() + out.size());
  HERMOD_ASSERT(std::ranges::equal(out, datagram));
}

// What path and query spell in text parses, or is refused for a reason that options do not have.
void check_text(const MessageView& message) {
  const std::string text = "coap://h" + path_text(message.options) + query_text(message.options);
  if (const auto uri = parse_uri(text)) {
    const auto again = parse_uri(to_string(*uri));
    HERMOD_ASSERT(again && again->path == uri->path && again->query == uri->query);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes datagram{data, size};
  const auto message = decode(datagram);
  if (message) {
    check_token(*message, datagram);
    check_encoding(*message, datagram);
    check_text(*message);
  } else {
    HERMOD_ASSERT(!message.error().incomplete());
    HERMOD_ASSERT(message.error().offset <= size);
  }
  if (const auto uri = parse_uri(as_text(datagram))) {
    const auto again = parse_uri(to_string(*uri));
    HERMOD_ASSERT(again && to_string(*again) == to_string(*uri));
  }
  return 0;
}
