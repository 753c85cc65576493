// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/text.hpp"

#include <cstring>

#include "hermod/base/utf8.hpp"

namespace hermod::mqtt {

const char* text_fault(Bytes text, Version version) {
  const bool v5 = version == Version::kV5;
  if (text.empty()) return nullptr;
  if (std::memchr(text.data(), 0, text.size()) != nullptr) {
    return v5 ? "MQTT-1.5.4-2" : "MQTT-1.5.3-2";
  }
  if (is_utf8(text)) return nullptr;
  return v5 ? "MQTT-1.5.4-1" : "MQTT-1.5.3-1";
}

}  // namespace hermod::mqtt
