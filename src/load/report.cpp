// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/report.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <thread>

namespace hermod::load {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

using Figure = std::function<std::optional<double>(const Measurement&)>;

Spread spread_of(const Report& report, const Figure& figure) {
  std::vector<double> values;
  for (const Measurement& run : report.runs) {
    if (const auto value = figure(run)) values.push_back(*value);
  }
  return spread(std::move(values));
}

// "1.23 M", with its range when there were several runs.
std::string with_range(const Spread& s, std::size_t runs) {
  if (runs < 2) return short_number(s.median);
  return fmt::format("{} ({} to {})", short_number(s.median), short_number(s.min),
                     short_number(s.max));
}

std::string latency_line(std::string_view title, const Report& report,
                         std::optional<Quantiles> Measurement::* member) {
  const auto median = [&](double Quantiles::* quantile) {
    return spread_of(report,
                     [&](const Measurement& run) -> std::optional<double> {
                       const auto& quantiles = run.*member;
                       return quantiles ? std::optional{(*quantiles).*quantile} : std::nullopt;
                     })
        .median;
  };
  return fmt::format(
      "  {:<12} p50 {:.0f} us, p90 {:.0f} us, p99 {:.0f} us, p99.9 {:.0f} us, "
      "max {:.0f} us\n",
      title, median(&Quantiles::p50_us), median(&Quantiles::p90_us), median(&Quantiles::p99_us),
      median(&Quantiles::p999_us), median(&Quantiles::max_us));
}

// What Measurement::latency is the time of.
std::string_view latency_name(Scenario scenario) {
  switch (scenario) {
    case Scenario::kLatency:
    case Scenario::kFanIn:
    case Scenario::kFanOut:
    case Scenario::kPairs:
      return "delay";
    case Scenario::kConnect:
      return "to CONNACK";
    case Scenario::kCoapObserve:
      return "PUT to seen";
    default:
      return "round trip";
  }
}

std::string limit_lines(const Report& report) {
  if (!std::ranges::any_of(report.runs, &Measurement::generator_limited)) return {};
  if (report.options.scenario == Scenario::kLatency) {
    return "  The generator sent late, which is part of these delays: this machine is too busy,\n"
           "  or the rate too high for the generator.\n";
  }
  return "  The generator was the limit: the server can do more than this. Give it more\n"
         "  --threads, on processors that the server does not use.\n";
}

std::string server_lines(const Report& report) {
  std::string text;
  const std::string_view noun = operation_noun(report.options.scenario);
  if (report.runs.front().server) {
    const Spread per_cpu = spread_of(report, [](const Measurement& run) -> std::optional<double> {
      return run.server ? std::optional{run.server->per_cpu_s} : std::nullopt;
    });
    const Spread use = spread_of(report, [](const Measurement& run) -> std::optional<double> {
      return run.server ? std::optional{run.server->utilisation} : std::nullopt;
    });
    if (report.options.scenario != Scenario::kIdle) {
      text += fmt::format("  {:<12} {} {} per CPU second\n", "server",
                          with_range(per_cpu, report.runs.size()), noun);
    }
    text += fmt::format("  {:<12} {:.2f} cores busy\n", "", use.median);
  }
  if (report.runs.front().memory) {
    const Spread each = spread_of(report, [](const Measurement& run) -> std::optional<double> {
      return run.memory ? std::optional{run.memory->per_connection} : std::nullopt;
    });
    const ServerMemory& memory = *report.runs.front().memory;
    text += fmt::format(
        "  {:<12} {:.0f} octets per connection ({:.1f} MiB before, {:.1f} MiB "
        "with them)\n",
        "memory", each.median, static_cast<double>(memory.before) / (1 << 20),
        static_cast<double>(memory.after) / (1 << 20));
  }
  return text;
}

Counts total_counts(const Report& report) {
  Counts total;
  for (const Measurement& run : report.runs) {
    const Counts& c = run.counts;
    total.sent += c.sent;
    total.expected += c.expected;
    total.received += c.received;
    total.lost += c.lost;
    total.duplicated += c.duplicated;
    total.reordered += c.reordered;
    total.skipped += c.skipped;
    total.unacknowledged += c.unacknowledged;
    total.retransmitted += c.retransmitted;
    total.refused += c.refused;
    total.unexpected += c.unexpected;
    total.disconnected += c.disconnected;
    total.stalls += c.stalls;
    total.churn_subscribed += c.churn_subscribed;
    total.churn_unsubscribed += c.churn_unsubscribed;
    total.neighbour_connections += c.neighbour_connections;
    total.neighbour_packets += c.neighbour_packets;
    total.neighbour_bytes += c.neighbour_bytes;
    total.neighbour_ended += c.neighbour_ended;
  }
  return total;
}

std::string count_lines(const Report& report) {
  const Counts c = total_counts(report);
  std::string text;
  if (c.expected != 0) {
    text += fmt::format("  {:<12} {} of {} received; lost {}, duplicated {}, reordered {}\n",
                        "counts", c.received, c.expected, c.lost, c.duplicated, c.reordered);
  }
  const auto add = [&text](std::uint64_t count, std::string_view what) {
    if (count != 0) text += fmt::format("  {:<12} {} {}\n", "", count, what);
  };
  add(c.skipped, "values skipped for later ones, as Observe allows");
  add(c.unacknowledged, "messages without acknowledgement at the end");
  add(c.retransmitted, "requests sent again");
  add(c.refused, "refusals");
  add(c.unexpected, "packets that nobody had asked for");
  add(c.disconnected, "connections that the server ended");
  add(c.churn_subscribed, "subscribes of the other client acknowledged");
  add(c.neighbour_connections, "connections of the neighbour");
  add(c.neighbour_packets, "packets of the neighbour");
  add(c.neighbour_ended, "of its connections ended by the server");
  add(c.stalls, "windows forgiven after a second without progress");
  return text;
}

}  // namespace

