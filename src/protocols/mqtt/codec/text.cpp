// SPDX-License-Identifier: Apache-2.0
#include "hermod/mqtt/codec/text.hpp"

#include <cstring>

#include "hermod/base/utf8.hpp"

namespace hermod::mqtt {

const char* text_fault(Bytes text) {
  if (text.empty()) return nullptr;
  if (std::memchr(text.data(), 0, text.size()) != nullptr) return "MQTT-1.5.3-2";
  return is_utf8(text) ? nullptr : "MQTT-1.5.3-1";
}

}  // namespace hermod::mqtt
