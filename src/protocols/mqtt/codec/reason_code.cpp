// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/reason_code.hpp"

#include <array>

namespace hermod::mqtt {
namespace {

constexpr std::uint16_t bit(PacketType type) {
  return static_cast<std::uint16_t>(1 << static_cast<int>(type));
}

constexpr std::uint16_t kConnack = bit(PacketType::kConnack);
constexpr std::uint16_t kPuback = bit(PacketType::kPuback);
constexpr std::uint16_t kPubrec = bit(PacketType::kPubrec);
constexpr std::uint16_t kPubrel = bit(PacketType::kPubrel);
constexpr std::uint16_t kPubcomp = bit(PacketType::kPubcomp);
constexpr std::uint16_t kSuback = bit(PacketType::kSuback);
constexpr std::uint16_t kUnsuback = bit(PacketType::kUnsuback);
constexpr std::uint16_t kDisconnect = bit(PacketType::kDisconnect);
constexpr std::uint16_t kAuth = bit(PacketType::kAuth);

struct Row {
  ReasonCode code;
  const char* name;
  int packets;
};

using enum ReasonCode;

// Table 2-6, with the three names of 0x00 in one row.
constexpr Row kRows[] = {
    {kSuccess, "Success",
     kConnack | kPuback | kPubrec | kPubrel | kPubcomp | kSuback | kUnsuback | kDisconnect | kAuth},
    {kGrantedQos1, "Granted QoS 1", kSuback},
    {kGrantedQos2, "Granted QoS 2", kSuback},
    {kDisconnectWithWillMessage, "Disconnect with Will Message", kDisconnect},
    {kNoMatchingSubscribers, "No matching subscribers", kPuback | kPubrec},
    {kNoSubscriptionExisted, "No subscription existed", kUnsuback},
    {kContinueAuthentication, "Continue authentication", kAuth},
    {kReauthenticate, "Re-authenticate", kAuth},
    {kUnspecifiedError, "Unspecified error",
     kConnack | kPuback | kPubrec | kSuback | kUnsuback | kDisconnect},
    {kMalformedPacket, "Malformed Packet", kConnack | kDisconnect},
    {kProtocolError, "Protocol Error", kConnack | kDisconnect},
    {kImplementationSpecificError, "Implementation specific error",
     kConnack | kPuback | kPubrec | kSuback | kUnsuback | kDisconnect},
    {kUnsupportedProtocolVersion, "Unsupported Protocol Version", kConnack},
    {kClientIdentifierNotValid, "Client Identifier not valid", kConnack},
    {kBadUserNameOrPassword, "Bad User Name or Password", kConnack},
    {kNotAuthorized, "Not authorized",
     kConnack | kPuback | kPubrec | kSuback | kUnsuback | kDisconnect},
    {kServerUnavailable, "Server unavailable", kConnack},
    {kServerBusy, "Server busy", kConnack | kDisconnect},
    {kBanned, "Banned", kConnack},
    {kServerShuttingDown, "Server shutting down", kDisconnect},
    {kBadAuthenticationMethod, "Bad authentication method", kConnack | kDisconnect},
    {kKeepAliveTimeout, "Keep Alive timeout", kDisconnect},
    {kSessionTakenOver, "Session taken over", kDisconnect},
    {kTopicFilterInvalid, "Topic Filter invalid", kSuback | kUnsuback | kDisconnect},
    {kTopicNameInvalid, "Topic Name invalid", kConnack | kPuback | kPubrec | kDisconnect},
    {kPacketIdentifierInUse, "Packet Identifier in use", kPuback | kPubrec | kSuback | kUnsuback},
    {kPacketIdentifierNotFound, "Packet Identifier not found", kPubrel | kPubcomp},
    {kReceiveMaximumExceeded, "Receive Maximum exceeded", kDisconnect},
    {kTopicAliasInvalid, "Topic Alias invalid", kDisconnect},
    {kPacketTooLarge, "Packet too large", kConnack | kDisconnect},
    {kMessageRateTooHigh, "Message rate too high", kDisconnect},
    {kQuotaExceeded, "Quota exceeded", kConnack | kPuback | kPubrec | kSuback | kDisconnect},
    {kAdministrativeAction, "Administrative action", kDisconnect},
    {kPayloadFormatInvalid, "Payload format invalid", kConnack | kPuback | kPubrec | kDisconnect},
    {kRetainNotSupported, "Retain not supported", kConnack | kDisconnect},
    {kQosNotSupported, "QoS not supported", kConnack | kDisconnect},
    {kUseAnotherServer, "Use another server", kConnack | kDisconnect},
    {kServerMoved, "Server moved", kConnack | kDisconnect},
    {kSharedSubscriptionsNotSupported, "Shared Subscriptions not supported", kSuback | kDisconnect},
    {kConnectionRateExceeded, "Connection rate exceeded", kConnack | kDisconnect},
    {kMaximumConnectTime, "Maximum connect time", kDisconnect},
    {kSubscriptionIdentifiersNotSupported, "Subscription Identifiers not supported",
     kSuback | kDisconnect},
    {kWildcardSubscriptionsNotSupported, "Wildcard Subscriptions not supported",
     kSuback | kDisconnect},
};

struct Entry {
  const char* name = "";
  std::uint16_t packets = 0;
};

// The rows by value.
constexpr std::array<Entry, 256> kEntries = [] {
  std::array<Entry, 256> entries{};
  for (const Row& row : kRows) {
    entries[static_cast<std::uint8_t>(row.code)] = {row.name,
                                                    static_cast<std::uint16_t>(row.packets)};
  }
  return entries;
}();

}  // namespace

const char* to_text(ReasonCode code) {
  return kEntries[static_cast<std::uint8_t>(code)].name;
}

bool is_allowed(ReasonCode code, PacketType packet) {
  return (kEntries[static_cast<std::uint8_t>(code)].packets & bit(packet)) != 0;
}

}  // namespace hermod::mqtt
