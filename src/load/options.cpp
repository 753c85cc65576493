// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/options.hpp"

#include <fmt/format.h>

#include <array>

#include "seconds.hpp"

namespace hermod::load {
namespace {

// What a scenario assumes when nothing is said. A zero means that the option has no sense there.
struct Defaults {
  Scenario scenario;
  std::string_view name;
  unsigned publishers;
  unsigned subscribers;
  unsigned clients;
  unsigned window;
};

constexpr std::array<Defaults, 9> kDefaults{{
    {Scenario::kFanIn, "fan-in", 50, 1, 0, 64},
    {Scenario::kFanOut, "fan-out", 1, 100, 0, 256},
    {Scenario::kPairs, "pairs", 50, 50, 0, 64},
    {Scenario::kLatency, "latency", 50, 50, 0, 0},
    {Scenario::kConnect, "connect", 0, 0, 50, 0},
    {Scenario::kIdle, "idle", 0, 0, 1000, 0},
    {Scenario::kCoapGet, "coap-get", 0, 0, 8, 16},
    {Scenario::kCoapPut, "coap-put", 0, 0, 8, 16},
    {Scenario::kCoapObserve, "coap-observe", 0, 0, 100, 1},
}};
constexpr std::array<std::string_view, 4> kNeighbours{"none", "slow", "huge", "malicious"};
constexpr double kRateDefault = 5000;
constexpr unsigned kClientsMax = 1'000'000;
constexpr unsigned kWindowMax = 65'535;  // [MQTT-2.3.1-1]: as many packet identifiers there are

const Defaults& defaults_of(Scenario scenario) {
  return kDefaults[static_cast<std::size_t>(scenario)];
}

std::unexpected<std::string> wrong(std::string_view option, std::string_view why) {
  return std::unexpected(fmt::format("--{} {}", option, why));
}

// Takes the default for a zero; refuses a value where the scenario has no use for it.
std::expected<void, std::string> settle(unsigned& value, unsigned fallback, std::string_view option,
                                        unsigned most, std::string_view scenario) {
  if (fallback == 0 && value != 0) {
    return wrong(option, fmt::format("means nothing in {}; leave it out", scenario));
  }
  if (value == 0) value = fallback;
  if (value > most) return wrong(option, fmt::format("is at most {}", most));
  return {};
}

std::expected<void, std::string> check_scheme(Options& options) {
  const auto wanted = is_coap(options.scenario) ? Url::Scheme::kCoap : Url::Scheme::kMqtt;
  if (options.url.host.empty()) {
    options.url.scheme = wanted;
    options.url.host = "127.0.0.1";
  }
  if (options.url.scheme != wanted) {
    return wrong("url", fmt::format("starts with {} for {}",
                                    is_coap(options.scenario) ? "coap://" : "mqtt://",
                                    to_text(options.scenario)));
  }
  if (options.url.port == 0 && options.spawn.empty()) {
    options.url.port = default_port(options.url.scheme);
  }
  return {};
}

std::expected<void, std::string> check_counts(Options& options) {
  const Defaults& d = defaults_of(options.scenario);
  if (is_paired(options.scenario)) {
    if (options.publishers == 0) options.publishers = options.subscribers;
    if (options.subscribers == 0) options.subscribers = options.publishers;
  }
  const std::array<std::expected<void, std::string>, 4> results{
      settle(options.publishers, d.publishers, "publishers", kClientsMax, d.name),
      settle(options.subscribers, d.subscribers, "subscribers", kClientsMax, d.name),
      settle(options.clients, d.clients, "clients", kClientsMax, d.name),
      settle(options.window, d.window, "window", kWindowMax, d.name)};
  for (const auto& result : results) {
    if (!result) return result;
  }
  if (is_paired(options.scenario) && options.publishers != options.subscribers) {
    return wrong("subscribers", fmt::format("is as many as the publishers in {}", d.name));
  }
  return {};
}

// What the scenarios that publish can vary.
std::expected<void, std::string> check_shape(Options& options) {
  const Options plain;
  const std::string_view name = to_text(options.scenario);
  if (!is_flow(options.scenario)) {
    const auto senseless = [&](std::string_view option) {
      return wrong(option, fmt::format("means nothing in {}; leave it out", name));
    };
    if (options.topics != plain.topics) return senseless("topics");
    if (options.exact) return senseless("exact");
    if (options.groups != plain.groups) return senseless("groups");
    if (options.lasting) return senseless("lasting");
    if (options.filters != plain.filters) return senseless("filters");
    if (options.churn != plain.churn) return senseless("churn");
    if (options.neighbour != plain.neighbour) return senseless("neighbour");
    return {};
  }
  if (options.topics > kTopicsMax) return wrong("topics", fmt::format("is at most {}", kTopicsMax));
  if (is_paired(options.scenario) && options.groups != 0) {
    return wrong("groups", fmt::format("means nothing in {}; leave it out", name));
  }
  if (options.groups > options.subscribers) {
    return wrong("groups", fmt::format("is at most the {} subscribers", options.subscribers));
  }
  if (options.filters > kFiltersMax) {
    return wrong("filters", fmt::format("is at most {}", kFiltersMax));
  }
  if (options.churn > kChurnMax) return wrong("churn", fmt::format("is at most {}", kChurnMax));
  if (is_paired(options.scenario) && options.topics != 0 && options.topics < options.publishers) {
    return wrong("topics", fmt::format("is at least the {} publishers: pairs share none",
                                       options.publishers));
  }
  const unsigned topics = options.topics != 0 ? options.topics : options.publishers;
  const std::uint64_t subscriptions =
      std::uint64_t{topics} * (is_paired(options.scenario) ? 1 : options.subscribers);
  if (options.exact && subscriptions > kExactMax) {
    return wrong("exact",
                 fmt::format("would take {} subscriptions; at most {}", subscriptions, kExactMax));
  }
  return {};
}

std::expected<void, std::string> check_values(Options& options) {
  if (options.qos > 2) return wrong("qos", "is 0, 1 or 2");
  if (is_coap(options.scenario) && options.qos != 0) {
    return wrong("qos", "belongs to MQTT; CoAP requests here are confirmable");
  }
  if (is_coap(options.scenario) && options.mqtt != MqttVersion::k311) {
    return wrong("mqtt", "means nothing to CoAP; leave it out");
  }
  if (options.inflight == 0 || options.inflight > kWindowMax) {
    return wrong("inflight", fmt::format("is 1 to {}", kWindowMax));
  }
  const unsigned payload_max = is_coap(options.scenario) ? kCoapPayloadMax : kPayloadMax;
  if (options.payload_bytes < kPayloadMin || options.payload_bytes > payload_max) {
    return wrong("payload", fmt::format("is {} to {} octets", kPayloadMin, payload_max));
  }
  if (options.rate != 0 && options.scenario != Scenario::kLatency) {
    return wrong("rate", "belongs to latency; the other scenarios are closed loops");
  }
  if (options.scenario == Scenario::kLatency && options.rate == 0) options.rate = kRateDefault;
  if (options.rate < 0 || options.rate > 1e8) return wrong("rate", "is above 0 and at most 1e8");
  if (options.messages != 0 &&
      (options.scenario == Scenario::kLatency || options.scenario == Scenario::kIdle)) {
    return wrong("messages", "has no use here: the scenario lasts as long as --duration says");
  }
  if (options.threads == 0 || options.threads > 256) return wrong("threads", "is 1 to 256");
  if (options.scenario == Scenario::kIdle && options.repeat > 1 && options.pid != 0) {
    return wrong("repeat", "needs --spawn in idle: a server that has had clients keeps memory");
  }
  if (options.repeat == 0 || options.repeat > 1000) return wrong("repeat", "is 1 to 1000");
  if (options.duration <= Duration{0}) return wrong("duration", "is above 0 seconds");
  if (options.warmup < Duration{0}) return wrong("warmup", "is not negative");
  if (options.drain < Duration{0}) return wrong("drain", "is not negative");
  if (options.pid != 0 && !options.spawn.empty()) {
    return wrong("pid", "and --spawn exclude each other: the started server's is known");
  }
  if (!options.server_cpus.empty() && options.pid == 0 && options.spawn.empty()) {
    return wrong("server-cpu", "needs --pid or --spawn to know which process to confine");
  }
  return {};
}

std::string with_commas(const std::vector<int>& numbers) {
  std::string out;
  for (const int number : numbers) out += fmt::format("{}{}", out.empty() ? "" : ",", number);
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += "'\\'";
    out += c;
  }
  out += '\'';
  return out;
}

}  // namespace

