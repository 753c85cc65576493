// SPDX-License-Identifier: Apache-2.0
// Groups: subscribers that share a subscription, each message to one of them ($share, MQTT 5
// §4.8.2). A group is a subscriber of the shard that owns its name; here is who its members are and
// whose turn it is. docs/decisions/0005-groups.md tells the whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// A message on its way back to its group.
struct Returned {
  model::MessageRef message;
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
  /// The next member in turn that takes a message, one credit of whose is used up; nullptr when
  /// there is none.
  [[nodiscard]] const MemberRef* next();

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
};

/// What a member knows of a group that it belongs to. Its place in the list of its subscriber is
/// the number on the entries that came from the group.
struct Membership {
  std::string name;         ///< of the group; empty: this place is free
  std::uint16_t owner = 0;  ///< shard
  GroupKey key;             ///< once the owner has answered
  bool joined = false;      ///< the owner has answered
  std::uint32_t freed = 0;  ///< messages done with whose credit has not gone back
  model::SubscriptionOptions options;
};

}  // namespace hermod::core
