// SPDX-License-Identifier: Apache-2.0
// What the program's exit status says.
#pragma once

namespace hermod::app {

inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;          ///< it was tried and failed
inline constexpr int kExitUsage = 2;          ///< the command line or the configuration is wrong
inline constexpr int kExitRequest = 4;        ///< a CoAP server answered 4.xx: the request is wrong
inline constexpr int kExitServer = 5;         ///< a CoAP server answered 5.xx: it failed
inline constexpr int kExitReset = 6;          ///< a CoAP server answered with a Reset
inline constexpr int kExitTimeout = 27;       ///< -W, -B or the protocol's patience is over
inline constexpr int kExitInterrupted = 130;  ///< SIGINT, as shells count it

}  // namespace hermod::app
