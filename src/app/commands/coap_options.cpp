// SPDX-License-Identifier: Apache-2.0
#include "commands/coap_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "hermod/coap/session/client_request.hpp"
#include "hermod/transport/address.hpp"
#include "text/suggest.hpp"

namespace hermod::app {
namespace {

using Checked = std::expected<void, std::string>;
using Wrong = std::unexpected<std::string>;

constexpr std::array<std::pair<std::string_view, CoapVerb>, 9> kVerbs{{
    {"get", CoapVerb::kGet},
    {"put", CoapVerb::kPut},
    {"post", CoapVerb::kPost},
    {"delete", CoapVerb::kDelete},
    {"fetch", CoapVerb::kFetch},
    {"patch", CoapVerb::kPatch},
    {"ipatch", CoapVerb::kIPatch},
    {"observe", CoapVerb::kObserve},
    {"discover", CoapVerb::kDiscover},
}};

// coap-client's.
constexpr std::array<std::pair<std::string_view, coap::ContentFormat>, 9> kShortNames{{
    {"plain", coap::ContentFormat::kTextPlain},
    {"link", coap::ContentFormat::kLinkFormat},
    {"link-format", coap::ContentFormat::kLinkFormat},
    {"xml", coap::ContentFormat::kXml},
    {"binary", coap::ContentFormat::kOctetStream},
    {"octet-stream", coap::ContentFormat::kOctetStream},
    {"exi", coap::ContentFormat::kExi},
    {"json", coap::ContentFormat::kJson},
    {"cbor", coap::ContentFormat::kCbor},
}};

/// A decimal number of at most `most`, which is the whole text.
std::optional<std::uint32_t> read_number(std::string_view text, std::uint32_t most) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > most) return {};
  return number;
}

coap::Code method_of(const CoapCommandOptions& options) {
  using enum CoapVerb;
  switch (options.verb) {
    case kPut:
      return coap::code::kPut;
    case kPost:
      return coap::code::kPost;
    case kDelete:
      return coap::code::kDelete;
    case kFetch:
      return coap::code::kFetch;
    case kPatch:
      return coap::code::kPatch;
    case kIPatch:
      return coap::code::kIPatch;
    case kObserve:  // RFC 8132 §2.4
      return options.payload || options.file ? coap::code::kFetch : coap::code::kGet;
    case kGet:
    case kDiscover:
      return coap::code::kGet;
  }
  return coap::code::kGet;
}

std::expected<coap::Uri, std::string> read_url(const std::string& text) {
  if (text.empty()) return Wrong("there is no URL: give one, such as coap://localhost/path.");
  if (!looks_like_url(text)) {
    return Wrong(fmt::format("\"{0}\" is not a URL: write coap://{0}.", text));
  }
  auto uri = coap::parse_uri(text);
  if (!uri) {
    return Wrong(fmt::format("the URL \"{}\" is wrong at character {}: {}.", text,
                             uri.error().offset + 1, uri.error().reason));
  }
  if (uri->secure) {
    return Wrong(
        "coaps:// is not supported: there is no DTLS yet. Use coap:// on a network that "
        "you trust.");
  }
  return *std::move(uri);
}

/// A group of servers can be asked what there is, and nothing else.
Checked take_group(CoapCommandOptions& options) {
  std::string& host = options.client.host;
  const auto address = transport::Address::literal(options.client.host, options.client.port);
  options.group = address && address->is_multicast();
  if (const std::size_t zone = host.find('%'); options.group && zone != std::string::npos) {
    if (options.interface.empty()) options.interface = host.substr(zone + 1);
    host.resize(zone);
  }
  if (!options.group && !options.interface.empty()) {
    return Wrong("--interface is for a multicast group, such as coap://224.0.1.187.");
  }
  if (options.group && options.verb != CoapVerb::kDiscover) {
    return Wrong(
        fmt::format("{} is a multicast group: ask `hermod discover {}` which servers are there, "
                    "and then one of them.",
                    options.client.host,
                    coap::to_string({.host = options.client.host, .port = options.client.port})));
  }
  return {};
}

