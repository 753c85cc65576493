// SPDX-License-Identifier: Apache-2.0
// URLs of brokers and topics: scheme://[user[:password]@]host[:port][/topic]
// Everything after the slash is the topic, so that '#' and '+' need no escape in a filter; %XX
// stands for an octet (RFC 3986 §2.1). It knows schemes and their ports, not the protocols.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace hermod::app {

enum class Scheme : std::uint8_t { kMqtt, kCoap };

struct Url {
  Scheme scheme = Scheme::kMqtt;
  std::optional<std::string> user;
  std::optional<std::string> password;
  std::string host;  ///< without the brackets of an IPv6 address
  std::uint16_t port = 0;
  std::string topic;  ///< decoded; empty when there is none
};

/// True when `text` has the form of a URL: letters, then "://".
[[nodiscard]] bool looks_like_url(std::string_view text);

/// Reads a URL; the error says what is wrong with it and what would be right.
/// A CoAP path is the topic with or without "ps/data/" before it (the path that the broker serves
/// topics at): coap://localhost/ps/data/a/b and coap://localhost/a/b are both topic a/b.
/// Without `decoding` %XX stands for itself, as it does for mosquitto's programs.
[[nodiscard]] std::expected<Url, std::string> parse_url(std::string_view text,
                                                        bool decoding = true);

/// Where a proxy is, and who we are for it.
struct ProxyUrl {
  std::optional<std::string> user;
  std::optional<std::string> password;
  std::string host;
  std::uint16_t port = 1080;
};

/// Reads socks5h://[user[:password]@]host[:port]
[[nodiscard]] std::expected<ProxyUrl, std::string> parse_proxy(std::string_view text);

/// The port that a scheme has when a URL names none.
[[nodiscard]] std::uint16_t default_port(Scheme scheme);

}  // namespace hermod::app
