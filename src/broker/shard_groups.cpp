// SPDX-License-Identifier: Apache-2.0
// Groups across shards: the letters between a group's shard and those of its members. They are
// letters also within one shard, opened when the round of effects is over.
// docs/decisions/0005-groups.md has the table.
#include "shard_session.hpp"

namespace hermod::broker {

using model::Reason;

void Shard::send(std::uint16_t to, Letter letter) {
  if (to == parts_.self) {
    to_self_.push_back(std::move(letter));
  } else {
    outbox_.add(to, std::move(letter));
  }
}

void Shard::open_own() {
  for (Letter& letter : std::exchange(to_self_, {})) {
    std::visit([this](auto& content) { open(content, parts_.self); }, letter);
  }
  core_.flush();
}

// --- a member's side ---

void Shard::subscribe_group(Connection& connection, const session::Subscribe& effect) {
  const auto refuse = [&](Reason reason) {
    answer(connection, {.ticket = effect.ticket, .reason = reason});
  };
  const std::optional<core::GroupName> name = core::parse_group(effect.filter);
  if (!name) return refuse(Reason::kBadName);
  if (!allowed(connection, core::Action::kSubscribe, name->filter)) {
    return refuse(Reason::kNotAuthorized);
  }
  guard(connection, name->filter);
  const core::Core::Member member =
      core_.enter_group(connection.subscriber, effect.filter, effect.options);
  if (member.reason != Reason::kOk) return refuse(member.reason);
  ++connection.unanswered;
  joining_.emplace(++last_joining_,
                   PendingJoining{id_of(connection), effect.ticket, effect.options.guarantee_max});
  send(member.owner, GroupJoin{.name = std::string{effect.filter},
                               .member = member.ref,
                               .durable = core_.subscriber(connection.subscriber).durable(),
                               .request = last_joining_});
}

void Shard::open(GroupJoined& letter, std::uint16_t) {
  const auto found = joining_.find(letter.request);
  HERMOD_ASSERT(found != joining_.end());
  const PendingJoining joining = found->second;
  joining_.erase(found);
  if (letter.reason == Reason::kOk) {
    core_.group_joined(letter.name, letter.member, {.key = letter.group, .queue = letter.queue});
  }
  Connection* connection = find(joining.connection);
  if (connection == nullptr) return;
  if (letter.reason != Reason::kOk && connection->attached()) {
    (void)core_.unsubscribe(connection->subscriber, letter.name);
  }
  answer_subscribed(key_of(joining.connection),
                    {.ticket = joining.ticket, .reason = letter.reason, .granted = joining.granted},
                    letter.commit);
}

void Shard::open(GroupDelivery& letter, std::uint16_t from) {
  const model::Message& message = outbox_.open(letter.content, from);
  const model::Delivery delivery{.message = &message, .redelivered = letter.redelivered};
  if (core_.deliver_from_group(letter.member, letter.group, letter.place, delivery)) return;
  send(from, GroupRefusal{letter.group, {letter.place.tag, false}});
}

void Shard::grant(std::uint16_t owner, core::GroupKey group, const core::MemberRef& member,
                  std::uint32_t count, std::vector<model::Tag> done) {
  send(owner, GroupGrant{group, member, count, std::move(done)});
}

void Shard::give_back(std::uint16_t owner, std::string_view name, core::GroupKey group,
                      const core::MemberRef& member, std::vector<core::Returned> messages,
                      bool leaves) {
  send(owner, GroupReturn{std::string{name}, group, member, std::move(messages), leaves});
}

// --- the owner's side ---

void Shard::open(GroupJoin& letter, std::uint16_t from) {
  const core::Core::Group group = core_.join_group(letter.name, letter.member, letter.durable);
  PendingJoin join{from, GroupJoined{.name = std::move(letter.name),
                                     .member = letter.member,
                                     .group = group.key,
                                     .queue = group.queue,
                                     .commit = core_.last_commit(),
                                     .reason = group.reason,
                                     .request = letter.request}};
  if (group.reason != Reason::kOk) return send(from, std::move(join.answer));
  // All shards must know before the member hears of it: each join makes sure.
  const std::string filter{core::parse_group(join.answer.name)->filter};
  do {
    ++last_join_;
  } while (last_join_ == 0 || joins_.contains(last_join_));
  joins_.emplace(last_join_, std::move(join));
  subscribing_.start(core::ConnectionKey{last_join_} << 32, group.key.index, filter, {}, false, 0,
                     now_);
}

void Shard::finish_join(std::uint64_t number) {
  const auto found = joins_.find(static_cast<std::uint32_t>(number));
  if (found == joins_.end()) return;
  PendingJoin join = std::move(found->second);
  joins_.erase(found);
  send(join.from, std::move(join.answer));
}

void Shard::open(GroupGrant& letter, std::uint16_t) {
  core_.group_grant(letter.group, letter.member, letter.count, letter.done);
}

void Shard::open(GroupReturn& letter, std::uint16_t) {
  const core::SubscriberIndex ended =
      core_.group_return(letter.name, letter.group, letter.member, letter.messages, letter.leaves);
  if (ended == core::Subscribers::kNone) return;
  subscribing_.stop(ended);
  std::vector<std::uint32_t> unanswered;
  for (const auto& [number, join] : joins_) {
    if (join.answer.group.index == ended) unanswered.push_back(number);
  }
  for (const std::uint32_t number : unanswered) finish_join(number);  // they have left again
}

void Shard::open(GroupRefusal& letter, std::uint16_t) {
  core_.group_return(letter.group, letter.message);
}

void Shard::to_member(const core::MemberRef& member, core::GroupKey group, core::QueuePlace place,
                      const model::Delivery& delivery) {
  GroupDelivery letter{
      .group = group, .member = member, .place = place, .redelivered = delivery.redelivered};
  if (member.shard != parts_.self) {
    return outbox_.add_delivery(member.shard, std::move(letter), *delivery.message);
  }
  letter.content.kept = delivery.message->own();
  letter.content.message = &*letter.content.kept;
  to_self_.emplace_back(std::move(letter));
}

}  // namespace hermod::broker
