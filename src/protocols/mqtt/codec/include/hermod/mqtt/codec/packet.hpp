// SPDX-License-Identifier: Apache-2.0
// Any control packet, as one sum type: for tests, fuzzing and tools. A session reads the fixed
// header and calls the reader of the packet it expects instead, which keeps PUBLISH free of the
// detour.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "hermod/base/bytes.hpp"
#include "hermod/base/wire_error.hpp"
#include "hermod/mqtt/codec/acks.hpp"
#include "hermod/mqtt/codec/auth.hpp"
#include "hermod/mqtt/codec/connack.hpp"
#include "hermod/mqtt/codec/connect.hpp"
#include "hermod/mqtt/codec/disconnect.hpp"
#include "hermod/mqtt/codec/fixed_header.hpp"
#include "hermod/mqtt/codec/ping.hpp"
#include "hermod/mqtt/codec/publish.hpp"
#include "hermod/mqtt/codec/suback.hpp"
#include "hermod/mqtt/codec/subscribe.hpp"
#include "hermod/mqtt/codec/unsuback.hpp"
#include "hermod/mqtt/codec/unsubscribe.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// Borrows from the octets it was read from.
using Packet =
    std::variant<ConnectView, ConnackView, PublishView, AckView, SubscribeView, SubackView,
                 UnsubscribeView, UnsubackView, Pingreq, Pingresp, DisconnectView, AuthView>;

/// Reads the body that belongs to a fixed header, whatever its type.
[[nodiscard]] WireResult<Packet> read_body(const FixedHeader& header, Bytes body, Version version);

/// A packet and the octets it took.
struct SizedPacket {
  Packet packet;
  std::size_t size = 0;
};

/// Reads the packet at the start of `bytes`, which may go on behind it.
[[nodiscard]] WireResult<SizedPacket> read_packet(Bytes bytes, Version version);

/// Octets that write_packet() will write; 0 when MQTT cannot say it.
[[nodiscard]] std::size_t encoded_size(const Packet& packet, Version version);

/// Writes encoded_size() octets to `out` and returns the place behind them.
std::uint8_t* write_packet(std::uint8_t* out, const Packet& packet, Version version);

}  // namespace hermod::mqtt