std::string_view to_text(Scenario scenario) {
  return defaults_of(scenario).name;
}

std::expected<Scenario, std::string> scenario_named(std::string_view name) {
  std::string known;
  for (const Defaults& d : kDefaults) {
    if (d.name == name) return d.scenario;
    known += fmt::format(" {}", d.name);
  }
  return std::unexpected(fmt::format("'{}' is no scenario; there are{}", name, known));
}

bool is_coap(Scenario scenario) {
  return scenario == Scenario::kCoapGet || scenario == Scenario::kCoapPut ||
         scenario == Scenario::kCoapObserve;
}

bool is_flow(Scenario scenario) {
  return scenario == Scenario::kFanIn || scenario == Scenario::kFanOut ||
         scenario == Scenario::kPairs || scenario == Scenario::kLatency;
}

std::string_view to_text(MqttVersion version) {
  return version == MqttVersion::k5 ? "5" : "3.1.1";
}

std::expected<MqttVersion, std::string> mqtt_version_named(std::string_view name) {
  if (name == "3.1.1" || name == "311") return MqttVersion::k311;
  if (name == "5" || name == "5.0") return MqttVersion::k5;
  return wrong("mqtt", fmt::format("is 3.1.1 or 5, not '{}'", name));
}

std::string_view to_text(NeighbourKind neighbour) {
  return kNeighbours[static_cast<std::size_t>(neighbour)];
}

