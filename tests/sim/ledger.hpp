// SPDX-License-Identifier: Apache-2.0
// What was published, by whom, in which order, and what is known of its fate. Written by the
// clients, read by the oracles; it has never heard of the broker.
//
// A lane is what one producer publishes on one topic: its transmissions in order, repetitions
// included. The broker reads a prefix of them on each connection, so whatever a subscriber gets of
// a lane must be a subsequence of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hermod/base/time.hpp"
#include "hermod/model/message.hpp"
#include "payload.hpp"

namespace hermod::sim {

using PublicationId = std::uint32_t;
using ProducerId = std::uint16_t;
using TopicId = std::uint16_t;
using LaneId = std::uint32_t;

struct Topic {
  enum class Kind : std::uint8_t {
    kEvent,  ///< nothing is retained
    kState,  ///< everything is retained
    kWill,   ///< wills of one client
  };
  std::string name;
  Kind kind = Kind::kEvent;
  std::uint16_t writers = 0;  ///< clients that publish to it
};

struct Publication {
  /// What becomes of a will when its connection ends.
  enum class Will : std::uint8_t {
    kNone,       ///< not a will
    kArmed,      ///< the connection stands, or may stand
    kDue,        ///< it ended without DISCONNECT
    kForbidden,  ///< it ended with DISCONNECT
    kUnclear,    ///< nobody can tell what reached the broker
  };

  Label label;
  LaneId lane = 0;
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  bool retain = false;
  bool clears = false;  ///< empty payload
  Will will = Will::kNone;
  std::size_t size = 0;
  Instant begun = kNever;                ///< handed to the connection for the first time
  Instant accepted = kNever;             ///< the broker is known to have taken it
  std::uint32_t connection = 0;          ///< of its last transmission
  bool marked = false;                   ///< carries its sequence number as a user property
  bool renewed = false;                  ///< sent as new after the session was lost
  bool forgettable = false;              ///< retained, and perhaps not kept: nobody was told so
  std::vector<std::size_t> positions{};  ///< of its transmissions in the lane
  std::size_t processed = 0;             ///< accepted: a position up to which the broker has worked
};

struct Lane {
  ProducerId producer = 0;
  TopicId topic = 0;
  std::uint32_t next_sequence = 0;
  std::vector<PublicationId> transmissions;

  /// The first transmission of `id` at or after `from`.
  [[nodiscard]] std::optional<std::size_t> find(PublicationId id, std::size_t from) const;
};

class Ledger {
 public:
  TopicId add_topic(std::string name, Topic::Kind kind);
  [[nodiscard]] const std::vector<Topic>& topics() const { return topics_; }
  [[nodiscard]] Topic& topic(TopicId id) { return topics_[id]; }
  [[nodiscard]] std::optional<TopicId> find_topic(std::string_view name) const;

  /// From now on values may not be kept of which nobody acknowledges that: wills, and QoS 0.
  void doubt_values() { doubts_values_ = true; }

  struct Draft {
    ProducerId producer = 0;
    TopicId topic = 0;
    model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
    bool retain = false;
    std::size_t size = 0;  ///< 0: clears
  };
  /// A message that somebody means to publish.
  PublicationId draft(const Draft& draft);
  /// A will: its place in the lane is that of its connection.
  PublicationId draft_will(const Draft& draft, std::uint32_t connection, Instant now);
  [[nodiscard]] std::vector<std::uint8_t> payload_of(PublicationId id) const;

  void transmitted(PublicationId id, std::uint32_t connection, Instant now);
  /// Acknowledged.
  void accepted(PublicationId id, Instant now);
  /// The connection stands and all of it has arrived: so have its messages at most once, of which
  /// nothing tells otherwise.
  void all_arrived(ProducerId producer, std::uint32_t connection, Instant now);

  [[nodiscard]] std::size_t size() const { return publications_.size(); }
  [[nodiscard]] Publication& operator[](PublicationId id) { return publications_[id]; }
  [[nodiscard]] const Publication& operator[](PublicationId id) const { return publications_[id]; }
  [[nodiscard]] std::optional<PublicationId> find(const Label& label) const;
  [[nodiscard]] const std::vector<Lane>& lanes() const { return lanes_; }
  [[nodiscard]] const Lane& lane(LaneId id) const { return lanes_[id]; }
  /// Whether `newer` surely came after `older` at the broker, whatever happened on the way.
  [[nodiscard]] bool precedes(PublicationId older, PublicationId newer) const;
  [[nodiscard]] std::optional<LaneId> find_lane(ProducerId producer, TopicId topic) const;

 private:
  LaneId lane_of(ProducerId producer, TopicId topic);

  bool doubts_values_ = false;
  std::vector<Topic> topics_;
  std::map<std::string, TopicId, std::less<>> topic_names_;
  std::vector<Publication> publications_;
  std::vector<Lane> lanes_;
  std::map<std::pair<ProducerId, TopicId>, LaneId> lane_ids_;
  std::map<std::pair<LaneId, std::uint32_t>, PublicationId> by_sequence_;
};

/// Whether an MQTT filter matches a topic (MQTT 3.1.1 §4.7); the oracles' own opinion.
[[nodiscard]] bool filter_matches(std::string_view filter, std::string_view topic);
/// A publication in words.
[[nodiscard]] std::string describe(const Ledger& ledger, PublicationId id);
/// The topic filter of a shared subscription; another filter as it is.
[[nodiscard]] std::string_view without_share(std::string_view filter);

}  // namespace hermod::sim
