// SPDX-License-Identifier: Apache-2.0
#include "checker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "hermod/base/assert.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::durability {

using model::Guarantee;

LaneId Checker::add_lane(Lane lane) {
  HERMOD_ASSERT(readers_.empty());
  const auto id = static_cast<LaneId>(lanes_.size());
  by_label_.emplace(std::pair{lane.producer, lane.topic}, id);
  by_name_.emplace(lane.name, id);
  lanes_.push_back({.lane = std::move(lane)});
  return id;
}

ReaderId Checker::add_reader(std::string name, std::vector<Filter> filters, bool shared) {
  ReaderState reader{.name = std::move(name), .shared = shared};
  for (const Filter& filter : filters) {
    if (!model::has_wildcard(filter.text)) {
      const auto found = by_name_.find(filter.text);
      if (found != by_name_.end()) add_stream(reader, found->second, filter.guarantee);
      continue;
    }
    for (LaneId id = 0; id < lanes_.size(); ++id) {
      if (model::matches(filter.text, lanes_[id].lane.name)) {
        add_stream(reader, id, filter.guarantee);
      }
    }
  }
  readers_.push_back(std::move(reader));
  return static_cast<ReaderId>(readers_.size() - 1);
}

// Where filters overlap a message comes with the highest guarantee of theirs [MQTT-3.3.5-1], and
// never with a higher one than it was published with.
void Checker::add_stream(ReaderState& reader, LaneId lane, Guarantee guarantee) {
  Stream& stream = reader.streams[lane];
  stream.guarantee = std::max(stream.guarantee, std::min(guarantee, lanes_[lane].lane.guarantee));
}

std::uint64_t Checker::begin(LaneId lane) {
  ++report_.published;
  lanes_[lane].marks.push_back(0);
  return lanes_[lane].marks.size() - 1;
}

void Checker::acknowledged(LaneId lane, std::uint64_t sequence) {
  LaneState& state = lanes_[lane];
  std::uint8_t& mark = state.marks[sequence];
  if ((mark & kAcknowledged) != 0) return;
  mark |= kAcknowledged;
  ++report_.acknowledged;
  if (state.last_acknowledged == kNone || state.last_acknowledged < sequence) {
    state.last_acknowledged = sequence;
  }
}

void Checker::renewed(LaneId lane, std::uint64_t sequence) {
  lanes_[lane].marks[sequence] |= kRenewed;
}

void Checker::subscribed(ReaderId reader) {
  ReaderState& state = readers_[reader];
  if (state.subscribed) return;
  state.subscribed = true;
  for (auto& [lane, stream] : state.streams) stream.from = lanes_[lane].marks.size();
}

// nullptr: the payload is not one that was sent to this topic.
const LaneId* Checker::lane_of(std::string_view topic, Bytes payload, Label& label) const {
  const auto read = read_payload(payload);
  if (!read) return nullptr;
  label = *read;
  const auto found = by_label_.find({label.producer, label.topic});
  if (found == by_label_.end()) return nullptr;
  const LaneState& lane = lanes_[found->second];
  if (lane.lane.name != topic || label.sequence >= lane.marks.size()) return nullptr;
  return &found->second;
}

void Checker::arrived(ReaderId reader, std::string_view topic, Bytes payload, bool retained) {
  ReaderState& state = readers_[reader];
  Label label;
  const LaneId* const id = lane_of(topic, payload, label);
  if (id == nullptr) {
    return fault(report_.corrupted, fmt::format("{}: corrupted: {} octets on '{}'", state.name,
                                                payload.size(), topic));
  }
  const auto found = state.streams.find(*id);
  if (found == state.streams.end()) {
    return fault(report_.unwanted, fmt::format("{}: unwanted: '{}'", state.name, topic));
  }
  if (retained) return;
  Stream& stream = found->second;
  if (label.sequence < stream.seen.size() && stream.seen[label.sequence]) {
    return again(state, stream, lanes_[*id], label.sequence);
  }
  ++report_.delivered;
  stream.seen.resize(std::max<std::size_t>(stream.seen.size(), label.sequence + 1));
  stream.seen[label.sequence] = true;
  if (label.sequence < stream.next && !state.shared) {
    return fault(report_.reordered,
                 fmt::format("{}: reordered: {} of '{}' came after {}", state.name, label.sequence,
                             topic, stream.next - 1));
  }
  stream.next = std::max(stream.next, label.sequence + 1);
}

