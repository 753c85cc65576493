// SPDX-License-Identifier: Apache-2.0
// Deadlines of very many things (keep-alive, retransmission, expiry) at constant cost: a
// hierarchical timing wheel. Level 0 has one slot a tick, every higher level one slot for 64 slots
// of the level below; an entry moves down as its deadline comes near. The wheel asks no clock and
// owns no entry.
//
//   level 0  |t|t|t|...|t|      64 ticks
//   level 1  |64|64|...|64|     4,096 ticks
//   ...                         up to level 7: 2^48 ticks, which is every Instant there is
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hermod/base/time.hpp"

namespace hermod {

/// Two neighbours in a ring; alone it points to itself.
struct WheelLink {
  WheelLink() = default;
  WheelLink(const WheelLink&) = delete;
  WheelLink& operator=(const WheelLink&) = delete;

  WheelLink* next = this;
  WheelLink* previous = this;
};

/// Base of whatever has a deadline in a wheel, 24 octets. Belongs to the wheel's thread. Destroying
/// an entry cancels it, also from inside a callback. Not movable: the wheel points to it.
class WheelEntry : private WheelLink {
 public:
  /// True while a deadline waits; false from the moment the callback is called.
  [[nodiscard]] bool armed() const { return next != this; }
  /// Takes the deadline back. Nothing happens when there is none.
  void cancel() {
    previous->next = next;
    next->previous = previous;
    next = previous = this;
  }

 protected:
  WheelEntry() = default;
  ~WheelEntry() { cancel(); }

 private:
  friend class TimingWheel;
  std::uint64_t tick_ = 0;
};

/// The wheel. Single-threaded, not movable. Entries never fire before their deadline, and at the
/// latest one tick after it when advance() is called at every next_deadline().
///
///     class Connection : public WheelEntry { ... };
///     wheel.arm(connection, now + std::chrono::seconds{90});
///     ...
///     wheel.advance(now, [&](WheelEntry& due) { static_cast<Connection&>(due).on_deadline(now);
///     });
class TimingWheel {
 public:
  static constexpr Duration kDefaultTick = std::chrono::milliseconds{1};
  /// Shorter ticks would not let every Instant fit into the levels.
  static constexpr Duration kTickMin = std::chrono::microseconds{100};

  /// `start` is the present; `tick` the resolution, at least kTickMin.
  explicit TimingWheel(Instant start, Duration tick = kDefaultTick);
  TimingWheel(const TimingWheel&) = delete;
  TimingWheel& operator=(const TimingWheel&) = delete;
  /// Entries that still wait are cancelled.
  ~TimingWheel();

  /// Sets the deadline, replacing the one before. kNever only cancels. A deadline that has passed
  /// fires at the next advance(); inside a callback that is the next call of advance(), so an entry
  /// that always arms itself anew cannot hold the loop.
  void arm(WheelEntry& entry, Instant deadline);

  /// Calls `fire(WheelEntry&)` for every entry whose deadline is not after `now`, earliest tick
  /// first, each at most once; returns how many. The entry is cancelled before the call; the
  /// callback may arm, cancel and destroy any entry, but not call advance(). A `now` before an
  /// earlier one does nothing.
  template <typename Fire>
  std::size_t advance(Instant now, Fire&& fire) {
    if (!begin(now)) return 0;
    std::size_t count = 0;
    while (WheelEntry* entry = take_due()) {
      fire(*entry);
      ++count;
    }
    return count;
  }

  /// When advance() must be called next: never later than the earliest entry's deadline rounded up
  /// to a tick, perhaps earlier (entries that have to move down a level). kNever when none waits.
  [[nodiscard]] Instant next_deadline();

 private:
  static constexpr unsigned kLevelBits = 6;
  static constexpr unsigned kSlots = 1u << kLevelBits;
  static constexpr unsigned kLevels = 8;

  struct Level {
    // A set bit may stand for a slot whose entries have been cancelled; a clear bit is always true.
    std::uint64_t occupied = 0;
    std::array<WheelLink, kSlots> slots;
  };
  struct Event {
    std::uint64_t tick = 0;  // first tick of the slot
    unsigned level = 0;
    WheelLink* slot = nullptr;  // nullptr: nothing waits
  };

  [[nodiscard]] std::uint64_t floor_tick(Instant at) const;
  [[nodiscard]] std::uint64_t ceil_tick(Instant at) const;
  [[nodiscard]] Instant instant_of(std::uint64_t tick) const;
  void place(WheelEntry& entry);
  [[nodiscard]] Event next_event();
  [[nodiscard]] bool begin(Instant now);
  [[nodiscard]] WheelEntry* take_due();
  void open(const Event& event);

  static bool alone(const WheelLink& ring) { return ring.next == &ring; }
  static void append(WheelLink& ring, WheelLink& link);
  static void move_all(WheelLink& from, WheelLink& to);

  Instant start_;
  std::uint64_t tick_ns_;
  std::uint64_t position_ = 0;  // all slots that begin up to here have been opened
  std::uint64_t horizon_ = 0;   // the tick of the last advance(); equals position_ outside of it
  WheelLink overdue_;           // armed when their tick was not after the horizon: next advance()
  WheelLink due_;               // to be fired by this advance()
  std::array<Level, kLevels> levels_;
};

}  // namespace hermod
