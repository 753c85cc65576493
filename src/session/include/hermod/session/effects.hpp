// SPDX-License-Identifier: Apache-2.0
// What a session wants done. Octets go straight into the connection's output; everything else is a
// small record in a list that its owner executes, in order, after the input has returned: there is
// no re-entrancy. What a record borrows (names, payloads) lives until the list has been executed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hermod/base/output.hpp"
#include "hermod/model/delivery.hpp"
#include "hermod/model/message.hpp"
#include "hermod/model/reason.hpp"
#include "hermod/model/subscription.hpp"
#include "hermod/model/topic_properties.hpp"
#include "hermod/session/inflight.hpp"

namespace hermod::session {

/// Chosen by the session, opaque to everybody else, comes back with the answer. 0 wants no answer.
using Ticket = std::uint64_t;

/// Where datagrams to the session's peer go.
class DatagramSink {
 public:
  virtual ~DatagramSink() = default;
  /// Room for one datagram of at most `count_max` octets, until the next call.
  [[nodiscard]] virtual std::uint8_t* reserve(std::size_t count_max) = 0;
  /// What was reserved is a datagram of `count` octets.
  virtual void commit(std::size_t count) = 0;
};

// --- asked of the broker (server role) ---

/// Claim the subscriber of `client_id`. Where it lives on another shard, the connection moves there
/// with everything it has sent so far, which is why it must be the first thing a stream session
/// asks. Credentials are checked first. Answer: kOk with session_present, assigned id and the lent
/// inflight; or why not. With a method of authentication, which decides instead of name and
/// password, kContinue may come first: see Authenticate.
struct Attach {
  Ticket ticket = 0;
  std::string_view client_id;  ///< empty: assign one
  bool has_credentials = false;
  std::string_view username;
  Bytes password;                ///< or what the exchange of `auth_method` begins with
  std::string_view auth_method;  ///< empty: none
  bool clean_start = true;       ///< forget what an earlier connection left
  std::uint32_t expiry_s =
      0;  ///< how long the subscriber outlives the connection; UINT32_MAX: for ever
  model::MessageRef will;  ///< published if the connection ends without Detach{discard_will}
  std::uint32_t will_delay_s = 0;  ///< so long after the end, or with the end of the session
  std::optional<std::uint32_t> will_expiry_s;  ///< its life, which begins with its publication
};

/// What the peer says in an exchange of authentication: behind the kContinue that answered Attach
/// or Authenticate, or with a method to begin another exchange while attached. Answer: kContinue
/// with octets for the peer. At the end, that of Attach while it has none; later kOk, or why not.
struct Authenticate {
  Ticket ticket = 0;
  Bytes octets;
  std::string_view method;  ///< empty: the exchange goes on
};

/// The connection is done with its subscriber; inflight goes home. Emitted in on_close, or before.
struct Detach {
  Inflight inflight;
  bool discard_will = false;
  std::optional<std::uint32_t> expiry_s;  ///< instead of what Attach said
};

struct Publish {
  model::Message message;
  Ticket ticket = 0;  ///< answered when it is safe to acknowledge
};

/// Answer: kOk with the granted guarantee; or why not. Retained values come after the answer.
struct Subscribe {
  std::string_view filter;
  model::SubscriptionOptions options;
  Ticket ticket = 0;
};

/// Answer: kOk, or kNotFound when there was no such subscription.
struct Unsubscribe {
  std::string_view filter;
  Ticket ticket = 0;
};

/// `count` more deliveries of at least once or better may come. At most once needs no credit.
struct Credit {
  std::uint32_t count = 0;
};

/// The deliveries first..last (both in) are over. `credit` of them may be replaced by new ones.
struct Settle {
  model::Tag first = 0;
  model::Tag last = 0;
  model::Outcome outcome = model::Outcome::kAccept;
  std::uint32_t credit = 0;
  std::uint8_t code = 0;  ///< of the protocol, with kReject in the client role
};

// Exactly once, of a subscriber that is kept (Answer::kept): what the peer may hear next has to
// survive a stop first. Answer to both: kOk, once it does.

/// The peer has the delivery `tag`; its exchange goes on, and the delivery is settled at its end.
struct Release {
  model::Tag tag = 0;
  Ticket ticket = 0;
};
/// The publication that the peer named `packet_id` is over: the id is free.
struct EndExchange {
  std::uint16_t packet_id = 0;
  Ticket ticket = 0;
};

/// The last value of a topic. Answer: kOk with `value`; kNotFound; kNotAuthorized. With the first
/// two also `declared`.
struct Lookup {
  std::string_view topic;
  Ticket ticket = 0;
};

// What follows is asked of the shard that owns the topic, and so is Lookup: they take effect in the
// order in which one connection asks for them. A publication that was answered before has had its
// effect; one that is still under way may be overtaken.

/// Publishes `message` where its topic's value has the version `instead_of`; 0: where it has none.
/// The message lives until the effect has been executed. Answer: as to Publish; kOutdated: the
/// value is another one, and nothing was published.
struct Replace {
  const model::Message* message = nullptr;
  std::uint64_t instead_of = 0;
  Ticket ticket = 0;
};

/// Says what a topic is. Answer: kOk with `declared`; kAlreadyExists (kCreate); kNotFound (the
/// other modes: neither declared nor a value); kBadName; kTooLarge; kQuotaExceeded; kNotAuthorized,
/// for who may not publish to it. A topic whose day is over is undeclared at once.
struct Declare {
  using Mode = model::DeclareMode;
  Ticket ticket = 0;
  std::string_view topic;
  const model::TopicProperties* properties = nullptr;
  Mode mode = Mode::kCreate;
  model::TopicMembers members = 0;  ///< kPatch: those that are given
};

/// Takes back what a topic was declared to be and clears its value, as an empty retained
/// publication does. Answer: kOk; kNotFound when there was neither; kNotAuthorized, for who may not
/// publish to it.
struct Undeclare {
  Ticket ticket = 0;
  std::string_view topic;
};

/// Topics that match `filter` and that the asker may read, in order (level by level), after the
/// topic `after` (empty: from the start). What begins with '$' is among them only when the filter
/// begins so. Answer: kOk with `page`, of `count_max` topics at most; kUnavailable when too
/// many lists are under way. A page may be empty and not the last.
struct List {
  Ticket ticket = 0;
  std::string_view filter;
  std::string_view after;
  std::uint32_t count_max = 1;
  model::TopicSelection selection = model::TopicSelection::kAny;
};

/// Takes a seat among those who observe a declared topic, one a connection; again: the same seat,
/// with another ticket. Answer: kOk with `declared`; kNotFound: not declared; kQuotaExceeded: no
/// seat is free; kNotAuthorized, for who may not read it. After kOk the ticket is answered again
/// whenever the declaration changes: kOk with the new one, or the seat is gone: kQuotaExceeded, as
/// there are fewer; kNotFound, as the topic is not declared any more. Ends with the connection.
struct Watch {
  Ticket ticket = 0;
  std::string_view topic;
};

/// Gives the seat back, or takes the wish for one back. Its ticket is not answered any more.
struct Unwatch {
  std::string_view topic;
};

/// For the log: the rule that a packet breaks, and at which of its octets.
struct BrokenRule {
  const char* statement = "";  ///< of the protocol, a literal; empty: none, or not known
  std::size_t offset = 0;
};

/// End the connection once its output has been written; on_close follows.
struct Close {
  model::Reason reason = model::Reason::kOk;
  std::uint8_t code = 0;         ///< client role: of the protocol, when the peer said why it ends
  BrokenRule broken;             ///< server role: what the peer has done wrong, where that is known
  std::string_view advice = "";  ///< server role: for the log, a literal; what to do about it
};

// --- told to the owner of a client-role session ---

/// The handshake is over; `code` is the protocol's own return code.
struct Opened {
  model::Reason reason = model::Reason::kOk;
  std::uint8_t code = 0;
  bool session_present = false;
};

/// A request of this side is answered. `granted` for subscriptions; `value` for requests that read.
struct Completed {
  Ticket ticket = 0;
  model::Reason reason = model::Reason::kOk;
  std::uint8_t code = 0;
  model::Guarantee granted = model::Guarantee::kAtMostOnce;
  const model::Message* value = nullptr;  ///< lives until the list has been executed
};

using Effect = std::variant<Attach, Authenticate, Detach, Publish, Subscribe, Unsubscribe, Credit,
                            Settle, Release, EndExchange, Lookup, Replace, Declare, Undeclare, List,
                            Watch, Unwatch, Close, Opened, Completed>;

/// Index and generation of a connection on its shard.
struct ConnectionId {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  bool operator==(const ConnectionId&) const = default;
};

/// An effect and who wants it.
struct EffectRecord {
  /// Makes the effect E in its place: what a hot path appends is not copied.
  template <typename E, typename... Args>
  EffectRecord(ConnectionId wanted_by, std::in_place_type_t<E> type, Args&&... args)
      : connection(wanted_by), effect(type, std::forward<Args>(args)...) {}

