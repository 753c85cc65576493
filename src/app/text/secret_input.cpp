// SPDX-License-Identifier: Apache-2.0
#include "text/secret_input.hpp"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace hermod::app {
namespace {

volatile std::sig_atomic_t interrupted = 0;

/// While it lives the terminal shows nothing, and signals end the reading instead of the program:
/// a terminal must not stay silent.
class Silence {
 public:
  Silence() {
    struct sigaction action{};
    action.sa_handler = [](int) { interrupted = 1; };
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &action, &before_[i]);
    }
    tcgetattr(STDIN_FILENO, &shown_);
    termios hidden = shown_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  ~Silence() {
    tcsetattr(STDIN_FILENO, TCSADRAIN, &shown_);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &before_[i], nullptr);
    }
    fmt::print(stderr, "\n");
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  std::array<struct sigaction, kSignals.size()> before_{};
  termios shown_{};
};

// Octet by octet: what follows the line is for the next one.
std::expected<std::string, NoSecret> read_line() {
  std::string line;
  for (;;) {
    char c = 0;
    const ssize_t count = ::read(STDIN_FILENO, &c, 1);
    if (count < 0 && errno == EINTR && interrupted == 0) continue;
    if (interrupted != 0) return std::unexpected(NoSecret::kInterrupted);
    if (count <= 0 && line.empty()) return std::unexpected(NoSecret::kEnded);
    if (count <= 0 || c == '\n') break;
    line.push_back(c);
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

std::expected<std::string, NoSecret> read_secret(std::string_view prompt) {
  if (isatty(STDIN_FILENO) == 0) return read_line();
  const Silence silence;  // before the prompt: whoever sees it may type
  fmt::print(stderr, "{}", prompt);
  std::fflush(stderr);
  return read_line();
}

}  // namespace hermod::app
