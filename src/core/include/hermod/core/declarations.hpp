// SPDX-License-Identifier: Apache-2.0
// The declared topics that this shard owns: what each has been declared to be, who observes it, and
// when its day comes. Ordered as the retained values are, so that both can be listed together. It
// knows no clock: the calendar comes in with the calls, in seconds since 1970.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/core/limits.hpp"
#include "hermod/core/retained.hpp"
#include "hermod/core/seats.hpp"
#include "hermod/model/reason.hpp"
#include "hermod/model/topic_properties.hpp"

namespace hermod::core {

/// What somebody wants declared.
struct Declaration {
  model::TopicProperties properties;
  model::DeclareMode mode = model::DeclareMode::kCreate;
  model::TopicMembers members = 0;  ///< kPatch: those that are given
};

class Declarations {
 public:
  explicit Declarations(const Limits& limits) : limits_(limits) {}

  struct Declared {
    model::Reason reason = model::Reason::kOk;
    const model::TopicProperties* properties = nullptr;  ///< as they are now, with kOk
    std::vector<Seat> lost;  ///< seats for which there is no room any more
    std::vector<Seat> told;  ///< seats whose topic has changed
  };
  /// kAlreadyExists (kCreate), kNotFound (the other modes: not declared, and `has_value` is not
  /// set), kBadName (empty, a wildcard, or begins with '$'), kTooLarge (a text), kQuotaExceeded.
  Declared declare(std::string_view topic, const Declaration& wanted, bool has_value);
  /// The seats that were taken; nothing when the topic was not declared.
  std::optional<std::vector<Seat>> undeclare(std::string_view topic);

  /// nullptr: not declared. Lives until the topic is declared or undeclared again.
  [[nodiscard]] const model::TopicProperties* find(std::string_view topic) const {
    if (topics_.empty()) return nullptr;
    const auto found = topics_.find(topic);
    return found == topics_.end() ? nullptr : &found->second.properties;
  }

  struct Watched {
    model::Reason reason = model::Reason::kNotFound;
    const model::TopicProperties* properties = nullptr;
  };
  /// Gives `seat` a place, that of `instead_of` where this has one. kNotFound: not declared.
  /// kQuotaExceeded: all places are taken.
  Watched watch(std::string_view topic, const Seat& seat, const std::optional<Seat>& instead_of);
  void unwatch(std::string_view topic, const Seat& seat);
  [[nodiscard]] std::size_t seats(std::string_view topic) const;

  /// Visits declared topics as Retained::match() visits values.
  using Visit = std::function<bool(std::string_view topic, const model::TopicProperties&)>;
  std::string match(std::string_view filter, std::string_view after, std::size_t visits_max,
                    const Visit& visit) const;

  /// The topic whose day comes first, and when; nothing when no topic has one.
  struct Day {
    std::int64_t at_s = 0;
    std::string_view topic;  ///< until it is declared or undeclared again
  };
  [[nodiscard]] std::optional<Day> next_day() const;

  [[nodiscard]] bool empty() const { return topics_.empty(); }
  [[nodiscard]] std::size_t size() const { return topics_.size(); }
  /// Octets of their names and properties: what the limit counts.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Topic {
    model::TopicProperties properties;
    Seats seats;
  };
  using Topics = std::map<std::string, Topic, TopicOrder>;

  [[nodiscard]] bool texts_fit(const model::TopicProperties& properties) const;
  void note_day(const Topics::value_type& topic);
  void forget_day(const Topics::value_type& topic);

  const Limits& limits_;
  Topics topics_;
  std::set<std::pair<std::int64_t, std::string_view>> days_;  // names lie in topics_
  std::size_t bytes_ = 0;
};

}  // namespace hermod::core
