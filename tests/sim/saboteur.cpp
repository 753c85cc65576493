// SPDX-License-Identifier: Apache-2.0
#include "saboteur.hpp"

#include <algorithm>

namespace hermod::sim {
namespace {

// Whose only subscriptions are a group's.
bool is_member(const std::vector<Grant>& grants) {
  return !grants.empty() && without_share(grants.front().filter) != grants.front().filter;
}

}  // namespace

std::optional<PublicationId> Saboteur::publication_of(const Arrival& arrival) const {
  const auto label = read_payload(arrival.payload, arrival.topic);
  return label ? ledger_.find(*label) : std::nullopt;
}

void Saboteur::pass(Arrival arrival, const std::vector<Grant>& grants) {
  ++passed_;
  const auto id = publication_of(arrival);
  const bool will = id && ledger_[*id].will != Publication::Will::kNone;
  switch (kind_) {
    case Sabotage::kSwapPackets:
      return swap(std::move(arrival));
    case Sabotage::kDropPacket:
      if (passed_ % 5 == 0) return;
      break;
    case Sabotage::kLostWill:
      if (will) return;
      break;
    case Sabotage::kRepeatPacket:
      if (!arrival.retain) hear_(arrival);
      break;
    case Sabotage::kDamagePayload:
      if (!arrival.payload.empty()) arrival.payload.back() ^= 1u;
      break;
    case Sabotage::kWrongProperty:
      if (arrival.mark) *arrival.mark += "0";
      break;
    case Sabotage::kLostShare:
      if (is_member(grants) && passed_ % 5 == 0) return;
      break;
    case Sabotage::kRepeatedShare:
      if (is_member(grants)) hear_(arrival);
      break;
    case Sabotage::kOldRetained:
      if (arrival.retain) replace_by_earlier(arrival);
      break;
    case Sabotage::kStrayPacket:
      add_stray(grants);
      break;
    default:
      break;
  }
  hear_(arrival);
}

// Two of one lane change places.
void Saboteur::swap(Arrival arrival) {
  const auto id = publication_of(arrival);
  const bool fit = id && !arrival.retain && !arrival.dup && !done_;
  if (!held_) {
    if (!fit) return hear_(arrival);
    held_ = std::move(arrival);
    return;
  }
  const auto held = publication_of(*held_);
  const bool same_lane = fit && ledger_[*id].lane == ledger_[*held].lane;
  const Arrival first = *std::exchange(held_, std::nullopt);
  done_ = done_ || same_lane;
  hear_(same_lane ? arrival : first);
  hear_(same_lane ? first : arrival);
}

void Saboteur::replace_by_earlier(Arrival& arrival) const {
  const auto id = publication_of(arrival);
  if (!id) return;
  const Lane& lane = ledger_.lane(ledger_[*id].lane);
  const PublicationId first = lane.transmissions.front();
  if (first != *id && !ledger_[first].clears) arrival.payload = ledger_.payload_of(first);
}

// Something that was published on a topic which none of the filters matches.
void Saboteur::add_stray(const std::vector<Grant>& grants) {
  for (PublicationId id = 0; id < ledger_.size() && !done_; ++id) {
    const Publication& publication = ledger_[id];
    const std::string& topic = ledger_.topics()[publication.label.topic].name;
    const bool matched = std::ranges::any_of(
        grants, [&](const Grant& grant) { return filter_matches(grant.filter, topic); });
    if (matched || publication.clears || publication.positions.empty()) continue;
    done_ = true;
    hear_({.topic = topic, .payload = ledger_.payload_of(id)});
  }
}

}  // namespace hermod::sim
