// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/session/receiver.hpp"

#include <chrono>

#include "hermod/base/utf8.hpp"
#include "hermod/mqtt/session/advice.hpp"

namespace hermod::mqtt {
namespace {

// PUBACK or PUBREC of MQTT 5; one that refuses says why where the client takes so much.
void answer_publish(AckView ack, const Flow& flow, session::Effects& effects) {
  if (!is_failure(ack.reason)) {
    return send_ack(ack.type, ack.packet_id, flow, effects, ack.reason);
  }
  const ReasonString why(ack.reason, ack.type, {}, flow.v5.get());
  ack.properties = why.beside(ack_size(ack, flow.version));  // [MQTT-3.4.2-2], [MQTT-3.5.2-2]
  const std::size_t size = ack_size(ack, flow.version);
  write_ack(effects.output().reserve(size), ack, flow.version);
  effects.output().commit(size);
}

bool is_exactly_once(const session::Answer& answer) {
  return (answer.ticket >> 16 & 3) == 2;
}

bool is_refused(const session::Answer& answer, const Flow& flow) {
  return flow.v5 ? is_failure(to_publish_code(answer.reason)) : !is_acknowledged(answer.reason);
}

void end_exchange(std::uint16_t packet_id, Flow& flow, session::Effects& effects) {
  const bool known = flow.inflight.forget_incoming(packet_id);
  if (flow.v5) flow.v5->note_ended(flow.inflight);
  effects.note_sent(1);
  send_ack(PacketType::kPubcomp, packet_id, flow, effects,  // [MQTT-4.3.3-2]
           known ? ReasonCode::kSuccess : ReasonCode::kPacketIdentifierNotFound);
}

}  // namespace

Step on_repeated_publish(std::uint16_t packet_id, Flow& flow, session::Effects& effects) {
  if (flow.unanswered > 0) return Step::kWait;
  effects.note_sent(1);
  send_ack(PacketType::kPubrec, packet_id, flow, effects);  // [MQTT-4.3.3-2]
  return Step::kNext;
}

void on_published_too_late(const session::Answer& answer, Flow& flow) {
  if (is_exactly_once(answer) && is_refused(answer, flow)) {
    flow.inflight.forget_incoming(packet_id_of(answer.ticket));
  }
}

Step on_published(const session::Answer& answer, Flow& flow, session::Effects& effects) {
  const auto packet_id = static_cast<std::uint16_t>(answer.ticket);  // [MQTT-2.3.1-6]
  const bool exactly_once = is_exactly_once(answer);
  --flow.unanswered;
  const PacketType type = exactly_once ? PacketType::kPubrec : PacketType::kPuback;
  if (flow.v5) {
    if (!exactly_once) --flow.v5->unanswered_at_least_once;
    const ReasonCode code = to_publish_code(answer.reason);
    // A PUBREC that refuses ends the exchange: the id may come again (§4.3.3).
    if (exactly_once && is_failure(code)) {
      flow.inflight.forget_incoming(packet_id);
      flow.v5->note_ended(flow.inflight);
    }
    answer_publish(AckView{type, packet_id, code}, flow, effects);
    return Step::kNext;
  }
  if (!is_acknowledged(answer.reason)) {
    if (exactly_once) flow.inflight.forget_incoming(packet_id);
    return Step::kStop;
  }
  send_ack(type, packet_id, flow, effects);
  return Step::kNext;
}

void on_pubrel(std::uint16_t packet_id, Flow& flow, session::Effects& effects) {
  if (flow.kept) {  // also of an exchange that began before the broker was stopped
    return effects.push(session::EndExchange{packet_id, make_ticket(TicketKind::kEnd, packet_id)});
  }
  end_exchange(packet_id, flow, effects);
}

void on_exchange_ended(const session::Answer& answer, Flow& flow, session::Effects& effects) {
  end_exchange(packet_id_of(answer.ticket), flow, effects);
}

std::optional<ReasonCode> on_publish_v5(PublishView publish, Flow& flow, Instant now,
                                        session::Effects& effects, Step& step) {
  V5& v5 = *flow.v5;
  const PropertyBlock& block = publish.properties;
  if (block.has(PropertyId::kSubscriptionIdentifier) && !v5.client) {  // [MQTT-3.3.4-6]
    return ReasonCode::kProtocolError;
  }
  if (block.has(PropertyId::kTopicAlias)) {
    const auto topic =
        v5.incoming_aliases.resolve(block.number_or(PropertyId::kTopicAlias, 0), publish.topic);
    // An alias that is allowed and unknown breaks the protocol, another one is invalid.
    if (!topic) {
      return v5.incoming_aliases.allows(block.number_or(PropertyId::kTopicAlias, 0))
                 ? ReasonCode::kProtocolError
                 : ReasonCode::kTopicAliasInvalid;
    }
    publish.topic = *topic;
  }
  const model::Properties* const properties = v5.held.hold(block);
  if (properties != nullptr && properties->text && !is_utf8(publish.payload)) {
    return ReasonCode::kPayloadFormatInvalid;
  }
  const bool exactly_once = publish.qos == 2;
  if (exactly_once && flow.inflight.has_incoming(publish.packet_id)) {
    step = on_repeated_publish(publish.packet_id, flow, effects);
    return std::nullopt;
  }
  if (publish.qos > 0 && v5.received(flow.inflight) >= v5.own_receive_max) {  // [MQTT-3.3.4-7]
    return ReasonCode::kReceiveMaximumExceeded;
  }
  if (exactly_once) (void)flow.inflight.note_incoming(publish.packet_id);
  if (publish.qos == 1) ++v5.unanswered_at_least_once;
  model::Message& message = append_publish(publish, flow, effects).message;
  message.properties = properties;
  if (block.has(PropertyId::kMessageExpiryInterval)) {
    message.expires_at =
        now + std::chrono::seconds{block.number_or(PropertyId::kMessageExpiryInterval, 0)};
  }
  step = Step::kNext;
  return std::nullopt;
}

}  // namespace hermod::mqtt
