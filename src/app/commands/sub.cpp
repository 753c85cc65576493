// SPDX-License-Identifier: Apache-2.0
// How `hermod sub` prints.
#include "commands/sub.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "commands/exit_code.hpp"

namespace hermod::app {

std::expected<MessageFormat, std::string> format_of(const PrintOptions& options,
                                                    const Program& program) {
  const Dialect dialect = program.mosquitto ? Dialect::kMosquitto : Dialect::kHermod;
  auto format = options.has_format ? MessageFormat::parse(options.format, options.pretty, dialect)
                                   : MessageFormat::plain(options.verbose);
  if (!format) fmt::print(stderr, "{}\n", program.error_line(format.error()));
  return format;
}

int run_sub(const SubOptions& options) {
  auto format = format_of(options.print, options.client.program);
  if (!format) return options.client.program.wrong;
  return options.client.scheme == Scheme::kMqtt ? run_sub_mqtt(options, std::move(*format))
                                                : run_sub_coap(options, std::move(*format));
}

}  // namespace hermod::app
