// SPDX-License-Identifier: Apache-2.0
// The command line of `hermod bench`.
#pragma once

namespace hermod::load {

/// Runs `hermod bench ...`; argv[0] is the word "bench". Returns the exit status: 0 measured, 1
/// could not be measured, 2 messages were lost, doubled or reordered against what the QoS promises,
/// 3 a comparison missed what was wanted, and CLI11's codes (above 100) for a wrong command line.
int main_bench(int argc, char** argv);

}  // namespace hermod::load
