// SPDX-License-Identifier: Apache-2.0
// Which texts are topic names and topic filters (MQTT 3.1.1 §4.7; MQTT 5.0 §4.7, §4.8.2). Says
// nothing of what matches what: that is the topic tree's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// What is wrong with a topic name or filter. The statements are those of MQTT 3.1.1.
enum class TopicFault : std::uint8_t {
  kNone,
  kEmpty,        ///< [MQTT-4.7.3-1]
  kTooLong,      ///< more than 65,535 octets [MQTT-4.7.3-3]
  kNul,          ///< U+0000 [MQTT-4.7.3-2]
  kUtf8,         ///< not well-formed UTF-8 [MQTT-1.5.3-1]
  kWildcard,     ///< `+` or `#` in a name [MQTT-4.7.1-1]
  kMultiLevel,   ///< `#` not alone in the last level [MQTT-4.7.1-2]
  kSingleLevel,  ///< `+` not alone in its level [MQTT-4.7.1-3]
  kShareName,    ///< MQTT 5: `$share/` without a share name [MQTT-4.8.2-1]
  kShareFilter,  ///< MQTT 5: a share name with wildcards, or no filter behind it [MQTT-4.8.2-2]
};

/// The statement that the fault breaks ("MQTT-4.7.1-2"), as the version counts them; "" for kNone.
[[nodiscard]] const char* statement(TopicFault fault, Version version = Version::kV311);

/// Checks a topic name. One pass of eight octets a step while the name is ASCII.
[[nodiscard]] TopicFault topic_name_fault(std::string_view name);

/// Checks a topic filter. Only MQTT 5 knows what `$share/` means: before, it is text as any other.
[[nodiscard]] TopicFault topic_filter_fault(std::string_view filter,
                                            Version version = Version::kV311);

/// True for the filter of a shared subscription (MQTT 5.0 §4.8.2).
[[nodiscard]] inline bool is_shared_filter(std::string_view filter) {
  return filter.starts_with("$share/");
}

[[nodiscard]] inline bool is_topic_name(std::string_view name) {
  return topic_name_fault(name) == TopicFault::kNone;
}
[[nodiscard]] inline bool is_topic_filter(std::string_view filter) {
  return topic_filter_fault(filter) == TopicFault::kNone;
}

/// Levels of a name or filter: one more than it has `/` (MQTT 3.1.1 §4.7.1.1; empty levels count).
[[nodiscard]] std::size_t topic_levels(std::string_view name_or_filter);

}  // namespace hermod::mqtt
