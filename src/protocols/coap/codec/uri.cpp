// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/codec/uri.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "ascii.hpp"
#include "hermod/base/utf8.hpp"
#include "uri_octets.hpp"

namespace hermod::coap {
namespace {

// Uri-Host, Uri-Path and Uri-Query values have at most 255 octets (RFC 7252 §5.10 Table 4).
constexpr std::size_t kPartSizeMax = 255;

constexpr std::string_view kZone = "%25";

bool is_query_char(char c) {  // RFC 7252 §6.5 step 8
  return (is_path_char(c) && c != '&') || c == '/' || c == '?';
}

void make_lower(std::string& text) {
  std::ranges::transform(text, text.begin(), lower);
}

std::optional<unsigned> hex_digit(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  const char small = lower(c);
  if (small >= 'a' && small <= 'f') return static_cast<unsigned>(small - 'a' + 10);
  return std::nullopt;
}

std::unexpected<UriError> fail(std::size_t offset, const char* reason) {
  return std::unexpected(UriError{offset, reason});
}

bool is_ipv4(std::string_view host) {
  int parts = 0;
  while (true) {
    const std::size_t dot = std::min(host.find('.'), host.size());
    const std::string_view part = host.substr(0, dot);
    std::uint8_t octet = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), octet);
    if (error != std::errc{} || end != part.data() + part.size()) return false;
    ++parts;
    if (dot == host.size()) return parts == 4;
    host.remove_prefix(dot + 1);
  }
}

// What is left of the text, and how far it is into the whole.
struct Rest {
  std::string_view text;
  std::size_t offset = 0;

  void skip(std::size_t count) {
    text.remove_prefix(count);
    offset += count;
  }
  // Cuts off what stands before the first of `stops`.
  std::string_view take_until(std::string_view stops) {
    const std::string_view taken = text.substr(0, text.find_first_of(stops));
    skip(taken.size());
    return taken;
  }
};

using Parsed = std::expected<void, UriError>;

// RFC 7252 §6.4 step 3.
Parsed parse_scheme(Rest& rest, Uri& uri) {
  const std::size_t colon = rest.text.find("://");
  if (colon == std::string_view::npos) {
    return fail(rest.offset, "an address starts with coap:// or coaps://");
  }
  std::string scheme{rest.text.substr(0, colon)};
  make_lower(scheme);
  if (scheme != "coap" && scheme != "coaps") {
    return fail(rest.offset, "the scheme is neither coap nor coaps");
  }
  uri.secure = scheme == "coaps";
  uri.port = uri.secure ? kPortSecure : kPort;
  rest.skip(colon + 3);
  return {};
}

// RFC 7252 §6.4 step 5, with the shapes of RFC 3986 §3.2.2.
Parsed parse_host(Rest& rest, Uri& uri) {
  const std::size_t at = rest.offset;
  if (rest.text.starts_with('[')) {
    const std::size_t close = rest.text.find(']');
    if (close == std::string_view::npos) return fail(at, "the host lacks its closing bracket");
    const std::string_view inside = rest.text.substr(1, close - 1);
    // RFC 6874 §2: the name of a zone, such as an interface, behind "%25"
    const std::size_t zone_at = std::min(inside.find(kZone), inside.size());
    const std::string_view address = inside.substr(0, zone_at);
    const std::string_view zone = inside.substr(std::min(zone_at + kZone.size(), inside.size()));
    const bool plausible = address.contains(':') && std::ranges::all_of(address, [](char c) {
                             return hex_digit(c) || c == ':' || c == '.';
                           });
    if (!plausible) return fail(at + 1, "between brackets stands an IPv6 address");
    if (address.size() < inside.size() &&
        (zone.empty() || !std::ranges::all_of(zone, is_unreserved))) {
      return fail(at + 1 + zone_at, "behind %25 stands the name of an interface");
    }
    uri.host = address;
    make_lower(uri.host);
    if (!zone.empty()) uri.host.append("%").append(zone);
    uri.host_is_address = true;
    rest.skip(close + 1);
  } else {
    const auto host = percent_decode(rest.take_until(":/?#"));
    if (!host) return fail(at + host.error().offset, host.error().reason);
    uri.host = *host;
    make_lower(uri.host);
    if (uri.host.contains(':')) return fail(at, "the host has a character that no host name has");
    uri.host_is_address = is_ipv4(uri.host);
  }
  if (uri.host.empty()) return fail(at, "the host is missing");  // RFC 7252 §6.1
  if (uri.host.size() > kPartSizeMax) return fail(at, "the host is longer than 255 octets");
  if (std::ranges::any_of(uri.host, [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '@' || c == '/';
      })) {
    return fail(at, "the host has a character that no host name has");
  }
  return {};
}

// RFC 7252 §6.4 step 6; an empty port is the default one (RFC 7252 §6.1).
Parsed parse_port(Rest& rest, Uri& uri) {
  if (!rest.text.starts_with(':')) return {};
  rest.skip(1);
  const std::size_t at = rest.offset;
  const std::string_view digits = rest.take_until("/?#");
  if (digits.empty()) return {};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), uri.port);
  if (error != std::errc{} || end != digits.data() + digits.size() || uri.port == 0) {
    return fail(at, "the port is a number from 1 to 65535");
  }
  return {};
}

