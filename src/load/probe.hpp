// SPDX-License-Identifier: Apache-2.0
// Looks at the server before the load: does its port answer, and what is it.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "hermod/base/time.hpp"
#include "hermod/load/url.hpp"
#include "hermod/transport/address.hpp"

namespace hermod::load {

/// A port of 127.0.0.1 that is free now for TCP and for UDP: a server may want both.
[[nodiscard]] std::expected<std::uint16_t, std::string> free_port();

/// The address to bind a client's socket to: the loopback or any address of the same family.
[[nodiscard]] transport::Address client_address(const transport::Address& server);

/// Waits until the server takes a connection (mqtt) or answers a ping (coap, RFC 7252 §4.3). `why`
/// is asked in between: not empty, it ends the waiting and becomes the error.
[[nodiscard]] std::expected<void, std::string> wait_for_answer(
    Url::Scheme scheme, const transport::Address& address, Duration patience,
    const std::function<std::string()>& why);

/// What an MQTT server says in the retained message on $SYS/broker/version; empty without one.
[[nodiscard]] std::string mqtt_server_version(const transport::Address& address);

}  // namespace hermod::load
