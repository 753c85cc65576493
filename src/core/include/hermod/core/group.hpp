// SPDX-License-Identifier: Apache-2.0
// Groups: subscribers that share a subscription, each message to one of them ($share, MQTT 5
// §4.8.2). A group is a subscriber of the shard that owns its name; here is who its members are and
// whose turn it is, and what they have got and not done with: it is the group's until then.
// docs/decisions/0005-groups.md tells the whole.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/core/journal.hpp"
#include "hermod/core/queue.hpp"
#include "hermod/core/topic_tree.hpp"
#include "hermod/model/delivery.hpp"
#include "hermod/model/subscription.hpp"

namespace hermod::core {

/// "$share/NAME/FILTER" in its parts. Views of the text.
struct GroupName {
  std::string_view share;
  std::string_view filter;  ///< not checked
};
/// The parts, when the text begins as a group's does. Nothing when the share name is empty or holds
/// a wildcard, or no filter follows [MQTT-4.8.2-1], [MQTT-4.8.2-2].
[[nodiscard]] std::optional<GroupName> parse_group(std::string_view text);
[[nodiscard]] inline bool is_group(std::string_view text) {
  return text.starts_with("$share/");
}

/// Names a group to its members' shards.
struct GroupKey {
  SubscriberIndex index = UINT32_MAX;
  std::uint32_t generation = 0;
  bool operator==(const GroupKey&) const = default;
};

/// Names a member to its group: a subscriber of some shard, and which of its memberships this is.
struct MemberRef {
  std::uint16_t shard = 0;
  std::uint16_t membership = 0;
  SubscriberIndex subscriber = 0;
  std::uint32_t generation = 0;
  bool operator==(const MemberRef&) const = default;
};

/// A message that a member gives back to its group.
struct Returned {
  model::Tag tag = 0;      ///< in the group's queue
  bool delivered = false;  ///< was sent to somebody: the next delivery is a repetition
};

/// Group and members, at the owner.
class Group {
 public:
  Group(std::string_view name, GroupKey key) : name_(name), key_(key) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] GroupKey key() const { return key_; }

  /// Adds a member without credit; one that is there stays as it is.
  void join(const MemberRef& member, bool durable);
  /// True when it was the last one.
  bool leave(const MemberRef& member);
  /// The member is connected and takes `count` more messages. Ignored when it is no member.
  void grant(const MemberRef& member, std::uint32_t count);
  /// The member is away: it takes nothing.
  void pause(const MemberRef& member);
  /// Whether some member takes a message.
  [[nodiscard]] bool has_credit() const { return credit_ > 0; }
  /// The next member in turn that does, one credit of whose is used up. There must be one.
  [[nodiscard]] const MemberRef& next();

  /// A message that a member gets; its tag is one of the group's queue.
  struct Lent {
    model::Tag tag = 0;
    const Queue::Entry* entry = nullptr;
  };
  /// The entry has left the queue for a member.
  Lent lend(model::Tag tag, Queue::Entry entry);
  /// The oldest that was given back goes to a member again; no entry: there is none.
  Lent lend_again();
  /// A member gives it back; ignored when it is not lent.
  void give_back(const Returned& returned);
  /// It is over, and returned; nothing when it is not lent.
  std::optional<Queue::Entry> end(model::Tag tag);
  [[nodiscard]] Queue::Entry* find_lent(model::Tag tag);
  /// Calls `each(tag, entry)`, in no order.
  template <typename Each>
  void for_each_lent(Each&& each) {
    for (auto& [tag, entry] : lent_) each(tag, entry);
  }
  /// The tags of all that are lent or were given back, ascending.
  [[nodiscard]] std::vector<model::Tag> lent() const;
  /// How many were given back, and wait for a member.
  [[nodiscard]] std::size_t returned() const { return returned_.size(); }

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] bool connected() const { return connected_ > 0; }
  /// Somebody of it outlives a connection.
  [[nodiscard]] bool durable() const;

 private:
  struct Member {
    MemberRef ref;
    std::uint32_t credit = 0;
    bool connected = false;
    bool durable = false;
  };
  [[nodiscard]] std::vector<Member>::iterator find(const MemberRef& member);

  std::string name_;
  GroupKey key_;
  std::vector<Member> members_;
  std::size_t turn_ = 0;
  std::size_t connected_ = 0;
  std::size_t credit_ = 0;  // of all members
  // As many as members hold, at most.
  boost::unordered_flat_map<model::Tag, Queue::Entry> lent_;
  std::set<model::Tag> returned_;  // of them
};

/// What a member knows of a group that it belongs to. Its place in the list of its subscriber is
/// the number on the entries that came from the group.
struct Membership {
  std::string name;         ///< of the group; empty: this place is free
  std::uint16_t owner = 0;  ///< shard
  GroupKey key;             ///< once the owner has answered
  bool joined = false;      ///< the owner has answered
  QueueId queue = 0;        ///< of the group in the store; 0: it is not kept
  std::uint32_t freed = 0;  ///< messages done with whose credit has not gone back
  /// What the group lends it: the tag in the member's queue, and that in the group's.
  boost::unordered_flat_map<model::Tag, model::Tag> lent;
  std::vector<model::Tag> done;  ///< with which, as the group does not know yet
  model::SubscriptionOptions options;
};

}  // namespace hermod::core
