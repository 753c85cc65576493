// SPDX-License-Identifier: Apache-2.0
// The only file that includes CLI11, which takes long to compile.
#include "hermod/load/cli.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string_view>

#include "descriptors.hpp"
#include "hermod/load/null_server.hpp"
#include "hermod/load/run.hpp"

namespace hermod::load {
namespace {

// What is typed, before it becomes Options.
struct Typed {
  std::string scenario;
  std::string url;
  double warmup_s = 0.5;
  double duration_s = 2;
  double drain_s = 5;
  Options options;
};

Duration from_seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

void declare(CLI::App& app, Typed& typed) {
  Options& o = typed.options;
  app.add_option(
      "scenario", typed.scenario,
      "fan-in, fan-out, pairs, latency, connect, idle, coap-get, coap-put, coap-observe");
  app.add_option("--url", typed.url, "server: mqtt://HOST:PORT or coap://HOST:PORT/PATH");
  app.add_option("--spawn", o.spawn,
                 "start this command as the server, with {port} replaced, and end it afterwards");
  app.add_option("--pid", o.pid, "the server's process, to measure its CPU time and memory");
  app.add_option("--publishers", o.publishers, "how many clients publish");
  app.add_option("--subscribers", o.subscribers, "how many clients subscribe");
  app.add_option("-n,--clients", o.clients,
                 "connect: at a time; idle: in all; coap: requesters or observers");
  app.add_option("-W,--window", o.window,
                 "messages that a publisher may be ahead of its slowest subscriber");
  app.add_option("--inflight", o.inflight, "unacknowledged messages of a publisher, QoS 1 and 2")
      ->capture_default_str();
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

void show_progress(std::string_view phase, double done) {
  constexpr int kWidth = 30;
  const int filled = static_cast<int>(done * kWidth);
  fmt::print(stderr, "\r{:<8} [{:#<{}}{:.<{}}]", phase, "", filled, "", kWidth - filled);
  std::fflush(stderr);
}

void clear_progress() {
  fmt::print(stderr, "\r\033[K");
}

// What no server may do: lose, reorder; double, except at QoS 1 (MQTT 3.1.1 §4.3.2).
bool broke_promises(const Report& report) {
  for (const Measurement& run : report.runs) {
    if (run.counts.lost != 0 || run.counts.reordered != 0) return true;
    if (run.counts.duplicated != 0 && report.options.qos != 1) return true;
  }
  return false;
}

int measure_and_print(Typed& typed) {
  const auto fail = [](std::string_view why) {
    fmt::print(stderr, "hermod bench: {}\n", why);
    return 1;
  };
  const auto scenario = scenario_named(typed.scenario);
  if (!scenario) return fail(scenario.error());
  Options& options = typed.options;
  options.scenario = *scenario;
  if (!typed.url.empty()) {
    const auto url = parse_url(typed.url);
    if (!url) return fail(url.error());
    options.url = *url;
  }
  options.warmup = from_seconds(typed.warmup_s);
  options.duration = from_seconds(typed.duration_s);
  options.drain = from_seconds(typed.drain_s);

  const bool terminal = isatty(STDERR_FILENO) == 1;
  const auto report = run(options, terminal ? Progress{show_progress} : Progress{});
  if (terminal) clear_progress();
  if (!report) return fail(report.error());
  fmt::print(options.json ? stderr : stdout, "{}", summary(*report));
  if (options.json) fmt::print("{}\n", to_json(*report));
  return broke_promises(*report) ? 2 : 0;
}

int serve_nothing(int argc, char** argv) {
  CLI::App app{"Stands where an MQTT server would and only copies bytes: the machine's ceiling.",
               "hermod bench null"};
  std::uint16_t port = 1883;
  app.add_option("-p,--port", port, "port of 127.0.0.1; 0: any")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  const auto server = NullServer::open(port);
  if (!server) {
    fmt::print(stderr, "hermod bench null: {}\n", server.error());
    return 1;
  }
  fmt::print("null server on mqtt://127.0.0.1:{}; Ctrl-C ends it\n", (*server)->port());
  std::fflush(stdout);
  (*server)->run();
  return 0;
}

}  // namespace

int main_bench(int argc, char** argv) {
  if (argc > 1 && std::string_view{argv[1]} == "null") return serve_nothing(argc - 1, argv + 1);
  CLI::App app{"Measures an MQTT 3.1.1 or CoAP server.", "hermod bench"};
  Typed typed;
  declare(app, typed);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  if (typed.scenario.empty()) {
    fmt::print("{}", app.help());
    return 0;
  }
  return measure_and_print(typed);
}

}  // namespace hermod::load
