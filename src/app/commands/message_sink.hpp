// SPDX-License-Identifier: Apache-2.0
// What becomes of the messages that `hermod sub` and `hermod rr` receive: left out, printed,
// counted. It knows no protocol.
#pragma once

#include <cstdint>
#include <random>

#include "commands/command_loop.hpp"
#include "text/message_format.hpp"

namespace hermod::app {

class MessageSink {
 public:
  /// Prints to stdout; ends `loop` when the count of -C is reached, when --retained-only has seen
  /// everything, or when stdout cannot be written to.
  MessageSink(const SubOptions& options, MessageFormat format, CommandLoop& loop)
      : options_(options), format_(std::move(format)), loop_(loop) {}

  /// Takes a message with its time of arrival still to be set. True when -T let it through.
  bool take(Printable message);

 private:
  void print(const Printable& message);
  [[nodiscard]] double roll();

  const SubOptions& options_;
  MessageFormat format_;
  CommandLoop& loop_;
  std::uint64_t printed_ = 0;
  std::minstd_rand dice_{std::random_device{}()};
  std::string text_;
};

}  // namespace hermod::app
