// SPDX-License-Identifier: Apache-2.0
// Errors of the clients for the person at the terminal: what happened, why, and how to mend it.
#pragma once

#include <string>

#include "commands/options.hpp"
#include "hermod/client/error.hpp"

namespace hermod::app {

/// "localhost:1883", "[::1]:5683".
[[nodiscard]] std::string peer_text(const ClientOptions& options);

/// Why there is no connection to the broker, or no longer one.
[[nodiscard]] std::string explain(client::error_code error, const ClientOptions& options);

}  // namespace hermod::app
