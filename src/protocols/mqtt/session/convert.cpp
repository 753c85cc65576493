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

ReasonCode to_connect_code(Reason reason) {
  switch (reason) {
    case Reason::kOk:
      return ReasonCode::kSuccess;
    case Reason::kNotAuthorized:
      return ReasonCode::kNotAuthorized;
    case Reason::kBadCredentials:
      return ReasonCode::kBadUserNameOrPassword;
    case Reason::kBadName:
      return ReasonCode::kClientIdentifierNotValid;
    case Reason::kQuotaExceeded:
      return ReasonCode::kQuotaExceeded;
    case Reason::kUnavailable:
    case Reason::kShutdown:  // that has a code in DISCONNECT alone [MQTT-3.2.2-8]
      return ReasonCode::kServerUnavailable;
    case Reason::kTooLarge:
      return ReasonCode::kPacketTooLarge;
    case Reason::kMalformed:
      return ReasonCode::kMalformedPacket;
    case Reason::kProtocolError:
      return ReasonCode::kProtocolError;
    default:
      return ReasonCode::kUnspecifiedError;
  }
}

ReasonCode to_publish_code(Reason reason) {
  switch (reason) {
    case Reason::kOk:
      return ReasonCode::kSuccess;
    case Reason::kNoMatch:
      return ReasonCode::kNoMatchingSubscribers;
    case Reason::kNotAuthorized:
      return ReasonCode::kNotAuthorized;
    case Reason::kBadName:
      return ReasonCode::kTopicNameInvalid;
    case Reason::kQuotaExceeded:
      return ReasonCode::kQuotaExceeded;
    case Reason::kTooLarge:
    case Reason::kNotSupported:
    case Reason::kUnavailable:
      return ReasonCode::kImplementationSpecificError;
    default:
      return ReasonCode::kUnspecifiedError;
  }
}

ReasonCode to_subscribe_code(Reason reason) {
  switch (reason) {
    case Reason::kNotAuthorized:
      return ReasonCode::kNotAuthorized;
    case Reason::kBadName:
      return ReasonCode::kTopicFilterInvalid;
    case Reason::kQuotaExceeded:
      return ReasonCode::kQuotaExceeded;
    case Reason::kNotSupported:
    case Reason::kUnavailable:
      return ReasonCode::kImplementationSpecificError;
    default:
      return ReasonCode::kUnspecifiedError;
  }
}

ReasonCode to_disconnect_code(Reason reason) {
  switch (reason) {
    case Reason::kOk:
      return ReasonCode::kNormalDisconnection;
    case Reason::kNotAuthorized:
      return ReasonCode::kNotAuthorized;
    case Reason::kBadName:
      return ReasonCode::kTopicNameInvalid;
    case Reason::kQuotaExceeded:
      return ReasonCode::kQuotaExceeded;
    case Reason::kTooLarge:
      return ReasonCode::kPacketTooLarge;
    case Reason::kNotSupported:
      return ReasonCode::kQosNotSupported;
    case Reason::kTakenOver:
      return ReasonCode::kSessionTakenOver;
    case Reason::kProtocolError:
      return ReasonCode::kProtocolError;
    case Reason::kMalformed:
      return ReasonCode::kMalformedPacket;
    case Reason::kTimeout:
      return ReasonCode::kKeepAliveTimeout;
    case Reason::kShutdown:
      return ReasonCode::kServerShuttingDown;
    default:
      return ReasonCode::kUnspecifiedError;
  }
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
