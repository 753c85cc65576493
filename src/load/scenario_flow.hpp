// SPDX-License-Identifier: Apache-2.0
// Fan-in, fan-out, pairs and latency: publishers and subscribers through the server. The first
// three are closed loops: a publisher is at most a window ahead of its slowest subscriber, at QoS 0
// too, so that dropping messages does not look like speed. Latency is an open loop (Pacing).
#pragma once

#include <memory>

#include "share.hpp"
#include "target.hpp"

namespace hermod::load {

[[nodiscard]] std::unique_ptr<Workload> make_flow_workload(const Target& target);

}  // namespace hermod::load