/// Where the request goes: the URL's host, or a proxy that is told the URL.
Checked take_url(CoapCommandOptions& options) {
  auto uri = read_url(options.url);
  if (!uri) return Wrong(uri.error());
  client::CoapRequest& request = options.request;
  request.path = uri->path;
  request.query = uri->query;
  if (options.verb == CoapVerb::kDiscover) {
    if (request.path.empty()) request.path = {".well-known", "core"};  // RFC 6690 §4
    for (const std::string& filter : options.filters) request.query.push_back(filter);
  } else if (!options.filters.empty()) {
    return Wrong(
        fmt::format("\"{}\" is one argument too many. Put quotes around what holds blanks.",
                    options.filters.front()));
  }
  if (!options.proxy.empty()) {
    coap::Uri whole = *uri;
    whole.path = std::exchange(request.path, {});
    whole.query = std::exchange(request.query, {});
    request.proxy_uri = coap::to_string(whole);
    uri = read_url(options.proxy);
    if (!uri) return Wrong("-P: " + uri.error());
  } else if (!uri->host_is_address && !options.no_uri_host) {
    request.uri_host = uri->host;  // RFC 7252 §6.4
  }
  options.client.scheme = Scheme::kCoap;
  options.client.host = uri->host;
  options.client.port = uri->port;
  return take_group(options);
}

Checked take_formats(CoapCommandOptions& options) {
  for (const auto& [text, into, name] :
       {std::tuple(&options.format, &options.request.content_format, "-t"),
        std::tuple(&options.accept, &options.request.accept, "-A")}) {
    if (text->empty()) continue;
    const auto format = read_content_format(*text);
    if (!format) return Wrong(fmt::format("{}: {}", name, format.error()));
    *into = *format;
  }
  if (options.verb == CoapVerb::kDiscover && !options.request.accept) {
    options.request.accept = coap::ContentFormat::kLinkFormat;
  }
  return {};
}

/// -O num,text
Checked take_raw_options(CoapCommandOptions& options) {
  for (const std::string& text : options.raw_options) {
    const std::size_t comma = text.find(',');
    const auto number = read_number(text.substr(0, comma), 0xffff);
    if (!number) {
      return Wrong(fmt::format(
          "-O is \"{}\", but must be a number up to 65535, a comma and the value, as in 2048,text "
          "or 2048,0x0102.",
          text));
    }
    const std::string value = comma == std::string::npos ? "" : text.substr(comma + 1);
    auto octets = read_octets(value);
    if (!octets) return Wrong("-O: " + octets.error());
    options.request.options.push_back({static_cast<std::uint16_t>(*number), std::move(*octets)});
  }
  return {};
}

Checked take_tags(CoapCommandOptions& options) {
  constexpr std::size_t kTagMax = 8;  // RFC 7252 §5.10.6
  for (const auto& [texts, into, name] :
       {std::tuple(&options.if_match, &options.request.if_match, "--if-match"),
        std::tuple(&options.etags, &options.request.etags, "--etag")}) {
    for (const std::string& text : *texts) {
      auto octets = read_octets(text);
      if (!octets) return Wrong(fmt::format("{}: {}", name, octets.error()));
      if (octets->size() > kTagMax) {
        return Wrong(fmt::format("{}: an entity tag has at most 8 octets.", name));
      }
      into->push_back(std::move(*octets));
    }
  }
  options.request.if_none_match = options.if_none_match;
  return {};
}

/// -b [num,]size
Checked take_block(CoapCommandOptions& options) {
  if (options.block.empty()) return {};
  const std::size_t comma = options.block.find(',');
  const bool numbered = comma != std::string::npos;
  const std::string_view text = options.block;
  const auto number = numbered ? read_number(text.substr(0, comma), coap::Block::kNumberMax) : 0u;
  const auto size = read_number(numbered ? text.substr(comma + 1) : text, 1024);
  if (!number || !size || *size < 16) {
    return Wrong(fmt::format(
        "-b is \"{}\", but must be the size of blocks, 16, 32, 64, 128, 256, 512 or 1024, or the "
        "first block, a comma and the size.",
        options.block));
  }
  options.request.block =
      coap::Block{.number = *number, .size_exponent = coap::size_exponent_for(*size)};
  return {};
}

