// SPDX-License-Identifier: Apache-2.0
// Groups in the core: what their owner does with them, and what a member's shard does.
#include <algorithm>
#include <utility>

#include "hermod/base/assert.hpp"
#include "hermod/core/core.hpp"

namespace hermod::core {

using model::Guarantee;
using model::Reason;

// --- the owner's side ---

Core::Group Core::join_group(std::string_view name, const MemberRef& member, bool durable) {
  router_.flush();
  auto found = groups_.find(name);
  if (found == groups_.end()) {
    if (subscribers_.size() >= limits_.subscribers_max) return {.reason = Reason::kQuotaExceeded};
    const SubscriberIndex index = subscribers_.add({});
    const GroupKey key{index, subscribers_.generation(index)};
    subscribers_[index].group = std::make_unique<core::Group>(name, key);
    found = groups_.emplace(name, index).first;
    // Each member's own options count when its message reaches it.
    const Subscribed subscribed =
        subscribe(index, parse_group(name)->filter,
                  {.guarantee_max = Guarantee::kExactlyOnce, .retain_as_published = true});
    HERMOD_ASSERT(subscribed.reason == Reason::kOk);
  }
  Subscriber& subscriber = subscribers_[found->second];
  subscriber.group->join(member, durable);
  subscriber.expiry_s = subscriber.group->durable() ? UINT32_MAX : 0;
  return {.key = subscriber.group->key()};
}

void Core::group_grant(GroupKey group, const MemberRef& member, std::uint32_t count) {
  if (!holds(group.index, group.generation)) return;
  router_.flush();
  Subscriber& subscriber = subscribers_[group.index];
  subscriber.group->grant(member, count);
  router_.pump(subscriber);
}

SubscriberIndex Core::group_return(std::string_view name, const MemberRef& member,
                                   std::vector<Returned> messages, bool leaves) {
  router_.flush();
  const auto found = groups_.find(name);
  if (found == groups_.end()) return Subscribers::kNone;
  const SubscriberIndex index = found->second;
  Subscriber& subscriber = subscribers_[index];
  if (leaves && subscriber.group->leave(member)) {  // the last one
    groups_.erase(found);
    forget(index);
    return index;
  }
  if (!leaves) subscriber.group->pause(member);
  subscriber.expiry_s = subscriber.group->durable() ? UINT32_MAX : 0;
  for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
    put_back(subscriber, std::move(*message));
  }
  router_.pump(subscriber);
  return Subscribers::kNone;
}

void Core::group_return(GroupKey group, Returned message) {
  if (!holds(group.index, group.generation)) return;
  router_.flush();
  Subscriber& subscriber = subscribers_[group.index];
  put_back(subscriber, std::move(message));
  router_.pump(subscriber);
}

void Core::put_back(Subscriber& subscriber, Returned message) {
  Queue::Entry entry{.message = std::move(message.message)};
  entry.marks.guarantee = entry.message->guarantee;
  entry.marks.retain = entry.message->retain;
  entry.marks.delivered = message.delivered;
  subscriber.queue.push_front(std::move(entry));
}

// --- a member's side ---

MemberRef Core::member_ref(SubscriberIndex index, std::size_t membership) const {
  return {.shard = place_.shard,
          .membership = static_cast<std::uint16_t>(membership),
          .subscriber = index,
          .generation = subscribers_.generation(index)};
}

Core::Member Core::enter_group(SubscriberIndex index, std::string_view name,
                               const model::SubscriptionOptions& options, bool restored) {
  Subscriber& subscriber = subscribers_[index];
  if (!subscriber.memberships) {
    subscriber.memberships = std::make_unique<std::vector<Membership>>();
  }
  std::vector<Membership>& list = *subscriber.memberships;
  auto place = std::ranges::find(list, name, &Membership::name);
  if (place == list.end()) {
    if (subscriber.subscriptions.size() + list.size() >= limits_.subscriptions_max ||
        list.size() >= UINT16_MAX - 1) {
      return {.reason = Reason::kQuotaExceeded};
    }
    place = std::ranges::find(list, std::string_view{}, &Membership::name);
    if (place == list.end()) place = list.emplace(list.end());
    *place = {.name = std::string{name}, .owner = owner_of(name)};
  }
  place->options = options;
  if (!restored && subscriber.kept_as != 0) {
    note(KeepSubscription{subscriber.kept_as, std::string{name}, options});
  }
  return {.ref = member_ref(index, static_cast<std::size_t>(place - list.begin())),
          .owner = place->owner};
}

