// SPDX-License-Identifier: Apache-2.0
// MQTT as the program sees it: one line in app/protocols.cpp.
#pragma once

#include "hermod/session/protocol.hpp"

namespace hermod::mqtt {

/// Name, port and session maker of MQTT over streams. Lives for ever.
[[nodiscard]] const session::Protocol& protocol();

}  // namespace hermod::mqtt
