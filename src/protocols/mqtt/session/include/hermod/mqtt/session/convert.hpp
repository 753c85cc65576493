// SPDX-License-Identifier: Apache-2.0
// Between MQTT's words and the hub's: PUBLISH and model::Message, return codes and reasons. Copies
// nothing: what it makes borrows from what it was given. The README's table says what is lost.
#pragma once

#include <cstdint>
#include <optional>

#include "hermod/model/message.hpp"
#include "hermod/model/reason.hpp"
#include "hermod/model/subscription.hpp"
#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/codec/reason_code.hpp"
#include "hermod/mqtt/codec/subscribe.hpp"
#include "hermod/session/protocol.hpp"

namespace hermod::mqtt {

[[nodiscard]] constexpr model::Guarantee to_guarantee(std::uint8_t qos) {
  return static_cast<model::Guarantee>(qos);
}
[[nodiscard]] constexpr std::uint8_t to_qos(model::Guarantee guarantee) {
  return static_cast<std::uint8_t>(guarantee);
}

[[nodiscard]] constexpr model::RetainHandling to_retain_handling(RetainHandling handling) {
  return static_cast<model::RetainHandling>(handling);
}

/// Fills a message that has its default members with a PUBLISH that was received. DUP is not a
/// property of the message [MQTT-3.3.1-3]. Borrows the octets of `publish`.
inline void fill_message(model::Message& message, const PublishView& publish) {
  message.destination.address = publish.topic;
  message.payload = publish.payload;
  message.guarantee = to_guarantee(publish.qos);
  message.retain = publish.retain;
  message.origin.protocol = static_cast<std::uint8_t>(session::ProtocolId::kMqtt);
}

/// The hub message of a will.
[[nodiscard]] model::Message to_message(const WillView& will);

/// How one delivery of a message looks as PUBLISH.
struct PublishFlags {
  model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
  std::uint16_t packet_id = 0;
  bool retain = false;
  bool dup = false;
};

/// The PUBLISH that delivers `message`. Borrows its octets.
[[nodiscard]] inline PublishView to_publish(const model::Message& message, PublishFlags flags) {
  return {.topic = message.destination.address,
          .payload = message.payload,
          .packet_id = flags.packet_id,
          .qos = to_qos(flags.guarantee),
          .retain = flags.retain,
          .dup = flags.dup};
}

/// The return code that refuses a CONNECT for this reason; nothing when table 3.1 has none, and the
/// connection is closed without CONNACK [MQTT-3.2.2-6].
[[nodiscard]] std::optional<ConnectReturnCode> to_return_code(model::Reason reason);

/// Why a server said no to CONNECT.
[[nodiscard]] model::Reason to_reason(ConnectReturnCode code);

/// What a reason code of the peer means; those of DISCONNECT that are no failures mean that it
/// closes.
[[nodiscard]] model::Reason to_reason(ReasonCode code);

/// The reason code that answers CONNECT with this reason.
[[nodiscard]] ReasonCode to_connect_code(model::Reason reason);
/// The reason code of PUBACK and PUBREC for this fate of a PUBLISH.
[[nodiscard]] ReasonCode to_publish_code(model::Reason reason);
/// The reason code of SUBACK that refuses a filter.
[[nodiscard]] ReasonCode to_subscribe_code(model::Reason reason);
/// The reason code of a DISCONNECT by this side.
[[nodiscard]] ReasonCode to_disconnect_code(model::Reason reason);

/// True when a PUBLISH that met this fate is acknowledged like any other: MQTT 3.1.1 cannot say
/// that it was not wanted [MQTT-3.3.5-2]. False when the message may be accepted later: then the
/// connection is closed without acknowledging it [MQTT-4.8.0-2], and the peer sends it again.
[[nodiscard]] bool is_acknowledged(model::Reason reason);

}  // namespace hermod::mqtt
