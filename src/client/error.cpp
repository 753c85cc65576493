// SPDX-License-Identifier: Apache-2.0
// The errors of the clients in words.
#include "hermod/client/error.hpp"

#include <string>

namespace hermod::client {
namespace {

/// What goes wrong on the way to a server; nullptr for other errors.
const char* way_message(Error error) {
  switch (error) {
    case Error::kProxyNotSocks:
      return "the proxy does not speak SOCKS5";
    case Error::kProxyNeedsLogin:
      return "the proxy wants a user name and password, or another way to log in";
    case Error::kProxyBadCredentials:
      return "the proxy does not accept the user name or password";
    case Error::kProxyClosed:
      return "the proxy closed the connection";
    case Error::kProxyNameTooLong:
      return "host, user and password of a SOCKS proxy have 1 to 255 octets each";
    case Error::kProxyFailed:
      return "the proxy failed";
    case Error::kProxyNotAllowed:
      return "the proxy's rules do not allow it";
    case Error::kProxyNetworkUnreachable:
      return "the proxy does not reach the server's network";
    case Error::kProxyHostUnreachable:
      return "the proxy does not reach the server";
    case Error::kProxyRefused:
      return "the proxy says that nothing listens there";
    case Error::kProxyTtl:
      return "the proxy says that the server is too far away";
    case Error::kProxyNoConnect:
      return "the proxy does not connect for others";
    case Error::kProxyNoAddressKind:
      return "the proxy does not take this kind of address";
    case Error::kNoService:
      return "the domain names no MQTT server";
    case Error::kNameServer:
      return "the name servers give no answer";
    default:
      return nullptr;
  }
}

// Boost's categories are never destroyed through their base, whose destructor is not virtual.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public boost::system::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "hermod.client"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Error>(value)) {
      case Error::kProtocolVersion:
        return "the server does not speak this protocol version";
      case Error::kIdentifierRejected:
        return "the server does not accept the client id";
      case Error::kServerUnavailable:
        return "the server is not available";
      case Error::kBadCredentials:
        return "bad user name or password";
      case Error::kNotAuthorized:
        return "not authorized";
      case Error::kClosedByServer:
        return "the server closed the connection";
      case Error::kProtocolViolation:
        return "the server broke the protocol";
      case Error::kTimeout:
        return "the server did not answer in time";
      case Error::kClosed:
        return "the connection was closed by this side";
      case Error::kNotConnected:
        return "not connected";
      case Error::kAlreadyConnected:
        return "already connected";
      case Error::kBadTopic:
        return "not a valid topic";
      case Error::kTooLarge:
        return "too large for a packet";
      case Error::kTooMany:
        return "too many operations are under way: wait for some to complete";
      case Error::kNotFound:
        return "not found";
      case Error::kBadRequest:
        return "the server does not accept the request";
      case Error::kServerError:
        return "the server failed";
      case Error::kBadProperty:
        return "not a valid property";
      case Error::kUnproven:
        return "the server did not prove who it is";
      default:
        break;
    }
    if (const char* const text = way_message(static_cast<Error>(value))) return text;
    const std::string name =
        value <= UINT8_MAX ? mqtt::to_text(static_cast<mqtt::ReasonCode>(value)) : "";
    return name.empty() ? "unknown error" : "the server says: " + name;
  }
};
#pragma GCC diagnostic pop

}  // namespace

const boost::system::error_category& error_category() {
  static const Category kCategory;
  return kCategory;
}

error_code to_error(model::Reason reason) {
  using model::Reason;
  switch (reason) {
    case Reason::kOk:
    case Reason::kNoMatch:
      return {};
    case Reason::kNotAuthorized:
      return Error::kNotAuthorized;
    case Reason::kBadCredentials:
      return Error::kBadCredentials;
    case Reason::kBadName:
      return Error::kBadTopic;
    case Reason::kNotFound:
      return Error::kNotFound;
    case Reason::kTooLarge:
      return Error::kTooLarge;
    case Reason::kNotSupported:
      return Error::kBadRequest;
    case Reason::kQuotaExceeded:
    case Reason::kNoRoom:
    case Reason::kUnavailable:
      return Error::kServerUnavailable;
    case Reason::kProtocolError:
    case Reason::kMalformed:
      return Error::kProtocolViolation;
    case Reason::kBadMethod:
      return static_cast<Error>(mqtt::ReasonCode::kBadAuthenticationMethod);
    case Reason::kTimeout:
      return Error::kTimeout;
    case Reason::kTakenOver:
    case Reason::kPeerClosed:
      return Error::kClosedByServer;
    case Reason::kShutdown:
      return Error::kClosed;
    case Reason::kUnproven:
      return Error::kUnproven;
    case Reason::kContinue:
    case Reason::kAlreadyExists:  // the last two of what clients do not ask for
    case Reason::kOutdated:
      break;
  }
  return Error::kServerError;
}

error_code to_error(mqtt::ReasonCode code) {
  using mqtt::ReasonCode;
  if (!mqtt::is_failure(code)) return {};
  switch (code) {
    case ReasonCode::kUnsupportedProtocolVersion:
      return Error::kProtocolVersion;
    case ReasonCode::kClientIdentifierNotValid:
      return Error::kIdentifierRejected;
    case ReasonCode::kServerUnavailable:
      return Error::kServerUnavailable;
    case ReasonCode::kBadUserNameOrPassword:
      return Error::kBadCredentials;
    case ReasonCode::kNotAuthorized:
      return Error::kNotAuthorized;
    case ReasonCode::kTopicNameInvalid:
    case ReasonCode::kTopicFilterInvalid:
      return Error::kBadTopic;
    case ReasonCode::kPacketTooLarge:
      return Error::kTooLarge;
    default:
      return static_cast<Error>(code);
  }
}

bool may_heal(error_code error) {
  using mqtt::ReasonCode;
  if (error.category() != error_category()) return true;  // the network's
  if (error.value() <= UINT8_MAX) {
    switch (static_cast<ReasonCode>(error.value())) {
      case ReasonCode::kMalformedPacket:
      case ReasonCode::kProtocolError:
      case ReasonCode::kBanned:
      case ReasonCode::kBadAuthenticationMethod:
      case ReasonCode::kSessionTakenOver:
      case ReasonCode::kPayloadFormatInvalid:
      case ReasonCode::kRetainNotSupported:
      case ReasonCode::kQosNotSupported:
      case ReasonCode::kUseAnotherServer:
      case ReasonCode::kServerMoved:
        return false;
      default:
        break;
    }
  }
  switch (static_cast<Error>(error.value())) {
    case Error::kProtocolVersion:
    case Error::kIdentifierRejected:
    case Error::kBadCredentials:
    case Error::kNotAuthorized:
    case Error::kProtocolViolation:
    case Error::kClosed:
    case Error::kBadTopic:
    case Error::kTooLarge:
    case Error::kBadProperty:
    case Error::kUnproven:
      return false;
    default:
      return true;
  }
}

}  // namespace hermod::client
