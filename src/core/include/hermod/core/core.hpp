// SPDX-License-Identifier: Apache-2.0
// One shard's core: topics, subscribers, queues, retained values, and the router between them. It
// knows neither protocols nor sockets nor other shards' memory; single-threaded; the shard calls it
// while it executes effects.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/hash.hpp"
#include "hermod/base/time.hpp"
#include "hermod/core/declarations.hpp"
#include "hermod/core/limits.hpp"
#include "hermod/core/match_cache.hpp"
#include "hermod/core/retained.hpp"
#include "hermod/core/router.hpp"
#include "hermod/core/subscriber.hpp"
#include "hermod/core/topic_list.hpp"
#include "hermod/core/topic_tree.hpp"
#include "hermod/core/users.hpp"
#include "hermod/model/reason.hpp"

namespace hermod::core {

/// Orders publications across shards: the monotonic clock in nanoseconds, the low bits replaced by
/// the shard, and never less than what was seen before (a hybrid logical clock). Whatever was
/// published later, on whichever shard, is greater: who waits for one acknowledgement before the
/// next publication gets the order that was meant.
using Stamp = std::uint64_t;
inline constexpr unsigned kStampShardBits = 6;

/// What the core did itself, since the start.
struct CoreCounters {
  std::uint64_t expired = 0;        ///< subscribers forgotten because they stayed away too long
  std::uint64_t refused = 0;        ///< publications that could not be kept, and those below
  std::uint64_t refused_full = 0;   ///< publications for which a queue had no room
  std::uint64_t own_published = 0;  ///< wills, and what publish_own() was given
  std::uint64_t own_bytes = 0;      ///< octets of their payloads
};

/// What the subscribers of one shard hold.
struct Census {
  std::uint64_t waiting = 0;      ///< messages in queues
  std::uint64_t unsettled = 0;    ///< messages handed out and not acknowledged
  std::uint64_t bytes = 0;        ///< octets of both; a message in several queues counts in each
  std::uint64_t memberships = 0;  ///< shared subscriptions
};

class Core {
 public:
  struct Place {
    std::uint16_t shard = 0;     ///< this one
    std::uint16_t shards = 1;    ///< at most 64
    std::uint64_t hash_key = 0;  ///< the same on all shards
  };

  Core(const Place& place, const Limits& limits, Journal& journal, Outlet& outlet);

  /// The shard that owns a client id's subscriber, or a topic's retained value.
  [[nodiscard]] std::uint16_t owner_of(std::string_view name) const;

  // --- subscribers ---

