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
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "loss.hpp"
#include "scenario.hpp"

namespace {

using hermod::sim::Cast;
using hermod::sim::LossFault;
using hermod::sim::LossTable;
using hermod::sim::make_options;
using hermod::sim::Options;
using hermod::sim::Outcome;

constexpr std::string_view kHelp =
    R"(hermod_sim [mqtt|coap|mixed|kept|coap-loss] [SEED] [options]
  runs the whole broker on simulated clocks and networks; everything follows from the seed
  mqtt, coap, mixed   who takes part
  kept                MQTT, and a broker with a store, which is stopped, killed, loses its power and
                      finds its disk full, failing or damaged
  coap-loss           devices behind a network that loses 0 to 25 percent, each way: all seeds
                      together must come to what RFC 7252 makes of that; prints both
                      (without a kind all of them, one after the other)
  --seed S      one seed, the same as SEED
  --first S     the first of several seeds (1)
  --seeds N     how many (1 with a seed, else 100)
  --verbose     print what happens, and the hash of it
A failure prints the command that shows it again. Status: 0 all passed, 1 one failed, 2 usage.
)";

struct Kind {
  std::string_view name;
  std::optional<Cast> cast;  // none: coap-loss
};
constexpr std::array<Kind, 5> kKinds = {{{"mqtt", Cast::kMqtt},
                                         {"coap", Cast::kCoap},
                                         {"mixed", Cast::kMixed},
                                         {"kept", Cast::kKept},
                                         {"coap-loss", std::nullopt}}};

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

void print_failure(const Kind& kind, std::uint64_t seed,
                   const std::vector<std::string>& violations) {
  fmt::print(stderr, "{} seed {}:\n", kind.name, seed);
  for (const std::string& violation : violations) fmt::print(stderr, "  {}\n", violation);
  fmt::print(stderr, "{}", replay_command);
}

bool run(const Kind& kind, std::uint64_t seed, bool verbose, Outcome& total) {
  const Options options = make_options(*kind.cast, seed);
  if (verbose) fmt::print("{}\n", describe(options));
  const Outcome outcome = run_scenario(options, verbose);
  total.publications += outcome.publications;
  total.deliveries += outcome.deliveries;
  total.dropped += outcome.dropped;
  if (verbose) fmt::print("trace hash {:016x}\n", outcome.trace_hash);
  if (outcome.violations.empty()) return true;
  print_failure(kind, seed, outcome.violations);
  return false;
}

bool run(const Kind& kind, std::uint64_t seed, bool verbose, LossTable& table) {
  const auto violations = run_loss(seed, LossFault::kNone, verbose, table);
  if (violations.empty()) return true;
  print_failure(kind, seed, violations);
  return false;
}

void print_sum(const Outcome& total) {
  fmt::print(": {} messages published, {} delivered, {} dropped\n", total.publications,
             total.deliveries, total.dropped);
}

void print_sum(const LossTable& table) {
  fmt::print(", observed and expected:\n{}", table.text());
}

// How many of the seeds failed.
template <typename Sum>
std::uint64_t run_seeds(const Kind& kind, const Arguments& arguments, Sum& sum) {
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t failed = 0;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    remember(kind, arguments.first + i);
    if (!run(kind, arguments.first + i, arguments.verbose, sum)) ++failed;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{}: {} of {} seeds passed in {:.1f} s", kind.name, arguments.seeds - failed,
             arguments.seeds, took.count());
  print_sum(sum);
  std::fflush(stdout);
  return failed;
}

// How many of the seeds failed, and what all together failed in.
std::uint64_t run_kind(const Kind& kind, const Arguments& arguments) {
  if (kind.cast) {
    Outcome total;
    return run_seeds(kind, arguments, total);
  }
  LossTable table;
  const std::uint64_t failed = run_seeds(kind, arguments, table);
  const auto violations = table.check();
  for (const std::string& violation : violations) {
    fmt::print(stderr, "{} seeds {} to {}: {}\n", kind.name, arguments.first,
               arguments.first + arguments.seeds - 1, violation);
  }
  return failed + violations.size();
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
