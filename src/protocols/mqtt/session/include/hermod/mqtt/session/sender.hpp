// SPDX-License-Identifier: Apache-2.0
// Messages on their way to the peer (MQTT 3.1.1 §4.3, §4.4), in both roles. Functions on a Flow;
// they know no role, no clock and no queue: the message itself stays with whoever delivers it.
//
//   QoS 0   PUBLISH ->                                     over with the delivery
//   QoS 1   PUBLISH ->            <- PUBACK                Settle, a credit back
//   QoS 2   PUBLISH ->            <- PUBREC                Settle: the message is the peer's
//           PUBREL  ->            <- PUBCOMP               a credit back
//   of a peer that is kept        <- PUBREC                Release; PUBREL once it is answered
//                                 <- PUBCOMP               Settle, a credit back
//                                 <- PUBREC that refuses   Settle, a credit back (MQTT 5)
// What a client's server refuses, or cannot take, is settled with kReject and the reason code.
//
//   stage of a packet id   | PUBACK          | PUBREC               | PUBCOMP
//   not in use             | ignored         | PUBREL               | ignored
//   kSent, QoS 1           | id free         | violation            | violation
//   kSent, QoS 2           | violation       | kReleased, PUBREL    | violation
//   kReleased              | violation       | PUBREL again         | id free
//
// Nothing is sent again while a connection lasts; the next connection starts with resume().
#pragma once

#include <cstdint>

#include "hermod/model/delivery.hpp"
#include "hermod/mqtt/session/flow.hpp"
#include "hermod/session/session.hpp"

namespace hermod::mqtt {

/// Encodes a batch into the output. A message that MQTT cannot say (a topic or packet too long),
/// that the peer does not take (MQTT 5: its maximum packet size [MQTT-3.1.2-25]) or whose time is
/// over [MQTT-3.3.2-5] is settled as if it had been sent. Needs a free packet id for each delivery
/// above QoS 0, which credit sees to.
void deliver(const model::DeliveryBatch& batch, Flow& flow, Instant now, session::Effects& effects);

/// The connection goes on with the exchanges of an earlier one: repeats PUBREL for what was
/// released, in its order, and asks for as many deliveries as may be under way beside them; when
/// those are more than may be under way at all, the first of them to end free nothing. What was
/// sent and not answered comes back as deliveries that say `redelivered`.
void resume(Flow& flow, std::uint16_t inflight_max, session::Effects& effects);

/// The peer's answers. kStop means that the exchange of this id is of another kind: a violation.
/// `reason`: MQTT 5 may refuse the message, which ends its exchange; a client tells its owner.
[[nodiscard]] Step on_puback(std::uint16_t packet_id, Flow& flow, session::Effects& effects,
                             ReasonCode reason = ReasonCode::kSuccess);
[[nodiscard]] Step on_pubrec(std::uint16_t packet_id, ReasonCode reason, Flow& flow,
                             session::Effects& effects);
[[nodiscard]] Step on_pubcomp(std::uint16_t packet_id, Flow& flow, session::Effects& effects);
/// The answer to a ticket of TicketKind::kRelease, which a PUBREC of a peer that is kept makes.
void on_released(const session::Answer& answer, Flow& flow, session::Effects& effects);

}  // namespace hermod::mqtt
