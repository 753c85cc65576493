// SPDX-License-Identifier: Apache-2.0
#include "group_jury.hpp"

#include <algorithm>

namespace hermod::sim {

using model::Guarantee;
using Will = Publication::Will;

void GroupJury::check() {
  for (const auto& [group, members] : groups_) {
    check_repetitions(group, members);
    check_losses(group, members);
    core::Core& core = world_.shard(world_.owner_of(group)).core();
    const core::SubscriberIndex index = core.find(group);
    if (index == core::Subscribers::kNone) continue;
    // Somebody who is connected takes what waits.
    const bool connected = std::ranges::any_of(members, [](const Reader* member) {
      return member->online() && std::ranges::any_of(member->grants(), [&](const Grant& grant) {
               return grant.session == member->session() && grant.granted != kNever &&
                      grant.leaving == kNever;
             });
    });
    const std::size_t waiting = core.subscriber(index).queue.waiting();
    if (!connected || waiting == 0) continue;
    world_.trace().violation(world_.now(), "{}: {} messages wait although members are connected",
                             group, waiting);
  }
}

GroupJury::Count GroupJury::count(const std::vector<const Reader*>& members,
                                  PublicationId id) const {
  Count out;
  for (const Reader* member : members) {
    const auto& arrivals = member->shared(id);
    out.arrivals += arrivals.size();
    if (!arrivals.empty()) ++out.members;
    for (const Reader::Shared& arrival : arrivals) {
      const bool left = std::ranges::any_of(member->grants(), [&](const Grant& grant) {
        return grant.leaving != kNever && grant.leaving >= arrival.at;
      });
      if (left || arrival.connection != member->connection()) ++out.excused;
      out.first = std::min(out.first, arrival.at);
      out.exactly_once = out.exactly_once && arrival.guarantee == Guarantee::kExactlyOnce;
      out.at_most_once = out.at_most_once || arrival.guarantee == Guarantee::kAtMostOnce;
    }
  }
  return out;
}

void GroupJury::check_repetitions(const std::string& group,
                                  const std::vector<const Reader*>& members) {
  for (PublicationId id = 0; id < ledger_.size(); ++id) {
    const Publication& publication = ledger_[id];
    if (publication.clears || publication.positions.empty()) continue;
    const Count got = count(members, id);
    shared_ += got.arrivals;
    passed_on_ += got.members > 1 ? 1 : 0;
    if (jury_.forgiven() > 0) continue;  // what is over, a damaged record may have said
    // Who publishes at least once may have published it several times.
    const std::size_t published = publication.positions.size();
    const std::size_t allowed = published + (got.at_most_once ? 0 : got.excused);
    if (got.arrivals > allowed) {
      world_.trace().violation(world_.now(), "{}: came {} times, {} are allowed: {}", group,
                               got.arrivals, allowed, jury_.describe(id));
    }
    // A group that nobody lasting belongs to ends with its broker, and its members with it.
    const bool ends = world_.options().kept.on && !is_kept(members, got.first);
    const bool exactly_once = publication.guarantee == Guarantee::kExactlyOnce &&
                              got.exactly_once && !publication.renewed && !ends;
    if (exactly_once && got.members > 1) {
      world_.trace().violation(world_.now(), "{}: not exactly once: {} came to {} members", group,
                               jury_.describe(id), got.members);
    }
  }
}

// Somebody lasting is a member then.
bool GroupJury::is_kept(const std::vector<const Reader*>& members, Instant at) {
  return std::ranges::any_of(members, [at](const Reader* member) {
    return member->lasting() && std::ranges::any_of(member->grants(), [at](const Grant& grant) {
             return grant.granted <= at && grant.leaving > at;
           });
  });
}

// Somebody lasting has been a member from before the message was sent until now.
bool GroupJury::must_have(const std::vector<const Reader*>& members,
                          const Publication& publication) const {
  const std::string& topic = ledger_.topics()[publication.label.topic].name;
  return std::ranges::any_of(members, [&](const Reader* member) {
    return member->lasting() && std::ranges::any_of(member->grants(), [&](const Grant& grant) {
             return filter_matches(without_share(grant.filter), topic) &&
                    member->promised(grant, publication.begun, world_.now());
           });
  });
}

void GroupJury::check_losses(const std::string& group, const std::vector<const Reader*>& members) {
  // What was begun exactly once with somebody ends with that session.
  const bool all_last = std::ranges::all_of(
      members, [](const Reader* member) { return member->lasting() && member->session() <= 1; });
  if (!all_last || world_.settings().core.expiry_s_max != UINT32_MAX) return;
  std::uint64_t missing = 0;
  std::uint64_t dropped = 0;
  for (std::uint16_t shard = 0; shard < world_.shards(); ++shard) dropped += jury_.dropped(shard);
  std::string first;
  for (PublicationId id = 0; id < ledger_.size(); ++id) {
    const Publication& publication = ledger_[id];
    if (publication.accepted == kNever || publication.clears) continue;
    if (publication.will != Will::kNone && publication.will != Will::kDue) continue;
    if (publication.guarantee == Guarantee::kAtMostOnce) continue;
    if (!must_have(members, publication) || count(members, id).arrivals > 0) continue;
    if (missing++ == 0) first = jury_.describe(id);
  }
  if (missing <= dropped + jury_.forgiven()) return;
  world_.trace().violation(world_.now(),
                           "{}: lost: {} accepted messages came to no member, {} were dropped; "
                           "first: {}",
                           group, missing, dropped, first);
}

}  // namespace hermod::sim
