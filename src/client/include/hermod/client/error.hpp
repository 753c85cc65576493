// SPDX-License-Identifier: Apache-2.0
// Why an operation of a client failed, as std-like error codes. Errors of the network (refused,
// unreachable, no such host) are Boost.Asio's own.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>

#include "hermod/model/reason.hpp"
#include "hermod/mqtt/codec/reason_code.hpp"

namespace hermod::client {

using boost::system::error_code;

enum class Error : int {
  // The server refused the connection. The numbers are MQTT's CONNACK codes (MQTT 3.1.1 Table 3.1).
  kProtocolVersion = 1,
  kIdentifierRejected = 2,
  kServerUnavailable = 3,
  kBadCredentials = 4,
  kNotAuthorized = 5,
  // The connection, or the exchange with the server, ended.
  kClosedByServer = 16,
  kProtocolViolation,
  kTimeout,
  kClosed,  ///< by this side
  // One operation failed.
  kNotConnected,
  kAlreadyConnected,
  kBadTopic,    ///< not a topic name or filter of the protocol
  kTooLarge,    ///< does not fit a packet
  kTooMany,     ///< as many operations are under way as the options allow
  kNotFound,    ///< the server has nothing there
  kBadRequest,  ///< the server does not understand or allow the request
  kServerError,
  kBadProperty,  ///< not UTF-8, or otherwise nothing that MQTT 5 can say
  kUnproven,     ///< authentication failed on this side; see MqttClient::authentication_fault()
  // The SOCKS proxy did not connect. From kProxyFailed on in the order of RFC 1928 §6.
  kProxyNotSocks = 48,   ///< it does not speak SOCKS5
  kProxyNeedsLogin,      ///< it takes none of our ways to log in
  kProxyBadCredentials,  ///< RFC 1929
  kProxyClosed,          ///< it closed the connection before it was done
  kProxyNameTooLong,     ///< host, user or password do not fit into SOCKS's 255 octets
  kProxyFailed,          ///< for no reason that it tells
  kProxyNotAllowed,
  kProxyNetworkUnreachable,
  kProxyHostUnreachable,
  kProxyRefused,  ///< nothing listens there
  kProxyTtl,
  kProxyNoConnect,      ///< it does not do what we ask for
  kProxyNoAddressKind,  ///< it does not take addresses of this kind
  // SRV records.
  kNoService,   ///< the domain has none for MQTT
  kNameServer,  ///< no name server answered, or not in a way that can be read
  // From 0x80 on: the reason codes of MQTT 5.0 (table 2-6) that say nothing of the above; the
  // number is the code. See to_error(mqtt::ReasonCode).
};

[[nodiscard]] const boost::system::error_category& error_category();

[[nodiscard]] inline error_code make_error_code(Error error) {
  return {static_cast<int>(error), error_category()};
}

/// The error that a reason of the protocol sessions means for a client; no error for kOk.
[[nodiscard]] error_code to_error(model::Reason reason);
/// The error that a reason code means; no error for those that are no failures.
[[nodiscard]] error_code to_error(mqtt::ReasonCode code);

/// Trying to connect again may help: the network, or a server that is away or busy. Nothing heals
/// by itself that the server refuses for what this client is or says.
[[nodiscard]] bool may_heal(error_code error);

}  // namespace hermod::client

template <>
struct boost::system::is_error_code_enum<hermod::client::Error> : std::true_type {};
