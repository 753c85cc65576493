// SPDX-License-Identifier: Apache-2.0
// Broken invariants stop the program, in release builds too. Bytes from outside never reach this:
// they are answered by the protocol.
#pragma once

namespace hermod {

/// Prints the condition and its place to stderr and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace hermod

#define HERMOD_ASSERT(condition)          \
  (static_cast<bool>(condition) ? void(0) \
                                : ::hermod::assertion_failed(#condition, __FILE__, __LINE__))
