// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/url.hpp"

#include <fmt/format.h>

#include <charconv>

namespace hermod::load {
namespace {

std::unexpected<std::string> wrong(std::string_view text, std::string_view why) {
  return std::unexpected(fmt::format(
      "'{}' is no server address: {}; write mqtt://HOST:PORT or coap://HOST:PORT/PATH", text, why));
}

}  // namespace

std::uint16_t default_port(Url::Scheme scheme) {
  return scheme == Url::Scheme::kMqtt ? 1883 : 5683;
}

std::expected<Url, std::string> parse_url(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("mqtt://")) {
    url.scheme = Url::Scheme::kMqtt;
  } else if (rest.starts_with("coap://")) {
    url.scheme = Url::Scheme::kCoap;
  } else {
    return wrong(text, "it starts with neither mqtt:// nor coap://");
  }
  rest.remove_prefix(7);

  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) url.path = rest.substr(slash + 1);
  if (url.scheme == Url::Scheme::kMqtt && !url.path.empty()) {
    return wrong(text, "an MQTT server has no path here, the load chooses its topics");
  }

  if (authority.starts_with('[')) {  // RFC 3986 §3.2.2: IPv6 literal
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return wrong(text, "the bracket is not closed");
    url.host = authority.substr(1, close - 1);
    authority.remove_prefix(close + 1);
  } else {
    const std::size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    authority.remove_prefix(url.host.size());
  }
  if (url.host.empty()) return wrong(text, "the host is missing");
  if (authority.empty()) return url;
  if (authority.front() != ':') return wrong(text, "something stands behind the bracket");
  authority.remove_prefix(1);
  const char* const end = authority.data() + authority.size();
  const auto [at, error] = std::from_chars(authority.data(), end, url.port);
  if (error != std::errc{} || at != end) return wrong(text, "the port is no number up to 65535");
  return url;
}

std::string Url::to_text() const {
  const bool v6 = host.find(':') != std::string::npos;
  std::string text = scheme == Scheme::kMqtt ? "mqtt://" : "coap://";
  text += v6 ? fmt::format("[{}]", host) : host;
  if (port != 0) text += fmt::format(":{}", port);
  if (!path.empty()) text += "/" + path;
  return text;
}

}  // namespace hermod::load
