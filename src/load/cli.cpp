// SPDX-License-Identifier: Apache-2.0
// The only file that includes CLI11, which takes long to compile.
#include "hermod/load/cli.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "descriptors.hpp"
#include "hermod/load/compare.hpp"
#include "hermod/load/null_server.hpp"
#include "hermod/load/run.hpp"
#include "hermod/load/scale.hpp"

namespace hermod::load {
namespace {

constexpr int kUnmeasured = 1;
constexpr int kBroken = 2;
constexpr int kMissed = 3;

// What is typed, before it becomes Options.
struct Typed {
  std::string scenario;
  std::string url;
  std::string mqtt = "3.1.1";
  std::string neighbour = "none";
  double warmup_s = 0.5;
  double duration_s = 2;
  double drain_s = 5;
  Options options;
};

int fail(std::string_view why) {
  fmt::print(stderr, "hermod bench: {}\n", why);
  return kUnmeasured;
}

Duration from_seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

// The options of the load itself, the same for one server and for several.
void declare_load(CLI::App& app, Typed& typed) {
  Options& o = typed.options;
  app.add_option(
      "scenario", typed.scenario,
      "fan-in, fan-out, pairs, latency, connect, idle, coap-get, coap-put, coap-observe");
  app.add_option("--publishers", o.publishers, "how many clients publish");
  app.add_option("--subscribers", o.subscribers, "how many clients subscribe");
  app.add_option("-n,--clients", o.clients,
                 "connect: at a time; idle: in all; coap: requesters or observers");
  app.add_option("--topics", o.topics,
                 "distinct topics that the publishers cycle over (default: one each)");
  app.add_flag("--exact", o.exact, "subscribe to each topic instead of a wildcard");
  app.add_option("--groups", o.groups,
                 "fan-in, fan-out: shared subscriptions that the subscribers form together");
  app.add_flag("--lasting", o.lasting, "subscribers' sessions outlive their connections");
  app.add_option("--filters", o.filters,
                 "wildcard subscriptions to other topics, made before the load by idle clients");
  app.add_option("--churn", o.churn,
                 "subscribes, and unsubscribes, a second by another client during the load");
  app.add_option("--neighbour", typed.neighbour,
                 "who misbehaves meanwhile: slow (never reads), huge (1 MiB payloads), malicious")
      ->capture_default_str();
  app.add_option("-W,--window", o.window,
                 "messages that a publisher may be ahead of its slowest subscriber");
  app.add_option("--inflight", o.inflight, "unacknowledged messages of a publisher, QoS 1 and 2")
      ->capture_default_str();
  app.add_option("--mqtt", typed.mqtt, "version: 3.1.1 or 5")->capture_default_str();
  app.add_option("-q,--qos", o.qos, "0, 1 or 2")->capture_default_str();
  app.add_option("--payload", o.payload_bytes, "octets")->capture_default_str();
  app.add_option("--rate", o.rate, "latency: messages a second in all (default 5000)");
  app.add_option("--warmup", typed.warmup_s, "seconds before the measured time")
      ->capture_default_str();
  app.add_option("--duration", typed.duration_s, "measured seconds")->capture_default_str();
  app.add_option("--drain", typed.drain_s, "seconds that the end may take")->capture_default_str();
  app.add_option("--messages", o.messages, "each publisher sends this many, instead of --duration");
  app.add_option("--threads", o.threads, "generator threads")->capture_default_str();
  app.add_option("--cpu", o.cpus, "processors of the generator threads, such as 1,2")
      ->delimiter(',');
  app.add_option("--server-cpu", o.server_cpus, "confine the server to these processors")
      ->delimiter(',');
}

// How often, and how it is told.
void declare_runs(CLI::App& app, Options& o) {
  app.add_option("--repeat", o.repeat, "runs; the median is reported")->capture_default_str();
  app.add_flag("--json", o.json, "one JSON object on standard output, the summary on stderr");
}

// Typed texts become values; error in words.
std::expected<void, std::string> translate(Typed& typed) {
  const auto scenario = scenario_named(typed.scenario);
  if (!scenario) return std::unexpected(scenario.error());
  Options& options = typed.options;
  options.scenario = *scenario;
  const auto version = mqtt_version_named(typed.mqtt);
  if (!version) return std::unexpected(version.error());
  options.mqtt = *version;
  const auto neighbour = neighbour_named(typed.neighbour);
  if (!neighbour) return std::unexpected(neighbour.error());
  options.neighbour = *neighbour;
  if (!typed.url.empty()) {
    auto url = parse_url(typed.url);
    if (!url) return std::unexpected(url.error());
    options.url = std::move(*url);
  }
  options.warmup = from_seconds(typed.warmup_s);
  options.duration = from_seconds(typed.duration_s);
  options.drain = from_seconds(typed.drain_s);
  return {};
}

void show_progress(std::string_view phase, double done) {
  constexpr int kWidth = 30;
  const int filled = static_cast<int>(done * kWidth);
  fmt::print(stderr, "\r{:<8} [{:#<{}}{:.<{}}]", phase, "", filled, "", kWidth - filled);
  std::fflush(stderr);
}

// A bar on a terminal, nothing else.
class Bar {
 public:
  [[nodiscard]] Progress progress() const {
    return terminal_ ? Progress{show_progress} : Progress{};
  }
  ~Bar() {
    if (terminal_) fmt::print(stderr, "\r\033[K");
  }

