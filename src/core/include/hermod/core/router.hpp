// SPDX-License-Identifier: Apache-2.0
// From a publication to the subscribers' queues and sessions. Successive publications of one client
// to one topic, or to several that the same few subscribers get alike, form a run: a subscriber
// that keeps up gets the whole run in one call, as the same span that everybody else gets, so that
// it is encoded once.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "hermod/core/journal.hpp"
#include "hermod/core/limits.hpp"
#include "hermod/core/match_cache.hpp"
#include "hermod/core/subscriber.hpp"
#include "hermod/model/delivery.hpp"

namespace hermod::core {

/// Where the core's outputs go; implemented by the shard.
class Outlet {
 public:
  virtual ~Outlet() = default;
  /// Deliveries for an attached connection. Borrowed until the call returns.
  virtual void deliver(ConnectionKey connection, const model::DeliveryBatch& batch) = 0;
  /// A publication that other shards want: `interested` have subscribers, `retained_owner` (or no
  /// bit) keeps it as the last value. Borrowed until the call returns.
  virtual void forward(const model::Message& message, ShardSet interested,
                       ShardSet retained_owner) = 0;

  // Between a group and its members, on whichever shards: each comes back to the core of the other
  // side once the caller has returned. Borrowed until the call returns.

  /// A group's message for one member: Core::deliver_from_group(). `place` is where the group has
  /// it.
  virtual void to_member(const MemberRef& member, GroupKey group, QueuePlace place,
                         const model::Delivery& delivery) = 0;
  /// A member takes `count` more, and those of the group's tags are over: Core::group_grant().
  virtual void grant(std::uint16_t owner, GroupKey group, const MemberRef& member,
                     std::uint32_t count, std::vector<model::Tag> done) = 0;
  /// A member pauses, or `leaves`; `messages` are for others: Core::group_return().
  virtual void give_back(std::uint16_t owner, std::string_view name, GroupKey group,
                         const MemberRef& member, std::vector<Returned> messages, bool leaves) = 0;
};

/// What the router did, since the start.
struct RouterCounters {
  std::uint64_t published = 0;        ///< routed as a publication of this shard
  std::uint64_t published_bytes = 0;  ///< octets of their payloads
  std::uint64_t delivered = 0;        ///< handed to a session
  std::uint64_t delivered_bytes = 0;
  std::uint64_t queued = 0;  ///< kept for later

  // Dropped, by reason.
  std::uint64_t dropped_length = 0;  ///< newest: as many waited as may
  std::uint64_t dropped_bytes = 0;   ///< newest: their octets were as many as may be
  std::uint64_t dropped_user = 0;    ///< newest: the user's queues together had reached a limit
  std::uint64_t dropped_head = 0;    ///< oldest: made room for a newer one
  std::uint64_t dropped_away = 0;    ///< at most once, and the subscriber is away
  std::uint64_t expired = 0;         ///< waited too long
  std::uint64_t damaged = 0;         ///< could not be read from the store any more

  /// Because a limit was reached.
  [[nodiscard]] std::uint64_t dropped_full() const {
    return dropped_length + dropped_bytes + dropped_user + dropped_head;
  }
};

class Router {
 public:
  Router(const Limits& limits, Subscribers& subscribers, MatchCache& cache, Journal& journal,
         Outlet& outlet)
      : limits_(limits),
        subscribers_(subscribers),
        cache_(cache),
        journal_(journal),
        outlet_(outlet) {}

  /// Routes a publication to this shard's subscribers and, with `everywhere`, to the other shards
  /// that want it. It may stay in the open run until flush(): `message` and what it borrows must
  /// live, and the tree and the subscribers must not change, until then. False when there is no
  /// subscriber for it anywhere.
  bool publish(const model::Message& message, bool everywhere, ShardSet retained_owner);
  /// The same at once, but not to these queues.
  bool publish_except(std::span<const QueueId> queues, const model::Message& message,
                      bool everywhere, ShardSet retained_owner);
  /// Delivers the open run.
  void flush();
  /// Whether the message would have to be written before it may be acknowledged.
  [[nodiscard]] bool must_keep(const model::Message& message) const;
  /// The number after which everything routed so far is safe.
  [[nodiscard]] CommitNumber last_commit() const { return last_commit_; }
  void note_commit(CommitNumber number) {
    last_commit_ = std::max(last_commit_, number);
    fresh_commit_ = last_commit_;
  }
  [[nodiscard]] CommitNumber take_commit() { return std::exchange(fresh_commit_, 0); }
  /// What had to wait for these commits goes on. Returns subscribers with entries of groups of
  /// which the groups have to hear.
  [[nodiscard]] std::vector<SubscriberIndex> committed(CommitNumber number);
  [[nodiscard]] bool waits_for_commit() const { return !waiting_.empty() || !adopted_.empty(); }
  /// Messages of a subscriber that is away may leave memory once they are committed.
  void page_out_later(SubscriberIndex index);

