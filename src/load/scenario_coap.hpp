// SPDX-License-Identifier: Apache-2.0
// coap-get and coap-put: clients that keep a window of Confirmable requests under way.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "share.hpp"
#include "target.hpp"

namespace hermod::load {

/// Error in words when the resource cannot be named.
[[nodiscard]] std::expected<std::unique_ptr<Workload>, std::string> make_coap_workload(
    const Target& target);

}  // namespace hermod::load
