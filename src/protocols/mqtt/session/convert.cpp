// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/session/convert.hpp"

namespace hermod::mqtt {

using model::Reason;

model::Message to_message(const WillView& will) {
  model::Message message;
  fill_message(message, {.topic = will.topic,
                         .payload = will.payload,
                         .qos = will.qos,          // [MQTT-3.1.2-9]
                         .retain = will.retain});  // [MQTT-3.1.2-16], [MQTT-3.1.2-17]
  return message;
}

std::optional<ConnectReturnCode> to_return_code(Reason reason) {
  switch (reason) {
    case Reason::kOk:
      return ConnectReturnCode::kAccepted;
    case Reason::kBadName:
      return ConnectReturnCode::kIdentifierRejected;  // [MQTT-3.1.3-9]
    case Reason::kUnavailable:
    case Reason::kQuotaExceeded:
    case Reason::kShutdown:
      return ConnectReturnCode::kServerUnavailable;
    case Reason::kBadCredentials:
      return ConnectReturnCode::kBadUserNameOrPassword;
    case Reason::kNotAuthorized:
      return ConnectReturnCode::kNotAuthorized;
    default:
      return std::nullopt;
  }
}

Reason to_reason(ConnectReturnCode code) {
  switch (code) {
    case ConnectReturnCode::kAccepted:
      return Reason::kOk;
    case ConnectReturnCode::kUnacceptableProtocolVersion:
      return Reason::kNotSupported;
    case ConnectReturnCode::kIdentifierRejected:
      return Reason::kBadName;
    case ConnectReturnCode::kServerUnavailable:
      return Reason::kUnavailable;
    case ConnectReturnCode::kBadUserNameOrPassword:
      return Reason::kBadCredentials;
    case ConnectReturnCode::kNotAuthorized:
      return Reason::kNotAuthorized;
  }
  return Reason::kProtocolError;
}

bool is_acknowledged(Reason reason) {
  switch (reason) {
    case Reason::kOk:
    case Reason::kNoMatch:
    case Reason::kNotAuthorized:
    case Reason::kBadName:
    case Reason::kNotFound:
    case Reason::kQuotaExceeded:
    case Reason::kTooLarge:
    case Reason::kNotSupported:
      return true;
    default:
      return false;
  }
}

}  // namespace hermod::mqtt
