// SPDX-License-Identifier: Apache-2.0
// What waits for one subscriber, and what was handed to it and is not settled: one ring in order of
// arrival. An MQTT session's backlog today; groups, AMQP queues and sleeping clients use the same.
//
//        head            next                tail
//   tags  | unsettled     | waiting           |
//         +---------------+-------------------+
// take() moves `next` forward, settle() marks, trim() moves `head` over what is settled. At most
// once entries are settled when they are taken.
//
// Entries that are kept are in the store too: their messages may leave memory (page_out), they come
// back before they are taken (load), and the places that are not referred to any more are collected
// (take_dead). A kept exactly once entry is released before it is settled, and is not taken before
// it is safe.
//
// What waits may be dropped from the front: see oldest(). Behind what is not settled that leaves
// settled entries; many in a row give up their places, which leaves a gap in the tags.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "hermod/core/content.hpp"
#include "hermod/core/due.hpp"
#include "hermod/core/users.hpp"
#include "hermod/model/delivery.hpp"

namespace hermod::core {

/// Costs 16 octets while it is empty.
class Queue {
 public:
  /// Settled entries that may stand behind one that is not settled.
  static constexpr std::size_t kSettledMax = 16'384;
  /// So many settled ones among what is held give up their places, if they can.
  static constexpr std::size_t kHolesMax = 1'024;

  struct Entry {
    Content message;                       ///< nothing once it is settled
    std::unique_ptr<std::uint32_t[]> ids;  ///< several subscription ids: `id` is their number
    std::uint32_t id = 0;                  ///< the only subscription id; 0 = none
    std::uint16_t group = 0;               ///< came from this membership (plus one); 0: from none
    std::uint8_t size_code = 0;            ///< of a message that is not in memory; see page_out()
    /// Beside each other in one octet, which moves as one.
    struct Marks {
      model::Guarantee guarantee : 2 = model::Guarantee::kAtMostOnce;
      bool retain : 1 = false;
      bool delivered : 1 = false;  ///< was taken at least once: another delivery is a repetition
      bool settled : 1 = false;
      bool released : 1 = false;   ///< the peer has it: it waits for the end of its exchange
      bool recovered : 1 = false;  ///< may have been delivered before the broker was stopped
      bool kept : 1 = false;       ///< is in the store too, where the message knows
    };
    Marks marks;

    void set_ids(std::span<const std::uint32_t> subscription_ids) {
      if (subscription_ids.size() > 1) return set_several(subscription_ids);
      id = subscription_ids.empty() ? 0 : subscription_ids[0];
    }
    void set_several(std::span<const std::uint32_t> subscription_ids);
    [[nodiscard]] std::span<const std::uint32_t> subscription_ids() const;
  };

  Queue() = default;
  Queue(Queue&&) noexcept = default;
  Queue& operator=(Queue&&) noexcept = default;

  /// Entries that were not taken, and entries that were and are not settled.
  [[nodiscard]] std::size_t waiting() const { return state_ ? state_->waiting : 0; }
  [[nodiscard]] std::size_t unsettled() const { return state_ ? state_->unsettled : 0; }
  /// False when too many settled entries stand behind one that is not: nothing is taken until it
  /// is. A consumer that never settles one message cannot make the ring grow with all others.
  [[nodiscard]] bool can_take() const { return !state_ || settled_before_next() < kSettledMax; }
  [[nodiscard]] bool empty() const { return !state_ || state_->count == 0; }
  /// Octets of the messages that wait or are not settled, wherever they lie; a message in several
  /// queues counts in each. Those that are not in memory count within an eighth of what they are.
  [[nodiscard]] std::size_t bytes() const {
    return state_ ? state_->bytes + state_->bytes_away : 0;
  }
  /// Octets of those that are in memory.
  [[nodiscard]] std::size_t bytes_in_memory() const { return state_ ? state_->bytes : 0; }
  /// The tag that the next entry will get.
  [[nodiscard]] model::Tag next_tag() const { return next_tag_; }

  /// Appends an entry that waits, until `due` at most; returns its tag.
  model::Tag push(Entry&& entry, Due due = kNoDue);
  model::Tag push(model::MessageRef message, Entry::Marks marks,
                  std::span<const std::uint32_t> subscription_ids, Due due = kNoDue);
  /// Appends an entry that is being delivered right now, past nothing that waits: waiting() must be
  /// 0.
  model::Tag push_taken(model::MessageRef message, Entry::Marks marks,
                        std::span<const std::uint32_t> subscription_ids);

