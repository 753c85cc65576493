// SPDX-License-Identifier: Apache-2.0
// Observing (RFC 7641): the list of one peer's observers with the rules of their notifications
// (server, §4), and the order of notifications as their receiver sees it (client, §3.4). Sends
// nothing itself, and does not know what is observed.
//
//            add()                activate()            remove()
//   kFree ----------> kRegistering ----------> kActive ----------> kFree
//                        | refused                 RST, Observe = 1, error, unreachable
//                        +-------------------------------------------^
//
// Latest value wins: each observer keeps one value, the last it was told or, waiting while a
// confirmable message is in flight, is to be told.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/coap/codec/content_format.hpp"
#include "hermod/coap/session/response.hpp"
#include "hermod/coap/session/settings.hpp"
#include "hermod/coap/session/token.hpp"
#include "hermod/session/budget.hpp"

namespace hermod::coap {

/// A new state of what is observed. Borrows.
struct ObservedValue {
  Bytes payload;
  EntityTag etag;  ///< told where the value does not fit in one block
  std::optional<ContentFormat> format;
  Instant expires_at = kNever;
  std::uint64_t version = 0;  ///< later ones are greater; 0: not known
  bool confirm = false;       ///< worth a Confirmable notification
  /// Of an observer of many resources: the path of the one that this is the state of, segments
  /// between '/'. Told as Location-Path.
  std::string_view location;
};

/// The value that an observer keeps, in memory that is used again: its first block and what is told
/// about the whole.
struct KeptValue {
  std::vector<std::uint8_t> payload;
  std::uint32_t size = 0;  ///< of the whole
  EntityTag etag;
  std::optional<ContentFormat> format;
  Instant expires_at = kNever;
  std::uint64_t version = 0;
  bool confirm = false;
};

/// What an observer of many resources has in addition: their values do not take each other's place,
/// so those that have to wait do so in a line.
struct Stream {
  struct Waiting {
    std::string location;
    KeptValue value;
  };
  std::string location;  ///< of the observer's kept value
  std::deque<Waiting> waiting;
  session::BudgetShare share;  ///< for `waiting`
};

struct Observer {
  enum class State : std::uint8_t { kFree, kRegistering, kActive };

  Token token;
  State state = State::kFree;
  bool told = true;              ///< the kept value has been sent, with `sequence`
  bool waiting = false;          ///< the kept value is to be sent as soon as that can be done
  bool proven = false;           ///< the peer has confirmed a notification
  std::uint8_t unconfirmed = 0;  ///< non-confirmable notifications since a confirmable one
  std::uint8_t size_exponent = Block::kExponentMax;  ///< of the blocks it wants
  std::uint16_t message_id = 0;                      ///< of the last notification, to match a Reset
  std::uint32_t confirm_every_s = 0;                 ///< its own; 0: as the settings say
  Instant confirmed_at{};                            ///< last sign of interest
  Instant sent_at{};                                 ///< last response or notification
  std::uint64_t sequence = 0;  ///< of the last notification, not yet cut to 24 bits
  KeptValue value;
  std::unique_ptr<Stream> stream;  ///< nullptr: it observes one resource
};

/// The observers of one peer.
class Observers {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }

  /// The one with this token; 0 when there is none. Linear.
  [[nodiscard]] ObserverId find(const Token& token) const;
  /// The one whose last notification had this message id; 0 when there is none. Linear.
  [[nodiscard]] ObserverId find_message(std::uint16_t message_id) const;
  /// A new one, registering. The reference from operator[] lives until the next add().
  ObserverId add(const Token& token, Instant now);
  void remove(ObserverId id);
  [[nodiscard]] Observer& operator[](ObserverId id) { return observers_[id - 1]; }
  [[nodiscard]] bool holds(ObserverId id) const {
    return id != 0 && id <= observers_.size() && observers_[id - 1].state != Observer::State::kFree;
  }
  /// Ids reach from 1 to this; free ones among them have kFree.
  [[nodiscard]] ObserverId last_id() const { return static_cast<ObserverId>(observers_.size()); }

  /// The observer is to be sent its value when that can be done.
  void wait(ObserverId id);
  /// The next active observer that waits; it waits no longer. 0 when there is none.
  [[nodiscard]] ObserverId next_waiting();

 private:
  std::vector<Observer> observers_;
  std::vector<ObserverId> queue_;
  std::size_t queue_begin_ = 0;
  std::size_t size_ = 0;
};

/// One block of the observer's size does not hold the whole payload.
[[nodiscard]] inline bool is_cut(const Observer& observer, Bytes payload) {
  return payload.size() > std::size_t{16} << observer.size_exponent;
}

/// Keeps `value`, as far as one block of the observer's size holds it.
void keep(Observer& observer, const ObservedValue& value);

/// The same for an observer of many resources: where a value of another one is still to be told, it
/// gets in line, or takes the place of an older one of its own. At most `waiting_max` wait, and
/// what the budget allows; the oldest makes room.
void keep_in_line(Observer& observer, const ObservedValue& value, std::size_t waiting_max);
/// The value is told: the next one in line takes its place. False when there is none.
[[nodiscard]] bool take_next(Observer& observer);

/// The sequence number of the next notification (RFC 7641 §4.4): 24 bits of a clock whose tick is
/// 256 s / 2^23, moved on so that it increases strictly and always takes three octets.
[[nodiscard]] std::uint32_t next_sequence(Observer& observer, Instant now);
/// The sequence number of the last notification.
[[nodiscard]] std::uint32_t current_sequence(const Observer& observer);

/// Whether the next notification has to be confirmable.
[[nodiscard]] bool must_confirm(const Observer& observer, const Settings& settings, Instant now);
/// When the observer has to be sent its value confirmably, whether or not there is a newer one: the
/// last one may have been lost, or the observer may be gone.
[[nodiscard]] Instant confirm_due(const Observer& observer, const Settings& settings);

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
