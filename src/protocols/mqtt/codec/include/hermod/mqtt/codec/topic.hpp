// SPDX-License-Identifier: Apache-2.0
// Which texts are topic names and topic filters (MQTT 3.1.1 §4.7). Says nothing of what matches
// what: that is the topic tree's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hermod::mqtt {

/// What is wrong with a topic name or filter.
enum class TopicFault : std::uint8_t {
  kNone,
  kEmpty,        ///< [MQTT-4.7.3-1]
  kTooLong,      ///< more than 65,535 octets [MQTT-4.7.3-3]
  kNul,          ///< U+0000 [MQTT-4.7.3-2]
  kUtf8,         ///< not well-formed UTF-8 [MQTT-1.5.3-1]
  kWildcard,     ///< `+` or `#` in a name [MQTT-4.7.1-1]
  kMultiLevel,   ///< `#` not alone in the last level [MQTT-4.7.1-2]
  kSingleLevel,  ///< `+` not alone in its level [MQTT-4.7.1-3]
};

/// The statement that the fault breaks ("MQTT-4.7.1-2"); "" for kNone.
[[nodiscard]] const char* statement(TopicFault fault);

/// Checks a topic name. One pass of eight octets a step while the name is ASCII.
[[nodiscard]] TopicFault topic_name_fault(std::string_view name);

/// Checks a topic filter.
[[nodiscard]] TopicFault topic_filter_fault(std::string_view filter);

[[nodiscard]] inline bool is_topic_name(std::string_view name) {
  return topic_name_fault(name) == TopicFault::kNone;
}
[[nodiscard]] inline bool is_topic_filter(std::string_view filter) {
  return topic_filter_fault(filter) == TopicFault::kNone;
}

/// Levels of a name or filter: one more than it has `/` (MQTT 3.1.1 §4.7.1.1; empty levels count).
[[nodiscard]] std::size_t topic_levels(std::string_view name_or_filter);

}  // namespace hermod::mqtt
