// SPDX-License-Identifier: Apache-2.0
// coap:// and coaps:// addresses and what they become in options: parsing an address into Uri-Path
// and Uri-Query values (RFC 7252 §6.4), and composing text from options (RFC 7252 §6.5). On the
// wire nothing is percent-encoded; in text everything that is not plain is. Resolves no names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/bytes.hpp"
#include "hermod/coap/codec/option.hpp"

namespace hermod::coap {

inline constexpr std::uint16_t kPort = 5683;        ///< coap (RFC 7252 §6.1)
inline constexpr std::uint16_t kPortSecure = 5684;  ///< coaps (RFC 7252 §6.2)

/// An address, taken apart and percent-decoded.
struct Uri {
  bool secure = false;  ///< coaps
  std::string host;     ///< lower case; an IPv6 address without its brackets, a zone as "%eth0"
  bool host_is_address = false;    ///< IPv4 or IPv6 literal: no Uri-Host option (RFC 7252 §6.4)
  std::uint16_t port = kPort;      ///< the scheme's default when the text names none
  std::vector<std::string> path;   ///< one Uri-Path value per segment; empty for "/"
  std::vector<std::string> query;  ///< one Uri-Query value per argument
};

/// What is wrong with an address, for people.
struct UriError {
  std::size_t offset = 0;   ///< octet of the text
  const char* reason = "";  ///< what is wrong and what was expected; a literal
};

/// Parses an address (RFC 7252 §6.4). Dot segments are resolved; UTF-8 outside ASCII stands for
/// itself. Fails when it is not absolute, has another scheme, an empty host, user information, a
/// fragment, or a segment or argument that does not fit in an option.
/// Example: parse_uri("coap://[::1]/ps/data/a%20b").
[[nodiscard]] std::expected<Uri, UriError> parse_uri(std::string_view text);

/// Replaces every percent-encoding by its octet; an unfinished one is an error.
[[nodiscard]] std::expected<std::string, UriError> percent_decode(std::string_view text);

/// The path that the Uri-Path (or Location-Path) options spell, percent-encoded; "/" when there are
/// none (RFC 7252 §6.5 steps 6 and 7).
[[nodiscard]] std::string path_text(Options options, OptionNumber number = OptionNumber::kUriPath);

/// Appends '/' and the segment, percent-encoded, to a path (RFC 7252 §6.5 step 6).
void append_segment(std::string& path, std::string_view segment);
/// Appends an argument, percent-encoded, to a query; what stands before it is the caller's
/// (RFC 7252 §6.5 step 8).
void append_argument(std::string& query, std::string_view argument);

/// "?a=1&b=2" from the Uri-Query (or Location-Query) options, empty when there are none
/// (RFC 7252 §6.5 step 8).
[[nodiscard]] std::string query_text(Options options,
                                     OptionNumber number = OptionNumber::kUriQuery);

/// The address in its normal form: percent-encoded, default port left out (RFC 7252 §6.5).
[[nodiscard]] std::string to_string(const Uri& uri);

}  // namespace hermod::coap
