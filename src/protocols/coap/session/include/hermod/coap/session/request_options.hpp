// SPDX-License-Identifier: Apache-2.0
// The options of a request, read in one pass, with the rules that hold whatever the resource is
// (RFC 7252 §5.4, §5.10). Knows no resource.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/coap/codec/block.hpp"
#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/codec/message.hpp"

namespace hermod::coap {

/// The values of the Observe option in a request (RFC 7641 §2).
inline constexpr std::uint32_t kObserveRegister = 0;
inline constexpr std::uint32_t kObserveDeregister = 1;

/// Why a request cannot be served as it is: a code and words for a person.
struct Refusal {
  Code code;
  std::string_view diagnostic;
};

/// Borrows from the datagram.
struct RequestOptions {
  /// ETags and If-Match values beyond this number are not compared. For ETags that is legal
  /// (RFC 7252 §5.10.6.2); a request with more If-Match values is refused.
  static constexpr std::size_t kTagsMax = 8;

  boost::container::small_vector<std::string_view, 8> path;   ///< Uri-Path, segment by segment
  boost::container::small_vector<std::string_view, 2> query;  ///< Uri-Query, argument by argument
  boost::container::small_vector<Bytes, 1> etags;
  boost::container::small_vector<Bytes, 1> if_match;  ///< an empty one stands for any value
  bool if_none_match = false;
  std::optional<std::uint32_t> observe;
  std::optional<ContentFormat> accept;
  std::optional<ContentFormat> content_format;
  std::optional<std::uint32_t> max_age_s;
  std::optional<Block> block1;
  std::optional<Block> block2;
  std::optional<std::uint32_t> size1;
  bool wants_size2 = false;  ///< a Size2 option: the size of the body is asked for (RFC 7959 §4)
  std::optional<std::uint8_t> no_response;
  Bytes echo;

  /// First critical option that is not recognised, has a length it must not have, or occurs once
  /// too often (RFC 7252 §5.4.1, §5.4.3, §5.4.5).
  std::optional<OptionNumber> bad_option;
  std::optional<Refusal> refusal;  ///< anything else that is wrong
};

[[nodiscard]] RequestOptions read_options(const MessageView& message);

/// What the requests for the blocks of one body have in common: method and options, but for those
/// that differ from block to block (RFC 7959 §2.3 and §2.4; RFC 9175 §3: the Request-Tag counts).
[[nodiscard]] std::uint64_t transfer_key(const MessageView& message);

}  // namespace hermod::coap
