// SPDX-License-Identifier: Apache-2.0
// A publisher of the load: numbered messages, copied in bulk from packets that were encoded once;
// only sequence, packet identifier and number of the topic are written anew. At QoS 1 and 2 it
// keeps the exchanges of MQTT 3.1.1 §4.3 in a table by packet identifier.
//
//   QoS 1: kFree -PUBLISH-> kPublished -PUBACK-> kFree
//   QoS 2: kFree -PUBLISH-> kPublished -PUBREC/PUBREL-> kReleased -PUBCOMP-> kFree
#pragma once

#include <cstdint>
#include <vector>

#include "flows.hpp"
#include "mqtt_link.hpp"
#include "topic_cycle.hpp"

namespace hermod::load {

struct PublisherPlan {
  std::uint32_t number = 0;
  TopicCycle topics;
  unsigned qos = 0;
  unsigned payload_bytes = kPayloadMin;
  unsigned inflight = 20;      ///< unacknowledged messages at most; QoS 1 and 2
  std::uint64_t messages = 0;  ///< not 0: that many in all
};

class MqttPublisher final : public MqttLink {
 public:
  MqttPublisher(LinkNames names, PublisherPlan plan, Flows& flows);

  /// Appends messages up to number `limit` (exclusive) as far as acknowledgements allow; flush()
  /// sends them. Returns how many.
  std::uint64_t publish(std::uint64_t limit, Turn& turn);
  /// Looks for a second without progress and then forgives what is under way. `held`: publish()
  /// could go on if messages or acknowledgements arrived.
  void look_for_stall(bool held, Turn& turn);
  /// Tells the others how far it is and whether more will come.
  void report(bool ended);

  /// The messages below it do not hold the window: seen by all, or forgiven.
  [[nodiscard]] std::uint64_t floor() const;
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] bool complete() const { return plan_.messages != 0 && sent_ == plan_.messages; }
  [[nodiscard]] std::uint64_t unacknowledged() const { return unacknowledged_; }
  [[nodiscard]] std::uint32_t number() const { return plan_.number; }

 private:
  enum class Exchange : std::uint8_t { kFree, kPublished, kReleased };

  std::size_t on_packets(Bytes bytes, Turn& turn) override;
  void on_acknowledgement(mqtt::PacketType kind, std::uint16_t id, bool refused, Turn& turn);
  void finish(std::uint16_t id);
  void append(std::uint64_t count);
  std::uint16_t take_id();

  PublisherPlan plan_;
  Flows& flows_;
  std::vector<std::uint8_t> block_;  // the same packet many times
  std::size_t packet_size_ = 0;
  std::size_t payload_offset_ = 0;
  std::size_t id_offset_ = 0;
  std::size_t block_packets_ = 0;
  TopicNumber topic_number_;
  std::size_t topic_number_offset_ = 0;

  std::uint64_t sent_ = 0;
  std::uint64_t forgiven_ = 0;  // sent_ at the last stall
  std::uint64_t unacknowledged_ = 0;
  std::uint64_t unacknowledged_forgiven_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::vector<Exchange> exchanges_;  // by packet identifier, 0 unused
  std::uint16_t next_id_ = 1;

  std::uint64_t last_progress_ = 0;
  Instant last_progress_at_{};
};

}  // namespace hermod::load
