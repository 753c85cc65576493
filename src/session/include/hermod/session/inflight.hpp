// SPDX-License-Identifier: Apache-2.0
// The packet ids in use between two peers, lent to a session while it is attached. The type lives
// in model, because core keeps it while a subscriber is away.
#pragma once

#include "hermod/model/inflight.hpp"

namespace hermod::session {

using model::Inflight;
using model::Stage;

}  // namespace hermod::session
