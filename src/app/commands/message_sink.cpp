// SPDX-License-Identifier: Apache-2.0
// Leaving out, printing and counting messages.
#include "commands/message_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "commands/exit_code.hpp"
#include "hermod/model/topic.hpp"

namespace hermod::app {

bool MessageSink::take(Printable message) {
  const bool filtered = std::ranges::any_of(options_.filtered_out, [&](const std::string& filter) {
    return model::matches(filter, message.topic);
  });
  if (filtered) return false;
  if (options_.retained_only && !message.retain) {
    loop_.end(kExitOk);
    return true;
  }
  if (options_.print.no_retained && message.retain) return true;
  std::timespec_get(&message.received, TIME_UTC);
  if (options_.percent >= 100 || roll() < options_.percent) print(message);
  if (options_.count && ++printed_ >= *options_.count) loop_.end(kExitOk);
  return true;
}

double MessageSink::roll() {
  return std::uniform_real_distribution<double>(0, 100)(dice_);
}

void MessageSink::print(const Printable& message) {
  text_.clear();
  if (!format_.append(text_, message, options_.print.no_newline ? "" : "\n")) {
    loop_.error(
        fmt::format("the payload on topic \"{}\" is not JSON, as %J needs it", message.topic));
  }
  const bool written = std::fwrite(text_.data(), 1, text_.size(), stdout) == text_.size() &&
                       std::fflush(stdout) == 0;
  if (!written) loop_.fail(fmt::format("Cannot write to the output: {}.", std::strerror(errno)));
}

}  // namespace hermod::app
