// SPDX-License-Identifier: Apache-2.0
#include "commands/coap_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "hermod/base/utf8.hpp"
#include "hermod/cbor/diagnostic.hpp"
#include "hermod/coap/codec/link_format.hpp"
#include "hermod/coap/codec/option.hpp"
#include "hermod/sasl/base64.hpp"
#include "text/json.hpp"

namespace hermod::app {
namespace {

using coap::OptionFormat;

constexpr std::array<std::pair<coap::Code, std::string_view>, 27> kNames{{
    {coap::code::kCreated, "Created"},
    {coap::code::kDeleted, "Deleted"},
    {coap::code::kValid, "Valid"},
    {coap::code::kChanged, "Changed"},
    {coap::code::kContent, "Content"},
    {coap::code::kContinue, "Continue"},
    {coap::code::kBadRequest, "Bad Request"},
    {coap::code::kUnauthorized, "Unauthorized"},
    {coap::code::kBadOption, "Bad Option"},
    {coap::code::kForbidden, "Forbidden"},
    {coap::code::kNotFound, "Not Found"},
    {coap::code::kMethodNotAllowed, "Method Not Allowed"},
    {coap::code::kNotAcceptable, "Not Acceptable"},
    {coap::code::kRequestEntityIncomplete, "Request Entity Incomplete"},
    {coap::code::kConflict, "Conflict"},
    {coap::code::kPreconditionFailed, "Precondition Failed"},
    {coap::code::kRequestEntityTooLarge, "Request Entity Too Large"},
    {coap::code::kUnsupportedContentFormat, "Unsupported Content-Format"},
    {coap::code::kUnprocessableEntity, "Unprocessable Entity"},
    {coap::code::kTooManyRequests, "Too Many Requests"},
    {coap::code::kInternalServerError, "Internal Server Error"},
    {coap::code::kNotImplemented, "Not Implemented"},
    {coap::code::kBadGateway, "Bad Gateway"},
    {coap::code::kServiceUnavailable, "Service Unavailable"},
    {coap::code::kGatewayTimeout, "Gateway Timeout"},
    {coap::code::kProxyingNotSupported, "Proxying Not Supported"},
    {coap::code::kHopLimitReached, "Hop Limit Reached"},
}};

std::string hex(std::string_view octets) {
  std::string out = "0x";
  for (const char c : octets) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string option_name(std::uint16_t number) {
  const coap::OptionRule* rule = coap::find_rule(coap::OptionNumber{number});
  return rule != nullptr ? std::string(rule->name) : fmt::format("{}", number);
}

OptionFormat format_of(const client::CoapOption& option) {
  const coap::OptionRule* rule = coap::find_rule(coap::OptionNumber{option.number});
  const bool readable = rule != nullptr && rule->allows_length(option.value.size());
  return readable ? rule->format : OptionFormat::kOpaque;
}

std::optional<coap::Block> block_of(const client::CoapOption& option) {
  const coap::OptionNumber number{option.number};
  if (number != coap::OptionNumber::kBlock1 && number != coap::OptionNumber::kBlock2) return {};
  return coap::read_block(as_bytes(option.value));
}

/// The value of an option, as JSON.
void append_value(std::string& out, const client::CoapOption& option) {
  switch (format_of(option)) {
    case OptionFormat::kEmpty:
      out += "true";
      return;
    case OptionFormat::kUint:
      out += std::to_string(coap::uint_value(as_bytes(option.value)).value_or(0));
      return;
    case OptionFormat::kString:
      if (is_utf8(as_bytes(option.value))) return append_json_string(out, option.value);
      [[fallthrough]];
    case OptionFormat::kOpaque:
      return append_json_string(out, hex(option.value));
  }
}

void append_options(std::string& out, std::span<const client::CoapOption> options) {
  out += '{';
  for (std::size_t i = 0; i < options.size();) {
    if (i > 0) out += ',';
    append_json_string(out, option_name(options[i].number));
    out += ':';
    std::size_t end = i + 1;
    while (end < options.size() && options[end].number == options[i].number) ++end;
    const coap::OptionRule* rule = coap::find_rule(coap::OptionNumber{options[i].number});
    const bool list = rule == nullptr || rule->repeatable || end > i + 1;
    if (list) out += '[';
    for (std::size_t at = i; at < end; ++at) {
      if (at > i) out += ',';
      append_value(out, options[at]);
    }
    if (list) out += ']';
    i = end;
  }
  out += '}';
}

/// A link for people: its target, then its attributes.
void append_link(std::string& out, const coap::Link& link) {
  out += link.target;
  for (const coap::LinkAttribute& attribute : link.attributes) {
    out += fmt::format("  {}", attribute.name);
    if (attribute.has_value) out += fmt::format("={}", attribute.text());
  }
  out += '\n';
}

/// Calls `use` with each link; false when it is no list of links.
template <typename Use>
bool each_link(std::string_view text, Use use) {
  coap::LinkReader reader(text);
  auto link = reader.next();
  for (; link && *link; link = reader.next()) use(**link);
  return link.has_value();
}

/// The media type itself, or one that is a form of it (RFC 6839 §3).
bool is_format(std::optional<coap::ContentFormat> format, std::string_view name,
               std::string_view suffix) {
  const auto type = format ? coap::media_type(*format) : std::nullopt;
  return type && (*type == name || type->ends_with(suffix));
}

void append_hex(std::string& out, std::string_view octets) {
  constexpr std::size_t kPerLine = 16;
  for (std::size_t at = 0; at < octets.size(); at += kPerLine) {
    const std::string_view line = octets.substr(at, kPerLine);
    std::string digits, letters;
    for (const char c : line) {
      digits += fmt::format("{:02x} ", static_cast<unsigned char>(c));
      letters += c >= ' ' && c <= '~' ? c : '.';
    }
    out += fmt::format("{:08x}  {:<48} {}\n", at, digits, letters);
  }
}

}  // namespace

std::string_view code_name(coap::Code code) {
  for (const auto& [known, name] : kNames) {
    if (known == code) return name;
  }
  return {};
}

std::string code_text(coap::Code code) {
  const std::string_view name = code_name(code);
  return coap::to_string(code) + (name.empty() ? "" : " ") + std::string(name);
}

std::string option_line(const client::CoapOption& option) {
  std::string value;
  const std::uint32_t number = coap::uint_value(as_bytes(option.value)).value_or(0);
  if (const auto block = block_of(option)) {
    value = fmt::format("{}/{}/{}", block->number, block->more ? 1 : 0, block->size());
  } else if (format_of(option) == OptionFormat::kUint) {
    value = std::to_string(number);
  } else if (format_of(option) == OptionFormat::kString && is_utf8(as_bytes(option.value))) {
    value = option.value;
  } else {
    value = hex(option.value);
  }
  const coap::OptionNumber id{option.number};
  const bool is_format =
      id == coap::OptionNumber::kContentFormat || id == coap::OptionNumber::kAccept;
  const auto type = is_format ? coap::media_type(static_cast<coap::ContentFormat>(number))
                              : std::optional<std::string_view>{};
  if (type) value += fmt::format(" ({})", *type);
  return fmt::format("{}: {}", option_name(option.number), value);
}

void append_pretty(std::string& out, const CoapPrintable& response) {
  if (response.payload.empty()) {
    out += code_text(response.code) + '\n';
    return;
  }
  std::string text;
  if (response.format == coap::ContentFormat::kLinkFormat) {
    if (each_link(response.payload, [&](const coap::Link& link) { append_link(text, link); })) {
      out += text;
      return;
    }
    text.clear();
  }
  if (is_format(response.format, "application/json", "+json") &&
      append_compact_json(text, response.payload)) {
    append_pretty_json(out, text);
    out += '\n';
    return;
  }
  if (is_format(response.format, "application/cbor", "+cbor")) {
    if (auto item = cbor::diagnostic(as_bytes(response.payload), cbor::Layout::kIndented)) {
      out += *item + '\n';
      return;
    }
  }
  if (!is_utf8(as_bytes(response.payload))) return append_hex(out, response.payload);
  out += response.payload;
  if (!response.payload.ends_with('\n')) out += '\n';
}

bool append_link_lines(std::string& out, std::string_view payload, std::string_view server) {
  std::string text;
  std::string target;
  const bool read = each_link(payload, [&](coap::Link link) {
    if (!server.empty() && link.target.starts_with('/')) {
      link.target = target = fmt::format("{}{}", server, link.target);
    }
    coap::LinkWriter(text).write(link);
    text += '\n';
  });
  if (read) out += text;
  return read;
}

void append_json(std::string& out, const CoapPrintable& response) {
  out += '{';
  if (!response.server.empty()) {
    out += "\"server\":";
    append_json_string(out, response.server);
    out += ',';
  }
  out += "\"code\":";
  append_json_string(out, coap::to_string(response.code));
  if (const std::string_view name = code_name(response.code); !name.empty()) {
    out += ",\"name\":";
    append_json_string(out, name);
  }
  out += ",\"options\":";
  append_options(out, response.options);
  const auto type = response.format ? coap::media_type(*response.format) : std::nullopt;
  if (type) {
    out += ",\"content_type\":";
    append_json_string(out, *type);
  }
  const bool text = is_utf8(as_bytes(response.payload));
  out += text ? ",\"payload\":" : ",\"payload_base64\":";
  append_json_string(
      out, text ? std::string(response.payload) : sasl::to_base64(as_bytes(response.payload)));
  out += fmt::format(",\"bytes\":{}", response.payload.size());
  if (response.round_trip_ms) out += fmt::format(",\"ms\":{:.3f}", *response.round_trip_ms);
  out += "}\n";
}

std::string next_page(std::string_view links) {
  std::string target;
  const bool read = each_link(links, [&](const coap::Link& link) {
    const coap::LinkAttribute* relation = link.find("rel");
    if (target.empty() && relation != nullptr && relation->text() == "next") target = link.target;
  });
  return read ? target : std::string();
}

}  // namespace hermod::app
