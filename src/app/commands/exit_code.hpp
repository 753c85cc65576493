// SPDX-License-Identifier: Apache-2.0
// What the program's exit status says.
#pragma once

namespace hermod::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;          ///< it was tried and failed
inline constexpr int kExitUsage = 2;          ///< the command line or the configuration is wrong
inline constexpr int kExitTimeout = 27;       ///< -W has passed; mosquitto's number
inline constexpr int kExitInterrupted = 130;  ///< SIGINT, as shells count it

}  // namespace hermod::app
