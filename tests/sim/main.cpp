// SPDX-License-Identifier: Apache-2.0
// hermod_sim: runs seeds of the simulation and says which fail and how to see them again.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include <unistd.h>

#include "scenario.hpp"

namespace {

using hermod::sim::Cast;
using hermod::sim::make_options;
using hermod::sim::Options;
using hermod::sim::Outcome;

constexpr std::string_view kHelp =
    R"(hermod_sim [mqtt|coap|mixed] [SEED] [options]
  runs the whole broker on simulated clocks and networks; everything follows from the seed
  --seed S      one seed, the same as SEED
  --first S     the first of several seeds (1)
  --seeds N     how many (1 with a seed, else 100)
  --verbose     print what happens, and the hash of it
A failure prints the command that shows it again. Status: 0 all passed, 1 one failed, 2 usage.
)";

struct Arguments {
  Cast cast = Cast::kMixed;
  std::string_view cast_name = "mixed";
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  bool verbose = false;
};

std::optional<Cast> cast_of(std::string_view name) {
  if (name == "mqtt") return Cast::kMqtt;
  if (name == "coap") return Cast::kCoap;
  if (name == "mixed") return Cast::kMixed;
  return std::nullopt;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Arguments> parse(int count, char** texts) {
  Arguments out;
  for (int i = 1; i < count; ++i) {
    const std::string_view text = texts[i];
    if (const auto cast = cast_of(text)) {
      out.cast = *cast;
      out.cast_name = text;
    } else if (const auto seed = number(text)) {
      out.first = *seed;
      out.seeds = 1;
    } else if (text == "--verbose") {
      out.verbose = true;
    } else {
      const auto value = i + 1 < count ? number(texts[++i]) : std::nullopt;
      if (!value) return std::nullopt;
      if (text == "--seeds") {
        out.seeds = *value;
      } else if (text == "--first" || text == "--seed") {
        out.first = *value;
        if (text == "--seed") out.seeds = 1;
      } else {
        return std::nullopt;
      }
    }
  }
  return out;
}

// A broken invariant ends the program: say which seed it was.
char replay_command[128];

void on_abort(int) {
  const auto length = std::strlen(replay_command);
  [[maybe_unused]] const auto written = write(STDERR_FILENO, replay_command, length);
}

void remember(const Arguments& arguments, std::uint64_t seed) {
  const auto end = fmt::format_to_n(replay_command, sizeof(replay_command) - 1,
                                    "FAILED. See it again: ./dev sim {} {} --verbose\n",
                                    arguments.cast_name, seed);
  *end.out = '\0';
}

bool run(const Arguments& arguments, std::uint64_t seed, Outcome& total) {
  remember(arguments, seed);
  const Options options = make_options(arguments.cast, seed);
  if (arguments.verbose) fmt::print("{}\n", describe(options));
  const Outcome outcome = run_scenario(options, arguments.verbose);
  total.publications += outcome.publications;
  total.deliveries += outcome.deliveries;
  total.dropped += outcome.dropped;
  if (arguments.verbose) fmt::print("trace hash {:016x}\n", outcome.trace_hash);
  if (outcome.violations.empty()) return true;
  fmt::print(stderr, "seed {}:\n", seed);
  for (const std::string& violation : outcome.violations) fmt::print(stderr, "  {}\n", violation);
  fmt::print(stderr, "{}", replay_command);
  return false;
}

}  // namespace

int main(int count, char** texts) {
  const auto arguments = parse(count, texts);
  if (!arguments) {
    fmt::print(stderr, "{}", kHelp);
    return 2;
  }
  std::signal(SIGABRT, on_abort);
  const auto begin = std::chrono::steady_clock::now();
  Outcome total;
  std::uint64_t failed = 0;
  for (std::uint64_t i = 0; i < arguments->seeds; ++i) {
    if (!run(*arguments, arguments->first + i, total)) ++failed;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{} of {} seeds passed in {:.1f} s: {} messages published, {} delivered, {} dropped\n",
             arguments->seeds - failed, arguments->seeds, took.count(), total.publications,
             total.deliveries, total.dropped);
  return failed == 0 ? 0 : 1;
}
