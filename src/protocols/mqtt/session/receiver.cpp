// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/session/receiver.hpp"

namespace hermod::mqtt {
Step on_repeated_publish(std::uint16_t packet_id, Flow& flow, session::Effects& effects) {
  if (flow.unanswered > 0) return Step::kWait;
  send_ack(PacketType::kPubrec, packet_id, flow, effects);  // [MQTT-4.3.3-2]
  return Step::kNext;
}

Step on_published(const session::Answer& answer, Flow& flow, session::Effects& effects) {
  const auto packet_id = static_cast<std::uint16_t>(answer.ticket);  // [MQTT-2.3.1-6]
  const bool exactly_once = (answer.ticket >> 16 & 3) == 2;
  --flow.unanswered;
  if (!is_acknowledged(answer.reason)) {
    if (exactly_once) flow.inflight.forget_incoming(packet_id);
    return Step::kStop;
  }
  send_ack(exactly_once ? PacketType::kPubrec : PacketType::kPuback, packet_id, flow, effects);
  return Step::kNext;
}

void on_pubrel(std::uint16_t packet_id, Flow& flow, session::Effects& effects) {
  flow.inflight.forget_incoming(packet_id);
  send_ack(PacketType::kPubcomp, packet_id, flow, effects);  // [MQTT-4.3.3-2]
}

}  // namespace hermod::mqtt
