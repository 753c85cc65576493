// SPDX-License-Identifier: Apache-2.0
// `hermod get`, put, post, delete, fetch, patch, ipatch, observe and discover.
#pragma once

#include "commands/coap_options.hpp"

namespace hermod::app {

/// Makes the request, prints what comes, and returns the exit status. `options` are complete().
[[nodiscard]] int run_coap(const CoapCommandOptions& options);

}  // namespace hermod::app
