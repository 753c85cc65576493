// SPDX-License-Identifier: Apache-2.0
// How `hermod sub` prints.
#include "commands/sub.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "commands/exit_code.hpp"

namespace hermod::app {

int run_sub(const SubOptions& options) {
  auto format = options.has_format ? MessageFormat::parse(options.format)
                                   : MessageFormat::plain(options.verbose);
  if (!format) {
    fmt::print(stderr, "hermod sub: {}\n", format.error());
    return kExitUsage;
  }
  return options.client.scheme == Scheme::kMqtt ? run_sub_mqtt(options, std::move(*format))
                                                : run_sub_coap(options, std::move(*format));
}

}  // namespace hermod::app
