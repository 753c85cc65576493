// SPDX-License-Identifier: Apache-2.0
// What a protocol tells the program about itself: one object per folder under protocols/. A new
// protocol is one such object and one line in app/protocols.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hermod/base/bytes.hpp"
#include "hermod/base/rng.hpp"
#include "hermod/session/budget.hpp"
#include "hermod/session/session.hpp"

namespace hermod::session {

enum class ProtocolId : std::uint8_t { kNone = 0, kMqtt, kMqttSn, kCoap, kAmqp091, kAmqp10, kHttp };

enum class Transport : std::uint8_t { kStream, kDatagram };

/// Whether some first octets of a stream belong to a protocol.
enum class Detection : std::uint8_t { kNo, kMaybe, kYes };

/// Limits that every session of a listener obeys, from the configuration.
struct SessionLimits {
  std::uint32_t packet_bytes_max = 268'435'455;  ///< largest packet accepted (max_packet_size)
  std::uint32_t connect_bytes_max = 131'072;     ///< largest packet before the handshake is over
  std::uint32_t connect_timeout_s = 10;          ///< handshake must be over by then
  std::uint16_t keep_alive_s_max = 65'535;       ///< max_keepalive
  std::uint16_t inflight_max = 512;              ///< max_inflight_messages, each way
  std::uint16_t topic_levels_max = 128;
  std::uint16_t topic_alias_max = 10;  ///< max_topic_alias, each way
  /// MQTT 3.1: a message without an answer is sent again then (retry_interval); 0: never.
  std::uint32_t resend_after_s = 20;
  model::Guarantee guarantee_max = model::Guarantee::kExactlyOnce;  ///< max_qos
  bool retain_available = true;  ///< whether clients may publish retained messages
  bool server_moved = false;     ///< whether all clients are sent to server_reference
  /// Where clients are sent that find this server full or going down; "": nowhere.
  std::string server_reference;
};

/// What a session of the server role is made with.
struct SessionSetup {
  const SessionLimits* limits;  ///< outlives the session
  Rng* rng;                     ///< the shard's; outlives the session
  /// What the shard's sessions keep of transfers, together; outlives the session. nullptr: not
  /// counted.
  Budget* budget = nullptr;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  [[nodiscard]] virtual ProtocolId id() const = 0;
  /// The name in configuration and URLs: "mqtt".
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual std::uint16_t default_port() const = 0;
  [[nodiscard]] virtual Transport transport() const = 0;
  /// Judges the first octets of a stream, for ports that several protocols share.
  [[nodiscard]] virtual Detection detect(Bytes first) const = 0;
  /// A session of the server role.
  [[nodiscard]] virtual std::unique_ptr<Session> make_session(const SessionSetup& setup) const = 0;
};

}  // namespace hermod::session
