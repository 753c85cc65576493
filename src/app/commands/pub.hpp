// SPDX-License-Identifier: Apache-2.0
// `hermod pub`: publishes messages over MQTT or CoAP and ends.
#pragma once

#include <expected>
#include <string>

#include "commands/options.hpp"

namespace hermod::app {

/// Runs with options that complete() has accepted; returns the exit status.
[[nodiscard]] int run_pub(const PubOptions& options);

/// The message; empty when it comes line by line. Or why it cannot be read.
[[nodiscard]] std::expected<std::string, std::string> payload_of(const PubOptions& options);

/// The two ways to do it. `payload` is the message unless it comes line by line.
[[nodiscard]] int run_pub_mqtt(const PubOptions& options, const std::string& payload);
[[nodiscard]] int run_pub_coap(const PubOptions& options, const std::string& payload);

}  // namespace hermod::app
