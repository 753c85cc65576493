// SPDX-License-Identifier: Apache-2.0
#include "ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hermod::sim {

std::optional<std::size_t> Lane::find(PublicationId id, std::size_t from) const {
  if (from >= transmissions.size()) return std::nullopt;
  const auto begin = transmissions.begin() + static_cast<std::ptrdiff_t>(from);
  const auto found = std::find(begin, transmissions.end(), id);
  if (found == transmissions.end()) return std::nullopt;
  return static_cast<std::size_t>(found - transmissions.begin());
}

TopicId Ledger::add_topic(std::string name, Topic::Kind kind) {
  const auto id = static_cast<TopicId>(topics_.size());
  topic_names_.emplace(name, id);
  topics_.push_back({std::move(name), kind, 0});
  return id;
}

std::optional<TopicId> Ledger::find_topic(std::string_view name) const {
  const auto found = topic_names_.find(name);
  if (found == topic_names_.end()) return std::nullopt;
  return found->second;
}

LaneId Ledger::lane_of(ProducerId producer, TopicId topic) {
  const auto [at, made] =
      lane_ids_.try_emplace({producer, topic}, static_cast<LaneId>(lanes_.size()));
  if (made) {
    lanes_.push_back({.producer = producer, .topic = topic});
    ++topics_[topic].writers;
  }
  return at->second;
}

bool Ledger::precedes(PublicationId older, PublicationId newer) const {
  const Publication& a = publications_[older];
  const Publication& b = publications_[newer];
  // Connections begun at once may be taken in any order, and so may their wills.
  const bool unclear =
      a.will == Publication::Will::kUnclear || b.will == Publication::Will::kUnclear;
  if (a.lane == b.lane) return !unclear && a.positions.back() < b.positions.front();
  return a.accepted != kNever && a.accepted < b.begun;
}

std::optional<LaneId> Ledger::find_lane(ProducerId producer, TopicId topic) const {
  const auto found = lane_ids_.find({producer, topic});
  if (found == lane_ids_.end()) return std::nullopt;
  return found->second;
}

PublicationId Ledger::draft(const Draft& draft) {
  const auto id = static_cast<PublicationId>(publications_.size());
  const LaneId lane = lane_of(draft.producer, draft.topic);
  const Label label{draft.producer, draft.topic, lanes_[lane].next_sequence++};
  publications_.push_back({.label = label,
                           .lane = lane,
                           .guarantee = draft.guarantee,
                           .retain = draft.retain,
                           .clears = draft.size == 0,
                           .size = draft.size});
  publications_.back().forgettable =
      doubts_values_ && draft.retain && draft.guarantee == model::Guarantee::kAtMostOnce;
  by_sequence_.emplace(std::pair{lane, label.sequence}, id);
  return id;
}

PublicationId Ledger::draft_will(const Draft& draft, std::uint32_t connection, Instant now) {
  const PublicationId id = this->draft(draft);
  publications_[id].will = Publication::Will::kArmed;
  publications_[id].forgettable = doubts_values_ && draft.retain;
  transmitted(id, connection, now);
  return id;
}

std::vector<std::uint8_t> Ledger::payload_of(PublicationId id) const {
  const Publication& publication = publications_[id];
  if (publication.clears) return {};
  return make_payload(publication.label, topics_[publication.label.topic].name, publication.size);
}

void Ledger::transmitted(PublicationId id, std::uint32_t connection, Instant now) {
  Publication& publication = publications_[id];
  if (publication.begun == kNever) publication.begun = now;
  publication.connection = connection;
  Lane& lane = lanes_[publication.lane];
  publication.positions.push_back(lane.transmissions.size());
  lane.transmissions.push_back(id);
}

void Ledger::accepted(PublicationId id, Instant now) {
  Publication& publication = publications_[id];
  publication.accepted = std::min(publication.accepted, now);
  // What is acknowledged is the last transmission; a repetition at exactly once may have been one
  // that the broker knew, so that only the first one is sure to have counted.
  const bool first = publication.guarantee == model::Guarantee::kExactlyOnce;
  publication.processed = first ? publication.positions.front() : publication.positions.back();
}

void Ledger::all_arrived(ProducerId producer, std::uint32_t connection, Instant now) {
  for (PublicationId id = 0; id < publications_.size(); ++id) {
    const Publication& publication = publications_[id];
    if (publication.label.producer != producer || publication.connection != connection) continue;
    if (publication.will != Publication::Will::kNone || publication.positions.empty()) continue;
    if (publication.guarantee == model::Guarantee::kAtMostOnce) accepted(id, now);
  }
}

std::optional<PublicationId> Ledger::find(const Label& label) const {
  const auto lane = find_lane(label.producer, label.topic);
  if (!lane) return std::nullopt;
  const auto found = by_sequence_.find({*lane, label.sequence});
  if (found == by_sequence_.end()) return std::nullopt;
  return found->second;
}

std::string_view without_share(std::string_view filter) {
  constexpr std::string_view kShare = "$share/";
  if (!filter.starts_with(kShare)) return filter;
  return filter.substr(filter.find('/', kShare.size()) + 1);
}

bool filter_matches(std::string_view filter, std::string_view topic) {
  const bool wild = filter.starts_with('+') || filter.starts_with('#');
  if (wild && topic.starts_with('$')) return false;
  while (true) {
    if (filter == "#") return true;
    const std::size_t filter_end = std::min(filter.find('/'), filter.size());
    const std::size_t topic_end = std::min(topic.find('/'), topic.size());
    const std::string_view level = filter.substr(0, filter_end);
    if (level != "+" && level != topic.substr(0, topic_end)) return false;
    const bool filter_over = filter_end == filter.size();
    const bool topic_over = topic_end == topic.size();
    if (filter_over || topic_over) {
      if (filter_over && topic_over) return true;
      return topic_over && filter.substr(filter_end) == "/#";
    }
    filter.remove_prefix(filter_end + 1);
    topic.remove_prefix(topic_end + 1);
  }
}

std::string describe(const Ledger& ledger, PublicationId id) {
  const Publication& p = ledger[id];
  return fmt::format("message {} of producer {} on '{}' (published at level {})", p.label.sequence,
                     p.label.producer, ledger.topics()[p.label.topic].name,
                     static_cast<unsigned>(p.guarantee));
}

}  // namespace hermod::sim
