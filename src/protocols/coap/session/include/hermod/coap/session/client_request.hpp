// SPDX-License-Identifier: Apache-2.0
// What a client asks of a server, in the words of the options, and the limits of its asking. Plain
// values: how they become messages is the session's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/codec/option.hpp"
#include "hermod/coap/session/reliability.hpp"

namespace hermod::coap {

struct ClientSettings {
  TransmissionParameters transmission;  ///< nstart: requests without any answer at a time
  /// How long a response may take after the request was acknowledged, or, Non-confirmable, sent.
  Duration response_timeout = std::chrono::seconds{30};
  /// Requests that are not over, the waiting ones too; at most 32,767.
  std::size_t requests_max = 4096;
  /// Largest datagram sent.
  std::size_t datagram_bytes_max = 4096;
  /// SZX of the blocks that larger bodies are sent in (RFC 7959 §2.2): 0 to 6, 16 to 1,024 octets.
  std::uint8_t block_exponent = Block::kExponentMax;
  /// Largest body sent in blocks, or put together from blocks (RFC 7959 §7.1).
  std::size_t body_bytes_max = std::size_t{8} << 20;
};

/// The classes of responses that No-Response can suppress (RFC 7967 §2.1).
inline constexpr std::uint8_t kNoSuccess = 2;
inline constexpr std::uint8_t kNoClientError = 8;
inline constexpr std::uint8_t kNoServerError = 16;
inline constexpr std::uint8_t kNoResponseAtAll = kNoSuccess | kNoClientError | kNoServerError;

/// A request to make. Borrowed for the call.
struct ClientRequest {
  Code method = code::kGet;
  std::span<const std::string> path;   ///< Uri-Path, segment by segment
  std::span<const std::string> query;  ///< Uri-Query, argument by argument
  std::string_view uri_host;           ///< empty: none (RFC 7252 §6.4 says when)
  std::string_view proxy_uri;          ///< empty: none; path, query and uri_host are then empty
  Bytes payload;                       ///< sent in blocks when it is larger than one
  std::optional<ContentFormat> content_format;
  std::optional<ContentFormat> accept;
  std::span<const std::string> if_match;  ///< entity tags; an empty one: if it exists at all
  bool if_none_match = false;
  std::span<const std::string> etags;      ///< of representations that are here already
  std::optional<std::uint32_t> max_age_s;  ///< of a value that is put: this server's extension
  std::optional<std::uint8_t> hop_limit;   ///< RFC 8768 §3: 1 to 255
  /// RFC 7967 §2: sum of the classes above. A body in blocks goes without it.
  std::optional<std::uint8_t> no_response;
  std::span<const OptionView> other_options;  ///< any others, in any order
  /// Size of blocks in both directions, asked for from the start (RFC 7959 §2.4), and the block
  /// of the response to begin with. Nothing: that of the settings for what is sent, and whatever
  /// the server chooses for the response.
  std::optional<Block> block;
  std::optional<Bytes> token;  ///< of the first message, when it matters; nothing: random
  bool confirmable = true;
  bool observe = false;  ///< GET and FETCH only (RFC 7641 §2, RFC 8132 §2.4)
};

}  // namespace hermod::coap