  struct Attached {
    SubscriberIndex subscriber = Subscribers::kNone;
    bool session_present = false;
    model::Reason reason = model::Reason::kOk;
    CommitNumber commit = 0;  ///< its connection may hear of it once this is committed
  };
  /// Claims the subscriber of `client_id` (empty: a new anonymous one) for a connection. Whoever
  /// was attached must have been detached before. `expiry_s` is cut to the limit. A will that waits
  /// is not published, except with `clean_start`, which ends the session.
  Attached attach(std::string_view client_id, ConnectionKey connection, bool clean_start,
                  std::uint32_t expiry_s, Will will, Instant now,
                  std::unique_ptr<Holder> holder = {});
  /// The connection is gone. Publishes the will unless discarded or delayed; keeps a durable
  /// subscriber with its packet ids, forgets another. Returns when expire() has work with it.
  Instant detach(SubscriberIndex index, model::Inflight inflight, bool discard_will, Instant now);
  /// Before detach(): how long it outlives the connection after all. Cut to the limit.
  void set_expiry(SubscriberIndex index, std::uint32_t expiry_s) {
    subscribers_[index].expiry_s = std::min(expiry_s, limits_.expiry_s_max);
  }
  [[nodiscard]] SubscriberIndex find(std::string_view client_id) const {
    return subscribers_.find(client_id);
  }
  [[nodiscard]] Subscriber& subscriber(SubscriberIndex index) { return subscribers_[index]; }
  [[nodiscard]] std::uint32_t generation(SubscriberIndex index) const {
    return subscribers_.generation(index);
  }
  [[nodiscard]] bool holds(SubscriberIndex index, std::uint32_t generation) const {
    return subscribers_.holds(index) && subscribers_.generation(index) == generation;
  }
  /// A subscriber of an earlier run of the broker: everything but its subscriptions. Its connection
  /// has ended with that run: `expiry_s` begins now where `expires_at` does not say more.
  struct Restored {
    std::string name;
    QueueId kept_as = 0;
    std::uint32_t expiry_s = 0;
    Instant expires_at = kNever;
    Will will;
    Instant will_at = kNever;
    Queue queue;  ///< restored, and not kept yet
    model::Inflight inflight;
    std::vector<OpenExchange> exchanges;
    std::unique_ptr<Holder> holder;
  };
  SubscriberIndex restore(Restored restored);
  /// A group of an earlier run: its name and its queue. Before its members join.
  SubscriberIndex restore_group(Restored restored);
  /// Groups that no member has joined end.
  void end_empty_groups();
  /// A subscription of it, no group's.
  void restore_subscription(SubscriberIndex index, std::string_view filter,
                            const model::SubscriptionOptions& options) {
    (void)add_subscription(index, filter, options);
  }
  /// A value of an earlier run, which lies in the store.
  void restore(const model::Message& value, Position position);
  /// An exactly-once publication of an earlier run that is not over: when it comes again, those
  /// queues have it.
  void restore_exchange(std::uint64_t name, const std::vector<QueueId>& queues) {
    if (!queues.empty()) recovered_exchanges_.emplace(name, queues);
  }
  /// It is over: its name may come for something else.
  void forget_exchange(std::uint64_t name) { recovered_exchanges_.erase(name); }
  /// Publishes delayed wills that are due, forgets subscribers that have been away too long.
  /// Returns when to call again.
  Instant expire(Instant now);
  /// It is `now` until the next call: what waits grows old by it. Calls that are told the time do
  /// the same, but for publications.
  void set_time(Instant now) { router_.set_time(now); }
  /// Drops some of the messages that have waited too long, when the next of them is due.
  void expire_messages(Instant now);
  [[nodiscard]] Instant next_message_expiry() const { return router_.next_expiry(); }
  /// Looks at queues that are planned for that.
  [[nodiscard]] std::size_t watches() const { return router_.watches(); }
  /// What the queues of a user hold; nullptr: nobody counts, or there are none.
  [[nodiscard]] const Usage* usage_of(const std::string& user) const { return users_.find(user); }

  // --- subscriptions ---

  struct Subscribed {
    model::Reason reason = model::Reason::kOk;
    bool replaced = false;  ///< the filter was there already
  };
  /// `filter` is no group's.
  Subscribed subscribe(SubscriberIndex index, std::string_view filter,
                       const model::SubscriptionOptions& options);
  /// `filter` may be a group's: the subscriber leaves it.
  model::Reason unsubscribe(SubscriberIndex index, std::string_view filter);
  /// Asked before a will is published that has waited: whether its client still may.
  void on_late_will(std::function<bool(SubscriberIndex, std::string_view topic)> may_publish) {
    late_will_ = std::move(may_publish);
  }
  /// Called with each filter that has lost its last subscriber of this shard.
  void on_interest_lost(std::function<void(std::string_view filter)> callback) {
    interest_lost_ = std::move(callback);
  }
  /// Another shard has, or has no longer, subscribers for a filter.
  void set_interest(std::string_view filter, std::uint16_t shard, bool interested);

  // --- groups: a member's side ---

  /// Messages of a group that a member may hold at a time.
  static constexpr std::uint32_t kGroupWindow = 64;

