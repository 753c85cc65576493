// SPDX-License-Identifier: Apache-2.0
// Observing (RFC 7641): the list of one peer's observations with the rules of their notifications
// (server, §4), and the order of notifications as their receiver sees it (client, §3.4). Sends
// nothing itself.
//
//            add()                activate()            remove()
//   kFree ----------> kRegistering ----------> kActive ----------> kFree
//                        | refused                 RST, Observe = 1, error, unreachable
//                        +-------------------------------------------^
//
// Latest value wins: each observation keeps one value, the last it was told or, waiting while a
// confirmable message is in flight, is to be told.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/session/settings.hpp"
#include "hermod/coap/session/token.hpp"
#include "hermod/model/message.hpp"

namespace hermod::coap {

/// Index of an observation of its peer plus one; 0 is none.
using ObservationId = std::uint32_t;
/// Index of an observed topic of its peer plus one; 0 is none.
using TopicId = std::uint32_t;

/// The value that an observation keeps, in memory that is used again.
struct KeptValue {
  std::vector<std::uint8_t> payload;
  std::optional<ContentFormat> format;
  Instant expires_at = kNever;
  std::uint64_t version = 0;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
};

struct Observation {
  enum class State : std::uint8_t { kFree, kRegistering, kActive };

  Token token;
  State state = State::kFree;
  bool told = true;              ///< the kept value has been sent, with `sequence`
  bool waiting = false;          ///< the kept value is to be sent as soon as that can be done
  bool proven = false;           ///< the peer has confirmed a notification
  std::uint8_t unconfirmed = 0;  ///< non-confirmable notifications since a confirmable one
  std::uint16_t message_id = 0;  ///< of the last notification, to match a Reset
  TopicId topic = 0;
  ObservationId next_of_topic = 0;  ///< of the same topic
  Instant confirmed_at{};           ///< last sign of interest
  Instant sent_at{};                ///< last response or notification
  std::uint64_t sequence = 0;       ///< of the last notification, not yet cut to 24 bits
  std::uint64_t newest = 0;         ///< highest version of a retained value seen
  std::optional<ContentFormat> accept;
  std::optional<ContentFormat> format;  ///< that notifications keep to (RFC 7641 §4.2)
  std::optional<Code> ending;           ///< came while registering, and ends the observation
  KeptValue value;
};

struct ObservedTopic {
  enum class Interest : std::uint8_t { kNone, kAsked, kGranted };

  std::string name;  ///< stays where it is: effects borrow it
  std::uint32_t observers = 0;
  std::uint32_t generation = 0;            ///< of the last Subscribe
  std::uint32_t unsubscribes_pending = 0;  ///< unanswered; the name must stay until then
  ObservationId first = 0;
  Interest interest = Interest::kNone;
};

class Observations {
 public:
  /// Observations in the list.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Topics, those whose Unsubscribe is not answered too.
  [[nodiscard]] std::size_t topics() const { return topics_used_; }

  /// The one with this token; 0 when there is none. Linear.
  [[nodiscard]] ObservationId find(const Token& token) const;
  /// The one whose last notification had this message id; 0 when there is none. Linear.
  [[nodiscard]] ObservationId find_message(std::uint16_t message_id) const;
  /// A new one, registering. The reference from operator[] lives until the next add().
  ObservationId add(const Token& token, std::string_view topic, Instant now);
  /// The observation is over. Its topic stays until release_topic().
  void remove(ObservationId id);
  [[nodiscard]] Observation& operator[](ObservationId id) { return observations_[id - 1]; }
  /// Ids reach from 1 to this; free ones among them have kFree.
  [[nodiscard]] ObservationId last_id() const {
    return static_cast<ObservationId>(observations_.size());
  }

  /// The observed topic of this name; 0 when there is none.
  [[nodiscard]] TopicId find_topic(std::string_view name) const;
  [[nodiscard]] bool has_topic(TopicId id) const {
    return id != 0 && id <= topics_.size() && topics_[id - 1].topic != nullptr;
  }
  [[nodiscard]] ObservedTopic& topic(TopicId id) { return *topics_[id - 1].topic; }
  /// The topic, when its last Subscribe had this generation; otherwise nullptr.
  [[nodiscard]] ObservedTopic* current_topic(TopicId id, std::uint32_t generation);
  /// Starts a Subscribe of the topic; returns its generation.
  std::uint32_t ask(TopicId id);
  /// Forgets the topic if it has neither observers nor unanswered Unsubscribes.
  void release_topic(TopicId id);

  /// The observation is to be sent its value when that can be done.
  void wait(ObservationId id);
  /// The next active observation that waits; it waits no longer. 0 when there is none.
  [[nodiscard]] ObservationId next_waiting();

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::unique_ptr<ObservedTopic> topic;  // nullptr: free
  };

  std::vector<Observation> observations_;
  std::vector<Slot> topics_;
  std::vector<ObservationId> queue_;
  std::size_t queue_begin_ = 0;
  std::size_t size_ = 0;
  std::size_t topics_used_ = 0;
  std::uint32_t generation_ = 0;
};

/// The sequence number of the next notification (RFC 7641 §4.4): 24 bits of a clock whose tick is
/// 256 s / 2^23, moved on so that it increases strictly and always takes three octets.
[[nodiscard]] std::uint32_t next_sequence(Observation& observation, Instant now);
/// The sequence number of the last notification.
[[nodiscard]] std::uint32_t current_sequence(const Observation& observation);

/// Whether the next notification has to be confirmable.
[[nodiscard]] bool must_confirm(const Observation& observation, const Settings& settings,
                                Instant now);
/// When the observer has to be sent its value confirmably, whether or not there is a newer one: the
/// last one may have been lost, or the observer may be gone.
[[nodiscard]] Instant confirm_due(const Observation& observation, const Settings& settings);

/// The receiver's side: which notification is the freshest (RFC 7641 §3.4).
class NotificationOrder {
 public:
  /// True when a notification with this sequence number is newer than all before.
  [[nodiscard]] bool accept(std::uint32_t sequence, Instant now);

 private:
  std::optional<std::uint32_t> sequence_;
  Instant at_{};
};

}  // namespace hermod::coap