  /// Takes waiting entries for one delivery: at most `count_max`, and at most `credit` of them
  /// above at most once; stops where tags would not be consecutive, credit is missing, or one is
  /// over at `now`. Fills `items` (cleared first) and returns the first tag. The messages stay
  /// until trim().
  model::Tag take(std::size_t count_max, std::uint32_t credit, std::vector<model::Delivery>& items,
                  Due now = kNoDue);
  /// Marks first..last as settled; tags not unsettled here are ignored. Returns how many it marked.
  std::size_t settle(model::Tag first, model::Tag last);
  /// Lets go of what was taken at most once, and of settled entries at the head.
  void trim();
  /// The connection is gone: everything unsettled waits again, as a repetition. `keep_at_most_once`
  /// says whether waiting at most once entries stay.
  void rewind(bool keep_at_most_once);
  void clear();

  // --- policies ---

  /// The oldest entry that may be dropped: it waits, and is not under way to the subscriber, nor
  /// was before. nullptr: there is none.
  [[nodiscard]] Entry* oldest();
  /// Of oldest(), which must have found one, until drop_oldest().
  [[nodiscard]] Due oldest_due() const {
    return state_->due ? state_->due[slot(state_->oldest)] : kNoDue;
  }
  void set_oldest_due(Due due) { state_->due[slot(state_->oldest)] = due; }
  /// Drops it, and returns its tag. 0: there is none, or too many settled entries would stand
  /// behind one that is not.
  model::Tag drop_oldest();
  /// Octets, as bytes() counts, of what would stay if all were dropped that oldest() finds.
  [[nodiscard]] std::size_t bytes_before_oldest();
  /// Whether some entry may have a due.
  [[nodiscard]] bool may_expire() const { return state_ && state_->due; }
  /// When somebody will look at oldest_due(); kNoDue: nobody will.
  [[nodiscard]] Due watched() const { return state_ ? state_->watched : kNoDue; }
  void set_watched(Due due) { state().watched = due; }
  /// From now on what this queue holds counts there too; nullptr: nowhere.
  void set_usage(Usage* usage);

  // --- what is kept in the store ---

  /// Entries before this tag are committed: of kept exactly once entries, only those are taken.
  void set_safe(model::Tag end) { state().safe = std::max(state().safe, end); }
  /// The peer has the message of this exactly once entry; it may be forgotten, but for its place in
  /// the queue. False when there is no such entry that was taken.
  bool release(model::Tag tag);
  /// Calls `each(tag)` for what is released, oldest first.
  template <typename Each>
  void for_each_released(Each&& each) const;
  /// Messages of the entries from `first` on, `count` at most, leave memory, where they lie in the
  /// store and are not under way to the subscriber.
  void page_out(model::Tag first, std::size_t count);
  /// Brings messages that are next into memory: of `count_max` entries at most, until there are
  /// `bytes_max` octets. `read(position)` gives the message; none when it is damaged: the entry is
  /// then over; nothing when it cannot be read now. Returns the tags of those that are damaged.
  /// Entries of an earlier run are due at `restored_due`, or earlier if their messages say so.
  template <typename Read>
  std::vector<model::Tag> load(std::size_t count_max, std::size_t bytes_max, Due restored_due,
                               Read&& read);
  /// Places in the store that entries of this queue referred to and do not any more, once for each.
  [[nodiscard]] std::vector<model::Position> take_dead() {
    return state_ ? std::exchange(state_->dead, {}) : std::vector<model::Position>{};
  }
  [[nodiscard]] bool has_dead() const { return state_ && !state_->dead.empty(); }
  /// Appends an entry of an earlier run of the broker, whose message lies in the store. Tags ascend
  /// from call to call; those between are settled.
  void restore(model::Tag tag, Entry&& entry, std::size_t bytes);
  /// The tag that the next entry gets, of a queue that is being restored.
  void restore_next(model::Tag tag);
  /// Calls `each(tag, entry)` for every entry that is not settled, oldest first; it may change
  /// where the message lies, and nothing else.
  template <typename Each>
  void for_each(Each&& each);
  /// The entry of a tag, if it is not settled; else nullptr.
  [[nodiscard]] Entry* find(model::Tag tag);
  /// The oldest tag that is not settled, or next_tag().
  [[nodiscard]] model::Tag head_tag() const {
    return state_ ? next_tag_ - state_->count - state_->gap : next_tag_;
  }

  // --- a group's queue ---

  /// The first entry that waits leaves the queue, into `entry`; returns its tag. 0: there is none,
  /// its message is not in memory, or it is not safe yet. Of a queue of which nothing is taken.
  model::Tag pull(Entry& entry);