  // --- policies ---

  /// It is `now`, until the next call.
  void set_time(Instant now);
  /// Whether somebody who should get the message at least once has no room for it.
  [[nodiscard]] bool lacks_room(const model::Message& message);
  /// Drops some of what is over; again when next_expiry() has come. Returns subscribers with
  /// entries of groups that are over.
  [[nodiscard]] std::vector<SubscriberIndex> expire();
  [[nodiscard]] Instant next_expiry() const {
    return watches_.empty() ? kNever : to_instant(watches_.front().due);
  }
  [[nodiscard]] std::size_t watches() const { return watches_.size(); }
  /// Looks at the queue again when the first that waits is over.
  void watch(Subscriber& subscriber);
  /// The store learns what the queue does not refer to any more.
  void let_go_of_dead(Subscriber& subscriber);

  /// Appends one message to a subscriber's queue, within its limits; pump() delivers. False when
  /// it was not taken.
  bool enqueue(Subscriber& subscriber, const model::Message& message, model::Guarantee guarantee,
               bool retain, std::span<const std::uint32_t> subscription_ids);
  /// The same for a message of which no copy is anywhere else; it is written if need be.
  void enqueue_alone(SubscriberIndex index, const model::Message& message,
                     model::Guarantee guarantee, bool retain,
                     std::span<const std::uint32_t> subscription_ids);
  /// Appends a message of a group, where it has `tag`, to a member's queue. The group's window is
  /// the limit.
  void enqueue_from_group(Subscriber& subscriber, std::uint16_t membership, model::Tag tag,
                          const model::Delivery& delivery);
  /// A message that a group lends this subscriber becomes its own, once that is committed: the
  /// group hears of it, and nobody else gets it.
  void adopt(Subscriber& subscriber, model::Tag tag, Queue::Entry& entry);
  /// Delivers what waits for a subscriber as far as credit and its connection allow.
  void pump(Subscriber& subscriber);

  [[nodiscard]] const RouterCounters& counters() const { return counters_; }

 private:
  static constexpr std::size_t kBatchMax = 256;
  /// Guarantee (3) times "keep the retain flag" (2).
  static constexpr std::size_t kVariants = 6;
  struct Variant {
    std::vector<model::Delivery> items;
    model::EncodeSlots slots;
  };

  // Messages of a subscriber that is connected and does not keep up: so many stay in memory.
  static constexpr std::size_t kResidentMax = 1'024;
  static constexpr std::size_t kLoadBytes = 256u << 10;  // read from the store at a time

  // As many subscribers, and subscription ids, a run over several topics has at most.
  static constexpr std::size_t kAlikeMax = 4;

  [[nodiscard]] bool joins_run(const model::Message& message, bool everywhere);
  void open_run(std::string_view topic, bool everywhere);
  void pump_group(Subscriber& subscriber);
  // True when the run went to the subscriber's session at once.
  bool deliver_run(const Match& match);
  bool deliver_to(const Match& match, std::span<const std::uint32_t> ids);
  bool deliver_to_publisher(const Match& match);
  [[nodiscard]] static bool is_publisher(const Subscriber& subscriber, const model::Origin& origin);
  // Whether so many messages go out at once, without a look at limits.
  [[nodiscard]] bool goes_direct(const Subscriber& subscriber, model::Guarantee guarantee,
                                 std::size_t count) const;
  std::uint32_t enqueue_run(const Match& match, model::Guarantee guarantee,
                            std::span<const std::uint32_t> ids);
  // A kept message that one subscriber alone has.
  struct Alone {
    model::MessageRef message;
    SubscriberIndex subscriber = 0;
    Recipient recipient;
  };
  [[nodiscard]] std::optional<Alone> enqueue_copy(SubscriberIndex index,
                                                  const model::Message& message,
                                                  model::Guarantee guarantee, bool retain,
                                                  std::span<const std::uint32_t> ids);
  void record(const Alone& alone);
  void note_recipient(const Match& match, const Subscriber& subscriber, model::Guarantee guarantee,
                      std::span<const std::uint32_t> ids, model::Tag tag, std::uint32_t count);
  void wait_for_commit(SubscriberIndex index, const Recipient& recipient);
  void load(Subscriber& subscriber, std::uint32_t credit);
  Position append_adopted(const Subscriber& subscriber, model::Tag tag, const Queue::Entry& entry,
                          const QueuePlace& from);
  void finish_adoptions(CommitNumber number);
  void deliver_direct(Subscriber& subscriber, const Match& match, model::Guarantee guarantee,
                      std::span<const std::uint32_t> ids);
  // The counter of a limit that keeps a message from a queue; nullptr: there is room.
  using Reason = std::uint64_t RouterCounters::*;
  [[nodiscard]] Reason what_is_full(const Subscriber& subscriber, std::size_t octets) const;
  // Whether there is, without a look at users; make_room() looks again.
  [[nodiscard]] bool has_room(const Subscriber& subscriber, std::size_t octets) const {
    return subscriber.queue.waiting() < limits_.queue_messages_max &&
           subscriber.queue.bytes() + octets <= limits_.queue_bytes_max &&
           subscriber.usage == nullptr;
  }
  [[nodiscard]] bool make_room(Subscriber& subscriber, std::size_t octets);
  [[nodiscard]] bool can_make_room(Subscriber& subscriber, std::size_t octets, Reason full) const;
  bool drop_oldest(Subscriber& subscriber);
  void let_go_of_unwritten();
  [[nodiscard]] Due latest_due(Instant now, model::Guarantee guarantee) const;
  [[nodiscard]] Due due_of(const model::Message& message, model::Guarantee guarantee) const;
  void drop_overdue(Subscriber& subscriber);

