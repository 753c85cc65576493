// SPDX-License-Identifier: Apache-2.0
// The command line of hermod_durability.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "broker_process.hpp"

namespace hermod::durability {

struct Options {
  enum class Mode : std::uint8_t { kHelp, kKills, kStorm };
  Mode mode = Mode::kHelp;
  std::string hermod = "build/release/hermod";
  std::string broker;          ///< command of another broker; empty: hermod
  std::string broker_config;   ///< text of its configuration; with hermod: more of it
  std::string broker_options;  ///< more for `hermod serve`
  unsigned threads = 1;
  std::uint64_t seed = 1;
  unsigned kills = 25;
  double seconds_between = 0.6;  ///< about so long between two kills
  unsigned publishers = 24;
  unsigned devices = 3;   ///< that publish over CoAP
  double rate = 1'500;    ///< messages a second of all publishers together
  unsigned clients = 0;   ///< storm; 0: as many as open files allow
  unsigned messages = 4;  ///< storm: for each client
  bool expect_faults = false;
  bool tolerate_exactly_once = false;  ///< its losses and duplicates are told, and are no failure
  bool keep_folder = false;
  bool verbose = false;

  [[nodiscard]] BrokerPlan plan() const;
};

/// Error in words.
[[nodiscard]] std::expected<Options, std::string> read_options(std::span<char* const> arguments);
[[nodiscard]] std::string help_text();

}  // namespace hermod::durability
