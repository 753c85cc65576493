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

SubscriberIndex Core::make_group(std::string_view name) {
  const SubscriberIndex index = subscribers_.add({});
  const GroupKey key{index, subscribers_.generation(index)};
  subscribers_[index].group = std::make_unique<core::Group>(name, key);
  groups_.emplace(name, index);
  // Each member's own options count when its message reaches it.
  const Subscribed subscribed =
      add_subscription(index, parse_group(name)->filter,
                       {.guarantee_max = Guarantee::kExactlyOnce, .retain_as_published = true});
  HERMOD_ASSERT(subscribed.reason == Reason::kOk);
  return index;
}

Core::Group Core::join_group(std::string_view name, const MemberRef& member, bool durable) {
  router_.flush();
  const auto found = groups_.find(name);
  if (found == groups_.end() && subscribers_.size() >= limits_.subscribers_max) {
    return {.reason = Reason::kQuotaExceeded};
  }
  const SubscriberIndex index = found == groups_.end() ? make_group(name) : found->second;
  Subscriber& subscriber = subscribers_[index];
  subscriber.group->join(member, durable);
  set_durable(subscriber);
  return {.key = subscriber.group->key(), .queue = subscriber.kept_as};
}

// A group is kept from its first lasting member on, until it ends.
void Core::set_durable(Subscriber& group) {
  group.expiry_s = group.group->durable() ? UINT32_MAX : 0;
  if (!keeps_ || group.kept_as != 0 || !group.durable()) return;
  group.kept_as = journal_.new_queue();
  kept_.emplace(group.kept_as, group.index);
  note(KeepSubscriber{
      .queue = group.kept_as, .name = group.group->name(), .group = true, .expiry_s = UINT32_MAX});
}

SubscriberIndex Core::restore_group(Restored restored) {
  if (!parse_group(restored.name)) return Subscribers::kNone;
  const SubscriberIndex index = make_group(restored.name);
  Subscriber& subscriber = subscribers_[index];
  subscriber.kept_as = restored.kept_as;
  kept_.emplace(restored.kept_as, index);
  subscriber.queue = std::move(restored.queue);
  router_.watch(subscriber);
  return index;
}

void Core::end_empty_groups() {
  std::vector<std::string> empty;
  for (const auto& [name, index] : groups_) {
    if (subscribers_[index].group->size() == 0) empty.push_back(name);
  }
  for (const std::string& name : empty) end_group(name);
}

void Core::end_group(std::string_view name) {
  const auto found = groups_.find(name);
  const SubscriberIndex index = found->second;
  groups_.erase(found);
  forget(index);
}

void Core::group_grant(GroupKey group, const MemberRef& member, std::uint32_t count,
                       std::span<const model::Tag> done) {
  if (!holds(group.index, group.generation)) return;
  router_.flush();
  Subscriber& subscriber = subscribers_[group.index];
  for (const model::Tag tag : done) end_lent(subscriber, tag);
  if (count > 0) subscriber.group->grant(member, count);
  router_.pump(subscriber);
}

void Core::end_lent(Subscriber& subscriber, model::Tag tag) {
  const std::optional<Queue::Entry> entry = subscriber.group->end(tag);
  if (!entry) return;
  const Position position = Queue::place_of(*entry);
  if (position == 0) return;
  journal_.settle(subscriber.kept_as, tag, tag);
  journal_.let_go(position);
}

SubscriberIndex Core::group_return(std::string_view name, GroupKey group, const MemberRef& member,
                                   std::span<const Returned> messages, bool leaves) {
  router_.flush();
  const auto found = groups_.find(name);
  if (found == groups_.end()) return Subscribers::kNone;
  const SubscriberIndex index = found->second;
  Subscriber& subscriber = subscribers_[index];
  if (leaves && subscriber.group->leave(member)) {  // the last one
    end_group(name);
    return index;
  }
  if (!leaves) subscriber.group->pause(member);
  set_durable(subscriber);
  if (subscriber.group->key() == group) {  // else they are those of one that has ended
    for (const Returned& message : messages) subscriber.group->give_back(message);
  }
  router_.pump(subscriber);
  return Subscribers::kNone;
}

