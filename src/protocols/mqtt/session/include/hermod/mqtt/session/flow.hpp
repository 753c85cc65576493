// SPDX-License-Identifier: Apache-2.0
// What the two directions of one MQTT connection share, and the tickets they hand out. Sender,
// receiver and both sessions work on it; it knows neither role.
#pragma once

#include <cstdint>
#include <memory>

#include "hermod/mqtt/codec/acks.hpp"
#include "hermod/mqtt/codec/version.hpp"
#include "hermod/mqtt/session/v5.hpp"
#include "hermod/session/effects.hpp"
#include "hermod/session/inflight.hpp"

namespace hermod::mqtt {

/// State of the message exchanges of one connection.
struct Flow {
  session::Inflight inflight;    ///< packet ids in use, both ways
  std::uint32_t unanswered = 0;  ///< PUBLISH packets of the peer whose ticket has not come back
  std::uint16_t surplus = 0;     ///< exchanges resumed above the window: their end frees no credit
  Version version = Version::kV311;
  /// Server: what the peer may hear of exactly once exchanges waits for the store, and packet ids
  /// are the same after a restart.
  bool kept = false;
  std::unique_ptr<V5> v5;  ///< with MQTT 5 only
};

/// What becomes of a packet at the front of the input.
enum class Step : std::uint8_t {
  kNext,  ///< dealt with
  kWait,  ///< not now: it stays in the input until it is offered again
  kStop,  ///< the connection is being closed: nothing that follows counts
};

/// What a ticket was handed out for: the top octet of the ticket.
enum class TicketKind : std::uint8_t {
  kAttach = 1,
  kPublish,
  kRequest,
  kAuthenticate,
  kRelease,
  kEnd
};

[[nodiscard]] constexpr session::Ticket make_ticket(TicketKind kind, std::uint64_t rest) {
  return std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 | rest;
}
[[nodiscard]] constexpr TicketKind kind_of(session::Ticket ticket) {
  return static_cast<TicketKind>(ticket >> 56);
}

/// The packet id of the message whose Publish effect carries `ticket`; 0 for QoS 0.
[[nodiscard]] constexpr std::uint16_t packet_id_of(session::Ticket ticket) {
  return static_cast<std::uint16_t>(ticket);
}

/// Writes PUBACK, PUBREC, PUBREL or PUBCOMP. The reason is for MQTT 5.
inline void send_ack(PacketType type, std::uint16_t packet_id, const Flow& flow,
                     session::Effects& effects, ReasonCode reason = ReasonCode::kSuccess) {
  const AckView ack{type, packet_id, reason};
  const std::size_t size = ack_size(ack, flow.version);
  write_ack(effects.output().reserve(size), ack, flow.version);
  effects.output().commit(size);
}

}  // namespace hermod::mqtt
