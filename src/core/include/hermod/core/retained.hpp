// SPDX-License-Identifier: Apache-2.0
// The last value of each topic that this shard owns: MQTT's retained messages are the
// representations of CoAP's resources. Ordered by level, so that a filter can be answered page by
// page: the position is a topic, and survives any change in between.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "hermod/base/time.hpp"
#include "hermod/core/limits.hpp"
#include "hermod/model/message.hpp"
#include "hermod/model/reason.hpp"

namespace hermod::core {

/// Orders topics level by level: '/' before every other octet.
struct TopicOrder {
  using is_transparent = void;
  [[nodiscard]] static bool less(std::string_view a, std::string_view b);
  bool operator()(const model::MessageRef& a, const model::MessageRef& b) const {
    return less(a->destination.address, b->destination.address);
  }
  bool operator()(const model::MessageRef& a, std::string_view b) const {
    return less(a->destination.address, b);
  }
  bool operator()(std::string_view a, const model::MessageRef& b) const {
    return less(a, b->destination.address);
  }
  bool operator()(std::string_view a, std::string_view b) const { return less(a, b); }
};

class Retained {
 public:
  /// Clears that are remembered, at least.
  static constexpr std::size_t kClearsMin = 4096;

  /// What store() has changed, for whoever keeps the values elsewhere too.
  struct Change {
    bool made = false;
    model::OwnedMessage* value = nullptr;  ///< that was stored; until the next store
    model::Position before = 0;            ///< where the value lay that is gone
  };

  Retained(const Limits& limits, std::uint64_t hash_key) : limits_(limits), hash_key_(hash_key) {}

  /// Keeps the message as its topic's value; an empty payload clears it [MQTT-3.3.1-10]. A message
  /// with a lower version than the value's or than the topic's last clear changes nothing: it was
  /// overtaken on its way from another shard. kQuotaExceeded when the table is full.
  model::Reason store(const model::Message& message, Change* change = nullptr);
  /// The value of a topic, or nullptr; lives until the next store.
  [[nodiscard]] const model::Message* find(std::string_view topic, Instant now) const;

  /// The value of a topic, also one that has expired; nullptr: none.
  [[nodiscard]] const model::MessageRef* find_value(std::string_view topic) const {
    const auto found = values_.find(topic);
    return found == values_.end() ? nullptr : &*found;
  }

  /// Visits values that match a well-formed `filter`, in order, after the topic `after` (empty:
  /// from the start). Stops after `visits_max` values looked at or when `visit` returns false.
  /// Returns the topic to continue after; empty when all were seen.
  std::string match(std::string_view filter, std::string_view after, std::size_t visits_max,
                    Instant now, const std::function<bool(const model::MessageRef&)>& visit) const;

  /// Values that clients published, and their octets: what the limits count. What the broker says
  /// of itself has room however full the table is.
  [[nodiscard]] std::size_t size() const { return values_.size() - own_values_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void note_clear(const model::Message& message);
  [[nodiscard]] bool is_older_than_clear(const model::Message& message) const;

  const Limits& limits_;
  std::uint64_t hash_key_;
  std::set<model::MessageRef, TopicOrder> values_;
  std::size_t bytes_ = 0;       // without own values
  std::size_t own_values_ = 0;  // on topics that are the broker's own
  // Versions of clears by the topic's hash, the newest ones and those before them. A letter is
  // overtaken within a turn or two of its shard; thousands of clears do not fit in between.
  using Clears = boost::unordered_flat_map<std::uint64_t, std::uint64_t>;
  Clears clears_;
  Clears clears_before_;
};

}  // namespace hermod::core
