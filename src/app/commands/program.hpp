// SPDX-License-Identifier: Apache-2.0
// The names that the program runs under. Started as `mosquitto_pub` (by a symbolic link of that
// name, say) it does as mosquitto's program of that name does, where scripts notice: flags,
// standard output, exit status. See docs/commands.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "commands/exit_code.hpp"

namespace hermod::app {

/// What the program does.
enum class Task : std::uint8_t { kServe, kPub, kSub, kRr, kPasswd, kStore, kCoap };

struct Program {
  Task task = Task::kServe;
  std::string_view name = "hermod";  ///< as the user knows it: "hermod pub", "mosquitto_pub"
  bool mosquitto = false;            ///< does as mosquitto's program
  int wrong = kExitUsage;            ///< status of a wrong command line or configuration
  int helped = kExitOk;              ///< status of --help and --version

  /// An error for stderr, such as "hermod pub: text" or "Error: text".
  [[nodiscard]] std::string error_line(std::string_view text) const;
  /// How to see all options.
  [[nodiscard]] std::string advice() const;
  /// The file with options that stands in the user's directory of configurations: "hermod_pub".
  [[nodiscard]] std::string options_file() const;
  /// The exit status after SIGINT or SIGTERM.
  [[nodiscard]] int status_of(int signal) const;
};

inline constexpr Program kHermodServe{Task::kServe, "hermod serve"};
inline constexpr Program kHermodPub{Task::kPub, "hermod pub"};
inline constexpr Program kHermodSub{Task::kSub, "hermod sub"};
inline constexpr Program kHermodRr{Task::kRr, "hermod rr"};
inline constexpr Program kHermodPasswd{Task::kPasswd, "hermod passwd"};
inline constexpr Program kHermodStore{Task::kStore, "hermod store"};

/// The commands that make CoAP requests, by coap-client's letters.
inline constexpr std::array kHermodCoap{
    Program{Task::kCoap, "hermod get"},     Program{Task::kCoap, "hermod put"},
    Program{Task::kCoap, "hermod post"},    Program{Task::kCoap, "hermod delete"},
    Program{Task::kCoap, "hermod fetch"},   Program{Task::kCoap, "hermod patch"},
    Program{Task::kCoap, "hermod ipatch"},  Program{Task::kCoap, "hermod observe"},
    Program{Task::kCoap, "hermod discover"}};

/// The program of mosquitto that a path names; nothing when it names none.
[[nodiscard]] std::optional<Program> mosquitto_program(std::string_view path);

}  // namespace hermod::app