 private:
  bool terminal_ = isatty(STDERR_FILENO) == 1;
};

// The summary is for the reader in any case; with --json standard output belongs to the program.
template <typename Result>
void print_result(const Result& result, bool json) {
  fmt::print(json ? stderr : stdout, "{}", summary(result));
  if (json) fmt::print("{}\n", to_json(result));
}

int bench_one(int argc, char** argv) {
  CLI::App app{"Measures an MQTT 3.1.1, MQTT 5.0 or CoAP server.", "hermod bench"};
  app.footer(
      "hermod bench compare: several servers in turns; hermod bench scale: one server under two "
      "loads in turns; hermod bench null: the machine's ceiling.");
  Typed typed;
  declare_load(app, typed);
  declare_runs(app, typed.options);
  app.add_option("--url", typed.url, "server: mqtt://HOST:PORT or coap://HOST:PORT/PATH");
  app.add_option("--spawn", typed.options.spawn,
                 "start this command as the server, with {port} replaced, and end it afterwards");
  app.add_option("--pid", typed.options.pid,
                 "the server's process, to measure its CPU time and memory");
  CLI11_PARSE(app, argc, argv);
  if (typed.scenario.empty()) {
    fmt::print("{}", app.help());
    return 0;
  }
  if (const auto good = translate(typed); !good) return fail(good.error());
  const auto report = [&] {
    const Bar bar;
    return run(typed.options, bar.progress());
  }();
  if (!report) return fail(report.error());
  print_result(*report, typed.options.json);
  return broke_promises(*report) ? kBroken : 0;
}

// "NAME=VALUE" of an option, taken apart.
std::expected<std::pair<std::string, std::string>, std::string> named(std::string_view option,
                                                                      const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return std::unexpected(fmt::format("{} \"{}\" is not of the form NAME=VALUE", option, text));
  }
  return std::pair{text.substr(0, equals), text.substr(equals + 1)};
}

// What is typed of the servers of a comparison.
struct TypedServers {
  std::string own;
  std::string own_name = "A";
  std::string own_url;
  std::vector<std::string> rivals;
  std::vector<std::string> beside;
  std::vector<std::string> ceilings;
  std::vector<std::string> urls;
};

void declare_servers(CLI::App& app, TypedServers& typed, Bounds& wanted) {
  app.add_option("--a", typed.own, "command of the own server, {port} is replaced")->required();
  app.add_option("--a-name", typed.own_name, "what to call it")->capture_default_str();
  app.add_option("--a-url", typed.own_url, "its port or resource, if the command fixes it");
  // One value each time it is given, or it would swallow the scenario.
  const auto add = [&app](const char* name, std::vector<std::string>& into, const char* what) {
    app.add_option(name, into, what)->allow_extra_args(false);
  };
  add("--rival", typed.rivals, "NAME=COMMAND of a rival; may be given again: the best counts");
  add("--beside", typed.beside, "NAME=COMMAND of a server that is shown, but does not count");
  add("--ceiling", typed.ceilings, "NAME=COMMAND of a server that does the least, as 'null' does");
  add("--server-url", typed.urls, "NAME=URL: port or resource of one of these servers");
  app.add_option("--at-least", wanted.ratio_min,
                 "wanted: so many times better than the best rival; exit status 3 when missed");
  app.add_option("--at-most", wanted.octets_max, "idle, wanted: octets per connection");
  app.add_option("--at-least-of-ceiling", wanted.ceiling_share_min,
                 "wanted: this share of the ceiling's figure");
  app.add_option("--p99-at-most-of-ceiling", wanted.ceiling_p99_max,
                 "wanted: a p99 of so many times the ceiling's");
}

std::expected<std::vector<Contender>, std::string> contenders_of(const TypedServers& typed,
                                                                 const Options& options) {
  std::vector<Contender> all;
  const auto add = [&](std::string name, Role role, std::string command) {
    all.push_back({.name = std::move(name), .role = role, .options = options});
    all.back().options.spawn = std::move(command);
  };
  add(typed.own_name, Role::kOwn, typed.own);
  for (const auto& [option, role, texts] : {std::tuple{"--rival", Role::kRival, &typed.rivals},
                                            {"--beside", Role::kBeside, &typed.beside},
                                            {"--ceiling", Role::kCeiling, &typed.ceilings}}) {
    for (const std::string& text : *texts) {
      auto pair = named(option, text);
      if (!pair) return std::unexpected(pair.error());
      add(std::move(pair->first), role, std::move(pair->second));
    }
  }
  std::vector<std::pair<std::string, std::string>> urls;
  if (!typed.own_url.empty()) urls.emplace_back(typed.own_name, typed.own_url);
  for (const std::string& text : typed.urls) {
    auto pair = named("--server-url", text);
    if (!pair) return std::unexpected(pair.error());
    urls.push_back(std::move(*pair));
  }
  for (const auto& [name, text] : urls) {
    const auto found = std::ranges::find(all, name, &Contender::name);
    if (found == all.end()) return std::unexpected(fmt::format("no server is called '{}'", name));
    auto url = parse_url(text);
    if (!url) return std::unexpected(url.error());
    found->options.url = std::move(*url);
  }
  return all;
}

// A bound without anything to be measured by would always be missed.
std::string senseless(const Bounds& wanted, const TypedServers& typed) {
  if (wanted.ratio_min > 0 && typed.rivals.empty()) return "--at-least needs a --rival";
  if ((wanted.ceiling_share_min > 0 || wanted.ceiling_p99_max > 0) && typed.ceilings.empty()) {
    return "a bound that is relative to the ceiling needs a --ceiling";
  }
  return {};
}

int bench_several(int argc, char** argv) {
  CLI::App app{"Measures several servers in turns with the same load.", "hermod bench compare"};
  Typed typed;
  typed.options.repeat = 5;
  declare_load(app, typed);
  declare_runs(app, typed.options);
  TypedServers servers;
  Comparison comparison;
  declare_servers(app, servers, comparison.wanted);
  CLI11_PARSE(app, argc, argv);
  if (const auto good = translate(typed); !good) return fail(good.error());
  if (const auto why = senseless(comparison.wanted, servers); !why.empty()) return fail(why);
  auto contenders = contenders_of(servers, typed.options);
  if (!contenders) return fail(contenders.error());
  comparison.contenders = std::move(*contenders);
  const auto measured = [&] {
    const Bar bar;
    return measure_in_turns(comparison.contenders, typed.options.repeat, bar.progress());
  }();
  if (!measured) return fail(measured.error());
  print_result(comparison, typed.options.json);
  if (broke_promises(comparison.own().report)) return kBroken;
  return comparison.reached() ? 0 : kMissed;
}

// The words of --then over the values of the first load.
std::expected<Typed, std::string> changed_load(const Typed& first, const std::string& words) {
  CLI::App app{"", "--then"};
  Typed typed = first;
  declare_load(app, typed);
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return std::unexpected(fmt::format("--then \"{}\": {}", words, error.what()));
  }
  if (auto good = translate(typed); !good) return std::unexpected("--then: " + good.error());
  if (typed.options.scenario != first.options.scenario) {
    return std::unexpected("--then keeps the scenario: costs of different things do not compare");
  }
  return typed;
}

