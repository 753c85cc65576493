// SPDX-License-Identifier: Apache-2.0
// A subscriber of the load: walks the packets of a read, accounts for every message by publisher
// and sequence, and answers the whole read with one write of acknowledgements (MQTT 3.1.1 §4.3).
//
// Delays: of an open loop every message is timed. Of a closed loop one message of each read is, at
// a random place, and stands for all messages of the read: the first waited longest in the socket,
// the last shortest, and a clock that is asked for each would cost as much as the message.
#pragma once

#include <vector>

#include "flows.hpp"
#include "hermod/load/histogram.hpp"
#include "hermod/load/tracker.hpp"
#include "mqtt_link.hpp"
#include "pacing.hpp"
#include "payload.hpp"
#include "shared_group.hpp"

namespace hermod::load {

class MqttSubscriber final : public MqttLink {
 public:
  /// The delays go into `delays`: with `pacing` since the intended send time, else since the real
  /// one when `flows` keep it.
  /// `number`: of the receiver in `flows`, which is the `group` if there is one.
  MqttSubscriber(LinkNames names, unsigned number, Flows& flows, const Pacing* pacing,
                 Histogram* delays, SharedGroup* group = nullptr);

  [[nodiscard]] unsigned number() const { return number_; }
  /// By source (Flows::source_of); none in a group, which has its own.
  [[nodiscard]] const std::vector<SequenceTracker>& trackers() const { return trackers_; }

 private:
  struct Sample {
    const std::uint8_t* payload = nullptr;
    Instant at{};
  };

  std::size_t on_packets(Bytes bytes, Turn& turn) override;
  void on_closed(std::string_view why, Turn& turn) override;
  // Beside the usual way of a message everything is kept out of line: this is what a delivery costs
  // the generator.
  [[gnu::always_inline]] inline bool on_publish(const mqtt::FixedHeader& header,
                                                const std::uint8_t* body, Turn& turn);
  [[nodiscard, gnu::noinline]] static std::size_t properties_size(const mqtt::FixedHeader& header,
                                                                  const std::uint8_t* body,
                                                                  std::size_t at);
  [[nodiscard]] bool is_ack(std::size_t size) const {
    return size == 2 || (size > 2 && has_properties_);
  }
  void on_message(const std::uint8_t* payload, std::size_t size, Turn& turn);
  void account(unsigned source, std::uint64_t sequence);
  [[gnu::noinline]] void on_special_message(unsigned source, const Stamp& stamp, Turn& turn);
  void answer(mqtt::PacketType type, std::uint16_t id);
  std::uint64_t pick_message(std::size_t bytes);
  void note_delay(const Sample& sample, std::uint64_t messages, Turn& turn);

  unsigned number_;
  Flows& flows_;
  const Pacing* pacing_;
  Histogram* delays_;
  Instant read_at_{};
  std::size_t message_bytes_ = ~std::size_t{0};  // octets of the last read for each message
  const std::uint8_t* accounted_ = nullptr;      // payload of the last good message of a read
  std::uint64_t random_;
  bool has_properties_;
  bool plain_;  // neither in a group nor of an open loop
  unsigned sources_;
  SharedGroup* group_;
  std::vector<SequenceTracker> trackers_;
  std::vector<std::uint64_t> next_;  // in a group: by source, one more than the last
};

}  // namespace hermod::load