  struct Member {
    model::Reason reason = model::Reason::kOk;
    MemberRef ref;
    std::uint16_t owner = 0;  ///< the group's shard, to be asked to join
  };
  /// Notes that the subscriber belongs to the group `name` (well-formed) from now on; again: with
  /// other options. The group hears of it from the caller, which comes back with group_joined().
  /// `restored`: the store knows already.
  Member enter_group(SubscriberIndex index, std::string_view name,
                     const model::SubscriptionOptions& options, bool restored = false);
  struct Group {
    model::Reason reason = model::Reason::kOk;
    GroupKey key;
    QueueId queue = 0;  ///< in the store; 0: it is not kept
  };
  /// The group has taken the member, and all shards know: messages may come.
  void group_joined(std::string_view name, const MemberRef& member, const Group& group);
  /// A group's message, which is lent: the group hears when it is over. False when the member
  /// cannot take it: it has to go back.
  [[nodiscard]] bool deliver_from_group(const MemberRef& member, GroupKey group, QueuePlace place,
                                        const model::Delivery& delivery);

  // --- groups: the owner's side ---

  /// Makes `member` a member of the group `name` (well-formed) of this shard.
  Group join_group(std::string_view name, const MemberRef& member, bool durable);
  /// A member takes `count` more messages, and is done with some.
  void group_grant(GroupKey group, const MemberRef& member, std::uint32_t count,
                   std::span<const model::Tag> done);
  /// The member pauses or leaves; what it returns goes to others, before what waits. Returns the
  /// group's subscriber, or kNone, when the group ended with this member.
  SubscriberIndex group_return(std::string_view name, GroupKey group, const MemberRef& member,
                               std::span<const Returned> messages, bool leaves);
  /// A message that its member did not take.
  void group_return(GroupKey group, Returned message);

  // --- declared topics, where this shard owns them ---

  /// As Declarations::declare(), and kept.
  Declarations::Declared declare(std::string_view topic, const Declaration& wanted, bool has_value);

