// SPDX-License-Identifier: Apache-2.0
// The program's version, from the CMake project.
#pragma once

#include <string_view>

namespace hermod::app {

inline constexpr std::string_view kVersion = HERMOD_VERSION;

/// As `mosquitto` and its clients: the version whose behaviour they have, then the own one.
inline constexpr std::string_view kMosquittoVersion = "2.0-hermod-" HERMOD_VERSION;

}  // namespace hermod::app
