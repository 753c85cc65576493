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

}  // namespace

Octets encode(const CoapMessage& message) {
  Octets out(kOverheadMax + message.topic.size() + message.payload.size());
  coap::BodyWriter body(coap::write_head(out.data(), message.type, message.code, message.id,
                                         as_bytes(message.token)));
  for (const std::string& etag : message.etags) body.option(coap::OptionNumber::kETag, etag);
  if (message.observe) body.uint_option(coap::OptionNumber::kObserve, *message.observe);
  if (!message.topic.empty()) write_path(body, message.topic);
  if (message.max_age_s) body.uint_option(coap::OptionNumber::kMaxAge, *message.max_age_s);
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
    if (option.number == coap::OptionNumber::kObserve) {
      out.observe = coap::uint_value(option.value);
    } else if (option.number == coap::OptionNumber::kMaxAge) {
      out.max_age_s = coap::uint_value(option.value);
    } else if (option.number == coap::OptionNumber::kETag) {
      out.etags.emplace_back(as_text(option.value));
    }
  }
  return out;
}

Octets encode_empty(coap::Type type, std::uint16_t id) {
  return encode({.type = type, .code = coap::code::kEmpty, .id = id});
}

}  // namespace hermod::sim
