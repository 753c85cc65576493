// SPDX-License-Identifier: Apache-2.0
// One run of a workload: set-up, warm-up, measured time, drain. Takes the samples and turns them
// into figures.
#pragma once

#include <expected>
#include <string>

#include "hermod/load/report.hpp"
#include "hermod/load/run.hpp"
#include "share.hpp"

namespace hermod::load {

/// Blocks until it is over. `pid`: the server's process, 0 when unknown. Error in words when there
/// is nothing to measure.
[[nodiscard]] std::expected<Measurement, std::string> measure(const Options& options,
                                                              Workload& workload, int pid,
                                                              const Progress& progress);

}  // namespace hermod::load
