// SPDX-License-Identifier: Apache-2.0
// coap-observe: one client PUTs a resource, the others observe it (RFC 7641). A closed loop: the
// putter is at most a window ahead of the slowest observer.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "share.hpp"
#include "target.hpp"

namespace hermod::load {

/// Error in words when the resource cannot be named.
[[nodiscard]] std::expected<std::unique_ptr<Workload>, std::string> make_observe_workload(
    const Target& target);

}  // namespace hermod::load
