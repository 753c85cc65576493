// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/session/advice.hpp"

#include <fmt/format.h>

#include <vector>

namespace hermod::mqtt {
namespace {

std::string_view advice_to_connect(ReasonCode code) {
  switch (code) {
    case ReasonCode::kUseAnotherServer:
      return "This server can take nobody now. Connect to the server that it names.";
    case ReasonCode::kServerMoved:
      return "This server has moved for good. Connect to the server that it names from now on.";
    case ReasonCode::kRetainNotSupported:
      return "The will is a retained message, and the server keeps none.";
    case ReasonCode::kBadUserNameOrPassword:
      return "The user name or the password is wrong.";
    case ReasonCode::kBadAuthenticationMethod:
      return "The authentication method is not known on this listener.";
    case ReasonCode::kNotAuthorized:
      return "Log in with a user name and a password: this listener takes no anonymous clients.";
    case ReasonCode::kServerUnavailable:
      return "Too many logins wait to be checked. Try again later.";
    case ReasonCode::kQuotaExceeded:
      return "The server has as many connections or sessions as it may have. Try again later.";
    case ReasonCode::kTopicNameInvalid:
      return "The topic of the will has more levels than the server takes.";
    case ReasonCode::kQosNotSupported:
      return "The QoS of the will is above the one that the server takes.";
    case ReasonCode::kPayloadFormatInvalid:
      return "The will is not the UTF-8 text that its payload format indicator says.";
    default:
      return "";
  }
}

std::string_view advice_on_a_request(ReasonCode code, PacketType packet) {
  const bool is_subscription = packet == PacketType::kSuback || packet == PacketType::kUnsuback;
  switch (code) {
    case ReasonCode::kNotAuthorized:
      return is_subscription ? "The server's rules do not let this client read there."
                             : "The server's rules do not let this client write there.";
    case ReasonCode::kQuotaExceeded:
      return is_subscription ? "This client has as many subscriptions as it may have."
                             : "There is no room for more retained messages. Clear some, or let "
                               "the server keep more.";
    case ReasonCode::kTopicFilterInvalid:
      return "The filter has more levels than the server takes.";
    case ReasonCode::kTopicNameInvalid:
      return "The topic has more levels than the server takes.";
    default:
      return "";
  }
}

std::string_view advice_at_the_end(ReasonCode code) {
  switch (code) {
    case ReasonCode::kImplementationSpecificError:  // told to the log alone, before MQTT 5
      return "Its keep-alive is 0 or longer than max_keepalive.";
    case ReasonCode::kUseAnotherServer:
      return "This server is going down. Connect to the server that it names.";
    case ReasonCode::kRetainNotSupported:
      return "The server keeps no retained messages, as retain available in CONNACK says.";
    case ReasonCode::kServerShuttingDown:
      return "The server is going down. Connect again later.";
    case ReasonCode::kKeepAliveTimeout:
      return "Nothing came for one and a half times the keep-alive.";
    case ReasonCode::kSessionTakenOver:
      return "Another connection has come with the same client identifier.";
    case ReasonCode::kNotAuthorized:
      return "This user may no longer be connected: log in again.";
    case ReasonCode::kReceiveMaximumExceeded:
      return "More messages above QoS 0 are unfinished than the receive maximum in CONNACK.";
    case ReasonCode::kTopicAliasInvalid:
      return "The topic alias is 0 or above the topic alias maximum in CONNACK.";
    case ReasonCode::kTopicNameInvalid:
      return "The topic has more levels than the server takes.";
    case ReasonCode::kPacketTooLarge:
      return "The packet is larger than the maximum packet size in CONNACK.";
    case ReasonCode::kQosNotSupported:
      return "The QoS is above the maximum QoS in CONNACK.";
    case ReasonCode::kPayloadFormatInvalid:
      return "The payload is not the UTF-8 text that its payload format indicator says.";
    case ReasonCode::kQuotaExceeded:
      return "A limit of the server is reached.";
    default:
      return "";
  }
}

}  // namespace

std::string_view advice(ReasonCode code, PacketType packet) {
  switch (packet) {
    case PacketType::kConnack:
      return advice_to_connect(code);
    case PacketType::kDisconnect:
      return advice_at_the_end(code);
    default:
      return advice_on_a_request(code, packet);
  }
}

std::string to_text(const session::BrokenRule& broken) {
  if (*broken.statement == 0) return {};
  return fmt::format("{} is broken at octet {} of the packet.", broken.statement, broken.offset);
}

ReasonString::ReasonString(ReasonCode code, PacketType packet, const session::BrokenRule& broken,
                           const V5* v5, std::string_view server_reference)
    : room_(v5 != nullptr ? v5->packet_bytes_max : UINT32_MAX) {
  if (!is_failure(code)) return;
  const std::string rule = to_text(broken);
  const std::string_view words = rule.empty() ? advice(code, packet) : rule;
  std::vector<Property> list;
  if (!server_reference.empty()) {
    list.push_back({.id = PropertyId::kServerReference, .text = server_reference});
  }
  if (!words.empty() && (v5 == nullptr || v5->gives_reasons)) {
    list.push_back({.id = PropertyId::kReasonString, .text = words});
  }
  if (!list.empty()) (void)encoded_.encode(list);
}

PropertyBlock ReasonString::beside(std::size_t packet_bytes) const {
  constexpr std::size_t kLengthsGrowBy = 6;  // of the packet, and of the properties
  const std::size_t bytes = packet_bytes + block_size(encoded_.block(), Version::kV5);
  return bytes + kLengthsGrowBy <= room_ ? encoded_.block() : PropertyBlock{};
}

}  // namespace hermod::mqtt
