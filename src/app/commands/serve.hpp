// SPDX-License-Identifier: Apache-2.0
// `hermod serve`: reads the configuration, runs the broker, and ends by a signal.
#pragma once

#include "commands/identity_files.hpp"
#include "commands/options.hpp"
#include "config/config.hpp"
#include "hermod/broker/settings.hpp"

namespace hermod::app {

/// Runs until SIGTERM or SIGINT; returns the exit status.
[[nodiscard]] int run_serve(const ServeOptions& options);

/// What the broker is made with. `cores` counts when the configuration does not say how many
/// threads. A listener for a host name becomes one for each of its addresses.
/// `identities` were loaded from the same configuration.
[[nodiscard]] std::expected<broker::Settings, std::string> broker_settings(
    const Config& config, unsigned cores, const IdentityFiles& identities = {});

}  // namespace hermod::app
