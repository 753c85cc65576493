// SPDX-License-Identifier: Apache-2.0
// The broker's resources and how a path names one. Knows no exchange and no answer.
//
//   /.well-known/core    links, for discovery (RFC 6690 §4)
//   /ps                  the collection of topics (draft-ietf-core-coap-pubsub-21)
//   /ps/data/<topic>     the topic's data: a segment is a level, so a segment never holds '/'
//   /ps/data/<filter>    with '+' or '#' for levels: all topics that match, to be observed
//   /ps/conf/<topic>     the topic's configuration
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/coap/session/request_options.hpp"
#include "hermod/coap/session/settings.hpp"
#include "hermod/model/message.hpp"

namespace hermod::coap {

enum class Resource : std::uint8_t { kNone, kDiscovery, kCollection, kTopic, kConfiguration };

/// What a path names. Borrows from the text that received the topic.
struct Target {
  Resource resource = Resource::kNone;
  std::string_view topic;          ///< kTopic, kConfiguration
  bool is_alias = false;           ///< by another broker's path
  bool is_filter = false;          ///< kTopic: with wildcards, well-formed
  std::optional<Refusal> refusal;  ///< the topic is none
};

/// Reads a path. `topic` is overwritten; `levels_max` bounds the topic.
[[nodiscard]] Target read_target(std::span<const std::string_view> path, std::size_t levels_max,
                                 std::string& topic, const Aliases& aliases = {});

/// What comes before a topic in the path of its data.
inline constexpr std::string_view kDataPath = "ps/data/";

/// The path segments of a topic's resource: "ps", "data", and its levels.
[[nodiscard]] std::vector<std::string> path_of_topic(std::string_view topic);
/// The topic of a path; nothing when it is not below /ps/data or not a topic.
[[nodiscard]] std::optional<std::string> topic_of_path(std::span<const std::string> segments);

/// How a request wants its payload published, from its Uri-Query: `retain=0` or `1`, `qos=0` to
/// `2`, `expiry=` in seconds, `user.NAME=VALUE` for a user property. Borrows.
struct PublishParameters {
  std::optional<bool> retain;
  std::optional<model::Guarantee> guarantee;
  std::optional<std::uint32_t> expiry_s;
  std::vector<model::UserProperty> user;
  std::optional<Refusal> refusal;  ///< an argument that is none of these
};
/// With `lenient`, arguments of other names mean nothing: another broker's clients may send them.
[[nodiscard]] PublishParameters read_parameters(std::span<const std::string_view> query,
                                                bool lenient = false);

}  // namespace hermod::coap
