// SPDX-License-Identifier: Apache-2.0
// The limit of open files, which the usual default makes too small for thousands of clients.
#pragma once

#include <cstdint>

namespace hermod::load {

/// Raises this process's limit as far as the system allows. Returns the limit; what is started from
/// here on inherits it.
std::uint64_t raise_descriptor_limit();

}  // namespace hermod::load
