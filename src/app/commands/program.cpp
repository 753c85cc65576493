// SPDX-License-Identifier: Apache-2.0
#include "commands/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace hermod::app {
namespace {

// The numbers are mosquitto 2.0's.
constexpr std::array kMosquitto{
    Program{Task::kServe, "mosquitto", true, 3, 3},
    Program{Task::kPub, "mosquitto_pub", true, 1, 1},
    Program{Task::kSub, "mosquitto_sub", true, 1, 1},
    Program{Task::kRr, "mosquitto_rr", true, 1, 1},
    Program{Task::kPasswd, "mosquitto_passwd", true, 1, 1},
};

}  // namespace

std::string Program::error_line(std::string_view text) const {
  return mosquitto ? fmt::format("Error: {}", text) : fmt::format("{}: {}", name, text);
}

std::string Program::advice() const {
  if (mosquitto) return fmt::format("\nUse '{} --help' to see usage.", name);
  return fmt::format("All options: hermod help {}", name.substr(name.find(' ') + 1));
}

std::string Program::options_file() const {
  std::string file(name);
  std::ranges::replace(file, ' ', '_');
  return file;
}

int Program::status_of(int signal) const {
  // mosquitto_pub and mosquitto_rr are killed by it, as a shell counts it.
  if (mosquitto) return task == Task::kSub ? kExitOk : 128 + signal;
  return signal == SIGINT ? kExitInterrupted : kExitOk;
}

std::optional<Program> mosquitto_program(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  const auto found = std::ranges::find(kMosquitto, name, &Program::name);
  return found == kMosquitto.end() ? std::nullopt : std::optional(*found);
}

}  // namespace hermod::app