  /// How far ahead a day of the calendar is waited for at once: the calendar may be set meanwhile.
  static constexpr std::chrono::seconds kCalendarTrust{3'600};

  struct Undeclared {
    model::Reason reason = model::Reason::kOk;
    std::vector<Seat> seats;  ///< those that were taken
  };
  /// Takes back what was declared of a topic and clears its value, which everybody who subscribes
  /// to it hears. kNotFound when there was neither.
  Undeclared undeclare(std::string_view topic, Instant now);
  /// A topic whose day has come, to be undeclared.
  [[nodiscard]] std::optional<std::string> due_to_undeclare(Duration since_1970) const;
  /// When to ask for one again.
  [[nodiscard]] Instant next_undeclaring(Instant now, Duration since_1970) const;
  /// One page of values and declarations.
  [[nodiscard]] TopicPage list(const ListQuery& query, Instant now) const {
    return list_topics(retained_, declarations_, query, now);
  }
  [[nodiscard]] Declarations& declarations() { return declarations_; }
  [[nodiscard]] const Declarations& declarations() const { return declarations_; }

  // --- messages ---

  /// Routes a publication of a connection of this shard. See Router::publish for lifetimes. `now`
  /// stamps what is to be retained; it must not lie before the publication came.
  /// kNoMatch when nobody gets it and nothing keeps it. kQuotaExceeded when it should have been
  /// retained here and could not, or with Overflow::kReject a queue of this shard has no room: then
  /// nobody gets it; the same while nothing can be kept that has to be: kNoRoom, kUnavailable.
  model::Reason publish(model::Message& message, Instant now);
  /// Publishes where the value of the topic, which this shard owns, has the version `instead_of`,
  /// 0: where it has none. Otherwise kOutdated.
  model::Reason replace(model::Message& message, std::uint64_t instead_of, Instant now);
  /// The same as publish() for what no client sent: wills, and what the broker says of itself.
  model::Reason publish_own(model::Message& message, Instant now);
  /// A publication that another shard has sent here, for subscribers and (or) as retained value.
  void receive(const model::Message& message, bool for_subscribers, bool for_retained);
  void flush() { router_.flush(); }
  /// Everything up to here is safe once this has been committed.
  [[nodiscard]] CommitNumber last_commit() const { return router_.last_commit(); }
  /// The number that covers what was kept since the last call; 0: nothing was.
  [[nodiscard]] CommitNumber take_commit() { return router_.take_commit(); }
  /// Whether a delivery waits for a commit.
  [[nodiscard]] bool waits_for_commit() const {
    return router_.waits_for_commit() || !moves_.empty();
  }
  /// Does some of what the store asks for, if it asks for anything.
  void keep_house();
  /// Whether there is more of it to do, which waits for nothing.
  [[nodiscard]] bool has_house_work() const {
    const bool walked = checked_ == subscribers_.places();
    return writing_again_ || (checking_ && (!walked || under_way_.empty()));
  }
  /// The journal has got so far, and is as it is: before everything else in a turn.
  void hear_journal();

  void credit(SubscriberIndex index, std::uint32_t count);
  void settle(SubscriberIndex index, model::Tag first, model::Tag last, model::Outcome outcome,
              std::uint32_t credit);
  /// Exactly once, of a subscriber that is kept: the peer has the message of this tag; or the
  /// exchange of a packet id that it chose is over. Both may be said once last_commit() is
  /// committed.
  void release(SubscriberIndex index, model::Tag tag);
  void note_exchange(SubscriberIndex index, std::uint16_t packet_id);
  /// The message of an exchange (exchange_of()) is safe wherever it belongs, on all shards: of one
  /// that was noted, or of a will.
  void complete_exchange(std::uint64_t name);
  /// Exchanges of wills that attach(), detach() and expire() have published since the last call:
  /// until they are complete the store has the wills, and a restart publishes them.
  [[nodiscard]] std::vector<std::uint64_t> take_wills() { return std::exchange(wills_, {}); }
  void close_exchange(SubscriberIndex index, std::uint16_t packet_id);
  /// Called with the name of an exchange that is over and was restored: other shards have to forget
  /// it too.
  void on_exchange_over(std::function<void(std::uint64_t name)> callback) {
    exchange_over_ = std::move(callback);
  }
  /// The connection's output takes more, or no more. Opening delivers what waits.
  void set_open(SubscriberIndex index, bool open);
  /// A retained value for a new subscription, as a delivery with the retain flag.
  void deliver_retained(SubscriberIndex index, const model::Message& message,
                        const model::SubscriptionOptions& options);
  void pump(SubscriberIndex index);

  [[nodiscard]] Retained& retained() { return retained_; }
  [[nodiscard]] const Retained& retained() const { return retained_; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] const TopicTree& tree() const { return tree_; }
  [[nodiscard]] const RouterCounters& counters() const { return router_.counters(); }
  [[nodiscard]] const CoreCounters& own_counters() const { return counters_; }
  [[nodiscard]] std::size_t subscribers() const { return subscribers_.size(); }
  /// Subscribers that have a name: clients that are connected or remembered.
  [[nodiscard]] std::size_t clients() const { return subscribers_.named(); }
  /// Subscriptions of clients; shared ones are in the census.
  [[nodiscard]] std::size_t subscriptions() const { return tree_.subscriptions() - groups_.size(); }
  /// Adds up to `visits_max` places of the subscribers' table to the census, from `place` on, which
  /// moves forward. True when that was all.
  bool take_census(SubscriberIndex& place, std::size_t visits_max, Census& census) const;
  /// The clock of Stamp.
  [[nodiscard]] Stamp stamp() const { return clock_ << kStampShardBits | place_.shard; }
  void observe(Stamp seen);

 private:
  [[nodiscard]] Stamp next_stamp(Instant now);
  void keep(SubscriberIndex index);
  Subscribed add_subscription(SubscriberIndex index, std::string_view filter,
                              const model::SubscriptionOptions& options);
  void note(Change change) { router_.note_commit(journal_.change(std::move(change))); }
  [[nodiscard]] model::Reason keep_value(const model::Message& message);
  model::Reason route(model::Message& message, Instant now);
  bool deliver(const model::Message& message, bool everywhere, ShardSet retained_owner);
  [[nodiscard]] bool is_refused(const model::Message& message) const;
  void enter_user(Subscriber& subscriber);
  void leave_user(Subscriber& subscriber);
  void write_again(const std::vector<Stale>& stale);
  void write_message_again(std::span<const Stale> stale);
  void write_value_again(const Stale& stale);
  [[nodiscard]] Queue::Entry* find_entry(QueueId queue, model::Tag tag);
  // What lay at `from` is read at `to` from `commit` on.
  struct Move {
    CommitNumber commit = 0;
    Position from = 0;
    Position to = 0;
    QueueId queue = 0;  // 0: the value of `topic`
    model::Tag tag = 0;
    std::string topic;
  };
  void finish_moves(CommitNumber committed);
  [[nodiscard]] bool set_place(const Move& move);
  void say_standing(Subscriber& subscriber);
  void say_exchanges(Subscriber& subscriber, Standing& standing);
  void forget(SubscriberIndex index);
  void forget_but_for_the_store(SubscriberIndex index);
  void forget_after_will(SubscriberIndex index, Will will, Instant now);
  void publish_will(Will will, Instant now, std::uint64_t exchange = 0);
  void keep_after_will(SubscriberIndex index, Will will, Instant now);
  void complete_will(QueueId queue);
  void forget_namesake(std::string_view name);
  void note_end(QueueId queue);
  [[nodiscard]] Will take_late_will(SubscriberIndex index);
  void drop_subscriptions(SubscriberIndex index);
  void remove_subscription(TopicTree::Node* node, SubscriberIndex index);
  model::Reason leave_group(SubscriberIndex index, std::string_view name);
  void return_groups(SubscriberIndex index, model::Inflight& inflight, bool leaves);
  static void forget_unheard(const Subscriber& subscriber, model::Inflight& inflight);
  void resume_groups(SubscriberIndex index);
  void tell_groups(SubscriberIndex index);
  void tell_group(SubscriberIndex index, std::size_t number);
  static void stay_after_leaving(const Subscriber& subscriber, Queue::Entry& entry);
  SubscriberIndex make_group(std::string_view name);
  void set_durable(Subscriber& group);
  void end_group(std::string_view name);
  void end_lent(Subscriber& subscriber, model::Tag tag);
  [[nodiscard]] MemberRef member_ref(SubscriberIndex index, std::size_t membership) const;

  Place place_;
  const Limits& limits_;
  TopicTree tree_;
  MatchCache cache_;
  Users users_;
  Subscribers subscribers_;
  Retained retained_;
  Declarations declarations_;
  Journal& journal_;
  const bool keeps_;  // the journal keeps anything at all
  Journal::State journal_state_;
  Outlet& outlet_;
  Router router_;
  boost::unordered_flat_map<std::string, SubscriberIndex, KeyedHash, std::equal_to<>> groups_;
  boost::unordered_flat_map<QueueId, SubscriberIndex> kept_;  // subscribers
  boost::unordered_flat_map<std::uint64_t, std::vector<QueueId>> recovered_exchanges_;
  std::deque<Move> moves_;
  std::vector<std::uint64_t> wills_;
  // Names of sessions that have ended, of which the store learns when their wills are safe.
  boost::unordered_flat_map<QueueId, std::string> ending_;
  CommitNumber last_end_ = 0;    // that the store learned of
  bool writing_again_ = false;   // more may be stale
  bool checking_ = false;        // saying how all queues stand
  SubscriberIndex checked_ = 0;  // up to here
  // Exchanges that this check found under way: how their publishers stand is said again afterwards.
  boost::unordered_flat_set<std::uint64_t> under_way_;
  std::vector<QueueId> check_again_;
  std::uint64_t clock_ = 0;
  CoreCounters counters_;
  std::function<void(std::string_view)> interest_lost_;
  std::function<void(std::uint64_t)> exchange_over_;
  std::function<bool(SubscriberIndex, std::string_view)> late_will_;
};

}  // namespace hermod::core
