// SPDX-License-Identifier: Apache-2.0
// What pub, sub and rr do alike over MQTT: from the command line to the client's options, and
// goodbye.
#pragma once

#include <string>
#include <string_view>

#include "commands/command_loop.hpp"
#include "hermod/client/mqtt_client.hpp"

namespace hermod::app {

[[nodiscard]] client::MqttOptions mqtt_options(const ClientOptions& options);
/// With -d the packets are told to `loop`, which must outlive the client.
[[nodiscard]] client::MqttOptions mqtt_options(const ClientOptions& options,
                                               const CommandLoop& loop);

/// What -D says of a SUBSCRIBE or UNSUBSCRIBE.
[[nodiscard]] client::MqttRequestProperties request_properties(const GivenProperties& given);

/// Why there is no connection, no longer one, or (when `connected`) why the broker refused
/// something, with the reason that it gave.
[[nodiscard]] std::string explain(client::error_code error, const client::MqttClient& client,
                                  const ClientOptions& options, bool connected = true);

/// Why there is no subscription to `filter`.
[[nodiscard]] std::string subscription_refusal(std::string_view filter,
                                               const client::MqttGrant& grant,
                                               const client::MqttClient& client,
                                               const ClientOptions& options);

/// The exit status when there is no connection: mosquitto's programs give the code of CONNACK.
[[nodiscard]] int refusal_status(client::error_code error, const client::MqttClient& client,
                                 const ClientOptions& options);

/// Connects and goes on with `next`, or ends the loop with an explained error.
void connect(CommandLoop& loop, client::MqttClient& client, const ClientOptions& options,
             std::move_only_function<void()> next);

/// DISCONNECT, then the loop stops.
void say_goodbye(CommandLoop& loop, client::MqttClient& client, const ClientOptions& options);

}  // namespace hermod::app
