// SPDX-License-Identifier: Apache-2.0
// Runs a benchmark: starts the server when asked to, makes the load, measures.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "hermod/load/options.hpp"
#include "hermod/load/report.hpp"

namespace hermod::load {

/// Told about the course of a run: a phase ("connect", "warm-up", "measure", ...) and how far it is
/// (0 to 1). Called from the calling thread, a few times a second.
using Progress = std::function<void(std::string_view phase, double done)>;

/// Measures `options.repeat` times. Blocks until everything is over and whatever it started is
/// gone. The error says why nothing could be measured (no connection, refused, no such process).
/// Example: run({.scenario = Scenario::kFanOut, .url = *parse_url("mqtt://127.0.0.1")})
[[nodiscard]] std::expected<Report, std::string> run(const Options& options,
                                                     const Progress& progress = {});

}  // namespace hermod::load
