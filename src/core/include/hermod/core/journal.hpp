// SPDX-License-Identifier: Apache-2.0
// Where everything is written that must survive a stop, before it is acknowledged. Implemented
// above core, by the store; docs/decisions/0010-store.md tells the whole.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/model/delivery.hpp"
#include "hermod/model/message.hpp"
#include "hermod/model/subscription.hpp"
#include "hermod/model/topic_properties.hpp"

namespace hermod::core {

/// Numbers batches that are written together, ascending from 1. Those of all shards are one line.
using CommitNumber = std::uint64_t;

/// Names a lasting subscriber's queue to the store; never used twice. 0: it is not kept.
using QueueId = std::uint64_t;

/// Where a message lies in the store; 0: nowhere.
using Position = model::Position;

/// Names an exchange of a publisher that is kept (model::Origin::exchange).
[[nodiscard]] constexpr std::uint64_t exchange_of(QueueId publisher, std::uint16_t packet_id) {
  return publisher << 16 | packet_id;
}

/// In place of a packet id: the exchange of a subscriber's will that is being published.
inline constexpr std::uint16_t kWillExchange = 0;

/// One queue that gets the messages of a run, or the first of them.
struct Recipient {
  QueueId queue = 0;
  model::Tag tag = 0;       ///< of the run's first message; the others' follow
  std::uint32_t count = 0;  ///< as many messages of the run, from its begin
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;  ///< what was granted
  bool retain_as_published = false;
  std::span<const std::uint32_t> subscription_ids;
};

/// An entry of a queue; queue 0: none.
struct QueuePlace {
  QueueId queue = 0;
  model::Tag tag = 0;
};

/// Messages of one publisher that go to the same queues. An exchange that Origin names is kept with
/// its message until it is closed.
struct Run {
  std::span<const model::Message* const> messages;
  std::span<const Recipient> recipients;
  /// The only message was there until now, and is settled there.
  QueuePlace moved_from{};
};

// --- housekeeping, which the store asks a shard for ---

/// A record that is to be written again where it is still referred to: it lies among much that is
/// not. Either of a queue, or the value of a topic.
struct Stale {
  Position position = 0;
  QueueId queue = 0;  ///< 0: the value of `topic`
  model::Tag tag = 0;
  std::string topic;
};

struct TagRange {
  model::Tag first = 0;
  model::Tag last = 0;  ///< in it
  bool operator==(const TagRange&) const = default;
};

/// An exchange of exactly once that a publisher has open.
struct OpenExchange {
  std::uint16_t packet_id = 0;
  /// Its message is safe wherever it belongs: when it comes again, it is for nobody.
  bool complete = false;
  /// Not complete: queues that have its message. When it comes again, it is for the others.
  std::vector<QueueId> queues;
  bool operator==(const OpenExchange&) const = default;
};

/// How a queue stands: what the log needs to forget what was said of it before.
struct Standing {
  QueueId queue = 0;
  model::Tag floor = 0;                 ///< the first that is not settled
  model::Tag next = 0;                  ///< that will be given out; not below `floor`
  std::vector<TagRange> settled;        ///< above the floor, ascending
  std::vector<model::Tag> released;     ///< not below the floor, ascending
  std::vector<OpenExchange> exchanges;  ///< of its subscriber as a publisher
  bool operator==(const Standing&) const = default;
};

// --- metadata: small, and seldom changed ---

/// A will as it is kept.
struct KeptWill {
  model::MessageRef message;
  std::uint32_t delay_s = 0;
  std::optional<std::uint32_t> expiry_s;
  Instant due = kNever;  ///< while its client is away
};
/// The subscriber is there, and is as this says.
struct KeepSubscriber {
  QueueId queue = 0;
  std::string name;  ///< client id, or a group's name
  bool group = false;
  std::uint32_t expiry_s = 0;
  Instant expires_at = kNever;  ///< while it is away
  bool away = false;
  std::optional<std::string> user;  ///< whose it is
  std::string listener;             ///< that it came by, as the settings name it
  std::optional<KeptWill> will;
};
/// It has ended, with everything that belongs to it.
struct ForgetSubscriber {
  QueueId queue = 0;
};
/// `filter` may be a group's: then it is a membership.
struct KeepSubscription {
  QueueId queue = 0;
  std::string filter;
  model::SubscriptionOptions options;
};
struct ForgetSubscription {
  QueueId queue = 0;
  std::string filter;
};
struct KeepDeclaration {
  std::string topic;
  model::TopicProperties properties;
};
struct ForgetDeclaration {
  std::string topic;
};
using Change = std::variant<KeepSubscriber, ForgetSubscriber, KeepSubscription, ForgetSubscription,
                            KeepDeclaration, ForgetDeclaration>;

/// One per shard. Not thread-safe; an implementation with a writer thread makes the shard's poller
/// wake when committed() has moved.
class Journal {
 public:
  enum class State : std::uint8_t {
    kNothing,  ///< nothing is kept: the broker is ephemeral
    kWell,
    kFull,    ///< no room: what would have to be kept must be refused until there is
    kSealed,  ///< a write was lost: nothing will be committed any more
  };

