// SPDX-License-Identifier: Apache-2.0
// UTF-8 encoded strings as MQTT 3.1.1 §1.5.3 restricts them.
#pragma once

#include "hermod/base/bytes.hpp"

namespace hermod::mqtt {

/// The statement that the text breaks, or nullptr when a packet may carry it: well-formed UTF-8
/// [MQTT-1.5.3-1] without U+0000 [MQTT-1.5.3-2]. Control characters and U+FEFF pass unchanged
/// [MQTT-1.5.3-3].
[[nodiscard]] const char* text_fault(Bytes text);

}  // namespace hermod::mqtt
