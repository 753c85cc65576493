// SPDX-License-Identifier: Apache-2.0
// The program. Exceptions of third parties end here.
#include <cstdio>
#include <exception>

#include "cli.hpp"
#include "commands/exit_code.hpp"

int main(int argc, char** argv) {
  try {
    return hermod::app::run_cli(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hermod: unexpected error: %s\n", error.what());
    return hermod::app::kExitError;
  }
}