Checked take_no_response(CoapCommandOptions& options) {
  const std::string& text = options.no_response;
  if (text.empty()) return {};
  const auto number = text == "all" ? coap::kNoResponseAtAll : read_number(text, 255);
  if (!number) {
    return Wrong(fmt::format(
        "--no-response is \"{}\", but must be all, or the sum of 2 (no 2.xx), 8 (no 4.xx) and 16 "
        "(no 5.xx).",
        text));
  }
  options.request.no_response = static_cast<std::uint8_t>(*number);
  return {};
}

Checked take_payload(CoapCommandOptions& options) {
  const bool given = options.payload || options.file;
  if (options.payload && options.file) {
    return Wrong("-e and -f exclude each other: give one of them.");
  }
  if (given && !has_payload(options.verb)) {
    return Wrong(
        "this request has no payload: leave out -e and -f, or use hermod fetch, which has "
        "one.");
  }
  options.request.payload = options.payload.value_or("");
  if (given) return {};
  if (options.verb == CoapVerb::kFetch || options.verb == CoapVerb::kPatch ||
      options.verb == CoapVerb::kIPatch) {
    return Wrong("there is no payload, which says what is wanted: give -e TEXT or -f FILE.");
  }
  return {};
}

}  // namespace

std::optional<CoapVerb> coap_verb(std::string_view command) {
  for (const auto& [name, verb] : kVerbs) {
    if (name == command) return verb;
  }
  return std::nullopt;
}

bool has_payload(CoapVerb verb) {
  return verb != CoapVerb::kGet && verb != CoapVerb::kDelete && verb != CoapVerb::kDiscover;
}

std::expected<coap::ContentFormat, std::string> read_content_format(std::string_view text) {
  if (const auto number = read_number(text, 0xffff)) {
    return static_cast<coap::ContentFormat>(*number);
  }
  for (const auto& [name, format] : kShortNames) {
    if (name == text) return format;
  }
  if (const auto format = coap::content_format(text)) return *format;
  std::vector<std::string_view> names;
  for (const auto& [name, format] : kShortNames) names.push_back(name);
  return Wrong(fmt::format(
      "there is no content format \"{}\".{} Give a media type such as application/json, one of {}, "
      "or a number.",
      text, did_you_mean(text, names), join(names)));
}

std::expected<std::string, std::string> read_octets(std::string_view text) {
  if (!text.starts_with("0x")) return std::string(text);
  std::string out;
  const std::string_view digits = text.substr(2);
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned octet = 0;
    const char* const end = digits.data() + i + 2;
    if (std::from_chars(digits.data() + i, end, octet, 16).ptr != end) break;
    out += static_cast<char>(octet);
  }
  if (out.size() * 2 != digits.size()) {
    return Wrong(fmt::format("\"{}\" is not hexadecimal: 0x and two digits for each octet.", text));
  }
  return out;
}

Checked complete(CoapCommandOptions& options) {
  options.request.method = method_of(options);
  options.request.confirmable = !options.non_confirmable;
  options.request.hop_limit = options.hop_limit;
  for (const auto take : {take_url, take_formats, take_raw_options, take_tags, take_block,
                          take_no_response, take_payload}) {
    if (auto checked = take(options); !checked) return checked;
  }
  if (options.token) {
    auto octets = read_octets(*options.token);
    if (!octets) return Wrong("-T: " + octets.error());
    if (octets->size() > 8) return Wrong("-T: a token has at most 8 octets.");
    options.request.token = std::move(*octets);
  }
  const bool observes = options.verb == CoapVerb::kObserve;
  if (!observes && (options.observe_s > 0 || options.count || options.ping_s > 0)) {
    return Wrong("-s, -C and -K are for hermod observe.");
  }
  if (observes && options.request.no_response) {
    return Wrong("who observes wants responses: leave out --no-response.");
  }
  if (options.json && (options.pretty || !options.output.empty())) {
    return Wrong("--json excludes --pretty and -o: the payload is part of the JSON.");
  }
  return {};
}

}  // namespace hermod::app
