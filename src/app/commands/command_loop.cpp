// SPDX-License-Identifier: Apache-2.0
// The frame of a client command.
#include "commands/command_loop.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>

#include "commands/exit_code.hpp"

namespace hermod::app {

CommandLoop::CommandLoop(const ClientOptions& options)
    : signals_(io_, SIGINT, SIGTERM),
      timer_(io_),
      program_(options.program),
      timeout_s_(options.timeout_s),
      debug_(options.debug),
      quiet_(options.quiet) {}

int CommandLoop::run(std::move_only_function<void()> leave) {
  leave_ = std::move(leave);
  wait_for_signal();
  if (timeout_s_ > 0) {
    timer_.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(timeout_s_)));
    timer_.async_wait([this](boost::system::error_code failed) {
      if (failed || ending_) return;
      if (!program_.mosquitto) {
        error("Timed out");
      } else if (!quiet_) {
        fmt::print(stderr, "Timed out\n");
      }
      end(kExitTimeout);
    });
  }
  io_.run();
  return code_;
}

void CommandLoop::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code failed, int signal) {
    if (failed) return;
    if (ending_) {
      code_ = kExitInterrupted;
      return stop();
    }
    end(program_.status_of(signal));
    wait_for_signal();
  });
}

void CommandLoop::end(int code) {
  if (ending_) return;
  ending_ = true;
  code_ = code;
  timer_.cancel();
  leave_();
}

void CommandLoop::fail(std::string_view text, int code) {
  if (ending_) return;
  error(text);
  end(code);
}

void CommandLoop::debug(std::string_view line) const {
  if (!debug_) return;
  fmt::print(program_.mosquitto ? stdout : stderr, "{}\n", line);
  if (program_.mosquitto) std::fflush(stdout);
}

void CommandLoop::error(std::string_view line) const {
  if (!quiet_) fmt::print(stderr, "{}\n", program_.error_line(line));
}

}  // namespace hermod::app
