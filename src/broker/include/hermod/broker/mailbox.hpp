// SPDX-License-Identifier: Apache-2.0
// How shards talk: for each ordered pair one queue of batches, each batch the letters of one loop
// turn. Lock-free, order kept, one wake a batch. Publications lie in the batch, in few allocations;
// what else letters carry they own: a MessageRef in a letter has no other owner, so that its count
// moves with it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "hermod/broker/counts.hpp"
#include "hermod/broker/sources.hpp"
#include "hermod/core/core.hpp"
#include "hermod/core/group.hpp"
#include "hermod/model/message.hpp"
#include "hermod/transport/stream.hpp"

namespace hermod::broker {

inline constexpr std::uint16_t kShardsMax = 64;

/// Names a request of one shard until its answer comes.
using RequestId = std::uint64_t;

/// A publication. A large payload stays the sender's and comes back as `lent` (see GiveBack).
struct Forward {
  const model::Message* message = nullptr;  ///< in the batch's block, or `kept`
  model::MessageRef kept;                   ///< by the reader, or of a letter to itself
  Bytes lent_payload;
  std::uint32_t lent = 0;  ///< 0: nothing is lent
  bool for_subscribers = false;
  bool for_retained = false;

  /// Whether the sender waits until the receiver has written what is to be kept of it.
  [[nodiscard]] static bool is_awaited(const model::Message& message, bool for_retained) {
    return for_retained || message.guarantee != model::Guarantee::kAtMostOnce;
  }
};

/// Of the publications that the receiver of this letter has sent to be kept, so many are written;
/// `commit` covers them.
struct Kept {
  std::uint64_t count = 0;
  core::CommitNumber commit = 0;
};

/// An exactly-once publication of an earlier run is over (core::Core::forget_exchange).
struct ExchangeOver {
  std::uint64_t name = 0;
};

/// Payloads lent by the receiver of this letter are free again.
struct GiveBack {
  std::vector<std::uint32_t> lent;
};

/// The sender has (or has no longer) subscribers for `filter`. Answered by InterestKnown when
/// `request` is not 0.
struct Interest {
  std::string filter;
  bool interested = true;
  RequestId request = 0;
};
struct InterestKnown {
  RequestId request = 0;
  core::Stamp stamp =
      0;  ///< what was published there up to now did not take the interest into account
};

/// One page of retained values that match `filter`, after the topic `after`.
struct RetainedRequest {
  std::string filter;
  std::string after;
  RequestId request = 0;
};
struct RetainedPage {
  RequestId request = 0;
  std::vector<model::MessageRef> values;
  std::string next;  ///< continue after this topic; empty: that was all
};

/// Questions about one topic, to its owner: its last value and what it is declared to be; to
/// declare it; to undeclare it. Each is answered by TopicReply.
struct LookupRequest {
  std::string topic;
  RequestId request = 0;
};
struct DeclareRequest {
  std::string topic;
  std::unique_ptr<core::Declaration> wanted;
  RequestId request = 0;
};
struct UndeclareRequest {
  std::string topic;
  RequestId request = 0;
};
/// Publishes `message` where the value of its topic, which the receiver owns, has the version
/// `instead_of`, 0: where there is none. Answered by TopicReply.
struct ReplaceRequest {
  model::MessageRef message;
  std::uint64_t instead_of = 0;
  RequestId request = 0;
};
struct TopicReply {
  RequestId request = 0;
  model::Reason reason = model::Reason::kOk;
  core::Stamp stamp = 0;                             ///< what was published there is not younger
  model::MessageRef value;                           ///< empty: none
  std::unique_ptr<model::TopicProperties> declared;  ///< empty: it is not
};

/// One page of topics, of those that one shard owns.
struct ListRequest {
  std::string filter;
  std::string after;
  std::uint32_t count_max = 1;
  model::TopicSelection selection = model::TopicSelection::kAny;
  RequestId request = 0;
};
struct ListReply {
  RequestId request = 0;
  core::TopicPage page;
};

/// A connection of the sender wants a seat among those who observe a topic; the number is the
/// sender's. The owner answers by WatchNews, at once and whenever there are news, until it or
/// WatchEnd ends it.
struct WatchRequest {
  std::string topic;
  RequestId watch = 0;
  RequestId instead_of = 0;  ///< an earlier number of the same connection; 0: none
};
struct WatchEnd {
  std::string topic;
  RequestId watch = 0;
};
struct WatchNews {
  std::vector<RequestId> watches;
  model::Reason reason = model::Reason::kOk;  ///< any other: the seats are gone
  std::unique_ptr<model::TopicProperties> declared;
};

/// `member` wants to belong to the group `name`. Answered by GroupJoined.
struct GroupJoin {
  std::string name;
  core::MemberRef member;
  bool durable = false;
  RequestId request = 0;
};
struct GroupJoined {
  std::string name;
  core::MemberRef member;
  core::GroupKey group;
  core::QueueId queue = 0;        ///< of the group in the store
  core::CommitNumber commit = 0;  ///< by which the store knows the group
  model::Reason reason = model::Reason::kOk;
  RequestId request = 0;
};
/// A member takes `count` more messages, and is done with those of the group's tags.
struct GroupGrant {
  core::GroupKey group;
  core::MemberRef member;
  std::uint32_t count = 0;
  std::vector<model::Tag> done;
};
/// A group's message for one member.
struct GroupDelivery {
  Forward content;
  core::GroupKey group;
  core::MemberRef member;
  core::QueuePlace place;  ///< where the group has it
  bool redelivered = false;
};
/// A member is away, or `leaves`: its messages are for others.
struct GroupReturn {
  std::string name;
  core::GroupKey group;
  core::MemberRef member;
  std::vector<core::Returned> messages;
  bool leaves = false;
};
/// A message that met no member.
struct GroupRefusal {
  core::GroupKey group;
  core::Returned message;
};

/// A connection moves with everything it has sent so far.
struct Handover {
  std::unique_ptr<transport::Stream> stream;
  std::vector<std::uint8_t> unread;
  std::uint16_t listener = 0;
  Source source = 0;  ///< that it is counted for
};

/// The first shard gathers what all have counted.
struct CountsRequest {};
struct CountsReply {
  std::unique_ptr<Counts> counts;
};

using Letter =
    std::variant<Forward, Kept, ExchangeOver, GiveBack, Interest, InterestKnown, RetainedRequest,
                 RetainedPage, LookupRequest, DeclareRequest, UndeclareRequest, ReplaceRequest,
                 TopicReply, ListRequest, ListReply, WatchRequest, WatchEnd, WatchNews, GroupJoin,
                 GroupJoined, GroupGrant, GroupDelivery, GroupReturn, GroupRefusal, Handover,
                 CountsRequest, CountsReply>;

/// The letters of one turn from one shard to another.
struct Batch {
  std::vector<Letter> letters;
  model::MessageBlock messages;  ///< that the letters refer to
  std::size_t bytes = 0;         ///< payload octets in them
  Batch* next = nullptr;
};

/// From one shard to one other.
class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox();

