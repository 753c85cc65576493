// SPDX-License-Identifier: Apache-2.0
// The frame of a client command: an event loop that ends by the command's own result, by -W, or by
// a signal, each time with a polite goodbye. It knows no protocol.
//
//   running --end(code)--> leaving (the command says goodbye) --stop()--> run() returns the code
//      |  SIGINT, SIGTERM (Program::status_of), -W 27|
//      +----------------------------------------------+-- a second signal: stop() at once
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string_view>

#include "commands/exit_code.hpp"
#include "commands/options.hpp"

namespace hermod::app {

class CommandLoop {
 public:
  explicit CommandLoop(const ClientOptions& options);

  [[nodiscard]] boost::asio::io_context& io() { return io_; }

  /// Runs until stop(). `leave` is called once, when the command is to end: it says goodbye, and
  /// calls stop() when that is done.
  [[nodiscard]] int run(std::move_only_function<void()> leave);
  /// The command is over with this exit status; only the first call counts.
  void end(int code);
  /// The same with an error for the user.
  void fail(std::string_view text, int code = kExitError);
  void stop() { io_.stop(); }
  [[nodiscard]] bool ending() const { return ending_; }
  [[nodiscard]] bool timed_out() const { return ending_ && code_ == kExitTimeout; }

  /// One line of -d, on stderr: stdout carries messages only. mosquitto's programs use stdout.
  void debug(std::string_view line) const;
  /// One line on stderr, but not with --quiet.
  void error(std::string_view line) const;

 private:
  void wait_for_signal();

  boost::asio::io_context io_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer timer_;
  std::move_only_function<void()> leave_;
  Program program_;
  double timeout_s_;
  bool debug_;
  bool quiet_;
  bool ending_ = false;
  int code_ = 0;
};

}  // namespace hermod::app