std::expected<NeighbourKind, std::string> neighbour_named(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < kNeighbours.size(); ++i) {
    if (kNeighbours[i] == name) return static_cast<NeighbourKind>(i);
    known += fmt::format("{}{}", i == 0 ? "" : ", ", kNeighbours[i]);
  }
  return wrong("neighbour", fmt::format("is one of {}, not '{}'", known, name));
}

bool is_paired(Scenario scenario) {
  return scenario == Scenario::kPairs || scenario == Scenario::kLatency;
}

std::expected<Options, std::string> resolve(Options options) {
  for (const auto check : {check_scheme, check_counts, check_shape, check_values}) {
    if (auto result = check(options); !result) return std::unexpected(std::move(result.error()));
  }
  return options;
}

std::string command_line(const Options& options) {
  const Options plain;
  std::string line = fmt::format("hermod bench {} --url {}", to_text(options.scenario),
                                 options.url.path.find_first_of("?&* '\"") == std::string::npos
                                     ? options.url.to_text()
                                     : quoted(options.url.to_text()));
  const auto add = [&line]<typename T>(std::string_view name, const T& value, const T& unsaid) {
    if (value != unsaid) line += fmt::format(" --{} {}", name, value);
  };
  const auto add_seconds = [&](std::string_view name, Duration value, Duration unsaid) {
    add(name, seconds(value), seconds(unsaid));
  };
  if (!options.spawn.empty()) line += " --spawn " + quoted(options.spawn);
  add("pid", options.pid, 0);
  add("publishers", options.publishers, 0u);
  add("subscribers", options.subscribers, 0u);
  add("clients", options.clients, 0u);
  add("topics", options.topics, plain.topics);
  if (options.exact) line += " --exact";
  add("groups", options.groups, plain.groups);
  if (options.lasting) line += " --lasting";
  add("filters", options.filters, plain.filters);
  add("churn", options.churn, plain.churn);
  add("neighbour", to_text(options.neighbour), to_text(plain.neighbour));
  add("window", options.window, 0u);
  add("mqtt", to_text(options.mqtt), to_text(plain.mqtt));
  if (is_flow(options.scenario)) add("qos", options.qos, plain.qos);
  if (options.qos != 0) add("inflight", options.inflight, 0u);
  add("payload", options.payload_bytes, plain.payload_bytes);
  add("rate", options.rate, 0.0);
  add_seconds("warmup", options.warmup, plain.warmup);
  add_seconds("duration", options.duration, plain.duration);
  add_seconds("drain", options.drain, plain.drain);
  add("messages", options.messages, std::uint64_t{0});
  add("threads", options.threads, plain.threads);
  add("cpu", with_commas(options.cpus), std::string{});
  add("server-cpu", with_commas(options.server_cpus), std::string{});
  add("repeat", options.repeat, plain.repeat);
  if (options.json) line += " --json";
  return line;
}

}  // namespace hermod::load