  virtual ~Journal() = default;
  [[nodiscard]] virtual State state() const = 0;
  /// A queue that nobody had before.
  [[nodiscard]] virtual QueueId new_queue() = 0;

  // What follows takes effect all together, or not at all, with everything of the same commit
  // number. Arguments are borrowed for the call.

  /// Keeps messages for queues. `positions`, one for each message, is filled; each refers to its
  /// message `Recipient::count` times, see let_go().
  virtual CommitNumber append(const Run& run, std::span<Position> positions) = 0;
  /// Keeps the value of a topic, or that it was cleared (no payload). `position` of a value is
  /// referred to once.
  virtual CommitNumber retain(const model::Message& message, Position& position) = 0;
  /// Deliveries first..last (both in) are over. Lazy: nothing need wait for it.
  virtual void settle(QueueId queue, model::Tag first, model::Tag last) = 0;
  /// The same, for what may go on once it is committed. `position` is referred to once: by whoever
  /// settles it again, when all who said how the queue stands have heard of it.
  virtual CommitNumber take_out(QueuePlace place, Position& position) = 0;
  /// Exactly once: the subscriber has the message; until it is settled its packet id lives on.
  virtual CommitNumber release(QueueId queue, model::Tag tag) = 0;
  /// Exactly once: the publisher's packet id is free again.
  virtual CommitNumber close(std::uint64_t exchange) = 0;
  virtual CommitNumber change(Change change) = 0;

  /// A place is referred to once less.
  virtual void let_go(Position position) = 0;
  /// What lies at a place that is committed: no message when it is damaged, which has been counted
  /// and logged; nothing when it cannot be read now.
  [[nodiscard]] virtual std::optional<model::MessageRef> read(Position position) = 0;

  /// Records to be written again, if they are still referred to, about `count_max`: empty, nearly
  /// always.
  [[nodiscard]] virtual std::vector<Stale> take_stale(std::size_t count_max) = 0;
  /// Whether the standing of all queues is to be said again: each by check(), in several steps if
  /// they are many.
  [[nodiscard]] virtual bool wants_check() = 0;
  virtual void check(const Standing& standing) = 0;
  /// The end of a step, before anything changes. `last`: all is said.
  virtual void end_check(bool last) = 0;

  /// What was given since the last call may be written now: the end of a turn. `waits`: the shard
  /// wants to be woken when committed() is above `heard`, which all that waits has heard of.
  virtual void submit(bool waits, CommitNumber heard) = 0;
  /// Everything up to this number is safe. 0 at the start.
  [[nodiscard]] virtual CommitNumber committed() const = 0;
  /// False when much waits to be written: nothing more should be read that has to be kept.
  [[nodiscard]] virtual bool has_room() const = 0;
};

/// Keeps nothing, and has done so at once: the broker is ephemeral.
class NullJournal final : public Journal {
 public:
  [[nodiscard]] State state() const override { return State::kNothing; }
  [[nodiscard]] QueueId new_queue() override { return 0; }
  CommitNumber append(const Run&, std::span<Position>) override { return 0; }
  CommitNumber retain(const model::Message&, Position&) override { return 0; }
  void settle(QueueId, model::Tag, model::Tag) override {}
  CommitNumber take_out(QueuePlace, Position&) override { return 0; }
  CommitNumber release(QueueId, model::Tag) override { return 0; }
  CommitNumber close(std::uint64_t) override { return 0; }
  CommitNumber change(Change) override { return 0; }
  void let_go(Position) override {}
  [[nodiscard]] std::optional<model::MessageRef> read(Position) override { return std::nullopt; }
  [[nodiscard]] std::vector<Stale> take_stale(std::size_t) override { return {}; }
  [[nodiscard]] bool wants_check() override { return false; }
  void check(const Standing&) override {}
  void end_check(bool) override {}
  void submit(bool, CommitNumber) override {}
  [[nodiscard]] CommitNumber committed() const override { return 0; }
  [[nodiscard]] bool has_room() const override { return true; }
};

}  // namespace hermod::core
