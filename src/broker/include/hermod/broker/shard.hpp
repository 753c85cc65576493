// SPDX-License-Identifier: Apache-2.0
// One thread's worth of broker: its connections, its core, its timers, one loop. It carries octets
// between streams and sessions, executes the sessions' effects on the core, and exchanges letters
// with the other shards. Everything it needs from outside is handed in, so that the simulation runs
// it on memory streams and a fake clock.
//
//   turn: events -> read -> session -> effects -> core -> sessions -> outputs -> one write a socket
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "hermod/base/log.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/base/slab.hpp"
#include "hermod/base/timing_wheel.hpp"
#include "hermod/broker/connection.hpp"
#include "hermod/broker/outbox.hpp"
#include "hermod/broker/output_pool.hpp"
#include "hermod/broker/patience.hpp"
#include "hermod/broker/promises.hpp"
#include "hermod/broker/settings.hpp"
#include "hermod/broker/status.hpp"
#include "hermod/broker/subscribing.hpp"
#include "hermod/broker/watches.hpp"
#include "hermod/core/authorizer.hpp"
#include "hermod/core/core.hpp"
#include "hermod/transport/poller.hpp"

namespace hermod::broker {

/// What a shard is made of; all of it outlives the shard.
struct ShardParts {
  const Settings& settings;
  std::uint16_t self = 0;
  std::uint64_t hash_key = 0;  ///< the same on all shards
  const Clock& clock;
  Rng& rng;
  Log& log;
  core::Journal& journal;
  std::vector<core::Authorizer*> authorizers;  ///< by listener
  transport::Poller& poller;
  Mailroom& mailroom;
  Sources& sources;
  /// Octets of memory that the process uses, for $SYS; may be empty.
  std::function<std::uint64_t()> heap_bytes{};
};

/// Counted since the start; read by the shard's own thread.
struct ShardCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;            ///< a connection limit was reached
  std::uint64_t refused_by_source = 0;  ///< of those: its source has too many
  std::uint64_t handed_over = 0;
  std::uint64_t datagrams = 0;
  std::uint64_t datagrams_dropped = 0;  ///< no room for another peer
  std::uint64_t datagrams_sent = 0;
  std::uint64_t connects = 0;          ///< streams that asked to attach
  std::uint64_t packets_received = 0;  ///< of streams
  std::uint64_t packets_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t writes_denied = 0;   ///< publications that their client may not publish
  std::uint64_t logins_refused = 0;  ///< too many passwords were waiting to be checked
  std::uint64_t reads_denied = 0;    ///< messages that their subscriber may not read
};

class Shard final : private core::Outlet, private session::DatagramSink {
 public:
  explicit Shard(ShardParts parts);
  ~Shard() override;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// The pollers of all shards, to be woken for mail; before the first turn.
  void connect(std::vector<transport::Poller*> pollers);
  /// A listener (index into settings.listeners) of this shard. False when it cannot be watched.
  [[nodiscard]] bool add_listener(std::uint16_t listener,
                                  std::unique_ptr<transport::StreamListener> from);
  [[nodiscard]] bool add_socket(std::uint16_t listener,
                                std::unique_ptr<transport::DatagramSocket> socket);

  /// What an earlier run has left to this shard, before the first turn: a subscriber without its
  /// subscriptions, which stay in `left`; a declared topic.
  core::SubscriberIndex restore(store::RecoveredQueue&& left);
  void restore(core::KeepDeclaration&& left);

