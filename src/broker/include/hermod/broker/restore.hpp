// SPDX-License-Identifier: Apache-2.0
// What an earlier run of the broker has left goes to the shards that own it, which may be other
// ones than then. Before their first turn.
#pragma once

#include <span>

#include "hermod/broker/shard.hpp"
#include "hermod/store/store.hpp"

namespace hermod::broker {

/// `shards` are all, in order.
void restore(store::RecoveredState state, std::span<Shard* const> shards);

}  // namespace hermod::broker
