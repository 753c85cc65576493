// SPDX-License-Identifier: Apache-2.0
// The protocol levels of MQTT. Passed to every reader and writer whose layout depends on it.
#pragma once

#include <cstdint>

namespace hermod::mqtt {

/// The value is the Protocol Level octet of CONNECT (MQTT 3.1.1 §3.1.2.2).
enum class Version : std::uint8_t { kV31 = 3, kV311 = 4, kV5 = 5 };

}  // namespace hermod::mqtt
