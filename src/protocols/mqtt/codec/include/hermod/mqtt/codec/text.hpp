// SPDX-License-Identifier: Apache-2.0
// UTF-8 encoded strings as MQTT 3.1.1 §1.5.3 and MQTT 5.0 §1.5.4 restrict them.
#pragma once

#include "hermod/base/bytes.hpp"
#include "hermod/mqtt/codec/version.hpp"

namespace hermod::mqtt {

/// The statement that the text breaks, or nullptr when a packet may carry it: well-formed UTF-8
/// [MQTT-1.5.3-1] without U+0000 [MQTT-1.5.3-2]; MQTT 5 calls them [MQTT-1.5.4-1] and
/// [MQTT-1.5.4-2]. Control characters and U+FEFF pass unchanged [MQTT-1.5.3-3].
[[nodiscard]] const char* text_fault(Bytes text, Version version = Version::kV311);

}  // namespace hermod::mqtt
