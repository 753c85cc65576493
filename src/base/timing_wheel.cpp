// SPDX-License-Identifier: Apache-2.0
// An entry's level is the highest base-64 digit in which its tick differs from the position; its
// slot is the entry's digit there. All entries of a level therefore lie in one turn, ahead of the
// position, and every entry of a lower level is earlier than every entry of a higher one: the first
// occupied slot of the lowest occupied level is what happens next.
#include "hermod/base/timing_wheel.hpp"

#include <bit>
#include <limits>

#include "hermod/base/assert.hpp"

namespace hermod {

TimingWheel::TimingWheel(Instant start, Duration tick)
    : start_(start), tick_ns_(static_cast<std::uint64_t>(tick.count())) {
  HERMOD_ASSERT(tick >= kTickMin);
}

TimingWheel::~TimingWheel() {
  for (Level& level : levels_) {
    for (WheelLink& slot : level.slots) move_all(slot, due_);
  }
  move_all(overdue_, due_);
  while (!alone(due_)) static_cast<WheelEntry*>(due_.next)->cancel();
}

void TimingWheel::arm(WheelEntry& entry, Instant deadline) {
  if (deadline == kNever) {
    entry.cancel();
    return;
  }
  const std::uint64_t tick = ceil_tick(deadline);
  if (entry.armed() && entry.tick_ == tick && tick > horizon_) return;
  entry.cancel();
  entry.tick_ = tick;
  if (tick > horizon_) {
    place(entry);
  } else {
    append(overdue_, entry);
  }
}

Instant TimingWheel::next_deadline() {
  if (!alone(due_) || !alone(overdue_)) return instant_of(position_);
  const Event event = next_event();
  return event.slot == nullptr ? kNever : instant_of(event.tick);
}

// Ticks are counted from the start, in unsigned arithmetic: no pair of Instants overflows it.
std::uint64_t TimingWheel::floor_tick(Instant at) const {
  if (at <= start_) return 0;
  const auto distance = static_cast<std::uint64_t>(at.time_since_epoch().count()) -
                        static_cast<std::uint64_t>(start_.time_since_epoch().count());
  return distance / tick_ns_;
}

std::uint64_t TimingWheel::ceil_tick(Instant at) const {
  const std::uint64_t tick = floor_tick(at);
  return instant_of(tick) < at ? tick + 1 : tick;
}

Instant TimingWheel::instant_of(std::uint64_t tick) const {
  const auto origin = static_cast<std::uint64_t>(start_.time_since_epoch().count());
  const auto last = static_cast<std::uint64_t>(std::numeric_limits<Duration::rep>::max());
  if (tick > (last - origin) / tick_ns_) return kNever;
  return Instant{Duration{static_cast<Duration::rep>(origin + tick * tick_ns_)}};
}

// Puts an entry that is later than the position into its slot.
void TimingWheel::place(WheelEntry& entry) {
  const auto highest = static_cast<unsigned>(std::bit_width(entry.tick_ ^ position_)) - 1;
  Level& level = levels_[highest / kLevelBits];
  const unsigned shift = highest / kLevelBits * kLevelBits;
  const auto slot = static_cast<unsigned>(entry.tick_ >> shift) % kSlots;
  level.occupied |= std::uint64_t{1} << slot;
  append(level.slots[slot], entry);
}

TimingWheel::Event TimingWheel::next_event() {
  for (unsigned index = 0; index < kLevels; ++index) {
    Level& level = levels_[index];
    while (level.occupied != 0) {
      const auto slot = static_cast<unsigned>(std::countr_zero(level.occupied));
      if (alone(level.slots[slot])) {  // all cancelled since
        level.occupied &= level.occupied - 1;
        continue;
      }
      const unsigned shift = index * kLevelBits;
      const std::uint64_t turn = position_ >> shift >> kLevelBits << kLevelBits;
      return {(turn | slot) << shift, index, &level.slots[slot]};
    }
  }
  return {};
}

bool TimingWheel::begin(Instant now) {
  HERMOD_ASSERT(alone(due_) && position_ == horizon_);
  const std::uint64_t tick = floor_tick(now);
  if (tick < horizon_) return false;
  horizon_ = tick;
  move_all(overdue_, due_);
  return true;
}

WheelEntry* TimingWheel::take_due() {
  while (alone(due_)) {
    const Event event = next_event();
    if (event.slot == nullptr || event.tick > horizon_) {
      position_ = horizon_;
      return nullptr;
    }
    open(event);
  }
  auto* entry = static_cast<WheelEntry*>(due_.next);
  entry->cancel();
  return entry;
}

// Moves to the slot's first tick: its entries are due, or go down to a lower level.
void TimingWheel::open(const Event& event) {
  position_ = event.tick;
  levels_[event.level].occupied &= levels_[event.level].occupied - 1;
  if (event.level == 0) {
    move_all(*event.slot, due_);
    return;
  }
  WheelLink ring;
  move_all(*event.slot, ring);
  while (!alone(ring)) {
    auto& entry = static_cast<WheelEntry&>(*ring.next);
    entry.cancel();
    if (entry.tick_ == position_) {
      append(due_, entry);
    } else {
      place(entry);
    }
  }
}

void TimingWheel::append(WheelLink& ring, WheelLink& link) {
  link.previous = ring.previous;
  link.next = &ring;
  ring.previous->next = &link;
  ring.previous = &link;
}

void TimingWheel::move_all(WheelLink& from, WheelLink& to) {
  if (alone(from)) return;
  from.next->previous = to.previous;
  to.previous->next = from.next;
  from.previous->next = &to;
  to.previous = from.previous;
  from.next = from.previous = &from;
}

}  // namespace hermod
