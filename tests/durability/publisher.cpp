// SPDX-License-Identifier: Apache-2.0
#include "publisher.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::durability {

using model::Guarantee;

namespace {
constexpr std::size_t kBatchMax = 16;
}

Publisher::Publisher(World& world, Identity identity, PublisherPlan plan, std::uint64_t seed)
    : Client(world, std::move(identity), seed), plan_(std::move(plan)) {}

void Publisher::begin() {
  producing_ = true;
  next_at_ = world().loop.now();
  if (open()) settle_down(next_at_);
}

bool Publisher::finished() const {
  return !producing_ && outgoing_.empty() && credit_ >= identity().inflight_max;
}

void Publisher::on_opened(bool session_present, Instant) {
  if (session_present) return;
  for (Outgoing& out : outgoing_) {  // the broker knows nothing of them: they are sent as new
    if (out.again) world().checker.renewed(out.lane, out.sequence);
    out.again = false;
  }
}

void Publisher::on_lost(Instant) {
  credit_ = 0;
  for (Outgoing& out : outgoing_) {
    out.settled = out.settled || !identity().lasting;
    out.again = out.again || out.taken;
    out.taken = false;
  }
  forget_settled();
}

void Publisher::on_settle(const session::Settle& settle) {
  credit_ += settle.credit;
  for (model::Tag tag = settle.first; tag <= settle.last; ++tag) {
    Outgoing& out = outgoing_[tag - first_tag_];
    out.settled = true;
    if (settle.outcome != model::Outcome::kAccept) {
      world().checker.refused();
      continue;
    }
    world().checker.acknowledged(out.lane, out.sequence);
    const Lane& lane = world().checker.lane(out.lane);
    if (lane.guarantee == Guarantee::kExactlyOnce) session_confirmed();
    world().note(name(), "acknowledged", lane.name, out.sequence);
  }
  forget_settled();
}

// Only from the front: the others' tags must not move.
void Publisher::forget_settled() {
  while (!outgoing_.empty() && outgoing_.front().settled) {
    outgoing_.pop_front();
    ++first_tag_;
  }
}

void Publisher::act(Instant now) {
  produce(now);
  while (!link().over() && send_batch(now)) {
  }
}

Instant Publisher::due() const {
  return producing_ && outgoing_.size() < plan_.window ? next_at_ : kNever;
}

void Publisher::produce(Instant now) {
  while (producing_ && outgoing_.size() < plan_.window && next_at_ <= now) {
    const LaneId lane = choose_lane();
    outgoing_.push_back({.lane = lane, .size = choose_size()});
    next_at_ = now + between(plan_.pause / 2, plan_.pause * 3 / 2);
    if (plan_.count != 0 && ++produced_ == plan_.count * plan_.lanes.size()) producing_ = false;
  }
}

LaneId Publisher::choose_lane() {
  if (plan_.count != 0) return plan_.lanes[produced_ % plan_.lanes.size()];
  return plan_.lanes[rng().below(plan_.lanes.size())];
}

std::size_t Publisher::choose_size() {
  if (plan_.size_max != 0) return kPayloadMin + rng().below(plan_.size_max);
  const std::uint64_t kind = rng().below(1000);
  if (kind < 2) return 100'000 + rng().below(200'000);
  if (kind < 80) return 1'000 + rng().below(7'000);
  return kPayloadMin + rng().below(150);
}

// The next messages in order, as far as credit goes. False when there was none to send.
bool Publisher::send_batch(Instant now) {
  std::size_t at = 0;
  while (at < outgoing_.size() && (outgoing_[at].taken || outgoing_[at].settled)) ++at;
  const model::Tag first = first_tag_ + at;
  std::vector<std::vector<std::uint8_t>> payloads;
  std::vector<model::Message> messages;
  std::vector<model::Delivery> items;
  payloads.reserve(kBatchMax);
  messages.reserve(kBatchMax);
  for (; at < outgoing_.size() && items.size() < kBatchMax && !outgoing_[at].settled; ++at) {
    Outgoing& out = outgoing_[at];
    const Lane& lane = world().checker.lane(out.lane);
    const bool counted = lane.guarantee != Guarantee::kAtMostOnce;
    if (counted && credit_ == 0) break;
    if (counted) --credit_;
    if (out.sequence == kUnsent) out.sequence = world().checker.begin(out.lane);
    payloads.push_back(make_payload({lane.producer, lane.topic, out.sequence}, out.size));
    messages.push_back({.destination = model::Destination::topic(lane.name),
                        .payload = payloads.back(),
                        .guarantee = lane.guarantee,
                        .retain = lane.retain});
    items.push_back({.message = &messages.back(),
                     .guarantee = lane.guarantee,
                     .retain = lane.retain,
                     .redelivered = out.again});
    out.taken = true;
    out.settled = !counted;
    world().note(name(), out.again ? "publishes again" : "publishes", lane.name, out.sequence);
  }
  if (items.empty()) return false;
  link().deliver({.items = items, .first_tag = first}, now);
  forget_settled();
  return true;
}

}  // namespace hermod::durability