  /// One turn of the loop; waits at most `wait_max` for something to happen. Returns when the next
  /// turn is due at the latest.
  Instant turn(Duration wait_max);
  /// Ends every connection, wills included, and writes what can be written at once. Wills for other
  /// shards leave by mail, which those take when they are shut down again.
  void shut_down();
  /// The store has written all that it was given, as far as it could: what this shard wanted to
  /// note behind it, it gives to the store. After shut_down().
  void hear_last();

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] core::Core& core() { return core_; }
  [[nodiscard]] const ShardCounters& counters() const { return counters_; }
  [[nodiscard]] const Outbox& outbox() const { return outbox_; }

 private:
  static constexpr std::size_t kReadBuffer = 256u << 10;
  static constexpr std::size_t kParkedMax = 4u << 10;
  static constexpr std::size_t kFlushPasses = 4;
  static constexpr std::size_t kLingerTurns = 8;
  static constexpr std::size_t kLingerFlushes = 4;  // in each turn, at least
  static constexpr std::size_t kLingerBytes = 16u << 10;
  static constexpr std::size_t kIdleFlushes = 32;
  static constexpr std::size_t kReceiveRounds = 16;      // batches of one socket in a turn
  static constexpr std::size_t kCensusPerTurn = 16'384;  // subscribers looked at for $SYS
  static constexpr std::size_t kAcceptsMax = 256;        // connections of one listener in a turn
  static constexpr std::uint32_t kExchangeStepsMax = 16;
  static constexpr std::size_t kExchangeBytes = 4u << 10;  // that its method may keep
  static constexpr std::size_t kListsMax = 1'024;          // of topics, asked for and not complete
  static constexpr std::size_t kListsPerTurn = 32;         // pages of them
  static constexpr std::size_t kUncommittedMax = 65'536;   // answers, and as many replies
  static constexpr std::size_t kForgetGoneMin = 1'024;     // of them
  static constexpr std::size_t kUndeclaredMax = 256;       // topics whose day has come, in a turn
  static constexpr Duration kCloseGrace = std::chrono::seconds{5};
  static constexpr Duration kAcceptRetry = std::chrono::milliseconds{100};

  // --- shard.cpp: the loop, connections' lives ---
  void handle(const transport::Event& event);
  void accept(std::uint16_t listener);
  [[nodiscard]] bool admit_source(const transport::Stream& stream, Source& source);
  void adopt(std::unique_ptr<transport::Stream> stream, std::uint16_t listener, Source source,
             std::span<const std::uint8_t> unread);
  /// The connection goes from this shard: what it is counted for.
  [[nodiscard]] Source take_source(const Connection& connection);
  Connection& make_connection(std::uint16_t listener);
  void end(Connection& connection, model::Reason reason);
  void drop(Connection& connection);
  void log_refusal(const Connection& connection, const session::Close& effect);
  void log_end(const Connection& connection, model::Reason reason);
  void fire(Connection& connection);
  void rearm(Connection& connection);
  void finish_commits();
  void forget_gone();
  // Nothing that waits will ever be committed.
  [[nodiscard]] bool is_sealed() const;
  // Whether more may be read that has to be kept.
  [[nodiscard]] bool has_room_to_keep() const;
  void submit();
  void expire();
  void promise_wills();
  void resume_paused();
  [[nodiscard]] Instant next_due();
  [[nodiscard]] bool has_work() const;
  [[nodiscard]] static core::ConnectionKey key_of(session::ConnectionId id) {
    return std::uint64_t{id.generation} << 32 | (id.index + 1);
  }
  [[nodiscard]] session::ConnectionId id_of(const Connection& connection) const {
    return {connection.index, connections_.generation(connection.index)};
  }
  [[nodiscard]] Connection* find(session::ConnectionId id) {
    return connections_.find(id.index, id.generation);
  }
  [[nodiscard]] Connection* find(core::ConnectionKey key) {
    return connections_.find(static_cast<std::uint32_t>(key) - 1,
                             static_cast<std::uint32_t>(key >> 32));
  }

  // --- shard_streams.cpp: octets in and out ---
  void read(Connection& connection);
  void process(Connection& connection, Bytes bytes);
  void keep_rest(Connection& connection, Bytes rest);
  [[nodiscard]] bool within_unattached_bytes(Connection& connection);
  void on_peer_end(Connection& connection);
  void go_on(Connection& connection);
  void mark_dirty(Connection& connection);
  void let_linger(Connection& connection);
  void flush_lingering();
  void flush_outputs();
  void flush(Connection& connection);
  void drained(Connection& connection);
  [[nodiscard]] session::Intake intake(const Connection& connection);
  /// Calls `input(session, effects)` for a connection and looks after its output and deadline.
  template <typename Input>
  void with_session(Connection& connection, session::EffectList& list, Input&& input);

  // --- shard_effects.cpp: what sessions want done ---
  void execute();
  void execute_list(session::EffectList& list);
  void apply(Connection& connection, session::Attach& effect);
  void apply(Connection& connection, session::Authenticate& effect);
  void apply(Connection& connection, session::Detach& effect);
  void apply(Connection& connection, session::Publish& effect);
  void apply(Connection& connection, session::Subscribe& effect);
  void apply(Connection& connection, session::Unsubscribe& effect);
  void apply(Connection& connection, session::Credit& effect);
  void apply(Connection& connection, session::Settle& effect);
  void apply(Connection& connection, session::Release& effect);
  void apply(Connection& connection, session::EndExchange& effect);
  void apply(Connection& connection, session::Lookup& effect);
  void apply(Connection& connection, session::Replace& effect);
  void apply(Connection& connection, session::Declare& effect);
  void apply(Connection& connection, session::Undeclare& effect);
  void apply(Connection& connection, session::List& effect);
  void apply(Connection& connection, session::Watch& effect);
  void apply(Connection& connection, session::Unwatch& effect);
  void apply(Connection& connection, session::Close& effect);
  void apply(Connection& connection, session::Opened& effect);
  void apply(Connection& connection, session::Completed& effect);
  void attach(Connection& connection, session::Attach& effect, std::string_view assigned,
              std::string octets = {});
  void hand_over(Connection& connection, std::uint16_t owner);
  void finish_publishes();
  void name_exchange(const Connection& connection, model::Message& message);
  [[nodiscard]] Promises::Due take_due();
  [[nodiscard]] bool is_met(const Promises::Due& due);
  void answer_kept(Connection& connection, const session::Answer& answer);
  void answer_subscribed(core::ConnectionKey key, const session::Answer& answer,
                         core::CommitNumber elsewhere = 0);
  void answer(Connection& connection, const session::Answer& answer);
  void answer_key(core::ConnectionKey key, const session::Answer& answer);
  void continue_reading(Connection& connection);

  // --- shard_logins.cpp: who may come in, and who may read what ---
  void admit(Connection& connection, const core::Login& login, session::Attach& effect,
             std::string_view assigned);
  void hear_authorizers();
  void finish_login(const core::Login& login);
  void forget_login(const Connection& connection);
  void review(const core::Authorizer& authorizer);
  void log_refusal(const Connection& connection, std::string_view client_id, model::Reason reason);
  [[nodiscard]] core::Authorizer& authorizer_of(const Connection& connection) {
    return *parts_.authorizers[connection.listener];
  }
  [[nodiscard]] core::Actor actor_of(const Connection& connection);
  [[nodiscard]] bool allowed(const Connection& connection, core::Action action,
                             std::string_view name);
  [[nodiscard]] std::unique_ptr<core::Holder> holder_of(const Connection& connection,
                                                        const session::Attach& effect) const;
  void claim(const Connection& connection, session::Attach& effect);
  [[nodiscard]] bool may_publish_late(core::SubscriberIndex index, std::string_view topic);
  void guard(Connection& connection, std::string_view filter);
  void deliver_checked(Connection& connection, const model::DeliveryBatch& batch);
  void pass_on(Connection& connection, const model::DeliveryBatch& batch);

  // --- shard_exchanges.cpp: enhanced authentication ---
  struct PendingLogin;
  struct PendingExchange;
  [[nodiscard]] PendingLogin keep(const Connection& connection, session::Attach& effect,
                                  bool assigned);
  void begin_exchange(Connection& connection, session::Attach& effect, bool assigned);
  void advance(Connection& connection, PendingExchange pending, session::Ticket ticket,
               Bytes octets);
  void finish_exchange(Connection& connection, PendingLogin& login, core::ExchangeStep& step);
  void finish_again(Connection& connection, session::Ticket ticket, core::ExchangeStep& step);
  void refuse_exchange(Connection& connection, std::string_view client_id, session::Ticket ticket,
                       const core::ExchangeStep& step);
  [[nodiscard]] PendingExchange take_exchange(const Connection& connection);

  // --- shard_groups.cpp: groups and their members ---
  void send(std::uint16_t to, Letter letter);
  void open_own();
  void subscribe_group(Connection& connection, const session::Subscribe& effect);
  void finish_join(std::uint64_t number);
  void open(GroupJoin& letter, std::uint16_t from);
  void open(GroupJoined& letter, std::uint16_t from);
  void open(GroupGrant& letter, std::uint16_t from);
  void open(GroupDelivery& letter, std::uint16_t from);
  void open(GroupReturn& letter, std::uint16_t from);
  void open(GroupRefusal& letter, std::uint16_t from);
  void to_member(const core::MemberRef& member, core::GroupKey group, core::QueuePlace place,
                 const model::Delivery& delivery) override;
  void grant(std::uint16_t owner, core::GroupKey group, const core::MemberRef& member,
             std::uint32_t count, std::vector<model::Tag> done) override;
  void give_back(std::uint16_t owner, std::string_view name, core::GroupKey group,
                 const core::MemberRef& member, std::vector<core::Returned> messages,
                 bool leaves) override;

  // --- core::Outlet ---
  void deliver(core::ConnectionKey connection, const model::DeliveryBatch& batch) override;
  void forward(const model::Message& message, core::ShardSet interested,
               core::ShardSet retained_owner) override;

  // --- shard_datagrams.cpp ---
  void receive(std::uint16_t socket);
  void receive_unread();
  Connection* peer_connection(std::uint16_t socket, const transport::Datagram& datagram);
  bool evict_peer();
  std::uint8_t* reserve(std::size_t count_max) override;
  void commit(std::size_t count) override;

  // --- shard_mail.cpp: letters of other shards ---
  void read_mail();
  void open(Forward& letter, std::uint16_t from);
  void tell_written(std::uint16_t from);
  void open(Kept& letter, std::uint16_t from);
  void open(ExchangeOver& letter, std::uint16_t from);
  void open(GiveBack& letter, std::uint16_t from);
  void open(Interest& letter, std::uint16_t from);
  void open(InterestKnown& letter, std::uint16_t from);
  void open(RetainedRequest& letter, std::uint16_t from);
  void open(RetainedPage& letter, std::uint16_t from);
  void open(Handover& letter, std::uint16_t from);

  // What a shard is asked, or asks itself.
  struct Question {
    std::variant<RetainedRequest, LookupRequest, DeclareRequest, UndeclareRequest, ReplaceRequest,
                 WatchRequest, WatchEnd>
        request;
    std::uint16_t from = 0;
  };

  // --- shard_topics.cpp: questions about topics, to the shard that owns them ---
  template <typename Request>
  void ask(std::uint16_t owner, Request request);
  [[nodiscard]] RequestId expect_reply(Connection& connection, session::Ticket ticket);
  [[nodiscard]] model::MessageRef for_shard(const model::Message& message, std::uint16_t to) const;
  void answer_questions(std::vector<Question> questions);
  void reply_to(RetainedRequest& request, std::uint16_t from);
  void reply_to(LookupRequest& request, std::uint16_t from);
  void reply_to(DeclareRequest& request, std::uint16_t from);
  void reply_to(UndeclareRequest& request, std::uint16_t from);
  void reply_to(ReplaceRequest& request, std::uint16_t from);
  void reply_to(WatchRequest& request, std::uint16_t from);
  void reply_to(WatchEnd& request, std::uint16_t from);
  void open(LookupRequest& letter, std::uint16_t from);
  void open(DeclareRequest& letter, std::uint16_t from);
  void open(UndeclareRequest& letter, std::uint16_t from);
  void open(ReplaceRequest& letter, std::uint16_t from);
  void reply(std::uint16_t to, TopicReply reply);
  void reply_kept(std::uint16_t to, TopicReply reply);
  // In place of a reply that tells of what will never be safe.
  [[nodiscard]] static TopicReply without_store(TopicReply reply);
  void open(TopicReply& letter, std::uint16_t from);
  void finish_asking(RequestId id, const session::Answer& answer);
  void schedule_undeclaring();
  void undeclare_due();
  void tell(const std::vector<core::Seat>& seats, model::Reason reason,
            const model::TopicProperties* declared);

  // --- shard_watches.cpp: lists of topics, and who observes declared ones ---
  void open(ListRequest& letter, std::uint16_t from);
  void open(ListReply& letter, std::uint16_t from);
  void list_pages(std::size_t count);
  void finish_list(RequestId id);
  void open(WatchRequest& letter, std::uint16_t from);
  void open(WatchEnd& letter, std::uint16_t from);
  void open(WatchNews& letter, std::uint16_t from);
  void end_watch(Connection& connection, const Watches::Numbered& ended);
  void end_watches(Connection& connection);

  // --- shard_status.cpp: $SYS ---
  void begin_status();
  void begin_census(std::uint16_t asker);
  void go_on_with_census();
  [[nodiscard]] Counts take_counts() const;
  void add_counts(const Counts& counts);
  void open(CountsRequest& letter, std::uint16_t from);
  void open(CountsReply& letter, std::uint16_t from);

  // What this shard's subscribers hold, being counted for the shard that asked.
  struct Walk {
    std::uint16_t asker = 0;
    bool open = false;
    core::SubscriberIndex place = 0;
    core::Census census;
  };
  // What the shards have counted, in the shard that publishes it.
  struct Round {
    std::uint16_t missing = 0;  // answers
    Counts sum;
  };
  struct PendingAnswers {
    session::ConnectionId connection;
    Promises::Due due;
    std::vector<session::Answer> answers;
    bool opens = false;                      ///< Attach: deliveries wait for it too
    std::string octets;                      ///< Attach: of its answer
    std::vector<std::uint64_t> exchanges{};  ///< whose messages are safe everywhere then

    [[nodiscard]] std::size_t weight() const { return std::max<std::size_t>(1, answers.size()); }
  };
  void hold_back(PendingAnswers answers);
  // A reply that waits until what it tells of is safe.
  struct UncommittedReply {
    std::uint16_t to = 0;
    Promises::Due due;
    TopicReply reply;
  };
  // A session that waits for a TopicReply.
  struct PendingReply {
    session::ConnectionId connection;
    session::Ticket ticket = 0;
  };
  // A list that waits for the pages of some shards.
  struct PendingList {
    session::ConnectionId connection;
    session::Ticket ticket = 0;
    std::uint32_t count_max = 1;
    std::uint16_t missing = 0;
    std::vector<core::TopicPage> pages;
  };
  // A SUBSCRIBE of this shard that waits for the group's shard.
  struct PendingJoining {
    session::ConnectionId connection;
    session::Ticket ticket = 0;
    model::Guarantee granted = model::Guarantee::kAtMostOnce;
  };
  // A join that waits until all shards know of the group's interest.
  struct PendingJoin {
    std::uint16_t from = 0;
    GroupJoined answer;
  };
  // An Attach whose credentials are being checked, with all that it borrowed.
  struct PendingLogin {
    session::ConnectionId connection;
    session::Attach effect;
    std::string client_id;
    std::string user;
    bool assigned = false;  ///< the client id is
  };
  // An exchange of authentication: for an Attach, or of a client that is attached.
  struct PendingExchange {
    std::unique_ptr<core::Exchange> exchange;
    std::optional<PendingLogin> login;  ///< the Attach
    std::size_t bytes = 0;              ///< that it keeps of a client that has not logged in
    std::uint32_t steps = 0;
  };
  struct Listener {
    std::uint16_t settings = 0;
    std::unique_ptr<transport::StreamListener> from;
  };
  struct Socket {
    std::uint16_t settings = 0;
    std::unique_ptr<transport::DatagramSocket> socket;
    bool dirty = false;
    bool unread = false;  // there may be more to receive
  };
  // A peer that talks to two sockets is two peers: each answers from its own address.
  struct PeerKey {
    transport::Address address;
    std::uint16_t socket = 0;
    bool operator==(const PeerKey&) const = default;
  };
  struct PeerHash {
    using is_avalanching = void;
    transport::AddressHash hash;
    std::size_t operator()(const PeerKey& key) const { return hash(key.address) + key.socket; }
  };

  ShardParts parts_;
  const Settings& settings_;
  Instant now_;
  Outbox outbox_;  // outlives what refers to other shards' payloads
  TimingWheel wheel_;
  OutputPool outputs_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  core::Core core_;
  Subscribing subscribing_;
  session::Budget transfers_;  // outlives the sessions that take from it
  Slab<Connection> connections_;
  std::vector<Listener> listeners_;
  std::vector<Socket> sockets_;
  boost::unordered_flat_map<PeerKey, std::uint32_t, PeerHash> peers_;
  boost::unordered_flat_map<std::uint32_t, Source> source_of_;  // by connection; those counted

  session::EffectList effects_;           // being filled
  session::EffectList executing_;         // being executed
  std::vector<session::Answer> answers_;  // of the publishes executed last
  session::ConnectionId answers_for_;
  std::vector<std::uint64_t> exchanges_for_answers_;  // that are complete when those are given
  Bytes input_;  // what the session is reading, for a hand-over
  std::vector<session::ConnectionId> dirty_;
  std::deque<session::ConnectionId> lingering_;  // outputs that may wait; the oldest first
  std::size_t lingering_most_ = 0;               // since it was empty
  Patience patience_;
  bool busy_ = false;  // something has come in this turn
  std::vector<session::ConnectionId> ready_;
  std::vector<session::ConnectionId> paused_;
  const bool keeps_;              // there is a store
  core::CommitNumber heard_ = 0;  // of commits, what everything that waits has heard of
  Promises promises_;
  std::vector<std::uint64_t> awaited_;       // publications that were to be kept here, by sender
  std::vector<std::uint64_t> told_awaited_;  // of them those that the sender knows of
  std::deque<PendingAnswers> uncommitted_;
  std::size_t uncommitted_answers_ = 0;  // in all of them; one without counts as one
  std::size_t forget_gone_at_ = kForgetGoneMin;
  std::deque<UncommittedReply> uncommitted_replies_;
  // What has been acknowledged before a question is asked is in the mailboxes by then, not in the
  // core: all are read once more before it is answered, also a question of this shard's own.
  std::vector<Question> questions_;
  boost::unordered_flat_map<RequestId, PendingReply> asked_;
  RequestId last_asked_ = 0;
  // Pages of lists take long: some of them each turn.
  struct PageQuestion {
    ListRequest request;
    std::uint16_t from = 0;
  };
  std::deque<PageQuestion> page_questions_;
  boost::unordered_flat_map<RequestId, PendingList> lists_;
  RequestId last_list_ = 0;
  Watches watches_;
  boost::unordered_flat_map<RequestId, PendingJoining> joining_;
  RequestId last_joining_ = 0;
  boost::unordered_flat_map<std::uint32_t, PendingJoin> joins_;
  std::uint32_t last_join_ = 0;
  std::vector<Letter> to_self_;  // opened after the round of effects
  boost::unordered_flat_map<core::LoginTicket, PendingLogin> logins_;
  core::LoginTicket last_login_ = 0;
  boost::unordered_flat_map<core::ConnectionKey, PendingExchange> exchanges_;
  Connection* sending_ = nullptr;  // whose datagram is being written
  std::size_t streams_ = 0;
  std::size_t unattached_ = 0;
  std::size_t unattached_bytes_ = 0;
  Instant expire_at_ = kNever;
  Instant accept_at_ = kNever;
  Instant status_at_ = kNever;
  Instant undeclare_at_ = kNever;
  std::uint16_t mail_turn_ = 0;
  ShardCounters counters_;
  std::vector<std::uint64_t> open_;  // connections and datagram peers by listener
  std::unique_ptr<Status> status_;   // in the first shard, when $SYS is wanted
  Walk walk_;
  Round round_;
};

}  // namespace hermod::broker
