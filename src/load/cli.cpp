// SPDX-License-Identifier: Apache-2.0
// The only file that includes CLI11, which takes long to compile.
#include "hermod/load/cli.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string_view>

#include "descriptors.hpp"
#include "hermod/load/compare.hpp"
#include "hermod/load/null_server.hpp"
#include "hermod/load/run.hpp"

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

// The options of the load itself, the same for one server and for two.
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

// What no server may do: lose, reorder; double, except at QoS 1 (MQTT 3.1.1 §4.3.2).
bool broke_promises(const Report& report) {
  for (const Measurement& run : report.runs) {
    if (run.counts.lost != 0 || run.counts.reordered != 0) return true;
    if (run.counts.duplicated != 0 && report.options.qos != 1) return true;
  }
  return false;
}

// The summary is for the reader in any case; with --json standard output belongs to the program.
template <typename Result>
void print_result(const Result& result, bool json) {
  fmt::print(json ? stderr : stdout, "{}", summary(result));
  if (json) fmt::print("{}\n", to_json(result));
}

int bench_one(int argc, char** argv) {
  CLI::App app{"Measures an MQTT 3.1.1, MQTT 5.0 or CoAP server.", "hermod bench"};
  app.footer(
      "hermod bench compare: two servers in turns; hermod bench null: the machine's ceiling.");
  Typed typed;
  declare_load(app, typed);
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

int bench_two(int argc, char** argv) {
  CLI::App app{"Measures two servers in turns with the same load.", "hermod bench compare"};
  Typed typed;
  typed.options.repeat = 5;
  declare_load(app, typed);
  Contender a{.name = "A"};
  Contender b{.name = "B"};
  std::string url_a;
  std::string url_b;
  double at_least = 0;
  double at_most = 0;
  app.add_option("--a", a.command, "command of the first server, {port} is replaced")->required();
  app.add_option("--b", b.command, "command of the second")->required();
  app.add_option("--a-name", a.name, "what to call the first")->capture_default_str();
  app.add_option("--b-name", b.name, "what to call the second")->capture_default_str();
  app.add_option("--a-url", url_a, "port or resource of the first, if the command fixes it");
  app.add_option("--b-url", url_b, "the same of the second");
  app.add_option("--at-least", at_least, "ratio that is wanted; exit status 3 when it is missed");
  app.add_option("--at-most", at_most, "idle: octets per connection that the first may have");
  CLI11_PARSE(app, argc, argv);
  if (const auto good = translate(typed); !good) return fail(good.error());
  for (const auto& [text, contender] : {std::pair{&url_a, &a}, std::pair{&url_b, &b}}) {
    if (text->empty()) continue;
    auto url = parse_url(*text);
    if (!url) return fail(url.error());
    contender->url = std::move(*url);
  }
  auto comparison = [&] {
    const Bar bar;
    return compare(typed.options, std::move(a), std::move(b), bar.progress());
  }();
  if (!comparison) return fail(comparison.error());
  comparison->at_least = at_least;
  comparison->at_most = at_most;
  print_result(*comparison, typed.options.json);
  if (broke_promises(comparison->report_a)) return kBroken;
  return comparison->reached() ? 0 : kMissed;
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
  if (mode == "compare") return bench_two(argc - 1, argv + 1);
  return bench_one(argc, argv);
}

}  // namespace hermod::load