  /// Sender: hands the batch over. True when the mailbox was empty: wake the receiver.
  [[nodiscard]] bool put(std::unique_ptr<Batch> batch);
  /// Receiver: takes everything, oldest first; nullptr when there is nothing.
  [[nodiscard]] Batch* take();
  /// Receiver: a batch has been worked off. True when the sender waits for room and has it now.
  [[nodiscard]] bool finish(const Batch& batch);

  /// Sender: letters on their way and not worked off.
  [[nodiscard]] std::size_t letters() const { return letters_.load(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_.load(); }
  /// Sender: asks to be woken once there is room.
  void wait_for_room() { waiting_.store(true); }

 private:
  std::atomic<Batch*> head_ = nullptr;  // newest first
  std::atomic<std::size_t> letters_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<bool> waiting_ = false;
};

/// All mailboxes of a broker, made before its shards. Indexed by sender and receiver.
class Mailroom {
 public:
  explicit Mailroom(std::uint16_t shards)
      : shards_(shards), boxes_(std::make_unique<Mailbox[]>(std::size_t{shards} * shards)) {}
  [[nodiscard]] Mailbox& between(std::uint16_t from, std::uint16_t to) {
    return boxes_[std::size_t{from} * shards_ + to];
  }
  [[nodiscard]] std::uint16_t shards() const { return shards_; }

 private:
  std::uint16_t shards_;
  std::unique_ptr<Mailbox[]> boxes_;
};

}  // namespace hermod::broker
