// SPDX-License-Identifier: Apache-2.0
// What the command lines of get, put, post, delete, fetch, patch, ipatch, observe and discover say,
// with coap-client's letters, and the request that follows from them. It knows no parser of command
// lines and sends nothing.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/options.hpp"
#include "hermod/client/coap_client.hpp"
#include "hermod/coap/codec/uri.hpp"

namespace hermod::app {

enum class CoapVerb : std::uint8_t {
  kGet,
  kPut,
  kPost,
  kDelete,
  kFetch,
  kPatch,
  kIPatch,
  kObserve,
  kDiscover
};

/// The verb of "hermod get" and its like; nothing for other programs.
[[nodiscard]] std::optional<CoapVerb> coap_verb(std::string_view command);
/// May carry a payload.
[[nodiscard]] bool has_payload(CoapVerb verb);

struct CoapCommandOptions {
  ClientOptions client;  ///< program, quiet; host and port follow from the URL
  CoapVerb verb = CoapVerb::kGet;
  std::string url;
  std::vector<std::string> filters;       ///< of discover
  std::optional<std::string> payload;     ///< -e
  std::optional<std::string> file;        ///< -f; "-": standard input
  std::string format;                     ///< -t
  std::string accept;                     ///< -A
  bool non_confirmable = false;           ///< -N
  std::vector<std::string> raw_options;   ///< -O
  std::vector<std::string> if_match;      ///< --if-match
  std::vector<std::string> etags;         ///< --etag
  bool if_none_match = false;             ///< --if-none-match
  std::string no_response;                ///< --no-response
  std::string block;                      ///< -b
  std::optional<std::string> token;       ///< -T
  std::optional<std::uint8_t> hop_limit;  ///< -H
  std::uint16_t local_port = 0;           ///< -p
  std::string interface;                  ///< --interface, of discover by multicast
  std::string proxy;                      ///< -P
  bool no_uri_host = false;               ///< -U
  double wait_s = 0;                      ///< -B; 0: as long as the protocol waits
  double observe_s = 0;                   ///< -s; 0: without end
  std::optional<std::uint64_t> count;     ///< -C
  double ping_s = 0;                      ///< -K; 0: never
  std::string output;                     ///< -o
  bool newline = false;                   ///< -w
  bool verbose = false;                   ///< -v
  bool json = false;
  bool pretty = false;

  // What follows from them.
  bool group = false;           ///< the host is a multicast group
  client::CoapRequest request;  ///< its payload when it stands on the command line
};

/// Fills in the request and checks what belongs together. The error says what is wrong and what
/// would be right.
[[nodiscard]] std::expected<void, std::string> complete(CoapCommandOptions& options);

/// The number of a content format: a number, a media type, or one of coap-client's short names.
[[nodiscard]] std::expected<coap::ContentFormat, std::string> read_content_format(
    std::string_view text);

/// The octets of a value: text as it is, or hexadecimal behind "0x".
[[nodiscard]] std::expected<std::string, std::string> read_octets(std::string_view text);

}  // namespace hermod::app
