// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/reason_code.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace hermod::mqtt {
namespace {

// Tables 3-1 and 3-4 to 3-11 of MQTT 5.0, which list by packet what table 2-6 lists by code.
std::vector<int> codes_of(PacketType type) {
  switch (type) {
    case PacketType::kConnack:
      return {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
              0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F};
    case PacketType::kPuback:
    case PacketType::kPubrec:
      return {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
    case PacketType::kPubrel:
    case PacketType::kPubcomp:
      return {0x00, 0x92};
    case PacketType::kSuback:
      return {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2};
    case PacketType::kUnsuback:
      return {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91};
    case PacketType::kDisconnect:
      return {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C,
              0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
              0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2};
    case PacketType::kAuth:
      return {0x00, 0x18, 0x19};
    default:
      return {};
  }
}

TEST(ReasonCodeTest, EveryPacketHasTheCodesOfItsTable) {
  for (int type = 1; type < 16; ++type) {
    const std::vector<int> codes = codes_of(PacketType{static_cast<std::uint8_t>(type)});
    for (int code = 0; code < 256; ++code) {
      EXPECT_EQ(is_allowed(ReasonCode{static_cast<std::uint8_t>(code)},
                           PacketType{static_cast<std::uint8_t>(type)}),
                std::ranges::count(codes, code) == 1)
          << "code " << code << " in packet type " << type;
    }
  }
}

TEST(ReasonCodeTest, WhatAPacketCarriesHasAName) {
  for (int code = 0; code < 256; ++code) {
    const ReasonCode reason{static_cast<std::uint8_t>(code)};
    bool carried = false;
    for (std::uint8_t type = 1; type < 16; ++type) {
      carried = carried || is_allowed(reason, PacketType{type});
    }
    EXPECT_EQ(std::string(to_text(reason)).empty(), !carried) << code;
    EXPECT_EQ(is_failure(reason), code >= 128);
  }
}

// Table 2-6 of MQTT 5.0.
constexpr std::pair<int, const char*> kNames[] = {
    {0x00, "Success"},
    {0x01, "Granted QoS 1"},
    {0x02, "Granted QoS 2"},
    {0x04, "Disconnect with Will Message"},
    {0x10, "No matching subscribers"},
    {0x11, "No subscription existed"},
    {0x18, "Continue authentication"},
    {0x19, "Re-authenticate"},
    {0x80, "Unspecified error"},
    {0x81, "Malformed Packet"},
    {0x82, "Protocol Error"},
    {0x83, "Implementation specific error"},
    {0x84, "Unsupported Protocol Version"},
    {0x85, "Client Identifier not valid"},
    {0x86, "Bad User Name or Password"},
    {0x87, "Not authorized"},
    {0x88, "Server unavailable"},
    {0x89, "Server busy"},
    {0x8A, "Banned"},
    {0x8B, "Server shutting down"},
    {0x8C, "Bad authentication method"},
    {0x8D, "Keep Alive timeout"},
    {0x8E, "Session taken over"},
    {0x8F, "Topic Filter invalid"},
    {0x90, "Topic Name invalid"},
    {0x91, "Packet Identifier in use"},
    {0x92, "Packet Identifier not found"},
    {0x93, "Receive Maximum exceeded"},
    {0x94, "Topic Alias invalid"},
    {0x95, "Packet too large"},
    {0x96, "Message rate too high"},
    {0x97, "Quota exceeded"},
    {0x98, "Administrative action"},
    {0x99, "Payload format invalid"},
    {0x9A, "Retain not supported"},
    {0x9B, "QoS not supported"},
    {0x9C, "Use another server"},
    {0x9D, "Server moved"},
    {0x9E, "Shared Subscriptions not supported"},
    {0x9F, "Connection rate exceeded"},
    {0xA0, "Maximum connect time"},
    {0xA1, "Subscription Identifiers not supported"},
    {0xA2, "Wildcard Subscriptions not supported"},
};

TEST(ReasonCodeTest, NamesAreThoseOfTable26) {
  for (const auto& [code, name] : kNames) {
    EXPECT_STREQ(to_text(ReasonCode{static_cast<std::uint8_t>(code)}), name);
  }
}

TEST(ReasonCodeTest, ZeroHasThreeNames) {
  EXPECT_EQ(ReasonCode::kSuccess, ReasonCode::kNormalDisconnection);
  EXPECT_EQ(ReasonCode::kSuccess, ReasonCode::kGrantedQos0);
}

}  // namespace
}  // namespace hermod::mqtt
