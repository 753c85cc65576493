// SPDX-License-Identifier: Apache-2.0
// Messages from the peer (MQTT 3.1.1 §4.3), in both roles. Functions on a Flow; they know no role.
// A message is published as soon as it is here (method B of figure 4.3); its acknowledgement leaves
// when the ticket comes back, and the ticket is all that is remembered until then.
//
//   QoS 0   -> PUBLISH    Publish
//   QoS 1   -> PUBLISH    Publish ... answer: PUBACK
//   QoS 2   -> PUBLISH    id unknown: id noted, Publish ... answer: PUBREC
//                         id known: PUBREC, once nothing before it waits for an answer
//           -> PUBREL     id forgotten: PUBCOMP; of a peer that is kept, once the store has that
//
// Tickets must be answered in the order of their effects: then PUBACK and PUBREC leave in the order
// in which the messages arrived [MQTT-4.6.0-2], [MQTT-4.6.0-3].
#pragma once

#include <cstdint>
#include <optional>

#include "hermod/base/time.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/codec/reason_code.hpp"
#include "hermod/mqtt/session/convert.hpp"
#include "hermod/mqtt/session/flow.hpp"
#include "hermod/session/session.hpp"

namespace hermod::mqtt {

/// The ticket of a PUBLISH says which acknowledgement it waits for.
[[nodiscard]] constexpr session::Ticket publish_ticket(std::uint8_t qos, std::uint16_t packet_id) {
  return make_ticket(TicketKind::kPublish, std::uint64_t{qos} << 16 | packet_id);
}

/// Takes a QoS 2 PUBLISH whose id is known. kWait when it may not be acknowledged yet: stopping in
/// front of it keeps the order and needs no memory.
[[nodiscard]] Step on_repeated_publish(std::uint16_t packet_id, Flow& flow,
                                       session::Effects& effects);

/// The effect of a PUBLISH that is no repetition, where it stands; lives until the next effect.
inline session::Publish& append_publish(const PublishView& publish, Flow& flow,
                                        session::Effects& effects) {
  session::Publish& effect = effects.append<session::Publish>();
  fill_message(effect.message, publish);
  if (publish.qos > 0) {
    effect.ticket = publish_ticket(publish.qos, publish.packet_id);
    if (publish.qos == 2) effect.message.origin.exchange = publish.packet_id;
    ++flow.unanswered;
  }
  return effect;
}

/// Takes a PUBLISH. Inline, as the hottest path of all: what it makes is written once, in its
/// place.
[[nodiscard]] inline Step on_publish(const PublishView& publish, Flow& flow,
                                     session::Effects& effects) {
  if (publish.qos == 2 && !flow.inflight.note_incoming(publish.packet_id)) {  // [MQTT-4.3.3-2]
    return on_repeated_publish(publish.packet_id, flow, effects);
  }
  (void)append_publish(publish, flow, effects);
  return Step::kNext;
}

/// Takes a PUBLISH of MQTT 5, as above: with its alias and properties, and no more than the receive
/// maximum allows. Nothing, when it was taken or has to wait; else why the connection is closed.
[[nodiscard]] std::optional<ReasonCode> on_publish_v5(PublishView publish, Flow& flow, Instant now,
                                                      session::Effects& effects, Step& step);

/// The answer to a ticket of TicketKind::kPublish. kStop: it must not be acknowledged, the
/// connection is to be closed for the answer's reason.
[[nodiscard]] Step on_published(const session::Answer& answer, Flow& flow,
                                session::Effects& effects);
/// The same when the connection is being closed: what was refused may come again.
void on_published_too_late(const session::Answer& answer, Flow& flow);

/// Takes a PUBREL. Of a peer that is kept, on_exchange_ended() answers it.
void on_pubrel(std::uint16_t packet_id, Flow& flow, session::Effects& effects);
/// The answer to a ticket of TicketKind::kEnd.
void on_exchange_ended(const session::Answer& answer, Flow& flow, session::Effects& effects);

}  // namespace hermod::mqtt
