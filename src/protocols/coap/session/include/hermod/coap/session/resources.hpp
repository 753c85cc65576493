// SPDX-License-Identifier: Apache-2.0
// What the server's resources are and how a request names one: the options of a request in one
// pass, with every rule that applies before a resource is asked (RFC 7252 §5.4, §5.10). Knows no
// exchange and no answer's octets.
//
//   /.well-known/core    links, for discovery (RFC 6690 §4)
//   /ps                  where the topics are
//   /ps/data/<topic>     the topic: a segment is a level, so a segment never holds '/'
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/codec/message.hpp"

namespace hermod::coap {

enum class Resource : std::uint8_t { kNone, kDiscovery, kCollection, kTopic };

/// application/link-format of /.well-known/core.
inline constexpr std::string_view kDiscoveryLinks = "</ps>;rt=\"core.ps.coll\";ct=40";
/// application/link-format of /ps: until topics are listed there, where they are.
inline constexpr std::string_view kCollectionLinks = "</ps/data>;rt=\"core.ps.data\";obs";

/// The values of the Observe option in a request (RFC 7641 §2).
inline constexpr std::uint32_t kObserveRegister = 0;
inline constexpr std::uint32_t kObserveDeregister = 1;

/// Why a request cannot be served as it is: a code and words for a person.
struct Refusal {
  Code code;
  std::string_view diagnostic;
};

/// A request, understood. Borrows from its datagram and from the text that received the topic.
struct RequestView {
  /// ETags beyond this number are not compared, which is legal (RFC 7252 §5.10.6.2).
  static constexpr std::size_t kETagsMax = 2;

  Resource resource = Resource::kNone;
  std::string_view topic;  ///< kTopic
  std::optional<std::uint32_t> observe;
  std::optional<ContentFormat> accept;
  std::optional<ContentFormat> content_format;
  std::optional<std::uint32_t> max_age_s;
  std::array<Bytes, kETagsMax> etags;
  /// First critical option that is not recognised, has a length it must not have, or occurs once
  /// too often (RFC 7252 §5.4.1, §5.4.3, §5.4.5).
  std::optional<OptionNumber> bad_option;
  std::optional<Refusal> refusal;  ///< anything else that is wrong
};

/// Reads the options of a request. `topic` is overwritten; `levels_max` bounds the topic.
[[nodiscard]] RequestView read_request(const MessageView& message, std::size_t levels_max,
                                       std::string& topic);

/// The path segments of a topic's resource: "ps", "data", and its levels.
[[nodiscard]] std::vector<std::string> path_of_topic(std::string_view topic);
/// The topic of a path; nothing when it is not below /ps/data or not a topic.
[[nodiscard]] std::optional<std::string> topic_of_path(std::span<const std::string> segments);

}  // namespace hermod::coap
