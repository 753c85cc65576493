// SPDX-License-Identifier: Apache-2.0
#include "hermod/core/declarations.hpp"

#include <algorithm>

#include "hermod/model/topic.hpp"
#include "topic_walk.hpp"

namespace hermod::core {
namespace {

using model::Reason;

// What is held for a topic beside its texts, about.
constexpr std::size_t kTopicBytes = 256;

std::size_t bytes_of(std::string_view topic, const model::TopicProperties& properties) {
  return kTopicBytes + topic.size() + properties.resource_type.size() +
         properties.content_type.size() + properties.topic_type.size();
}

// What begins with '$' is the broker's.
bool is_good_name(std::string_view topic) {
  return !topic.empty() && topic.front() != '$' && !model::has_wildcard(topic);
}

}  // namespace

Declarations::Declared Declarations::declare(std::string_view topic, const Declaration& wanted,
                                             bool has_value) {
  using Mode = model::DeclareMode;
  if (!is_good_name(topic)) return {.reason = Reason::kBadName};
  auto found = topics_.find(topic);
  const bool held = found != topics_.end();
  if (held && wanted.mode == Mode::kCreate) return {.reason = Reason::kAlreadyExists};
  if (!held && wanted.mode != Mode::kCreate && !has_value) return {.reason = Reason::kNotFound};
  model::TopicProperties next = held ? found->second.properties : model::TopicProperties{};
  if (wanted.mode == Mode::kPatch) {
    model::patch(next, wanted.properties, wanted.members);
  } else {
    next = wanted.properties;
  }
  if (!texts_fit(next)) return {.reason = Reason::kTooLarge};
  const std::size_t bytes =
      bytes_ - (held ? bytes_of(topic, found->second.properties) : 0) + bytes_of(topic, next);
  if ((!held && topics_.size() >= limits_.declared_topics_max) ||
      bytes > limits_.declared_bytes_max) {
    return {.reason = Reason::kQuotaExceeded};
  }
  bytes_ = bytes;
  if (!held) found = topics_.try_emplace(std::string{topic}).first;
  Topic& changed = found->second;
  Declared declared{.properties = &changed.properties};
  if (held && changed.properties == next) return declared;
  forget_day(*found);
  changed.properties = std::move(next);
  note_day(*found);
  if (const auto most = changed.properties.subscribers_max) {
    declared.lost = changed.seats.cut(*most);
  }
  declared.told = changed.seats.all();
  return declared;
}

std::optional<std::vector<Seat>> Declarations::undeclare(std::string_view topic) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return std::nullopt;
  std::vector<Seat> seats = found->second.seats.all();
  bytes_ -= bytes_of(topic, found->second.properties);
  forget_day(*found);
  topics_.erase(found);
  return seats;
}

Declarations::Watched Declarations::watch(std::string_view topic, const Seat& seat,
                                          const std::optional<Seat>& instead_of) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return {};
  Topic& watched = found->second;
  const Watched granted{Reason::kOk, &watched.properties};
  if (instead_of && watched.seats.hand_on(*instead_of, seat)) return granted;
  const auto most = watched.properties.subscribers_max;
  if (most && watched.seats.size() >= *most) return {.reason = Reason::kQuotaExceeded};
  watched.seats.add(seat);
  return granted;
}

void Declarations::unwatch(std::string_view topic, const Seat& seat) {
  const auto found = topics_.find(topic);
  if (found != topics_.end()) found->second.seats.remove(seat);
}

std::size_t Declarations::seats(std::string_view topic) const {
  const auto found = topics_.find(topic);
  return found == topics_.end() ? 0 : found->second.seats.size();
}

std::string Declarations::match(std::string_view filter, std::string_view after,
                                std::size_t visits_max, const Visit& visit) const {
  if (!model::has_wildcard(filter)) {
    const model::TopicProperties* found = after.empty() ? find(filter) : nullptr;
    if (found != nullptr) visit(filter, *found);
    return {};
  }
  return walk_topics(
      topics_, filter, after, visits_max,
      [](const Topics::value_type& topic) { return std::string_view{topic.first}; },
      [&](const Topics::value_type& topic) { return visit(topic.first, topic.second.properties); });
}

std::optional<Declarations::Day> Declarations::next_day() const {
  if (days_.empty()) return std::nullopt;
  const auto& [at_s, topic] = *days_.begin();
  return Day{at_s, topic};
}

bool Declarations::texts_fit(const model::TopicProperties& properties) const {
  return std::max({properties.resource_type.size(), properties.content_type.size(),
                   properties.topic_type.size()}) <= limits_.declared_text_max;
}

void Declarations::note_day(const Topics::value_type& topic) {
  const auto day = topic.second.properties.expires_at_s;
  if (day) days_.emplace(*day, topic.first);
}

void Declarations::forget_day(const Topics::value_type& topic) {
  const auto day = topic.second.properties.expires_at_s;
  if (day) days_.erase(std::pair{*day, std::string_view{topic.first}});
}

}  // namespace hermod::core