  ConnectionId connection;
  Effect effect;
};

/// The list of one shard, reused from turn to turn.
using EffectList = std::vector<EffectRecord>;

/// What one input of one session may use. Cheap to make, borrowed for the call.
class Effects {
 public:
  Effects(ConnectionId connection, Output& output, EffectList& list)
      : connection_(connection), output_(&output), list_(&list) {}
  Effects(ConnectionId connection, DatagramSink& datagrams, EffectList& list)
      : connection_(connection), datagrams_(&datagrams), list_(&list) {}

  /// The connection's output; stream sessions only.
  [[nodiscard]] Output& output() { return *output_; }
  /// The way to the peer; datagram sessions only.
  [[nodiscard]] DatagramSink& datagrams() { return *datagrams_; }

  /// Appends an E with default members, to be filled where it stands; lives until the next effect.
  template <typename E>
  E& append() {
    return *std::get_if<E>(&list_->emplace_back(connection_, std::in_place_type<E>).effect);
  }
  template <typename E>
  void push(E effect) {
    list_->emplace_back(connection_, std::in_place_type<E>, std::move(effect));
  }
  void publish(const model::Message& message, Ticket ticket) {
    Publish& effect = append<Publish>();
    effect.message = message;
    effect.ticket = ticket;
  }
  void close(model::Reason reason) { push(Close{reason}); }