  // A queue that is looked at when its first that waits is over.
  struct Watch {
    Due due = kNoDue;
    SubscriberIndex subscriber = 0;
    std::uint32_t generation = 0;
  };
  // What is done about them at a time.
  struct Work {
    int looks = 4'096;
    int drops = 1'024;
    int reads = 64;  // of the store
  };
  static constexpr std::size_t kWatchesSpare = 64;  // beside two for each subscriber
  static constexpr Due kLater = 4;                  // about a second
  void watch(Subscriber& subscriber, Due due);
  [[nodiscard]] bool is_current(const Watch& watch) const;
  void forget_old_watches();
  void look_at(Subscriber& subscriber, Work& work);
  [[nodiscard]] bool read_due(Subscriber& subscriber);

  Variant& variant(model::Guarantee guarantee, bool retain_as_published);
  void keep(const model::Message& message);
  void record_kept();
  void record_run();

  const Limits& limits_;
  Subscribers& subscribers_;
  MatchCache& cache_;
  Journal& journal_;
  Outlet& outlet_;

  // The open run.
  std::vector<const model::Message*> run_;
  const MatchSet* run_set_ = nullptr;  // `few_`, or the cache's
  MatchSet few_;                       // outlives a look at the next topic
  bool run_everywhere_ = false;
  std::span<const QueueId> except_;  // have the run's message already
  struct Kept {
    const model::Message* view;
    model::MessageRef copy;
  };
  std::vector<Kept> kept_;  // counted copies made for the run
  std::array<Variant, kVariants> variants_;
  std::vector<Variant*> filled_;       // of them
  MatchSet own_;                       // of a publisher that gets its own messages
  std::vector<Recipient> recipients_;  // that are kept
  std::vector<SubscriberIndex> recipients_are_;
  std::vector<Alone> alone_;
  std::vector<Position> positions_;
  CommitNumber last_commit_ = 0;
  CommitNumber fresh_commit_ = 0;
  // Entries of a subscriber that change when they are committed: exactly once ones may be taken,
  // the messages of one that is away leave memory.
  struct Waiting {
    CommitNumber commit = 0;
    SubscriberIndex subscriber = 0;
    std::uint32_t generation = 0;
    model::Tag first = 0;
    std::uint32_t count = 0;
  };
  std::deque<Waiting> waiting_;
  // What a member takes over from its group, once that is committed.
  struct Adopted {
    CommitNumber commit = 0;
    MemberRef member;
    std::uint16_t owner = 0;
    GroupKey group;
    QueuePlace from;
    model::Tag tag = 0;  // in the member's queue
    Position position = 0;
  };
  std::deque<Adopted> adopted_;
  // Dropped in the run that brought it, before it was written.
  struct Unwritten {
    model::MessageRef message;
    QueueId queue = 0;
    model::Tag tag = 0;
  };
  std::vector<Unwritten> unwritten_;
  std::vector<Watch> watches_;  // a heap; those that are not current are passed over
  Instant now_{};
  Due now_due_ = kFirstDue;
  Due restored_due_ = kNoDue;  // of what an earlier run of the broker left

  std::vector<model::Delivery> scratch_;
  RouterCounters counters_;
};

}  // namespace hermod::core
