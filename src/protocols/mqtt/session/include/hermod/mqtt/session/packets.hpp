// SPDX-License-Identifier: Apache-2.0
// The loop over the packets in a connection's input, the same for both roles: PUBLISH and its
// acknowledgements are dealt with here, everything else by the role. A template, so that nothing in
// the loop is a virtual call. It knows no state of a session but its Flow.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hermod/base/bytes.hpp"
#include "hermod/base/time.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/model/reason.hpp"
#include "hermod/mqtt/codec/acks.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/session/flow.hpp"
#include "hermod/mqtt/session/receiver.hpp"
#include "hermod/mqtt/session/sender.hpp"

namespace hermod::mqtt {

/// When the peer was last heard, and whether it is this side that does not listen.
class Hearing {
 public:
  /// `offered` octets were there, the first `consumed` of them were whole packets and are dealt
  /// with. The same octets may be offered many times: only new ones are a sign of life.
  void note(std::size_t offered, std::size_t consumed, bool waits, Instant now) {
    const auto left = static_cast<std::uint32_t>(offered - consumed);
    if (consumed > 0 || left != left_) last_ = now;
    left_ = left;
    waits_ = waits;
  }
  void restart(Instant now) { last_ = now; }
  [[nodiscard]] Instant last() const { return last_; }
  /// True when a packet stays in the input because this side does not take it: the silence says
  /// nothing about the peer.
  [[nodiscard]] bool waits() const { return waits_; }

 private:
  Instant last_{};
  std::uint32_t left_ = 0;
  bool waits_ = false;
};

/// How far read_packets() came.
struct Progress {
  std::size_t consumed = 0;
  bool waits = false;  ///< stopped in front of a whole packet
};

/// What read_packets() asks of a role.
template <typename R>
concept Role = requires(R role, const FixedHeader& header, Bytes body, const PublishView& publish,
                        session::Effects& effects) {
  /// The largest packet that is taken now.
  { role.packet_bytes_max() } -> std::convertible_to<std::size_t>;
  /// Whether PUBLISH and requests are taken now.
  { role.takes_messages() } -> std::same_as<bool>;
  /// kSuccess, or why the connection is closed for this PUBLISH.
  { role.judge(publish) } -> std::same_as<ReasonCode>;
  /// A packet of any other type.
  { role.on_packet(header, body, effects) } -> std::same_as<Step>;
  /// Closes the connection.
  role.fail(model::Reason::kMalformed, effects);
  /// Closes the connection for a packet that could not be read, or with this reason code (MQTT 5).
  role.fail(WireError{}, effects);
  role.fail(ReasonCode::kProtocolError, effects);
  /// The peer has refused a message (MQTT 5).
  role.hear_refusal(ReasonCode::kNotAuthorized, publish.properties);
};

namespace packets_detail {

template <Role R>
Step take_publish(R& role, Flow& flow, const FixedHeader& header, Bytes body, Instant now,
                  session::Effects& effects) {
  if (!role.takes_messages()) return Step::kWait;
  const auto publish = read_publish(header, body, flow.version);
  if (!publish) [[unlikely]] {
    role.fail(publish.error(), effects);
    return Step::kStop;
  }
  const ReasonCode code = role.judge(*publish);
  if (code != ReasonCode::kSuccess) [[unlikely]] {
    role.fail(code, effects);
    return Step::kStop;
  }
  if (!flow.v5) return on_publish(*publish, flow, effects);
  Step step = Step::kStop;
  if (const auto why = on_publish_v5(*publish, flow, now, effects, step)) [[unlikely]] {
    role.fail(*why, effects);
  }
  return step;
}

template <Role R>
Step take_ack(R& role, Flow& flow, const FixedHeader& header, Bytes body,
              session::Effects& effects) {
  const auto ack = read_ack(header, body, flow.version);
  if (!ack) [[unlikely]] {
    role.fail(ack.error(), effects);
    return Step::kStop;
  }
  if (is_failure(ack->reason)) [[unlikely]]
    role.hear_refusal(ack->reason, ack->properties);
  Step step = Step::kNext;
  switch (ack->type) {
    case PacketType::kPuback:
      step = on_puback(ack->packet_id, flow, effects, ack->reason);
      break;
    case PacketType::kPubrec:
      step = on_pubrec(ack->packet_id, ack->reason, flow, effects);
      break;
    case PacketType::kPubrel:
      on_pubrel(ack->packet_id, flow, effects);
      break;
    default:
      step = on_pubcomp(ack->packet_id, flow, effects);
      break;
  }
  if (step == Step::kStop) role.fail(model::Reason::kProtocolError, effects);
  return step;
}

template <Role R>
Step take(R& role, Flow& flow, const FixedHeader& header, Bytes body, Instant now,
          session::Effects& effects) {
  switch (header.type) {
    case PacketType::kPublish:
      return take_publish(role, flow, header, body, now, effects);
    case PacketType::kPuback:
    case PacketType::kPubrec:
    case PacketType::kPubrel:
    case PacketType::kPubcomp:
      return take_ack(role, flow, header, body, effects);
    default:
      return role.on_packet(header, body, effects);
  }
}

}  // namespace packets_detail

/// Deals with the whole packets at the start of `bytes` until the role wants to wait or closes.
/// When it closes, everything counts as consumed.
template <Role R>
Progress read_packets(R& role, Flow& flow, Bytes bytes, Instant now, session::Effects& effects) {
  if (flow.v5) flow.v5->release();
  std::size_t at = 0;
  std::size_t count = 0;  // packets
  const auto end_at = [&](std::size_t consumed, bool waits) {
    effects.note_received(count);
    return Progress{consumed, waits};
  };
  while (at < bytes.size()) {
    const Bytes rest = bytes.subspan(at);
    const auto header = read_fixed_header(rest, flow.version);
    if (!header) [[unlikely]] {
      if (header.error().incomplete()) break;
      role.fail(header.error(), effects);
      return end_at(bytes.size(), false);
    }
    if (header->packet_size() > role.packet_bytes_max()) [[unlikely]] {  // before its body is here
      role.fail(model::Reason::kTooLarge, effects);
      return end_at(bytes.size(), false);
    }
    if (rest.size() < header->packet_size()) break;
    const Bytes body = rest.subspan(header->header_size, header->remaining_length);
    switch (packets_detail::take(role, flow, *header, body, now, effects)) {
      case Step::kNext:
        at += header->packet_size();
        ++count;
        break;
      case Step::kWait:
        return end_at(at, true);
      case Step::kStop:
        ++count;
        return end_at(bytes.size(), false);
    }
  }
  return end_at(at, false);
}

}  // namespace hermod::mqtt