void Core::group_joined(std::string_view name, const MemberRef& member, GroupKey group) {
  if (!holds(member.subscriber, member.generation)) return;
  Subscriber& subscriber = subscribers_[member.subscriber];
  Membership& membership = (*subscriber.memberships)[member.membership];
  if (membership.name != name) return;  // left meanwhile
  const bool known = membership.joined && membership.key == group;
  membership.key = group;
  membership.joined = true;
  if (!known && subscriber.attached()) {
    outlet_.grant(membership.owner, group, member, kGroupWindow);
  }
}

bool Core::deliver_from_group(const MemberRef& member, GroupKey group,
                              const model::Delivery& delivery) {
  if (!holds(member.subscriber, member.generation)) return false;
  Subscriber& subscriber = subscribers_[member.subscriber];
  if (!subscriber.attached()) return false;
  const Membership& membership = (*subscriber.memberships)[member.membership];
  if (membership.name.empty() || membership.key != group) return false;
  router_.flush();
  router_.enqueue_from_group(subscriber, member.membership, delivery);
  pump(member.subscriber);
  return true;
}

// Gives the credit of what is over back to the groups, half a window at a time.
void Core::return_credit(SubscriberIndex index) {
  Subscriber& subscriber = subscribers_[index];
  for (const std::uint16_t group : subscriber.queue.take_freed()) {
    Membership& membership = (*subscriber.memberships)[group - 1];
    if (membership.name.empty() || ++membership.freed < kGroupWindow / 2) continue;
    outlet_.grant(membership.owner, membership.key, member_ref(index, group - 1),
                  std::exchange(membership.freed, 0));
  }
}

// While it is connected, what was sent stays with it.
Reason Core::leave_group(SubscriberIndex index, std::string_view name) {
  Subscriber& subscriber = subscribers_[index];
  if (!subscriber.memberships) return Reason::kNotFound;
  const auto place = std::ranges::find(*subscriber.memberships, name, &Membership::name);
  if (place == subscriber.memberships->end()) return Reason::kNotFound;
  const auto number = static_cast<std::size_t>(place - subscriber.memberships->begin());
  std::vector<Returned> messages;
  subscriber.queue.withdraw(
      static_cast<std::uint16_t>(number + 1), false, true,
      [&](model::Tag, Queue::Entry& entry) { messages.push_back({entry.message.ref(), false}); });
  if (subscriber.kept_as != 0) note(ForgetSubscription{subscriber.kept_as, std::string{name}});
  outlet_.give_back(place->owner, name, member_ref(index, number), std::move(messages), true);
  *place = {};
  return Reason::kOk;
}

// The connection has gone, perhaps the subscriber goes too. What was sent exactly once stays with
// it, or ends with it [MQTT-4.8.2-4], [MQTT-4.8.2-5]; the ids of packets that go to others are
// free.
void Core::return_groups(SubscriberIndex index, model::Inflight& inflight, bool leaves) {
  Subscriber& subscriber = subscribers_[index];
  if (!subscriber.memberships) return;
  for (std::size_t i = 0; i < subscriber.memberships->size(); ++i) {
    Membership& membership = (*subscriber.memberships)[i];
    if (membership.name.empty()) continue;
    membership.freed = 0;
    std::vector<Returned> messages;
    subscriber.queue.withdraw(static_cast<std::uint16_t>(i + 1), true, leaves,
                              [&](model::Tag tag, Queue::Entry& entry) {
                                messages.push_back({entry.message.ref(), entry.marks.delivered});
                                if (const auto* sent = inflight.find_tag(tag)) {
                                  inflight.finish(sent->id);
                                }
                              });
    outlet_.give_back(membership.owner, membership.name, member_ref(index, i), std::move(messages),
                      leaves);
  }
}

// Back again: the window is open but for what was sent exactly once and is not over.
void Core::resume_groups(SubscriberIndex index) {
  Subscriber& subscriber = subscribers_[index];
  if (!subscriber.memberships) return;
  for (std::size_t i = 0; i < subscriber.memberships->size(); ++i) {
    const Membership& membership = (*subscriber.memberships)[i];
    if (membership.name.empty() || !membership.joined) continue;
    const std::size_t held = subscriber.queue.held(static_cast<std::uint16_t>(i + 1));
    outlet_.grant(
        membership.owner, membership.key, member_ref(index, i),
        kGroupWindow - static_cast<std::uint32_t>(std::min<std::size_t>(held, kGroupWindow)));
  }
}

}  // namespace hermod::core
