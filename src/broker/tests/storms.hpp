// SPDX-License-Identifier: Apache-2.0
// What the storm tests share. They push one limit each with so many clients or messages that
// whatever is not bounded shows, and assert counts, never times. ctest runs them small; ./dev
// storms runs the same code with the numbers of the catalogue (docs/limits.md).
#pragma once

#include <cstdlib>
#include <string_view>

#include "hermod/testkit/allocations.hpp"
#include "mqtt_client.hpp"

namespace hermod::broker {

/// How many: the small number, or the whole with HERMOD_STORMS=whole.
inline std::size_t storm(std::size_t small, std::size_t whole) {
  const char* wanted = std::getenv("HERMOD_STORMS");
  return wanted != nullptr && std::string_view{wanted} == "whole" ? whole : small;
}

/// Octets of memory that are held now and were not at the start.
class MemoryGrowth {
 public:
  [[nodiscard]] std::size_t octets() const {
    const std::size_t now = testkit::allocated_octets();
    return now > before_ ? now - before_ : 0;
  }

 private:
  std::size_t before_ = testkit::allocated_octets();
};

inline transport::MemoryOptions wide_network() {
  return {.stream_buffer_bytes = 1u << 20, .backlog = 1'000};
}

}  // namespace hermod::broker
