// SPDX-License-Identifier: Apache-2.0
// What a client says in CONNECT, and what the server says to it in CONNACK, in memory of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hermod/model/message.hpp"
#include "hermod/mqtt/codec/reason_code.hpp"
#include "hermod/mqtt/codec/version.hpp"
#include "hermod/mqtt/session/authenticator.hpp"

namespace hermod::mqtt {

/// Names and values, in their order, with repetitions.
using UserProperties = std::vector<std::pair<std::string, std::string>>;

/// What a message says beside its topic and payload. Left out before MQTT 5.
struct MessageProperties {
  std::string content_type;
  std::string response_topic;
  std::string correlation_data;           ///< any octets
  std::optional<std::uint32_t> expiry_s;  ///< how long it is worth delivering
  bool text = false;                      ///< the payload is UTF-8
  UserProperties user;

  [[nodiscard]] bool empty() const {
    return content_type.empty() && response_topic.empty() && correlation_data.empty() &&
           !expiry_s && !text && user.empty();
  }
};

/// MessageProperties in the hub's words, without the expiry. Borrows from them; stays in its place.
class HubProperties {
 public:
  explicit HubProperties(const MessageProperties& properties);
  HubProperties(const HubProperties&) = delete;
  HubProperties& operator=(const HubProperties&) = delete;

  [[nodiscard]] const model::Properties* get() const { return &properties_; }

 private:
  std::vector<model::UserProperty> user_;
  model::Properties properties_;
};

/// What a client asks for in CONNECT, and its own limits.
struct ClientOptions {
  struct Will {
    std::string topic;
    std::vector<std::uint8_t> payload;
    model::Guarantee guarantee = model::Guarantee::kAtMostOnce;
    bool retain = false;
    // MQTT 5:
    std::uint32_t delay_s = 0;  ///< so long after the connection is lost
    MessageProperties properties;
  };

  Version version = Version::kV311;
  std::string client_id;      ///< empty: the server assigns one; not in 3.1, and in 3.1.1 only
                              ///< with clean_session
  bool clean_session = true;  ///< forget earlier exchanges, on both sides
  std::uint16_t keep_alive_s = 60;  ///< 0: none. In MQTT 5 the server may choose another
  std::optional<std::string> user_name;
  std::optional<std::vector<std::uint8_t>> password;  ///< before MQTT 5 only with user_name
  std::optional<Will> will;
  std::uint32_t connect_timeout_s = 30;  ///< CONNACK must have come by then
  std::uint32_t packet_bytes_max = 268'435'455;
  std::uint16_t inflight_max = 20;  ///< messages above QoS 0 that are under way at a time

  /// MQTT 3.1: a message, its PUBREL, SUBSCRIBE or UNSUBSCRIBE that is not answered for so long is
  /// sent again with DUP (§2.1, §4.1, §4.2). 0: never. Later versions repeat nothing while a
  /// connection lasts.
  std::uint32_t resend_after_s = 0;

  // --- MQTT 5 ---
  std::uint32_t session_expiry_s = 0;     ///< how long the session outlives the connection;
                                          ///< UINT32_MAX: for ever
  std::uint16_t receive_max = 65'535;     ///< messages above QoS 0 that are taken at a time; not 0
  std::uint16_t topic_alias_max = 0;      ///< topics that the server may give a number
  std::uint16_t own_topic_alias_max = 0;  ///< that this side gives one, as far as the server allows
  bool request_response_information = false;
  bool request_problem_information = true;
  UserProperties user_properties;
  /// Proves who this side is, instead of or beside user_name and password; one connection at a
  /// time.
  std::shared_ptr<Authenticator> authenticator;
};

/// The terms on which the server took the connection. Before MQTT 5 it says none of it: then they
/// are what the client asked for, and no limits.
struct ServerTerms {
  std::string client_id;  ///< that the server assigned; else empty
  std::uint32_t session_expiry_s = 0;
  std::uint16_t keep_alive_s = 0;
  std::uint16_t receive_max = 65'535;
  std::uint16_t topic_alias_max = 0;
  std::uint32_t packet_bytes_max = UINT32_MAX;
  model::Guarantee guarantee_max = model::Guarantee::kExactlyOnce;
  bool retain = true;
  bool wildcards = true;
  bool subscription_ids = true;
  bool shared_subscriptions = true;
  std::string response_information;
  std::string server_reference;
  UserProperties user_properties;
};

/// What a server has refused or ended something with (MQTT 5).
struct Refusal {
  ReasonCode code = ReasonCode::kSuccess;
  std::string reason_string;  ///< for people; empty when it gave none
};

}  // namespace hermod::mqtt