void Core::group_return(GroupKey group, Returned message) {
  if (!holds(group.index, group.generation)) return;
  router_.flush();
  Subscriber& subscriber = subscribers_[group.index];
  subscriber.group->give_back(message);
  router_.pump(subscriber);
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

void Core::group_joined(std::string_view name, const MemberRef& member, const Group& group) {
  if (!holds(member.subscriber, member.generation)) return;
  Subscriber& subscriber = subscribers_[member.subscriber];
  Membership& membership = (*subscriber.memberships)[member.membership];
  if (membership.name != name) return;  // left meanwhile
  const bool known = membership.joined && membership.key == group.key;
  membership.key = group.key;
  membership.queue = group.queue;
  membership.joined = true;
  if (!known && subscriber.attached()) {
    outlet_.grant(membership.owner, group.key, member, kGroupWindow, {});
  }
}

bool Core::deliver_from_group(const MemberRef& member, GroupKey group, QueuePlace place,
                              const model::Delivery& delivery) {
  if (!holds(member.subscriber, member.generation)) return false;
  Subscriber& subscriber = subscribers_[member.subscriber];
  if (!subscriber.attached()) return false;
  Membership& membership = (*subscriber.memberships)[member.membership];
  if (membership.name.empty() || membership.key != group) return false;
  membership.queue = place.queue;  // it may be kept since a lasting member has joined it
  router_.flush();
  router_.enqueue_from_group(subscriber, member.membership, place.tag, delivery);
  pump(member.subscriber);
  return true;
}

// The groups hear of what is over. Credit goes back half a window at a time, and what is over with
// it; at once where a group's queue is kept, so that it is not delivered again after a stop.
void Core::tell_groups(SubscriberIndex index) {
  Subscriber& subscriber = subscribers_[index];
  const std::vector<Queue::Freed> freed = subscriber.queue.take_freed();
  for (auto at = freed.begin(); at != freed.end();) {
    const std::uint16_t group = at->group;
    Membership& membership = (*subscriber.memberships)[group - 1u];
    for (; at != freed.end() && at->group == group; ++at) {
      if (at->over) ++membership.freed;
      if (const auto lent = membership.lent.find(at->tag); lent != membership.lent.end()) {
        membership.done.push_back(lent->second);
        membership.lent.erase(lent);
      }
    }
    if (membership.name.empty()) continue;
    const bool at_once = membership.queue != 0 && !membership.done.empty();
    if (at_once || membership.freed >= kGroupWindow / 2) tell_group(index, group - 1u);
  }
}

void Core::tell_group(SubscriberIndex index, std::size_t number) {
  Membership& membership = (*subscribers_[index].memberships)[number];
  if (membership.freed == 0 && membership.done.empty()) return;
  outlet_.grant(membership.owner, membership.key, member_ref(index, number),
                std::exchange(membership.freed, 0), std::exchange(membership.done, {}));
}

// While it is connected, what was sent stays with it: it is the member's own from now on.
Reason Core::leave_group(SubscriberIndex index, std::string_view name) {
  Subscriber& subscriber = subscribers_[index];
  if (!subscriber.memberships) return Reason::kNotFound;
  const auto place = std::ranges::find(*subscriber.memberships, name, &Membership::name);
  if (place == subscriber.memberships->end()) return Reason::kNotFound;
  const auto number = static_cast<std::size_t>(place - subscriber.memberships->begin());
  std::vector<Returned> messages;
  subscriber.queue.withdraw(static_cast<std::uint16_t>(number + 1),
                            [&](model::Tag tag, Queue::Entry& entry, bool taken) {
                              const auto lent = place->lent.find(tag);
                              if (lent == place->lent.end()) {
                                stay_after_leaving(subscriber, entry);
                                return false;
                              }
                              if (!taken) {
                                messages.push_back({lent->second, entry.marks.delivered});
                                return true;
                              }
                              if (subscriber.kept_as != 0) {
                                router_.adopt(subscriber, tag, entry);
                              } else {
                                place->done.push_back(lent->second);
                              }
                              entry.group = 0;
                              return false;
                            });
  if (subscriber.kept_as != 0) note(ForgetSubscription{subscriber.kept_as, std::string{name}});
  tell_group(index, number);
  outlet_.give_back(place->owner, name, place->key, member_ref(index, number), std::move(messages),
                    true);
  *place = {};
  return Reason::kOk;
}

// What it has not sent and is about to take over waits for that, whose ever it was.
void Core::stay_after_leaving(const Subscriber& subscriber, Queue::Entry& entry) {
  const bool is_being_adopted = subscriber.queue.adopts() && !entry.marks.kept &&
                                entry.marks.guarantee == Guarantee::kExactlyOnce;
  if (!is_being_adopted) entry.group = 0;
}

// The connection has gone, perhaps the subscriber goes too. What it is lent goes to others; the ids
// of their packets are free. What was sent exactly once is its own by now: it stays with it, or
// ends with it [MQTT-4.8.2-4], [MQTT-4.8.2-5].
void Core::return_groups(SubscriberIndex index, model::Inflight& inflight, bool leaves) {
  Subscriber& subscriber = subscribers_[index];
  if (!subscriber.memberships) return;
  for (std::size_t i = 0; i < subscriber.memberships->size(); ++i) {
    Membership& membership = (*subscriber.memberships)[i];
    if (membership.name.empty()) continue;
    std::vector<Returned> messages;
    subscriber.queue.withdraw(static_cast<std::uint16_t>(i + 1),
                              [&](model::Tag tag, Queue::Entry& entry, bool) {
                                const auto lent = membership.lent.find(tag);
                                if (lent == membership.lent.end()) return false;
                                messages.push_back({lent->second, entry.marks.delivered});
                                if (const auto* sent = inflight.find_tag(tag))
                                  inflight.finish(sent->id);
                                return true;
                              });
    tell_group(index, i);
    membership.lent.clear();
    outlet_.give_back(membership.owner, membership.name, membership.key, member_ref(index, i),
                      std::move(messages), leaves);
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
        kGroupWindow - static_cast<std::uint32_t>(std::min<std::size_t>(held, kGroupWindow)), {});
  }
}

}  // namespace hermod::core