  // --- a member's queue: what came from groups ---

  /// Takes out entries of `group` that are not over: those for which `goes(tag, entry, taken)` says
  /// so, in order. `taken`: it has been handed out, and may be on its way. `goes` may change the
  /// group of what stays.
  template <typename Goes>
  void withdraw(std::uint16_t group, Goes&& goes);
  /// Entries held that came from `group`.
  [[nodiscard]] std::size_t held(std::uint16_t group) const;
  /// Of an entry that came from a group.
  struct Freed {
    std::uint16_t group = 0;
    bool over = true;  ///< false: exactly once, and handed out for the first time
    model::Tag tag = 0;
  };
  /// What has happened since the last call; nothing is usual.
  [[nodiscard]] std::vector<Freed> take_freed() {
    return state_ ? std::exchange(state_->freed, {}) : std::vector<Freed>{};
  }
  [[nodiscard]] bool has_freed() const { return state_ && !state_->freed.empty(); }
  /// From now on exactly once entries of groups are taken only when they are kept: they have to
  /// become this queue's own before.
  void set_adopts() { state().adopted = std::max<model::Tag>(state().adopted, 1); }
  [[nodiscard]] bool adopts() const { return state_ && state_->adopted != 0; }
  /// Calls `each(tag, entry)`, once for each, for those that are among the next `count`.
  template <typename Each>
  void adopt(std::size_t count, Each&& each);
  /// Puts another message in place of an entry's.
  void set_message(Entry& entry, model::MessageRef message);

  /// Where an entry lies in the store; 0: nowhere.
  [[nodiscard]] static model::Position place_of(const Entry& entry) {
    return entry.marks.kept ? entry.message.position() : 0;
  }

 private:
  struct State {
    std::vector<Entry> ring;  // size a power of two
    std::size_t head = 0;     // position in the ring
    std::size_t count = 0;    // entries held
    std::size_t next = 0;     // of them taken
    std::size_t fresh = 0;    // of them taken since trim()
    std::size_t waiting = 0;
    std::size_t unsettled = 0;
    std::size_t bytes = 0;
    std::size_t bytes_away = 0;
    model::Tag safe = 0;
    model::Tag adopted = 0;  // entries before it are its own; 0: it adopts none
    std::vector<Freed> freed;
    std::vector<model::Position> dead;  // places that they referred to
    std::unique_ptr<Due[]> due;         // by place in the ring; nothing: no entry has one
    Usage* usage = nullptr;
    model::Tag gap = 0;        // tags that are settled and have no entry
    std::uint32_t gap_at = 0;  // before this entry; 0: there is no gap
    std::uint32_t oldest = 0;  // no entry before this one may be dropped
    Due watched = kNoDue;
  };
  [[nodiscard]] std::size_t slot(std::size_t offset) const {
    return (state_->head + offset) & (state_->ring.size() - 1);
  }
  [[nodiscard]] Entry& at(std::size_t offset) const { return state_->ring[slot(offset)]; }
  [[nodiscard]] model::Tag tag_at(std::size_t offset) const {
    return head_tag() + offset + (offset >= state_->gap_at ? state_->gap : 0);
  }
  // Of the first entry whose tag is not below `tag`; may be `count`.
  [[nodiscard]] std::size_t offset_of(model::Tag tag) const;
  // Tags before `next` that are settled: what is taken keeps near to the oldest that is not.
  [[nodiscard]] std::size_t settled_before_next() const {
    const State& s = *state_;
    return s.next - s.unsettled + (s.next >= s.gap_at ? s.gap : 0);
  }
  // Settled entries, and with them the few that are released.
  [[nodiscard]] std::size_t holes() const {
    return state_->count - state_->waiting - state_->unsettled;
  }
  [[nodiscard]] State& state() {
    if (!state_) state_ = std::make_unique<State>();
    return *state_;
  }
  // An entry that is neither delivered any more nor waits to be.
  [[nodiscard]] static bool is_passed(const Entry& entry) {
    return entry.marks.settled || entry.marks.released;
  }
  [[nodiscard]] bool waits_for_commit(const Entry& entry, model::Tag tag) const {
    if (entry.marks.guarantee != model::Guarantee::kExactlyOnce) return false;
    if (entry.group != 0) return state_->adopted != 0 && !entry.marks.kept;
    return entry.marks.kept && tag >= state_->safe;
  }
  // May be dropped while it waits. What the subscriber may have begun to take is completed.
  [[nodiscard]] static bool may_drop(const Entry& entry) {
    if (is_passed(entry)) return false;
    if (entry.marks.guarantee == model::Guarantee::kAtMostOnce) return true;
    return !entry.marks.delivered &&
           !(entry.marks.recovered && entry.marks.guarantee == model::Guarantee::kExactlyOnce);
  }
  // Counts what waits, and octets; negative numbers as what they wrap to.
  void add_waiting(std::size_t count) {
    state_->waiting += count;
    if (state_->usage != nullptr) [[unlikely]]
      state_->usage->waiting += count;
  }
  void add_bytes(std::size_t State::* where, std::size_t bytes) {
    state_.get()->*where += bytes;
    if (state_->usage != nullptr) [[unlikely]]
      state_->usage->bytes += bytes;
  }
  [[nodiscard]] static std::size_t bytes_of(const Entry& entry);
  void put_away(Entry& entry, model::Position position, std::size_t bytes);
  void put_back(Entry& entry, model::MessageRef message);
  void let_go_of_message(Entry& entry);
  void note_gone(Entry& entry);
  void note_sent(const Entry& entry);
  [[nodiscard]] model::Tag tag_of(const Entry& entry) const {
    const auto place = static_cast<std::size_t>(&entry - state_->ring.data());
    return tag_at((place - state_->head) & (state_->ring.size() - 1));
  }
  Entry& append(Due due);
  void append(model::MessageRef message, Entry::Marks marks,
              std::span<const std::uint32_t> subscription_ids, Due due);
  void set_due(std::size_t offset, Due due);
  void skip_to(model::Tag tag);
  void close_up();
  void grow();
  void pop();
  void let_go(Entry& entry);
  void drop(Entry& entry);  // the same, where it is hot

