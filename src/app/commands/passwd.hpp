// SPDX-License-Identifier: Apache-2.0
// `hermod passwd`: keeps the password file of a broker, with mosquitto_passwd's flags.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "commands/program.hpp"
#include "hermod/identity/password_hash.hpp"

namespace hermod::app {

struct PasswdOptions {
  Program program = kHermodPasswd;
  bool create = false;   ///< -c
  bool batch = false;    ///< -b
  bool remove = false;   ///< -D
  bool upgrade = false;  ///< -U
  std::string hash = "sha512-pbkdf2";
  /// Each login costs so many; see docs/identity.md.
  std::optional<std::uint32_t> iterations;
  std::string file;
  std::optional<std::string> user;
  std::optional<std::string> password;

  // What follows from them.
  identity::HashKind kind = identity::HashKind::kPbkdf2Sha512;
};

/// Checks what belongs together. The error says what is wrong and what would be right.
[[nodiscard]] std::expected<void, std::string> complete(PasswdOptions& options);

/// Does it; returns the exit status.
[[nodiscard]] int run_passwd(PasswdOptions& options);

}  // namespace hermod::app
