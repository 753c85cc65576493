// SPDX-License-Identifier: Apache-2.0
// `hermod store check|dump|export|import`: what is done with a store while no broker runs on it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "commands/program.hpp"

namespace hermod::app {

enum class StoreVerb : std::uint8_t { kCheck, kDump, kExport, kImport };

struct StoreOptions {
  Program program = kHermodStore;
  std::string action;       ///< first argument
  std::string folder;       ///< second argument; empty: where `hermod serve` keeps it
  std::string config_file;  ///< -c: it says where
  bool metadata = false;    ///< dump: only that
  bool log = false;         ///< dump: only that
  bool payload = false;     ///< dump: payloads too

  // What follows from them.
  StoreVerb verb = StoreVerb::kCheck;
};

/// Checks what belongs together. The error says what is wrong and what would be right.
[[nodiscard]] std::expected<void, std::string> complete(StoreOptions& options);

/// Does it; returns the exit status: 1 also when something of the store is damaged.
[[nodiscard]] int run_store(StoreOptions& options);

}  // namespace hermod::app
