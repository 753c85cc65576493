// SPDX-License-Identifier: Apache-2.0
// The address of a server under test: mqtt://host:port or coap://host:port/path.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace hermod::load {

struct Url {
  enum class Scheme : std::uint8_t { kMqtt, kCoap };
  Scheme scheme = Scheme::kMqtt;
  std::string host;        ///< empty: no address given
  std::uint16_t port = 0;  ///< 0: the scheme's default, or chosen freely for a server we start
  std::string path;        ///< coap: without the first slash, as written; mqtt: empty

  [[nodiscard]] std::string to_text() const;
  bool operator==(const Url&) const = default;
};

/// Default port of the scheme: 1883 (MQTT 3.1.1 §4.2) or 5683 (RFC 7252 §6.1).
[[nodiscard]] std::uint16_t default_port(Url::Scheme scheme);

/// Takes a URL apart; IPv6 literals stand in brackets. A missing port stays 0. The error says what
/// is wrong.
[[nodiscard]] std::expected<Url, std::string> parse_url(std::string_view text);

}  // namespace hermod::load
