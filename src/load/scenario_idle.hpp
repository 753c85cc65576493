// SPDX-License-Identifier: Apache-2.0
// Idle: clients that connect, subscribe to a topic of their own each, and then do nothing. What is
// measured is the server's memory before and with them.
#pragma once

#include <memory>

#include "share.hpp"
#include "target.hpp"

namespace hermod::load {

[[nodiscard]] std::unique_ptr<Workload> make_idle_workload(const Target& target);

}  // namespace hermod::load