// A message may come again unless it is at exactly once all the way, or at most once from the
// start. What was published with more and subscribed to at most once may be sent again by its
// publisher when the broker was stopped before it had it on disk.
void Checker::again(const ReaderState& reader, const Stream& stream, const LaneState& lane,
                    std::uint64_t sequence) {
  const bool once =
      stream.guarantee == Guarantee::kExactlyOnce || lane.lane.guarantee == Guarantee::kAtMostOnce;
  if (!once || (lane.marks[sequence] & kRenewed) != 0) {
    ++report_.repeated;
    return;
  }
  if (stream.guarantee == Guarantee::kExactlyOnce) ++report_.duplicated_exactly_once;
  fault(report_.duplicated,
        fmt::format("{}: duplicated: {} of '{}'{}", reader.name, sequence, lane.lane.name,
                    (lane.marks[sequence] & kAcknowledged) != 0 ? "" : ", not acknowledged"));
}

void Checker::value(std::string_view topic, Bytes payload) {
  Label label;
  const LaneId* const id = lane_of(topic, payload, label);
  if (id == nullptr || !lanes_[*id].lane.retain) {
    return fault(report_.corrupted, fmt::format("value of '{}' corrupted", topic));
  }
  lanes_[*id].value = label.sequence;
}

void Checker::session_lost(std::string_view client) {
  fault(report_.sessions_lost, fmt::format("{}: its session is lost", client));
}

void Checker::broke_off(std::string_view client, int reason) {
  fault(report_.broken_off, fmt::format("{}: ended its connection, reason {}", client, reason));
}

void Checker::fault(std::uint64_t& count, std::string words) {
  ++count;
  if (report_.faults.size() < Report::kFaultsMax) report_.faults.push_back(std::move(words));
}

template <typename Each>
void Checker::for_each_missing(const Each& each) const {
  for (const ReaderState& reader : readers_) {
    for (const auto& [id, stream] : reader.streams) {
      if (stream.guarantee == Guarantee::kAtMostOnce) continue;
      const LaneState& lane = lanes_[id];
      for (std::uint64_t at = stream.from; at < lane.marks.size(); ++at) {
        const bool seen = at < stream.seen.size() && stream.seen[at];
        if ((lane.marks[at] & kAcknowledged) != 0 && !seen) each(reader, stream, lane, at);
      }
    }
  }
}

std::uint64_t Checker::missing() const {
  std::uint64_t count = 0;
  for_each_missing([&count](const auto&, const auto&, const auto&, std::uint64_t) { ++count; });
  return count;
}

std::uint64_t Checker::values_missing() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(lanes_, [](const LaneState& lane) {
    return lane.lane.retain && lane.last_acknowledged != kNone && lane.value == kNone;
  }));
}

Report Checker::judge() const {
  Checker end = *this;
  Report& report = end.report_;
  for_each_missing([&](const ReaderState& reader, const Stream& stream, const LaneState& lane,
                       std::uint64_t sequence) {
    if (lane.lane.guarantee == Guarantee::kExactlyOnce) ++report.lost_exactly_once;
    end.fault(report.lost, fmt::format("{}: lost: {} of '{}', guarantee {}", reader.name, sequence,
                                       lane.lane.name, static_cast<int>(stream.guarantee)));
  });
  for (const LaneState& lane : lanes_) {
    if (!lane.lane.retain || lane.last_acknowledged == kNone) continue;
    if (lane.value == kNone) {
      end.fault(report.values_lost, fmt::format("value of '{}' lost", lane.lane.name));
    } else if (lane.value < lane.last_acknowledged) {
      end.fault(report.values_stale,
                fmt::format("value of '{}' is {}, acknowledged was {}", lane.lane.name, lane.value,
                            lane.last_acknowledged));
    }
  }
  return report;
}

}  // namespace hermod::durability
