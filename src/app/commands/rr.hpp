// SPDX-License-Identifier: Apache-2.0
// `hermod rr`: publishes a request over MQTT, waits for one response and prints it.
#pragma once

#include "commands/options.hpp"

namespace hermod::app {

/// Runs with options that complete() has accepted; returns the exit status.
[[nodiscard]] int run_rr(const RrOptions& options);

}  // namespace hermod::app
