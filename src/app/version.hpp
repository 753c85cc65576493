// SPDX-License-Identifier: Apache-2.0
// The program's version, from the CMake project.
#pragma once

#include <string_view>

namespace hermod::app {

inline constexpr std::string_view kVersion = HERMOD_VERSION;

}  // namespace hermod::app
