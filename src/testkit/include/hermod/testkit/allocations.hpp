// SPDX-License-Identifier: Apache-2.0
// Counts allocations. A program that uses this links hermod::testkit_allocations, which replaces
// operator new.
#pragma once

#include <cstddef>
#include <string>

#include "hermod/base/bytes.hpp"
#include "hermod/testkit/codec_properties.hpp"

namespace hermod::testkit {

/// Calls of operator new on this thread since it started.
[[nodiscard]] std::size_t allocation_count() noexcept;

/// Octets that operator new has handed out and that are not back, as far as both happened on this
/// thread. Differences are what means something.
[[nodiscard]] std::size_t allocated_octets() noexcept;

/// Decoding allocates nothing, whatever length the octets declare: "" when that holds.
template <CodecUnderTest C>
[[nodiscard]] std::string decodes_without_allocating(const C& codec, Bytes bytes) {
  const std::size_t before = allocation_count();
  {
    [[maybe_unused]] const auto decoded = codec.decode(bytes);
  }
  const std::size_t count = allocation_count() - before;
  if (count == 0) return "";
  return std::to_string(count) + " allocations while decoding " + hex(bytes);
}

}  // namespace hermod::testkit
