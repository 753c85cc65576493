// SPDX-License-Identifier: Apache-2.0
// What somebody has declared a topic to be: the configuration of a topic in CoAP's publish-
// subscribe (draft-ietf-core-coap-pubsub-21, Topic Properties), without its wire form. Name and
// address of a topic are the topic itself and stand beside this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hermod/base/time.hpp"

namespace hermod::model {

struct TopicProperties {
  std::string resource_type = "core.ps.data";
  std::string content_type;  ///< media type that its values have; empty: any
  std::string topic_type;    ///< what it tells, such as "temperature"; empty: not said
  std::optional<std::int64_t> expires_at_s;       ///< seconds since 1970-01-01T00:00Z; never
  std::optional<std::uint32_t> subscribers_max;   ///< that observe at a time; any number
  std::optional<std::uint32_t> observer_check_s;  ///< between two checks whether one is there

  bool operator==(const TopicProperties&) const = default;
};

/// The members of TopicProperties, to be joined by `|`.
using TopicMembers = std::uint8_t;
namespace topic_member {
inline constexpr TopicMembers kResourceType = 1u << 0;
inline constexpr TopicMembers kContentType = 1u << 1;
inline constexpr TopicMembers kTopicType = 1u << 2;
inline constexpr TopicMembers kExpiresAt = 1u << 3;
inline constexpr TopicMembers kSubscribersMax = 1u << 4;
inline constexpr TopicMembers kObserverCheck = 1u << 5;
}  // namespace topic_member

/// Gives `to` what `from` says of `members`; the others stay. A member that `from` does not say is
/// taken back.
void patch(TopicProperties& to, const TopicProperties& from, TopicMembers members);

/// How a declaration changes what was declared before.
enum class DeclareMode : std::uint8_t {
  kCreate,   ///< there must be none
  kReplace,  ///< there must be one, or a value: all members are as given
  kPatch,    ///< there must be one, or a value: some members are as given
};

/// One topic of a list.
struct TopicEntry {
  std::string topic;
  std::optional<TopicProperties> declared;  ///< nothing: nobody has declared it
  bool has_value = false;
  std::string content_type;     ///< of the value; empty: not said
  std::size_t value_bytes = 0;  ///< octets of the value
  Instant expires_at = kNever;  ///< of the value
};

/// Which topics a list is of.
enum class TopicSelection : std::uint8_t { kWithValue, kDeclared, kAny };

}  // namespace hermod::model
