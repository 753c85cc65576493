// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/observed_topics.hpp"

#include <algorithm>
#include <utility>

#include "hermod/base/hash.hpp"

namespace hermod::coap {
namespace {

constexpr std::uint32_t kGenerationMask = 0xff'ffff;  // generations travel in tickets

}  // namespace

Observation& ObservedTopics::add(ObserverId observer, std::string_view name) {
  TopicId id = find(name);
  if (id == 0) {
    auto slot = std::ranges::find_if(topics_, [](const Slot& s) { return !s.topic; });
    if (slot == topics_.end()) slot = topics_.insert(slot, Slot{});
    slot->hash = keyed_hash(name, 0);
    slot->topic = std::make_unique<ObservedTopic>();
    slot->topic->name = name;
    slot->topic->is_filter = model::has_wildcard(name);
    if (slot->topic->is_filter) ++filters_;
    id = static_cast<TopicId>(slot - topics_.begin() + 1);
    ++topics_used_;
  }
  if (observations_.size() < observer) observations_.resize(observer);
  ObservedTopic& observed = topic(id);
  Observation& observation = (*this)[observer];
  observation = {.topic = id, .next_of_topic = observed.first};
  observed.first = observer;
  ++observed.observers;
  return observation;
}

void ObservedTopics::remove(ObserverId observer) {
  Observation& observation = (*this)[observer];
  ObservedTopic& observed = topic(observation.topic);
  ObserverId* link = &observed.first;
  while (*link != observer) link = &(*this)[*link].next_of_topic;
  *link = observation.next_of_topic;
  --observed.observers;
  observation = Observation{};
}

TopicId ObservedTopics::find(std::string_view name) const {
  if (topics_.size() == 1) {  // the usual peer: no hash needed
    return topics_[0].topic && topics_[0].topic->name == name ? 1 : 0;
  }
  const std::uint64_t hash = keyed_hash(name, 0);
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    const Slot& slot = topics_[i];
    if (slot.hash == hash && slot.topic && slot.topic->name == name) {
      return static_cast<TopicId>(i + 1);
    }
  }
  return 0;
}

ObservedTopic* ObservedTopics::current(TopicId id, std::uint32_t generation) {
  if (!has(id)) return nullptr;
  ObservedTopic& observed = topic(id);
  return observed.generation == generation ? &observed : nullptr;
}

std::uint32_t ObservedTopics::ask(TopicId id) {
  generation_ = (generation_ + 1) & kGenerationMask;
  topic(id).generation = generation_;
  topic(id).interest = ObservedTopic::Interest::kAsked;
  return generation_;
}

void ObservedTopics::keep_live(TopicId id, const model::Message& message, Instant until) {
  ObservedTopic& observed = topic(id);
  forget_live(id);
  session::BudgetShare share{budget_};
  if (!share.resize(message.payload.size())) return;
  observed.live_share = std::move(share);
  observed.live = message.own();
  observed.live_until = until;
  due_ = std::min(due_, until);
}

void ObservedTopics::forget_live(TopicId id) {
  ObservedTopic& observed = topic(id);
  observed.live = {};
  (void)observed.live_share.resize(0);
  observed.live_until = kNever;
}

void ObservedTopics::expire(Instant now) {
  due_ = kNever;
  for (TopicId id = 1; id <= topics_.size(); ++id) {
    if (!has(id)) continue;
    if (now >= topic(id).live_until) forget_live(id);
    due_ = std::min(due_, topic(id).live_until);
  }
}

void ObservedTopics::release(TopicId id) {
  const ObservedTopic& observed = topic(id);
  if (observed.observers != 0 || observed.unsubscribes_pending != 0) return;
  if (observed.is_filter) --filters_;
  topics_[id - 1] = Slot{};
  --topics_used_;
}

}  // namespace hermod::coap
