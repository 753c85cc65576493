// SPDX-License-Identifier: Apache-2.0
// Which topics one peer observes, and by which of its observers: the broker's side of observing. A
// topic is subscribed to once, however many observers it has.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/codec/message.hpp"
#include "hermod/coap/session/response.hpp"
#include "hermod/model/message.hpp"
#include "hermod/model/topic.hpp"
#include "hermod/session/budget.hpp"

namespace hermod::coap {

/// Index of an observed topic of its peer plus one; 0 is none.
using TopicId = std::uint32_t;

/// What the broker knows of an observer.
struct Observation {
  TopicId topic = 0;  ///< 0: this place is free
  ObserverId next_of_topic = 0;
  std::uint64_t newest = 0;  ///< highest version of a retained value seen
  std::optional<ContentFormat> accept;
  std::optional<ContentFormat> format;  ///< that notifications keep to (RFC 7641 §4.2)
  std::optional<Code> ending;           ///< came while registering, and ends the observation
};

struct ObservedTopic {
  enum class Interest : std::uint8_t { kNone, kAsked, kGranted };
  /// A seat among the observers of a declared topic.
  enum class Seat : std::uint8_t { kNone, kAsked, kTaken };

  std::string name;  ///< stays where it is: effects borrow it
  std::uint32_t observers = 0;
  std::uint32_t generation = 0;            ///< of the last Subscribe
  std::uint32_t unsubscribes_pending = 0;  ///< unanswered; the name must stay until then
  ObserverId first = 0;
  // The last message, where it is the topic's value for nobody else and some observer has only got
  // its first block (RFC 7959 §2.6): the others are there to be fetched for a while.
  model::MessageRef live;
  session::BudgetShare live_share;
  Instant live_until = kNever;
  bool is_filter = false;  ///< the name has wildcards
  Interest interest = Interest::kNone;
  Seat seat = Seat::kNone;
};

class ObservedTopics {
 public:
  /// `budget` outlives this; it may be nullptr.
  explicit ObservedTopics(session::Budget* budget) : budget_(budget) {}

  /// Topics, those whose Unsubscribe is not answered too.
  [[nodiscard]] std::size_t size() const { return topics_used_; }

  /// `observer`, which is none yet, observes the topic from now on.
  Observation& add(ObserverId observer, std::string_view topic);
  /// The observer observes nothing any more. Its topic stays until release().
  void remove(ObserverId observer);
  /// What is known of an observer, which must have been added.
  [[nodiscard]] Observation& operator[](ObserverId observer) { return observations_[observer - 1]; }
  [[nodiscard]] bool holds(ObserverId observer) const {
    return observer != 0 && observer <= observations_.size() &&
           observations_[observer - 1].topic != 0;
  }

  /// The observed topic of this name; 0 when there is none.
  [[nodiscard]] TopicId find(std::string_view name) const;
  /// Calls visit(id) for the topic `name` and each filter that matches it. What is visited may be
  /// released meanwhile.
  template <typename Visit>
  void for_each_match(std::string_view name, Visit visit) {
    if (const TopicId id = find(name); id != 0) visit(id);
    if (filters_ == 0) return;
    for (TopicId id = 1; id <= topics_.size(); ++id) {
      if (has(id) && topic(id).is_filter && model::matches(topic(id).name, name)) visit(id);
    }
  }
  [[nodiscard]] bool has(TopicId id) const {
    return id != 0 && id <= topics_.size() && topics_[id - 1].topic != nullptr;
  }
  [[nodiscard]] ObservedTopic& topic(TopicId id) { return *topics_[id - 1].topic; }
  /// The topic, when its last Subscribe had this generation; otherwise nullptr.
  [[nodiscard]] ObservedTopic* current(TopicId id, std::uint32_t generation);
  /// Starts a Subscribe of the topic; returns its generation.
  std::uint32_t ask(TopicId id);
  /// Keeps `message` as the topic's `live` message, when the budget allows it; it goes with the
  /// next one, with the topic, or at `until`.
  void keep_live(TopicId id, const model::Message& message, Instant until);
  void forget_live(TopicId id);
  /// Forgets those whose time is over.
  void expire(Instant now);
  /// When expire() has something to do, or a little before.
  [[nodiscard]] Instant due() const { return due_; }
  /// Forgets the topic if it has neither observers nor unanswered Unsubscribes.
  void release(TopicId id);

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::unique_ptr<ObservedTopic> topic;  // nullptr: free
  };

  session::Budget* budget_;
  Instant due_ = kNever;
  std::vector<Observation> observations_;  // by ObserverId
  std::vector<Slot> topics_;
  std::size_t topics_used_ = 0;
  std::size_t filters_ = 0;  // among them
  std::uint32_t generation_ = 0;
};

}  // namespace hermod::coap
