// SPDX-License-Identifier: Apache-2.0
// The command line of the program.
#pragma once

namespace hermod::app {

/// Understands the command line, runs the command, returns the exit status.
[[nodiscard]] int run_cli(int argc, char** argv);

}  // namespace hermod::app
