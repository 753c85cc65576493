// SPDX-License-Identifier: Apache-2.0
#include "hermod/coap/session/observe.hpp"

#include <algorithm>

#include "hermod/base/hash.hpp"

namespace hermod::coap {
namespace {

// Sequence numbers go round from here to 2^24 - 1, so that they always take three octets and a
// notification that was encoded once is as long for every observer.
constexpr std::uint64_t kSequenceMin = 0x1'0000;
constexpr std::uint64_t kSequenceCount = 0x100'0000 - kSequenceMin;
constexpr std::uint32_t kGenerationMask = 0xff'ffff;  // generations travel in tickets

}  // namespace

ObservationId Observations::find(const Token& token) const {
  for (std::size_t i = 0; i < observations_.size(); ++i) {
    if (observations_[i].state != Observation::State::kFree && observations_[i].token == token) {
      return static_cast<ObservationId>(i + 1);
    }
  }
  return 0;
}

ObservationId Observations::find_message(std::uint16_t message_id) const {
  for (std::size_t i = 0; i < observations_.size(); ++i) {
    if (observations_[i].state == Observation::State::kActive &&
        observations_[i].message_id == message_id) {
      return static_cast<ObservationId>(i + 1);
    }
  }
  return 0;
}

ObservationId Observations::add(const Token& token, std::string_view topic_name, Instant now) {
  TopicId topic_id = find_topic(topic_name);
  if (topic_id == 0) {
    auto slot = std::ranges::find_if(topics_, [](const Slot& s) { return !s.topic; });
    if (slot == topics_.end()) slot = topics_.insert(slot, Slot{});
    slot->hash = keyed_hash(topic_name, 0);
    slot->topic = std::make_unique<ObservedTopic>();
    slot->topic->name = topic_name;
    topic_id = static_cast<TopicId>(slot - topics_.begin() + 1);
    ++topics_used_;
  }
  auto at = std::ranges::find(observations_, Observation::State::kFree, &Observation::state);
  if (at == observations_.end()) at = observations_.insert(at, Observation{});
  const auto id = static_cast<ObservationId>(at - observations_.begin() + 1);
  ObservedTopic& observed = topic(topic_id);
  *at = Observation{.token = token,
                    .state = Observation::State::kRegistering,
                    .topic = topic_id,
                    .next_of_topic = observed.first,
                    .confirmed_at = now};
  observed.first = id;
  ++observed.observers;
  ++size_;
  return id;
}

void Observations::remove(ObservationId id) {
  Observation& observation = (*this)[id];
  ObservedTopic& observed = topic(observation.topic);
  ObservationId* link = &observed.first;
  while (*link != id) link = &(*this)[*link].next_of_topic;
  *link = observation.next_of_topic;
  --observed.observers;
  observation = Observation{};
  --size_;
}

TopicId Observations::find_topic(std::string_view name) const {
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

ObservedTopic* Observations::current_topic(TopicId id, std::uint32_t generation) {
  if (!has_topic(id)) return nullptr;
  ObservedTopic& observed = topic(id);
  return observed.generation == generation ? &observed : nullptr;
}

std::uint32_t Observations::ask(TopicId id) {
  generation_ = (generation_ + 1) & kGenerationMask;
  topic(id).generation = generation_;
  topic(id).interest = ObservedTopic::Interest::kAsked;
  return generation_;
}

void Observations::release_topic(TopicId id) {
  const ObservedTopic& observed = topic(id);
  if (observed.observers != 0 || observed.unsubscribes_pending != 0) return;
  topics_[id - 1] = Slot{};
  --topics_used_;
}

void Observations::wait(ObservationId id) {
  Observation& observation = (*this)[id];
  if (observation.waiting) return;
  observation.waiting = true;
  queue_.push_back(id);
}

ObservationId Observations::next_waiting() {
  while (queue_begin_ < queue_.size()) {
    const ObservationId id = queue_[queue_begin_++];
    Observation& observation = (*this)[id];
    // the place may have been given to another observation since
    if (observation.state != Observation::State::kActive || !observation.waiting) continue;
    observation.waiting = false;
    return id;
  }
  queue_.clear();
  queue_begin_ = 0;
  return 0;
}

std::uint32_t next_sequence(Observation& observation, Instant now) {
  // RFC 7641 §4.4: 1 tick = 256 s / 2^23
  const auto since = static_cast<std::uint64_t>(now.time_since_epoch().count());
  const auto ticks = static_cast<std::uint64_t>(static_cast<unsigned __int128>(since) * (1u << 23) /
                                                256'000'000'000u);
  observation.sequence = std::max(ticks, observation.sequence + 1);
  return current_sequence(observation);
}

std::uint32_t current_sequence(const Observation& observation) {
  return static_cast<std::uint32_t>(kSequenceMin + observation.sequence % kSequenceCount);
}

bool must_confirm(const Observation& observation, const Settings& settings, Instant now) {
  return !observation.proven || observation.value.guarantee != model::Guarantee::kAtMostOnce ||
         observation.unconfirmed >= settings.unconfirmed_max ||
         now >= observation.sent_at + settings.quiet ||  // changes are rare
         now >= confirm_due(observation, settings);
}

Instant confirm_due(const Observation& observation, const Settings& settings) {
  if (!observation.proven) return observation.confirmed_at + settings.prove_within;
  // RFC 7641 §4.5: the last change of a burst must arrive
  if (observation.unconfirmed > 0) return observation.sent_at + settings.quiet;
  return observation.confirmed_at + settings.confirm_every;
}

bool NotificationOrder::accept(std::uint32_t sequence, Instant now) {
  constexpr std::uint32_t kHalf = 1u << 23;
  if (sequence_) {
    const std::uint32_t before = *sequence_;
    const bool newer = (before < sequence && sequence - before < kHalf) ||
                       (before > sequence && before - sequence > kHalf) ||
                       now > at_ + std::chrono::seconds{128};
    if (!newer) return false;
  }
  sequence_ = sequence;
  at_ = now;
  return true;
}

}  // namespace hermod::coap