Machine this_machine() {
  utsname system{};
  uname(&system);
  return {.processor = processor_name(),
          .cores = std::thread::hardware_concurrency(),
          .kernel = fmt::format("{} {}", system.sysname, system.release)};
}

Spread spread(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {.median = median, .min = values.front(), .max = values.back()};
}

std::string_view operation_noun(Scenario scenario) {
  switch (scenario) {
    case Scenario::kFanIn:
    case Scenario::kFanOut:
    case Scenario::kPairs:
    case Scenario::kLatency:
      return "deliveries";
    case Scenario::kConnect:
      return "connections";
    case Scenario::kIdle:
      return "messages";
    case Scenario::kCoapGet:
    case Scenario::kCoapPut:
      return "requests";
    case Scenario::kCoapObserve:
      return "notifications";
  }
  return "operations";
}

std::string describe(const Options& options) {
  std::string text{to_text(options.scenario)};
  if (is_flow(options.scenario)) {
    text += fmt::format(" {}:{} QoS {}", options.publishers, options.subscribers, options.qos);
  } else {
    text += fmt::format(", {} clients", options.clients);
  }
  if (options.topics != 0) text += fmt::format(", {} topics", options.topics);
  if (options.exact) text += ", exact filters";
  if (options.groups != 0) text += fmt::format(", {} groups", options.groups);
  if (options.lasting) text += ", lasting sessions";
  if (options.filters != 0) text += fmt::format(", {} other filters", options.filters);
  if (options.churn != 0) text += fmt::format(", {} subscribes/s", options.churn);
  if (options.neighbour != NeighbourKind::kNone) {
    text += fmt::format(", a {} neighbour", to_text(options.neighbour));
  }
  const bool without_payload = options.scenario == Scenario::kConnect ||
                               options.scenario == Scenario::kIdle ||
                               options.scenario == Scenario::kCoapGet;
  if (!without_payload) {
    text += fmt::format(", {} octets", options.payload_bytes);
  }
  if (options.window != 0) text += fmt::format(", window {}", options.window);
  if (options.qos != 0) text += fmt::format(", in-flight {}", options.inflight);
  if (options.rate > 0) text += fmt::format(", {} messages/s", short_number(options.rate));
  if (options.mqtt != MqttVersion::k311) text += fmt::format(", MQTT {}", to_text(options.mqtt));
  if (options.threads > 1) text += fmt::format(", {} threads", options.threads);
  return text;
}

std::string short_number(double value) {
  if (value >= 1e6) return fmt::format("{:.3f} M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:.1f} k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

std::string summary(const Report& report) {
  const Options& options = report.options;
  std::string text = describe(options) + "\n";
  if (!report.server.empty()) text += fmt::format("  {:<12} {}\n", "against", report.server);
  if (report.runs.empty()) return text;
  if (options.scenario != Scenario::kIdle) {
    const Spread rate =
        spread_of(report, [](const Measurement& run) { return std::optional{run.per_second}; });
    text += fmt::format("  {:<12} {} {}/s\n", "rate", with_range(rate, report.runs.size()),
                        operation_noun(options.scenario));
  }
  text += server_lines(report);
  if (report.runs.front().latency) {
    text += latency_line(latency_name(options.scenario), report, &Measurement::latency);
  }
  if (report.runs.front().lateness) {
    text += latency_line("send late", report, &Measurement::lateness);
  }
  text += count_lines(report);
  const auto busiest = spread_of(
      report, [](const Measurement& run) { return std::optional{run.generator_utilisation}; });
  text += fmt::format("  {:<12} {:.2f} of its busiest thread\n", "generator", busiest.median);
  text += limit_lines(report);
  return text + fmt::format("  {:<12} {}\n", "again", command_line(options));
}

}  // namespace hermod::load
