// SPDX-License-Identifier: Apache-2.0
// Connect: TCP connect, CONNECT, CONNACK, DISCONNECT, and the server's close, over and over, a
// fixed number of clients at a time. Waiting for the server's close leaves no port of ours in
// TIME-WAIT.
#pragma once

#include <memory>

#include "share.hpp"
#include "target.hpp"

namespace hermod::load {

[[nodiscard]] std::unique_ptr<Workload> make_connect_workload(const Target& target);

}  // namespace hermod::load
