// SPDX-License-Identifier: Apache-2.0
#include "hermod/load/run.hpp"

#include <fmt/format.h>

#include <optional>

#include "cpu.hpp"
#include "descriptors.hpp"
#include "hermod/base/rng.hpp"
#include "measure.hpp"
#include "probe.hpp"
#include "scenario_coap.hpp"
#include "scenario_connect.hpp"
#include "scenario_flow.hpp"
#include "scenario_idle.hpp"
#include "scenario_observe.hpp"
#include "server_process.hpp"
#include "target.hpp"

namespace hermod::load {
namespace {

// Beside the clients: those that hold filters or disturb, pollers, standard streams, a server's
// pipes.
constexpr std::uint64_t kSpareDescriptors = 256;
constexpr Duration kStartPatience = std::chrono::seconds{15};

std::expected<std::unique_ptr<Workload>, std::string> make_workload(const Target& target) {
  switch (target.options.scenario) {
    case Scenario::kFanIn:
    case Scenario::kFanOut:
    case Scenario::kPairs:
    case Scenario::kLatency:
      return make_flow_workload(target);
    case Scenario::kConnect:
      return make_connect_workload(target);
    case Scenario::kIdle:
      return make_idle_workload(target);
    case Scenario::kCoapGet:
    case Scenario::kCoapPut:
      return make_coap_workload(target);
    case Scenario::kCoapObserve:
      return make_observe_workload(target);
  }
  return std::unexpected("there is no such scenario");
}

std::expected<void, std::string> allow_descriptors(const Options& options) {
  const std::uint64_t wanted = std::uint64_t{options.publishers} + options.subscribers +
                               options.clients + 3 * options.threads + kSpareDescriptors;
  const std::uint64_t limit = raise_descriptor_limit();
  if (limit >= wanted) return {};
  return std::unexpected(
      fmt::format("this load needs {} open files and the system allows {} "
                  "('ulimit -Hn'); ask for fewer clients",
                  wanted, limit));
}

std::string new_run_name() {
  SystemRng rng;
  return fmt::format("{:05x}", rng.below(1u << 20));
}

// The server of one run: somebody else's, or a child.
struct Server {
  transport::Address address;
  int pid = 0;
  std::optional<ServerProcess> child;
};

std::expected<Server, std::string> reach(const Options& options) {
  std::uint16_t port = options.url.port;
  if (port == 0) {
    const auto free = free_port();
    if (!free) return std::unexpected(free.error());
    port = *free;
  }
  const auto addresses = transport::Address::resolve(options.url.host, port);
  if (!addresses) return std::unexpected(addresses.error());
  Server server{.address = addresses->front(), .pid = options.pid};
  std::string command;
  if (!options.spawn.empty()) {
    command = with_port(options.spawn, port);
    auto child = ServerProcess::start(command);
    if (!child) return std::unexpected(child.error());
    server.child.emplace(std::move(*child));
    server.pid = server.child->pid();
  }
  const auto why = [&]() -> std::string {
    const auto ending = server.child ? server.child->ended() : std::nullopt;
    if (!ending) return {};
    return fmt::format("'{}' has ended with {} before it answered; run it by hand to see why",
                       command, *ending);
  };
  const Duration patience = server.child ? kStartPatience : std::chrono::seconds{3};
  auto answer = wait_for_answer(options.url.scheme, server.address, patience, why);
  if (!answer) return std::unexpected(answer.error());
  if (!options.server_cpus.empty()) {
    if (auto confined = confine_process(server.pid, options.server_cpus); !confined) {
      return std::unexpected(confined.error());
    }
  }
  if (server.pid != 0 && !process_cpu_s(server.pid)) {
    return std::unexpected(fmt::format("--pid {}: there is no such process", server.pid));
  }
  return server;
}

}  // namespace

std::expected<Report, std::string> run(const Options& asked, const Progress& progress) {
  auto options = resolve(asked);
  if (!options) return std::unexpected(options.error());
  if (auto allowed = allow_descriptors(*options); !allowed) {
    return std::unexpected(allowed.error());
  }
  Report report{.options = *options, .machine = this_machine(), .hermod_version = HERMOD_VERSION};
  for (unsigned i = 0; i < options->repeat; ++i) {
    auto server = reach(*options);
    if (!server) return std::unexpected(server.error());
    if (i == 0 && options->url.scheme == Url::Scheme::kMqtt) {
      report.server = mqtt_server_version(server->address);
    }
    const Target target{
        .options = *options, .address = server->address, .run_name = new_run_name()};
    const auto workload = make_workload(target);
    if (!workload) return std::unexpected(workload.error());
    auto measurement = measure(*options, **workload, server->pid, progress);
    if (!measurement) return std::unexpected(measurement.error());
    report.runs.push_back(*measurement);
  }
  return report;
}

}  // namespace hermod::load
