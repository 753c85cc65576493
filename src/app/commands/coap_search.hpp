// SPDX-License-Identifier: Apache-2.0
// hermod discover with a multicast group: which CoAP servers are there, and what they have.
#pragma once

#include "commands/coap_options.hpp"

namespace hermod::app {

/// Asks the group once and prints the links of every server that answers within the time to wait,
/// each with its server's address in front. Returns the exit status: 0 when anybody has answered.
int run_coap_search(const CoapCommandOptions& options);

}  // namespace hermod::app
