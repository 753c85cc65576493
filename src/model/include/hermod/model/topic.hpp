// SPDX-License-Identifier: Apache-2.0
// Topic names and filters of the one topic space: levels separated by '/', the wildcards '+' (one
// level) and '#' (the rest, and the parent). MQTT 3.1.1 §4.7 rules; AMQP's patterns come as a
// second rule set of the same tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hermod::model {

/// Steps through the levels of a name or filter: "a//b" has the levels "a", "", "b".
class Levels {
 public:
  explicit Levels(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool done() const { return done_; }
  /// The next level; only while !done().
  std::string_view next() {
    const std::size_t slash = rest_.find('/');
    if (slash == std::string_view::npos) {
      done_ = true;
      return rest_;
    }
    const std::string_view level = rest_.substr(0, slash);
    rest_.remove_prefix(slash + 1);
    return level;
  }

 private:
  std::string_view rest_;
  bool done_ = false;
};

/// Number of levels, at least 1.
[[nodiscard]] std::size_t level_count(std::string_view text);

/// True when `filter` holds '+' or '#'.
[[nodiscard]] bool has_wildcard(std::string_view filter);

/// True when a well-formed `filter` matches `topic` (MQTT 3.1.1 §4.7.1, and §4.7.2: a wildcard at
/// the first level does not match a topic that begins with '$').
[[nodiscard]] bool matches(std::string_view filter, std::string_view topic);

/// What begins so is the broker's to publish; clients only read it.
inline constexpr std::string_view kOwnTopics = "$SYS";
/// The exception, as mosquitto makes it: bridges tell here whether they are connected.
inline constexpr std::string_view kBridgeStates = "$SYS/broker/connection/+/state";

/// True when no client may publish to `topic`.
[[nodiscard]] inline bool is_own_topic(std::string_view topic) {
  return topic.starts_with(kOwnTopics) && !matches(kBridgeStates, topic);
}

/// The parts of "$share/<group>/<filter>".
struct SharedFilter {
  std::string_view group;
  std::string_view filter;
};

/// Splits a shared subscription's filter; nothing when `filter` does not begin with "$share/" or
/// one of its parts is empty or the group holds a wildcard.
[[nodiscard]] std::optional<SharedFilter> split_shared(std::string_view filter);

}  // namespace hermod::model