  /// Counts packets of a stream, for the broker's statistics: once for what is read or written
  /// together.
  void note_received(std::size_t packets) { received_ += packets; }
  void note_sent(std::size_t packets) { sent_ += packets; }
  [[nodiscard]] std::size_t received() const { return received_; }
  [[nodiscard]] std::size_t sent() const { return sent_; }

  /// Octets just written to a stream that may wait a few turns for more of their kind, if the owner
  /// is busy: deliveries and what follows from them. What a peer waits for may not.
  void note_patient(std::size_t octets) { patient_ += octets; }
  [[nodiscard]] std::size_t patient() const { return patient_; }

  /// Settles one delivery, `credit` (0 or 1) goes back with it; joins the record before it where it
  /// can.
  void accept(model::Tag tag, std::uint32_t credit) {
    if (auto* last = last_of<Settle>();
        last != nullptr && last->last + 1 == tag && last->outcome == model::Outcome::kAccept) {
      last->last = tag;
      last->credit += credit;
      return;
    }
    push(Settle{tag, tag, model::Outcome::kAccept, credit});
  }
  void credit(std::uint32_t count) {
    if (auto* last = last_of<Credit>(); last != nullptr) {
      last->count += count;
      return;
    }
    push(Credit{count});
  }

 private:
  template <typename E>
  E* last_of() {
    if (list_->empty() || list_->back().connection != connection_) return nullptr;
    return std::get_if<E>(&list_->back().effect);
  }

  ConnectionId connection_;
  Output* output_ = nullptr;
  DatagramSink* datagrams_ = nullptr;
  EffectList* list_;
  std::size_t received_ = 0;
  std::size_t sent_ = 0;
  std::size_t patient_ = 0;
};

}  // namespace hermod::session
