// SPDX-License-Identifier: Apache-2.0
// Which processors threads run on.
#pragma once

#include <expected>
#include <span>
#include <string>

namespace hermod::load {

/// Confines the calling thread to one processor; a processor that does not exist leaves it free.
void pin_this_thread(int cpu);

/// Confines every thread of a process. Error in words (no such process, not permitted).
[[nodiscard]] std::expected<void, std::string> confine_process(int pid, std::span<const int> cpus);

}  // namespace hermod::load