int bench_scale(int argc, char** argv) {
  CLI::App app{"Measures one server under two loads in turns: what more of something costs.",
               "hermod bench scale"};
  Typed typed;
  typed.options.repeat = 5;
  declare_load(app, typed);
  declare_runs(app, typed.options);
  Scaling scaling{.contenders = {Contender{.name = "first"}, Contender{.name = "then"}}};
  std::string server;
  std::string then_server;
  std::string then;
  app.add_option("--server", server, "command of the server, {port} is replaced")->required();
  app.add_option("--name", scaling.contenders[0].name, "what to call the first load")
      ->capture_default_str();
  app.add_option("--then", then, "options of the load that are different the second time");
  app.add_option("--then-server", then_server, "command of the server the second time");
  app.add_option("--then-name", scaling.contenders[1].name, "what to call the second load")
      ->capture_default_str();
  app.add_option("--cost-at-most", scaling.cost_max,
                 "wanted: CPU time of an operation as a multiple of the first's; exit status 3 "
                 "when missed");
  app.add_option("--more-at-most", scaling.more_us_max,
                 "wanted: CPU time of an operation, in microseconds above the first's");
  app.add_option("--at-least", scaling.share_min,
                 "wanted: operations per CPU second as a share of the first's");
  CLI11_PARSE(app, argc, argv);
  if (const auto good = translate(typed); !good) return fail(good.error());
  const auto changed = changed_load(typed, then);
  if (!changed) return fail(changed.error());
  scaling.contenders[0].options = typed.options;
  scaling.contenders[0].options.spawn = server;
  scaling.contenders[1].options = changed->options;
  scaling.contenders[1].options.spawn = then_server.empty() ? server : then_server;
  const auto measured = [&] {
    const Bar bar;
    return measure_in_turns(scaling.contenders, typed.options.repeat, bar.progress());
  }();
  if (!measured) return fail(measured.error());
  print_result(scaling, typed.options.json);
  if (broke_promises(scaling.first().report) || broke_promises(scaling.then().report)) {
    return kBroken;
  }
  return scaling.reached() ? 0 : kMissed;
}

int serve_nothing(int argc, char** argv) {
  CLI::App app{"Stands where an MQTT server would and only copies bytes: the machine's ceiling.",
               "hermod bench null"};
  std::uint16_t port = 1883;
  app.add_option("-p,--port", port, "port of 127.0.0.1; 0: any")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  const auto server = NullServer::open(port);
  if (!server) return fail(server.error());
  fmt::print("null server on mqtt://127.0.0.1:{}; Ctrl-C ends it\n", (*server)->port());
  std::fflush(stdout);
  (*server)->run();
  return 0;
}

}  // namespace

int main_bench(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "null") return serve_nothing(argc - 1, argv + 1);
  if (mode == "compare") return bench_several(argc - 1, argv + 1);
  if (mode == "scale") return bench_scale(argc - 1, argv + 1);
  return bench_one(argc, argv);
}

}  // namespace hermod::load
