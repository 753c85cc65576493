// SPDX-License-Identifier: Apache-2.0
// What directives about queues do that takes more than a row of the table.
#pragma once

#include <string>

#include "config/directives.hpp"

namespace hermod::app {

/// `queue_overflow drop-tail|drop-head|reject`.
std::string apply_queue_overflow(Draft& draft, const Value& value);
/// `queue_message_ttl SECONDS`, or a number followed by h, d, w, m or y.
std::string apply_queue_message_ttl(Draft& draft, const Value& value);

}  // namespace hermod::app
