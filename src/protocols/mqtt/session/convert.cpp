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
    case Reason::kNoRoom:
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

Reason to_reason(ReasonCode code) {
  switch (code) {
    case ReasonCode::kSuccess:
    case ReasonCode::kGrantedQos1:
    case ReasonCode::kGrantedQos2:
      return Reason::kOk;
    case ReasonCode::kNoMatchingSubscribers:
      return Reason::kNoMatch;
    case ReasonCode::kNoSubscriptionExisted:
      return Reason::kNotFound;
    case ReasonCode::kNotAuthorized:
    case ReasonCode::kBanned:
      return Reason::kNotAuthorized;
    case ReasonCode::kBadUserNameOrPassword:
      return Reason::kBadCredentials;
    case ReasonCode::kBadAuthenticationMethod:
      return Reason::kBadMethod;
    case ReasonCode::kClientIdentifierNotValid:
    case ReasonCode::kTopicFilterInvalid:
    case ReasonCode::kTopicNameInvalid:
      return Reason::kBadName;
    case ReasonCode::kQuotaExceeded:
    case ReasonCode::kMessageRateTooHigh:
    case ReasonCode::kConnectionRateExceeded:
      return Reason::kQuotaExceeded;
    case ReasonCode::kPacketTooLarge:
      return Reason::kTooLarge;
    case ReasonCode::kUnsupportedProtocolVersion:
    case ReasonCode::kImplementationSpecificError:
    case ReasonCode::kRetainNotSupported:
    case ReasonCode::kQosNotSupported:
    case ReasonCode::kSharedSubscriptionsNotSupported:
    case ReasonCode::kSubscriptionIdentifiersNotSupported:
    case ReasonCode::kWildcardSubscriptionsNotSupported:
      return Reason::kNotSupported;
    case ReasonCode::kMalformedPacket:
    case ReasonCode::kProtocolError:
    case ReasonCode::kReceiveMaximumExceeded:
    case ReasonCode::kTopicAliasInvalid:
    case ReasonCode::kPayloadFormatInvalid:
    case ReasonCode::kPacketIdentifierInUse:
    case ReasonCode::kPacketIdentifierNotFound:
      return Reason::kProtocolError;
    case ReasonCode::kSessionTakenOver:
      return Reason::kTakenOver;
    case ReasonCode::kKeepAliveTimeout:
      return Reason::kTimeout;
    case ReasonCode::kDisconnectWithWillMessage:
    case ReasonCode::kAdministrativeAction:
    case ReasonCode::kMaximumConnectTime:
      return Reason::kPeerClosed;
    default:  // busy, moved, going down, unspecified
      return Reason::kUnavailable;
  }
}

namespace {

// How the packets of MQTT 5 say a reason: CONNACK, PUBACK and PUBREC, SUBACK, DISCONNECT.
struct Words {
  ReasonCode connect;
  ReasonCode publish;
  ReasonCode subscribe;
  ReasonCode disconnect;
};

constexpr Words words_for(Reason reason) {
  using enum ReasonCode;
  constexpr ReasonCode kUnsaid = kUnspecifiedError;
  constexpr ReasonCode kOurs = kImplementationSpecificError;
  switch (reason) {
    case Reason::kOk:
      return {kSuccess, kSuccess, kSuccess, kNormalDisconnection};
    case Reason::kNoMatch:
      return {kUnsaid, kNoMatchingSubscribers, kUnsaid, kNormalDisconnection};
    case Reason::kNotAuthorized:
      return {kNotAuthorized, kNotAuthorized, kNotAuthorized, kNotAuthorized};
    case Reason::kBadCredentials:
      return {kBadUserNameOrPassword, kNotAuthorized, kNotAuthorized, kNotAuthorized};
    case Reason::kBadName:
      return {kClientIdentifierNotValid, kTopicNameInvalid, kTopicFilterInvalid, kTopicNameInvalid};
    case Reason::kQuotaExceeded:
    case Reason::kNoRoom:
      return {kQuotaExceeded, kQuotaExceeded, kQuotaExceeded, kQuotaExceeded};
    case Reason::kTooLarge:
      return {kPacketTooLarge, kOurs, kOurs, kPacketTooLarge};
    case Reason::kNotSupported:
      return {kUnsaid, kOurs, kOurs, kQosNotSupported};
    case Reason::kUnavailable:
      return {kServerUnavailable, kOurs, kOurs, kServerBusy};
    case Reason::kShutdown:  // has a code in DISCONNECT alone [MQTT-3.2.2-8]
      return {kServerUnavailable, kUnsaid, kUnsaid, kServerShuttingDown};
    case Reason::kTakenOver:
      return {kUnsaid, kUnsaid, kUnsaid, kSessionTakenOver};
    case Reason::kProtocolError:
      return {kProtocolError, kUnsaid, kUnsaid, kProtocolError};
    case Reason::kMalformed:
      return {kMalformedPacket, kUnsaid, kUnsaid, kMalformedPacket};
    case Reason::kTimeout:
      return {kUnsaid, kUnsaid, kUnsaid, kKeepAliveTimeout};
    case Reason::kBadMethod:
      return {kBadAuthenticationMethod, kUnsaid, kUnsaid, kNotAuthorized};
    case Reason::kNotFound:
    case Reason::kPeerClosed:
    case Reason::kContinue:
    case Reason::kUnproven:
    case Reason::kAlreadyExists:
    case Reason::kOutdated:
      break;
  }
  return {kUnsaid, kUnsaid, kUnsaid, kUnsaid};
}

}  // namespace

ReasonCode to_connect_code(Reason reason) {
  return words_for(reason).connect;
}

ReasonCode to_publish_code(Reason reason) {
  return words_for(reason).publish;
}

ReasonCode to_subscribe_code(Reason reason) {
  return words_for(reason).subscribe;
}

ReasonCode to_disconnect_code(Reason reason) {
  return words_for(reason).disconnect;
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