  std::unique_ptr<State> state_;
  model::Tag next_tag_ = 1;
};

// A queue entry is what a message costs each subscriber.
static_assert(sizeof(Queue::Entry) <= 24);

template <typename Goes>
void Queue::withdraw(std::uint16_t group, Goes&& goes) {
  if (!state_) return;
  for (std::size_t i = 0; i < state_->count; ++i) {
    Entry& entry = at(i);
    if (is_passed(entry) || entry.group != group) continue;
    if (!goes(tag_at(i), entry, i < state_->next)) continue;
    entry.group = 0;
    entry.marks.settled = true;
    if (i < state_->next) {
      --state_->unsettled;
    } else {
      add_waiting(-std::size_t{1});
    }
    let_go(entry);
  }
  trim();
}

template <typename Each>
void Queue::adopt(std::size_t count, Each&& each) {
  State& s = *state_;
  const std::size_t end = std::min(s.count, s.next + count);
  for (std::size_t i = std::max(s.next, offset_of(s.adopted)); i < end; ++i) {
    Entry& entry = at(i);
    s.adopted = tag_at(i) + 1;
    if (entry.group != 0 && !is_passed(entry) && !entry.marks.kept &&
        entry.marks.guarantee == model::Guarantee::kExactlyOnce) {
      each(tag_at(i), entry);
    }
  }
}

template <typename Each>
void Queue::for_each_released(Each&& each) const {
  for (std::size_t i = 0; state_ && i < state_->count; ++i) {
    if (at(i).marks.released && !at(i).marks.settled) each(tag_at(i));
  }
}

template <typename Each>
void Queue::for_each(Each&& each) {
  for (std::size_t i = 0; state_ && i < state_->count; ++i) {
    if (!at(i).marks.settled) each(tag_at(i), at(i));
  }
}

template <typename Read>
std::vector<model::Tag> Queue::load(std::size_t count_max, std::size_t bytes_max, Due restored_due,
                                    Read&& read) {
  std::vector<model::Tag> damaged;
  if (!state_ || state_->bytes_away == 0) return damaged;
  std::size_t bytes = 0;
  for (std::size_t i = state_->next; i < state_->count && count_max > 0; ++i) {
    Entry& entry = at(i);
    if (is_passed(entry) || !entry.message) continue;  // costs no credit
    if (!entry.message.in_memory()) {
      if (bytes >= bytes_max) break;
      std::optional<model::MessageRef> message = read(entry.message.position());
      if (!message) break;
      if (!*message) {
        damaged.push_back(tag_at(i));
        let_go(entry);
        entry.marks.settled = true;
        add_waiting(-std::size_t{1});
        continue;
      }
      put_back(entry, std::move(*message));
      if (state_->due && state_->due[slot(i)] == kUnknownDue) {
        state_->due[slot(i)] = earlier(to_due(entry.message->expires_at), restored_due);
      }
    }
    bytes += entry.message.memory();
    --count_max;
  }
  return damaged;
}

}  // namespace hermod::core
