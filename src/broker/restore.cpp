// SPDX-License-Identifier: Apache-2.0
#include "hermod/broker/restore.hpp"

#include "hermod/core/group.hpp"

namespace hermod::broker {
namespace {

// Everybody else learns of the interest at once: nobody has published anything yet.
void make_known(std::span<Shard* const> shards, std::uint16_t owner, std::string_view filter) {
  for (std::size_t other = 0; other < shards.size(); ++other) {
    if (other != owner) shards[other]->core().set_interest(filter, owner, true);
  }
}

// What was cut off may come again, and is then for those who do not have it, on whatever shard.
void make_known(std::span<Shard* const> shards, core::QueueId publisher,
                const std::vector<core::OpenExchange>& exchanges) {
  for (const core::OpenExchange& open : exchanges) {
    const std::uint64_t name = core::exchange_of(publisher, open.packet_id);
    for (Shard* shard : shards) shard->core().restore_exchange(name, open.queues);
  }
}

void join(std::span<Shard* const> shards, core::Core& core, core::SubscriberIndex index,
          const core::KeepSubscription& subscription) {
  const auto name = core::parse_group(subscription.filter);
  if (!name) return;
  const core::Core::Member member =
      core.enter_group(index, subscription.filter, subscription.options, true);
  if (member.reason != model::Reason::kOk) return;
  const core::Core::Group group =
      shards[member.owner]->core().join_group(subscription.filter, member.ref, true);
  if (group.reason != model::Reason::kOk) return;
  make_known(shards, member.owner, name->filter);
  core.group_joined(subscription.filter, member.ref, group);
}

}  // namespace

void restore(store::RecoveredState state, std::span<Shard* const> shards) {
  // What is published from now on, wherever, is newer than everything that was kept.
  for (Shard* shard : shards) shard->core().observe(state.version);
  for (store::RecoveredQueue& queue : state.queues) {  // before their members
    if (!queue.subscriber.group) continue;
    const std::uint16_t owner = shards[0]->core().owner_of(queue.subscriber.name);
    shards[owner]->core().restore_group({.name = std::move(queue.subscriber.name),
                                         .kept_as = queue.subscriber.queue,
                                         .queue = std::move(queue.queue)});
  }
  for (store::RecoveredQueue& queue : state.queues) {
    if (queue.subscriber.group) continue;
    make_known(shards, queue.subscriber.queue, queue.exchanges);
    const std::uint16_t owner = shards[0]->core().owner_of(queue.subscriber.name);
    core::Core& core = shards[owner]->core();
    const std::vector<core::KeepSubscription> subscriptions = std::move(queue.subscriptions);
    const core::SubscriberIndex index = shards[owner]->restore(std::move(queue));
    for (const core::KeepSubscription& subscription : subscriptions) {
      if (core::is_group(subscription.filter)) {
        join(shards, core, index, subscription);
      } else {
        core.restore_subscription(index, subscription.filter, subscription.options);
        make_known(shards, owner, subscription.filter);
      }
    }
  }
  for (Shard* shard : shards) shard->core().end_empty_groups();
  for (const store::RecoveredValue& value : state.values) {
    const std::uint16_t owner = shards[0]->core().owner_of(value.message->destination.address);
    shards[owner]->core().restore(*value.message, value.position);
  }
  for (core::KeepDeclaration& declaration : state.declarations) {
    shards[shards[0]->core().owner_of(declaration.topic)]->restore(std::move(declaration));
  }
}

}  // namespace hermod::broker
