// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

namespace hermod::durability {
namespace {

template <typename Number>
std::optional<std::string> read_number(std::string_view name, std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error == std::errc{} && end == text.data() + text.size()) return std::nullopt;
  return fmt::format("{} wants a number, not '{}'", name, text);
}

bool read_flag(std::string_view name, Options& options) {
  if (name == "--expect-faults") return options.expect_faults = true;
  if (name == "--tolerate-exactly-once") return options.tolerate_exactly_once = true;
  if (name == "--keep") return options.keep_folder = true;
  if (name == "--verbose") return options.verbose = true;
  return false;
}

std::optional<std::string> read_value(std::string_view name, std::string_view text,
                                      Options& options) {
  if (name == "--hermod") return options.hermod = text, std::nullopt;
  if (name == "--broker") return options.broker = text, std::nullopt;
  if (name == "--broker-options") return options.broker_options = text, std::nullopt;
  if (name == "--broker-config") return options.broker_config = text, std::nullopt;
  if (name == "--threads") return read_number(name, text, options.threads);
  if (name == "--seed") return read_number(name, text, options.seed);
  if (name == "--kills") return read_number(name, text, options.kills);
  if (name == "--seconds-between") return read_number(name, text, options.seconds_between);
  if (name == "--publishers") return read_number(name, text, options.publishers);
  if (name == "--devices") return read_number(name, text, options.devices);
  if (name == "--rate") return read_number(name, text, options.rate);
  if (name == "--clients") return read_number(name, text, options.clients);
  if (name == "--messages") return read_number(name, text, options.messages);
  return fmt::format("there is no option {}", name);
}

}  // namespace

BrokerPlan Options::plan() const {
  if (!broker.empty()) return {.command = "exec " + broker, .config = broker_config};
  BrokerPlan plan = hermod_plan(hermod, threads, broker_options);
  plan.config += broker_config;
  return plan;
}

std::expected<Options, std::string> read_options(std::span<char* const> arguments) {
  Options options;
  if (arguments.empty()) return options;
  const std::string_view mode = arguments[0];
  if (mode == "kills") options.mode = Options::Mode::kKills;
  if (mode == "storm") options.mode = Options::Mode::kStorm;
  if (options.mode == Options::Mode::kHelp) return options;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (read_flag(name, options)) continue;
    if (i + 1 == arguments.size()) return std::unexpected(fmt::format("{} wants a value", name));
    if (auto error = read_value(name, arguments[++i], options)) return std::unexpected(*error);
  }
  if (options.publishers == 0 || options.rate <= 0 || options.seconds_between <= 0) {
    return std::unexpected("--publishers, --rate and --seconds-between are above 0");
  }
  if (!options.broker.empty()) options.devices = 0;
  return options;
}

std::string help_text() {
  return R"(hermod_durability kills [options]   R1: kills the broker again and again under load
hermod_durability storm [options]   R29: all clients come back at once after a kill
  --hermod PROGRAM        the broker (build/release/hermod)
  --threads N             of the broker (1)
  --broker-options WORDS  more for `hermod serve`, as --ephemeral
  --broker COMMAND        another broker; {port}, {folder} and {config} stand for what they say
  --broker-config TEXT    what {config} holds; without --broker: more lines of it
  --seed N                of the load and of the moments of the kills (1)
  --kills N               kills (25)
  --seconds-between S     about so long between two (0.6)
  --publishers N          publishers (24)
  --devices N             publishers over CoAP (3; none with --broker)
  --rate N                messages a second of all publishers over MQTT (1500)
  --clients N             storm: clients; 0: as many as open files allow, 50,000 at most
  --messages N            storm: messages that wait for each (4)
  --expect-faults         the status is 0 when the check finds a loss, and 1 when it does not
  --tolerate-exactly-once its losses and duplicates are told, and are no failure
  --keep                  leaves the folder of the broker
  --verbose               every step of every client, on stderr
)";
}

}  // namespace hermod::durability
