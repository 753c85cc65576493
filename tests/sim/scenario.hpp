// SPDX-License-Identifier: Apache-2.0
// One run from beginning to end: traffic and faults, then rest, then the questions, then everybody
// leaves and nothing may stay behind.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coap_counts.hpp"
#include "options.hpp"

namespace hermod::sim {

/// What a run came to.
struct Outcome {
  std::vector<std::string> violations;  ///< empty: all is well
  std::uint64_t trace_hash = 0;         ///< of everything that happened, in order
  std::size_t publications = 0;
  std::uint64_t deliveries = 0;
  std::uint64_t dropped = 0;    ///< because a queue was full
  std::uint64_t shared = 0;     ///< arrivals at members of groups
  std::uint64_t passed_on = 0;  ///< messages of groups that came to more than one member
  std::uint64_t marked = 0;     ///< publications with a property
  std::uint64_t stops = 0;      ///< of a broker with a store
  std::uint64_t damages = 0;    ///< records in whose octets a bit was flipped
  std::uint64_t refused = 0;    ///< publications, while nothing could be kept
  std::uint64_t unwell = 0;     ///< times at which the store became full or was sealed
  std::uint64_t removed = 0;    ///< segments of the log
  CoapCounts coap;
};

/// Runs the scenario of the options; with `verbose` its trace goes to stdout.
[[nodiscard]] Outcome run_scenario(const Options& options, bool verbose);

}  // namespace hermod::sim