// A segment or an argument, decoded. Octets above ASCII stand for themselves.
std::expected<std::string, UriError> parse_part(std::string_view text, std::size_t at,
                                                bool (*is_plain)(char)) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_plain(c) || c == '%' || (static_cast<unsigned char>(c) & 0x80u) != 0) continue;
    return fail(at + i, "this character is written percent-encoded in an address");
  }
  auto part = percent_decode(text);
  if (!part) return fail(at + part.error().offset, part.error().reason);
  if (part->size() > kPartSizeMax) return fail(at, "this part is longer than 255 octets");
  if (!is_utf8(as_bytes(*part))) return fail(at, "this part is not UTF-8");  // RFC 7252 §3.2
  return part;
}

// RFC 7252 §6.4 step 8; dot segments as RFC 3986 §5.2.4 removes them.
Parsed parse_path(Rest& rest, Uri& uri) {
  while (rest.text.starts_with('/')) {
    rest.skip(1);
    const std::size_t at = rest.offset;
    auto segment = parse_part(rest.take_until("/?#"), at, is_path_char);
    if (!segment) return std::unexpected(segment.error());
    const bool last = !rest.text.starts_with('/');
    if (*segment == ".." && !uri.path.empty()) uri.path.pop_back();
    if (*segment != "." && *segment != "..") {
      uri.path.push_back(std::move(*segment));
    } else if (last) {
      uri.path.emplace_back();  // "a/." and "a/b/.." are "a/"
    }
  }
  if (uri.path.size() == 1 && uri.path[0].empty()) uri.path.clear();  // a single slash
  return {};
}

// RFC 7252 §6.4 step 9.
Parsed parse_query(Rest& rest, Uri& uri) {
  if (!rest.text.starts_with('?')) return {};
  do {
    rest.skip(1);  // the question mark or an ampersand
    const std::size_t at = rest.offset;
    auto argument = parse_part(rest.take_until("&#"), at, is_query_char);
    if (!argument) return std::unexpected(argument.error());
    uri.query.push_back(std::move(*argument));
  } while (rest.text.starts_with('&'));
  return {};
}

}  // namespace

std::expected<std::string, UriError> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return fail(i, "after % stand two hexadecimal digits");
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (!high || !low) return fail(i, "after % stand two hexadecimal digits");
    out += static_cast<char>(*high << 4 | *low);
    i += 2;
  }
  return out;
}

std::expected<Uri, UriError> parse_uri(std::string_view text) {
  Rest rest{text};
  Uri uri;
  for (const auto step : {parse_scheme, parse_host, parse_port}) {
    if (const Parsed parsed = step(rest, uri); !parsed) return std::unexpected(parsed.error());
  }
  if (!rest.text.empty() && !std::string_view("/?#").contains(rest.text.front())) {
    return fail(rest.offset, "after the host stands a port, a path or nothing");
  }
  for (const auto step : {parse_path, parse_query}) {
    if (const Parsed parsed = step(rest, uri); !parsed) return std::unexpected(parsed.error());
  }
  if (!rest.text.empty()) {  // RFC 7252 §6.4 step 4
    return fail(rest.offset, "a fragment (#) cannot be asked for");
  }
  return uri;
}

std::string path_text(Options options, OptionNumber number) {
  std::string out;
  for (const OptionView& option : options) {
    if (option.number != number) continue;
    out += '/';
    append_encoded(out, as_text(option.value), is_path_char);
  }
  return out.empty() ? "/" : out;
}

void append_segment(std::string& path, std::string_view segment) {
  path += '/';
  append_encoded(path, segment, is_path_char);
}

void append_argument(std::string& query, std::string_view argument) {
  append_encoded(query, argument, is_query_char);
}

std::string query_text(Options options, OptionNumber number) {
  std::string out;
  for (const OptionView& option : options) {
    if (option.number != number) continue;
    out += out.empty() ? '?' : '&';
    append_encoded(out, as_text(option.value), is_query_char);
  }
  return out;
}

std::string to_string(const Uri& uri) {
  std::string out = uri.secure ? "coaps://" : "coap://";
  if (uri.host.contains(':')) {
    const std::size_t zone = std::min(uri.host.find('%'), uri.host.size());
    out += '[' + uri.host.substr(0, zone);
    if (zone < uri.host.size()) out.append(kZone).append(uri.host.substr(zone + 1));
    out += ']';
  } else {
    append_encoded(out, uri.host, [](char c) { return is_unreserved(c) || is_sub_delim(c); });
  }
  if (uri.port != (uri.secure ? kPortSecure : kPort)) out += ':' + std::to_string(uri.port);
  for (const std::string& segment : uri.path) {
    out += '/';
    append_encoded(out, segment, is_path_char);
  }
  if (uri.path.empty()) out += '/';
  char separator = '?';
  for (const std::string& argument : uri.query) {
    out += separator;
    append_encoded(out, argument, is_query_char);
    separator = '&';
  }
  return out;
}

}  // namespace hermod::coap
