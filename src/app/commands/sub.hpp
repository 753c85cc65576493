// SPDX-License-Identifier: Apache-2.0
// `hermod sub`: subscribes over MQTT, or observes over CoAP, and prints what comes.
#pragma once

#include "commands/options.hpp"
#include "text/message_format.hpp"

namespace hermod::app {

/// Runs with options that complete() has accepted; returns the exit status.
[[nodiscard]] int run_sub(const SubOptions& options);

/// How messages are printed; an error is said on stderr.
[[nodiscard]] std::expected<MessageFormat, std::string> format_of(const PrintOptions& options,
                                                                  const Program& program);

/// The two ways to do it.
[[nodiscard]] int run_sub_mqtt(const SubOptions& options, MessageFormat format);
[[nodiscard]] int run_sub_coap(const SubOptions& options, MessageFormat format);

}  // namespace hermod::app
