// SPDX-License-Identifier: Apache-2.0
// hermod_sim: runs seeds of the simulation and says which fail and how to see them again.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
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
  mqtt, coap, mixed   who takes part (all three, one kind after the other)
  --seed S      one seed, the same as SEED
  --first S     the first of several seeds (1)
  --seeds N     how many (1 with a seed, else 100)
  --verbose     print what happens, and the hash of it
A failure prints the command that shows it again. Status: 0 all passed, 1 one failed, 2 usage.
)";

struct Kind {
  Cast cast;
  std::string_view name;
};
constexpr std::array<Kind, 3> kKinds = {
    {{Cast::kMqtt, "mqtt"}, {Cast::kCoap, "coap"}, {Cast::kMixed, "mixed"}}};

struct Arguments {
  std::span<const Kind> kinds = kKinds;
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  bool verbose = false;
};

const Kind* kind_of(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  return found == kKinds.end() ? nullptr : &*found;
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
    if (const Kind* kind = kind_of(text)) {
      out.kinds = {kind, 1};
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

void remember(const Kind& kind, std::uint64_t seed) {
  const auto end =
      fmt::format_to_n(replay_command, sizeof(replay_command) - 1,
                       "FAILED. See it again: ./dev sim {} {} --verbose\n", kind.name, seed);
  *end.out = '\0';
}

bool run(const Kind& kind, std::uint64_t seed, bool verbose, Outcome& total) {
  remember(kind, seed);
  const Options options = make_options(kind.cast, seed);
  if (verbose) fmt::print("{}\n", describe(options));
  const Outcome outcome = run_scenario(options, verbose);
  total.publications += outcome.publications;
  total.deliveries += outcome.deliveries;
  total.dropped += outcome.dropped;
  if (verbose) fmt::print("trace hash {:016x}\n", outcome.trace_hash);
  if (outcome.violations.empty()) return true;
  fmt::print(stderr, "{} seed {}:\n", kind.name, seed);
  for (const std::string& violation : outcome.violations) fmt::print(stderr, "  {}\n", violation);
  fmt::print(stderr, "{}", replay_command);
  return false;
}

// How many of the seeds failed.
std::uint64_t run_kind(const Kind& kind, const Arguments& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  Outcome total;
  std::uint64_t failed = 0;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    if (!run(kind, arguments.first + i, arguments.verbose, total)) ++failed;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print(
      "{}: {} of {} seeds passed in {:.1f} s: {} messages published, {} delivered, {} dropped\n",
      kind.name, arguments.seeds - failed, arguments.seeds, took.count(), total.publications,
      total.deliveries, total.dropped);
  std::fflush(stdout);
  return failed;
}

}  // namespace

int main(int count, char** texts) {
  const auto arguments = parse(count, texts);
  if (!arguments) {
    fmt::print(stderr, "{}", kHelp);
    return 2;
  }
  std::signal(SIGABRT, on_abort);
  std::uint64_t failed = 0;
  for (const Kind& kind : arguments->kinds) failed += run_kind(kind, *arguments);
  return failed == 0 ? 0 : 1;
}
