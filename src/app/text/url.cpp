// SPDX-License-Identifier: Apache-2.0
// URLs of brokers and topics.
#include "text/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "text/suggest.hpp"

namespace hermod::app {
namespace {

constexpr std::array<std::string_view, 2> kSchemes{"mqtt", "coap"};
constexpr std::array<std::string_view, 9> kLater{"ws",    "wss",  "mqttsn", "coaps",   "amqp",
                                                 "amqps", "http", "https",  "coap+tcp"};
constexpr std::string_view kForm = "The form is mqtt://[user[:password]@]host[:port]/topic";
constexpr std::string_view kProxyForm =
    "The form is socks5h://[user[:password]@]host[:port]; the port is 1080 if not given.";
constexpr std::string_view kCoapPath = "ps/data/";

using Error = std::unexpected<std::string>;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// %XX becomes an octet (RFC 3986 §2.1), unless it is not `wanted`.
std::expected<std::string, std::string> decode(std::string_view text, bool wanted) {
  if (!wanted) return std::string(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Error(
          fmt::format("\"{}\" is not a percent code: two hexadecimal digits must follow "
                      "the %. A percent sign itself is written %25.",
                      text.substr(i, 3)));
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::expected<Scheme, std::string> read_scheme(std::string_view word) {
  if (word == "mqtt") return Scheme::kMqtt;
  if (word == "coap") return Scheme::kCoap;
  if (word == "mqtts") {
    return Error(
        "\"mqtts://\" is not supported yet: there is no TLS. Use mqtt:// on a network that you "
        "trust, or connect to a program that adds TLS, such as stunnel.");
  }
  if (std::ranges::find(kLater, word) != kLater.end()) {
    return Error(
        fmt::format("\"{}://\" is not supported yet. Supported are {}.", word, join(kSchemes)));
  }
  return Error(fmt::format("\"{}://\" is not a scheme that Hermod knows. Supported are {}.{}", word,
                           join(kSchemes), did_you_mean(word, kSchemes)));
}

/// user[:password] into `url`; an error in words, empty when all is well.
template <typename Target>
std::string read_user(std::string_view text, Target& url, bool decoding) {
  const std::size_t colon = text.find(':');
  const auto user = decode(text.substr(0, colon), decoding);
  if (!user) return user.error();
  url.user = *user;
  if (colon == std::string_view::npos) return {};
  const auto password = decode(text.substr(colon + 1), decoding);
  if (!password) return password.error();
  url.password = *password;
  return {};
}

/// host[:port] into `url`; an error in words, empty when all is well.
template <typename Target>
std::string read_host(std::string_view text, Target& url, std::string_view form) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return "the ] after the IPv6 address is missing.";
  if (const std::size_t colon = text.find(':', bracket); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (bracket > 0) {
    if (host.size() != bracket + 1) return "after the ] of an IPv6 address comes :port or /topic.";
    host = host.substr(1, bracket - 1);
  }
  if (bracket == 0 && port.find(':') != std::string_view::npos) {
    return "an IPv6 address stands in brackets: [::1]";
  }
  if (host.empty()) return fmt::format("there is no host. {}", form);
  if (has_port) {
    std::uint16_t number = 0;
    const char* end = port.data() + port.size();
    const auto [stopped, error] = std::from_chars(port.data(), end, number);
    if (error != std::errc() || stopped != end || number == 0) {
      return fmt::format("the port is \"{}\", but must be a whole number from 1 to 65535.", port);
    }
    url.port = number;
  }
  url.host = host;
  return {};
}

/// [user[:password]@]host[:port] into `url`; an error in words, empty when all is well.
template <typename Target>
std::string read_authority(std::string_view text, Target& url, std::string_view form,
                           bool decoding) {
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (std::string error = read_user(text.substr(0, at), url, decoding); !error.empty()) {
      return error;
    }
    text.remove_prefix(at + 1);
  }
  return read_host(text, url, form);
}

std::expected<Url, std::string> parse(std::string_view text, bool decoding) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return Error(fmt::format("there is no \"://\". {}", kForm));
  const auto scheme = read_scheme(text.substr(0, colon));
  if (!scheme) return Error(scheme.error());
  Url url{.scheme = *scheme, .port = default_port(*scheme)};

  std::string_view rest = text.substr(colon + 3);
  const std::size_t slash = rest.find('/');
  if (std::string error = read_authority(rest.substr(0, slash), url, kForm, decoding);
      !error.empty()) {
    return Error(std::move(error));
  }
  if (slash == std::string_view::npos) return url;

  std::string_view path = rest.substr(slash + 1);
  if (url.scheme == Scheme::kCoap) {
    if (path.find('?') != std::string_view::npos) {
      return Error(
          "a CoAP URL of a topic has no query. A question mark in a topic is written %3F.");
    }
    if (path.starts_with(kCoapPath)) path.remove_prefix(kCoapPath.size());
  }
  auto topic = decode(path, decoding);
  if (!topic) return Error(topic.error());
  url.topic = std::move(*topic);
  return url;
}

}  // namespace

bool looks_like_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return false;
  return std::ranges::all_of(text.substr(0, colon),
                             [](char c) { return is_letter(c) || c == '+'; });
}

std::expected<Url, std::string> parse_url(std::string_view text, bool decoding) {
  auto url = parse(text, decoding);
  if (!url) return Error(fmt::format("URL \"{}\": {}", text, url.error()));
  return url;
}

std::expected<ProxyUrl, std::string> parse_proxy(std::string_view text) {
  constexpr std::string_view kScheme = "socks5h://";
  const auto refuse = [text](std::string_view why) {
    return Error(fmt::format("--proxy \"{}\": {}", text, why));
  };
  if (!text.starts_with(kScheme)) {
    return refuse(fmt::format("only SOCKS5 proxies that look names up themselves are supported. {}",
                              kProxyForm));
  }
  ProxyUrl url;
  const std::string error = read_authority(text.substr(kScheme.size()), url, kProxyForm, true);
  if (!error.empty()) return refuse(error);
  if (url.host.find('/') != std::string::npos) {
    return refuse(fmt::format("nothing follows host and port. {}", kProxyForm));
  }
  return url;
}

std::uint16_t default_port(Scheme scheme) {
  return scheme == Scheme::kMqtt ? 1883 : 5683;
}

}  // namespace hermod::app
