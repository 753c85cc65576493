// SPDX-License-Identifier: Apache-2.0
// Errors of a Unix socket, a proxy and SRV records in words.
#pragma once

#include <string>

#include "commands/options.hpp"
#include "hermod/client/error.hpp"

namespace hermod::app {

/// Why the way that the options ask for leads nowhere; empty when the error is not of that kind.
[[nodiscard]] std::string explain_way(client::error_code error, const ClientOptions& options);

/// The exit status that mosquitto's programs have for it; 0: they have none of its own.
[[nodiscard]] int mosquitto_status(client::error_code error);

}  // namespace hermod::app
