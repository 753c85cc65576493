// SPDX-License-Identifier: Apache-2.0
// A subscriber of the load: walks the packets of a read, accounts for every message by publisher
// and sequence, and answers the whole read with one write of acknowledgements (MQTT 3.1.1 §4.3).
#pragma once

#include <vector>

#include "flows.hpp"
#include "hermod/load/histogram.hpp"
#include "hermod/load/tracker.hpp"
#include "mqtt_link.hpp"
#include "pacing.hpp"

namespace hermod::load {

class MqttSubscriber final : public MqttLink {
 public:
  /// With `pacing` the delay since the intended send time goes into `delays`.
  MqttSubscriber(LinkNames names, unsigned number, Flows& flows, const Pacing* pacing,
                 Histogram* delays);

  [[nodiscard]] unsigned number() const { return number_; }
  /// By source (Flows::source_of).
  [[nodiscard]] const std::vector<SequenceTracker>& trackers() const { return trackers_; }

 private:
  std::size_t on_packets(Bytes bytes, Turn& turn) override;
  void on_closed(std::string_view why, Turn& turn) override;
  bool on_publish(const mqtt::FixedHeader& header, const std::uint8_t* body, Turn& turn);
  void on_message(const std::uint8_t* payload, std::size_t size, Turn& turn);
  void answer(mqtt::PacketType type, std::uint16_t id);

  unsigned number_;
  Flows& flows_;
  const Pacing* pacing_;
  Histogram* delays_;
  Instant read_at_{};
  std::vector<SequenceTracker> trackers_;
};

}  // namespace hermod::load
