// SPDX-License-Identifier: Apache-2.0
#include "coap_message.hpp"

#include "hermod/coap/codec/writer.hpp"

namespace hermod::sim {
namespace {

constexpr std::size_t kOverheadMax = 128;

void write_path(coap::BodyWriter& body, std::string_view topic) {
  body.option(coap::OptionNumber::kUriPath, std::string_view{"ps"});
  body.option(coap::OptionNumber::kUriPath, std::string_view{"data"});
  while (true) {
    const std::size_t end = topic.find('/');
    body.option(coap::OptionNumber::kUriPath, topic.substr(0, end));
    if (end == std::string_view::npos) return;
    topic.remove_prefix(end + 1);
  }
}

// False when it is a block that cannot be one.
bool read_option(const coap::OptionView& option, CoapMessage& out) {
  switch (option.number) {
    case coap::OptionNumber::kObserve:
      out.observe = coap::uint_value(option.value);
      break;
    case coap::OptionNumber::kMaxAge:
      out.max_age_s = coap::uint_value(option.value);
      break;
    case coap::OptionNumber::kETag:
      out.etags.emplace_back(as_text(option.value));
      break;
    case coap::OptionNumber::kBlock2:
      out.block2 = coap::read_block(option.value);
      return out.block2.has_value();
    case coap::OptionNumber::kBlock1:
      out.block1 = coap::read_block(option.value);
      return out.block1.has_value();
    case coap::OptionNumber::kSize1:
      out.size1 = coap::uint_value(option.value);
      break;
    case coap::OptionNumber::kEcho:
      out.echo = as_text(option.value);
      break;
    default:
      break;
  }
  return true;
}

}  // namespace

Octets encode(const CoapMessage& message) {
  Octets out(kOverheadMax + message.topic.size() + message.payload.size());
  coap::BodyWriter body(coap::write_head(out.data(), message.type, message.code, message.id,
                                         as_bytes(message.token)));
  for (const std::string& etag : message.etags) body.option(coap::OptionNumber::kETag, etag);
  if (message.observe) body.uint_option(coap::OptionNumber::kObserve, *message.observe);
  if (!message.topic.empty()) write_path(body, message.topic);
  if (message.max_age_s) body.uint_option(coap::OptionNumber::kMaxAge, *message.max_age_s);
  if (message.block2) body.uint_option(coap::OptionNumber::kBlock2, message.block2->value());
  if (message.block1) body.uint_option(coap::OptionNumber::kBlock1, message.block1->value());
  if (message.size1) body.uint_option(coap::OptionNumber::kSize1, *message.size1);
  if (!message.echo.empty()) body.option(coap::OptionNumber::kEcho, message.echo);
  if (!message.request_tag.empty()) {
    body.option(coap::OptionNumber::kRequestTag, message.request_tag);
  }
  body.payload(message.payload);
  out.resize(static_cast<std::size_t>(body.position() - out.data()));
  return out;
}

std::optional<CoapMessage> read_message(Bytes datagram) {
  const auto view = coap::decode(datagram);
  if (!view || !coap::fits(view->type, view->code)) return std::nullopt;
  CoapMessage out{.type = view->type,
                  .code = view->code,
                  .id = view->message_id,
                  .token = std::string{as_text(view->token)},
                  .payload = {view->payload.begin(), view->payload.end()}};
  for (const coap::OptionView& option : view->options) {
    if (!read_option(option, out)) return std::nullopt;
  }
  return out;
}

Octets encode_empty(coap::Type type, std::uint16_t id) {
  return encode({.type = type, .code = coap::code::kEmpty, .id = id});
}

}  // namespace hermod::sim
